"""The finding of a declared study in plain words. A comparative appears only where an interval backs it."""

from __future__ import annotations

from pokeopt.ablation.predicates import FEWEST_SEEDS
from pokeopt.report.claims import count_words
from pokeopt.report.summary import AblationSummary, ArmSummary
from pokeopt.report.words import capital, effect_text, joined, level_text, metric_name, plural, size_text

MOST_ARMS = 4  # that get a clause of their own; the table has all


def of_plan(ablation: AblationSummary) -> list[str]:
    """Return the sentences on a plan's study: settled effects first, then the verdicts, then what is missing."""
    plan = ablation.plan
    assert plan is not None
    done = ablation.n_cells - len(ablation.holes)
    holes = _holes(ablation)
    if plan.is_quick:
        runs = f"{done} of {ablation.n_cells} cells complete, {plural(len(ablation.seeds), 'seed')}"
        return [f"A smoke run, no verdict: {runs}.", *holes]
    reference = ablation.arm(ablation.reference)
    if reference is None or reference.level.n == 0:
        name = reference.label if reference is not None else ablation.reference
        return [f"No cell of the reference, {name}, completed, so nothing can be compared with it.", *holes]
    compared = [arm for arm in ablation.arms if arm.effect is not None and not arm.same_as]
    settled = sorted((arm for arm in compared if arm.is_settled), key=lambda arm: -abs(arm.gain or 0))
    alike = [arm for arm in compared if arm.within is not None and arm.reference == ablation.reference]
    open_ = [arm for arm in compared if not arm.is_settled and arm not in alike]
    sentences = [_settled(settled, ablation)] if settled else []
    if alike:
        sentences.append(_alike(alike, ablation, is_first=not sentences))
    if open_:
        sentences.append(_unsettled(open_, ablation, is_first=not sentences))
    if not compared:
        mean = f"{level_text(reference.level)} {metric_name(ablation.metric)}"
        sentences.append(f"Only {reference.label} has scores ({mean}), so nothing is compared.")
    if ablation.verdicts:
        sentences.append(f"{capital(count_words(ablation.verdicts))}{_seeds(ablation)}.")
    return sentences + holes


def _settled(arms: list[ArmSummary], ablation: AblationSummary) -> str:
    """Return "On test macro-F1, crop beats raw by 0.68 [0.66, 0.70] (0.90 ± 0.01 against 0.22 ± 0.01; 10 seeds)."."""
    clauses = []
    for arm in arms[:MOST_ARMS]:
        reference = ablation.arm(arm.reference or "")
        assert arm.effect is not None
        assert reference is not None
        verb = "beats" if (arm.gain or 0) > 0 else "is worse than"
        scores = f"{level_text(arm.level)} against {level_text(reference.level)}"
        basis = f"{scores}; {plural(arm.effect.n, 'seed')}"
        clauses.append(f"{arm.label} {verb} {reference.label} by {size_text(arm.effect)} ({basis})")
    if len(arms) > MOST_ARMS:
        n = len(arms) - MOST_ARMS
        clauses.append(f"{n} more {'effect is' if n == 1 else 'effects are'} settled")
    return f"On {metric_name(ablation.metric)}, {joined(clauses)}."


def _alike(arms: list[ArmSummary], ablation: AblationSummary, *, is_first: bool) -> str:
    """Name the arms that make no difference of a size that counts."""
    clauses = []
    for arm in arms[:MOST_ARMS]:
        assert arm.effect is not None
        size = "equal in every run" if arm.effect.low == arm.effect.high else effect_text(arm.effect)
        clauses.append(f"{arm.label} ({size}; {plural(arm.effect.n, 'seed')})")
    if len(arms) > MOST_ARMS:
        clauses.append(f"{len(arms) - MOST_ARMS} more")
    on = f" on {metric_name(ablation.metric)}" if is_first else ""
    return f"Within ±{arms[0].within:g} of the reference{on}: {joined(clauses)}, by two one-sided tests."


def _unsettled(arms: list[ArmSummary], ablation: AblationSummary, *, is_first: bool) -> str:
    """Name the arms whose effect could be on either side, with what it would take."""
    shown = arms[:MOST_ARMS]
    counts = {arm.effect.n for arm in arms if arm.effect is not None}
    clauses = []
    for arm in shown:
        effect = arm.effect
        assert effect is not None
        needed = ""
        if effect.n < 2:
            needed = ", one seed, so no interval"
        elif effect.excludes_zero and effect.n < FEWEST_SEEDS:
            needed = f", a verdict needs {FEWEST_SEEDS} seeds"
        elif effect.excludes_zero:
            needed = ", the interval excludes 0, the test corrected for all comparisons does not"
        elif arm.seeds_needed is not None and arm.seeds_needed > effect.n:
            needed = f", about {arm.seeds_needed} seeds would be needed"
        basis = f", {plural(effect.n, 'seed')}" if len(counts) > 1 and effect.n > 1 else ""
        clauses.append(f"{arm.label} ({effect_text(effect)}{basis}{needed})")
    if len(arms) > MOST_ARMS:
        clauses.append(f"{len(arms) - MOST_ARMS} more in the table")
    reference = ablation.arm(ablation.reference)
    against = f" against {reference.label}" if reference is not None else ""
    seeds = f", at {plural(min(counts), 'seed')}" if len(counts) == 1 else ""
    on = f" on {metric_name(ablation.metric)}" if is_first else ""
    verb = "is" if len(arms) == 1 else "are"
    return f"Not settled{on}{against} {verb} {joined(clauses)}{seeds}."


def _seeds(ablation: AblationSummary) -> str:
    """Return the seeds that the open claims need."""
    open_ = [verdict for verdict in ablation.verdicts if verdict.word == "inconclusive"]
    needed = [verdict.seeds_needed for verdict in open_ if verdict.seeds_needed is not None]
    if not open_:
        return ""
    if not needed:
        return "; no number of seeds up to 1000 would decide what is open, were means and spreads as measured"
    return f"; about {max(needed)} seeds would decide {'it' if len(open_) == 1 else 'what can be decided'}"


def _holes(ablation: AblationSummary) -> list[str]:
    if not ablation.holes:
        return []
    verb = "has" if len(ablation.holes) == 1 else "have"
    arms = joined(dict.fromkeys(f"{hole.arm_id} at seed {hole.seed}" for hole in ablation.holes[:3]))
    more = f" and {len(ablation.holes) - 3} others" if len(ablation.holes) > 3 else ""
    return [f"{len(ablation.holes)} of {ablation.n_cells} cells {verb} no result: {arms}{more}."]

"""The finding in plain words. A comparative appears only where an interval backs it."""

from __future__ import annotations

from pokeopt.ablation.arms import BASELINE, BEST
from pokeopt.ablation.predicates import FEWEST_SEEDS
from pokeopt.report.plan_finding import of_plan
from pokeopt.report.summary import AblationSummary, ArmSummary, SearchSummary
from pokeopt.report.words import (
    PARTS,
    effect_text,
    joined,
    level_text,
    metric_name,
    number,
    plain,
    plural,
    size_text,
)


def finding(search: SearchSummary | None, ablation: AblationSummary | None) -> tuple[str, ...]:
    """Return the sentences of the finding, the strongest first."""
    sentences: list[str] = []
    if ablation is not None:
        sentences += of_plan(ablation) if ablation.plan is not None else _of_ablation(ablation)
    if search is not None:
        sentences += _of_search(search, has_ablation=ablation is not None)
    return tuple(sentences)


def _of_ablation(ablation: AblationSummary) -> list[str]:
    baseline, best = ablation.arm(BASELINE), ablation.arm(BEST)
    metric = metric_name(ablation.metric)
    if baseline is None or baseline.level.n == 0:
        return ["No cell of the baseline completed, so nothing can be compared with it."]
    seeds = plural(baseline.level.n, "seed")
    if len(ablation.arms) == 1:
        mean = f"{level_text(baseline.level)} {metric} over {seeds}"
        return [
            f"The search found nothing to change: its best configuration is the baseline. It scores {mean}."
        ]
    sentences = []
    if best is not None and best.effect is not None:
        sentences.append(_best_sentence(best, baseline, metric))
    elif best is not None:
        sentences.append(
            "No cell of the best configuration completed, so it is not compared with the baseline."
        )
    single = [arm for arm in ablation.arms if arm.reference == BASELINE and arm.id != BEST and arm.effect]
    sentences += _factor_sentences(single, "Taken alone", ablation)
    without = [arm for arm in ablation.arms if arm.reference == BEST and arm.effect]
    sentences += _factor_sentences(without, "Taken back from the best", ablation)
    if (elsewhere := _elsewhere(best or baseline, ablation)) is not None:
        sentences.append(elsewhere)
    if ablation.holes:
        verb = "has" if len(ablation.holes) == 1 else "have"
        sentences.append(f"{len(ablation.holes)} of {ablation.n_cells} cells {verb} no result.")
    return sentences


def _best_sentence(best: ArmSummary, baseline: ArmSummary, metric: str) -> str:
    effect = best.effect
    assert effect is not None
    scores = f"{level_text(best.level)} against {level_text(baseline.level)}"
    if best.is_settled:
        verb = "beats" if (best.gain or 0) > 0 else "is worse than"
        size = effect_text(effect)
        basis = plural(effect.n, "seed")
        return f"The best configuration {verb} the baseline: {size} {metric} ({scores}; {basis})."
    sentence = (
        f"Whether the best configuration beats the baseline is not settled: {effect_text(effect)} {metric}"
    )
    return f"{sentence} ({scores}; {_basis(best)})."


def _factor_sentences(arms: list[ArmSummary], opening: str, ablation: AblationSummary) -> list[str]:
    settled = sorted((arm for arm in arms if arm.is_settled), key=lambda arm: -abs(arm.gain or 0))
    sentences = []
    if settled:
        clauses = [f"{_name(arm)} {_verb(arm, ablation, i)} {_size(arm)}" for i, arm in enumerate(settled)]
        sentences.append(f"{opening}, {joined(clauses)}.")
    if unsettled := [arm for arm in arms if not arm.is_settled]:
        clauses = [f"{_name(arm)} ({_size(arm, sign=True)}; {_basis(arm)})" for arm in unsettled]
        verb = "is" if len(unsettled) == 1 else "are"
        sentences.append(f"Not settled {verb} {joined(clauses)}.")
    return sentences


def _verb(arm: ArmSummary, ablation: AblationSummary, place: int) -> str:
    """Return what an arm does to the score; of an error, which is better where it is lower, it is said outright."""
    is_better = (arm.gain or 0) > 0
    if ablation.direction == "maximize":
        return "gains" if is_better else "costs"
    what = metric_name(ablation.metric) if place == 0 else "it"
    return f"{'lowers' if is_better else 'raises'} {what} by"


def _name(arm: ArmSummary) -> str:
    return arm.label.removeprefix("best without ").removeprefix("+ ")


def _size(arm: ArmSummary, *, sign: bool = False) -> str:
    """Return the size of an effect; unsigned behind a verb that has the direction, its interval turned with
    it.
    """
    effect = arm.effect
    assert effect is not None
    return effect_text(effect) if sign else size_text(effect)


def _basis(arm: ArmSummary) -> str:
    effect = arm.effect
    assert effect is not None
    basis = plural(effect.n, "seed")
    if effect.n < 2:
        return f"{basis}, so no interval"
    if effect.excludes_zero and effect.n < FEWEST_SEEDS:
        return f"{basis}; a verdict needs {FEWEST_SEEDS}"
    if effect.excludes_zero:
        return f"{basis}; the interval excludes 0, the test corrected for all comparisons does not"
    if arm.seeds_needed is not None and effect.n < arm.seeds_needed:
        return f"{basis}; about {arm.seeds_needed} would be needed"
    return basis


def _elsewhere(arm: ArmSummary, ablation: AblationSummary) -> str | None:
    """Name the scores on external sets, each with its set."""
    others = [part for part in ablation.parts if part not in ("train", "val", "test")]
    found = [f"{number(arm.parts[p].mean)} on {p}" for p in others if arm.parts.get(p) and arm.parts[p].n]
    if not found:
        return None
    name = "The best configuration" if arm.id == BEST else "The baseline"
    return f"{name} scores {joined(found)} (external sets; nothing was selected on them)."


def _of_search(search: SearchSummary, *, has_ablation: bool) -> list[str]:
    n_trials = sum(n for state, n in search.states.items() if state != "running")
    trials = plural(n_trials, "trial")
    best = search.trial(search.best)
    if best is None:
        return [f"None of {trials} completed, so there is no best configuration and no effect to confirm."]
    metric = metric_name(search.metrics[0])
    if len(search.metrics) > 1:
        front = sum(trial.is_on_front for trial in search.trials)
        names = joined(metric_name(name) for name in search.metrics)
        lead = f"Of {trials}, {front} are on the front of {names}: none beats them in every objective."
    else:
        value = number(best.values[0])
        lead = f"Trial {best.number} was chosen by {metric} ({value}) among {trials}."
    if has_ablation:
        return [lead]
    changed = [f"{key} = {plain(pair[1])}" for key, pair in search.changed.items()]
    if changed and search.baseline is not None:
        lead += f" It differs from the baseline in {joined(changed)}."
    elsewhere = [
        f"{number(best.parts[part])} on {PARTS.get(part, part)}"
        for part in search.parts
        if part != "val" and part in best.parts
    ]
    if elsewhere:
        lead += f" The same run scores {joined(elsewhere)}."
    reason = "No effect is confirmed: this is a search, one run a configuration, chosen for its score."
    return [lead, reason]

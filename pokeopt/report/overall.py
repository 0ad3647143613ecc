"""The first screen: the finding over all studies of the page, the forest of their effects, what they took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from pokeopt.report.audit import title_of
from pokeopt.report.blocks import Figure
from pokeopt.report.claims import count_words, verdict_counts
from pokeopt.report.forest import Titled
from pokeopt.report.forest import forest as draw_forest
from pokeopt.report.summary import AblationSummary, StudySummary, Summary
from pokeopt.report.words import capital, duration, effect_text, joined, metric_name, plural

MOST_TITLES = 4
SMOKE = (
    "Smoke runs: they show that the plans run. No verdict is given, and no effect may be read from this page."
)


@dataclass(frozen=True)
class Head:
    """The first screen: who stops there has the truth.

    Attributes:
        warning: What a reader must know first, as that a smoke run gives no verdict.
        findings: What was found in the page's only study, or over all of them.
        by_study: Title, id of its section and finding of each study, where there are several.
    """

    title: str
    warning: str
    findings: tuple[str, ...]
    by_study: tuple[tuple[str, str, str], ...]
    forest: Figure | None
    facts: tuple[tuple[str, str], ...]


def head_of(summary: Summary) -> Head:
    """Return the first screen of the page."""
    studies = summary.studies
    found = [Titled(study.title, study.ablation) for study in studies if study.ablation is not None]
    forest = draw_forest([one for one in found if not _is_quick(one.ablation)], "forest")
    warning = SMOKE if found and all(_is_quick(one.ablation) for one in found) else ""
    if len(studies) == 1:
        (only,) = studies
        return Head(only.title, warning, only.finding, (), forest, only.costs)
    by_study = tuple(
        (study.title, _id_of(study, i), " ".join(study.finding)) for i, study in enumerate(studies)
    )
    return Head(_title(studies), warning, tuple(_over_all(studies)), by_study, forest, tuple(_facts(studies)))


def _id_of(study: StudySummary, i: int) -> str:
    kind = "ablation" if study.ablation is not None else "search" if study.search is not None else ""
    return f"s{i}-{kind}" if i and kind else kind


def _is_quick(ablation: AblationSummary) -> bool:
    return ablation.plan is not None and ablation.plan.is_quick


def _title(studies: Sequence[StudySummary]) -> str:
    """Return the title of a page of several studies: the document that all are from, or their names."""
    documents = {
        study.ablation.plan.document
        for study in studies
        if study.ablation is not None and study.ablation.plan
    }
    titles = [study.title for study in studies]
    if len(documents) == 1 and len(titles) > 1 and (document := next(iter(documents))):
        return f"Ablations of {title_of(document) or PurePath(document).stem}"
    return (
        joined(titles)
        if len(titles) <= MOST_TITLES
        else f"{len(titles)} studies: {titles[0]} to {titles[-1]}"
    )


def _over_all(studies: Sequence[StudySummary]) -> list[str]:
    """Return the sentences over all studies: verdicts, the largest settled effects, and what was not settled."""
    ablations = [study.ablation for study in studies if study.ablation and not _is_quick(study.ablation)]
    if not ablations:
        return []
    sentences = []
    if verdicts := [verdict for ablation in ablations for verdict in ablation.verdicts]:
        sentences.append(f"{capital(count_words(verdicts))}.")
    titles = {id(study.ablation): study.title for study in studies if study.ablation}
    settled = [(a, arm) for a in ablations for arm in a.arms if arm.is_settled and not arm.same_as]
    if settled:
        metric = Counter(ablation.metric for ablation, _ in settled).most_common(1)[0][0]
        ablation, arm = max(
            (pair for pair in settled if pair[0].metric == metric), key=lambda pair: abs(pair[1].gain or 0)
        )
        reference = ablation.arm(arm.reference or "")
        assert arm.effect is not None
        against = reference.label if reference is not None else arm.reference
        size = f"{effect_text(arm.effect)} ({plural(arm.effect.n, 'seed')})"
        where = f"that of {arm.label} against {against} in {titles[id(ablation)]}, {size}"
        sentences.append(f"The largest settled effect on {metric_name(metric)} is {where}.")
    compared = [a for a in ablations if any(arm.effect is not None for arm in a.arms)]
    open_ = [titles[id(a)] for a in compared if not any(arm.is_settled for arm in a.arms)]
    if open_:
        sentences.append(f"No effect is settled in {joined(open_)}.")
    if holes := sum(len(ablation.holes) for ablation in ablations):
        sentences.append(f"{plural(holes, 'cell')} {'has' if holes == 1 else 'have'} no result.")
    return sentences


def _facts(studies: Sequence[StudySummary]) -> list[tuple[str, str]]:
    """Return what all studies together took."""
    ablations = [study.ablation for study in studies if study.ablation is not None]
    facts = []
    if verdicts := [verdict for ablation in ablations for verdict in ablation.verdicts]:
        facts.append(("Verdicts", ", ".join(f"{n} {word}" for word, n in verdict_counts(verdicts))))
    effects = [arm for a in ablations if not _is_quick(a) for arm in a.arms if arm.effect and not arm.same_as]
    if effects:
        settled = sum(arm.is_settled for arm in effects)
        facts.append(("Effects", f"{settled} settled, {len(effects) - settled} not settled"))
    if ablations:
        total = sum(ablation.n_cells for ablation in ablations)
        done = total - sum(len(ablation.holes) for ablation in ablations)
        facts.append(
            ("Confirmed on", f"{done} of {total} cells complete, in {plural(len(ablations), 'study')}")
        )
    n_trials = sum(sum(study.search.states.values()) for study in studies if study.search is not None)
    if n_trials:
        facts.append(("Searched by", plural(n_trials, "trial")))
    seconds = sum(part.compute_s for study in studies for part in (study.search, study.ablation) if part)
    if seconds:
        facts.append(("Training time", f"{duration(seconds)}, all runs added up"))
    return facts

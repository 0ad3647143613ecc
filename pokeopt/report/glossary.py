"""The words of the page that its tables explain by a hint only, and its metrics, said once where all can read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pokeopt.registry import METRICS
from pokeopt.report.blocks import Figure, Section, Table, Text
from pokeopt.report.document import text_of
from pokeopt.report.summary import AblationSummary, Summary
from pokeopt.report.words import NAMES

OWN = ("Mean ± SD", "Seeds")  # columns whose hint is about their own table, as of all that count images
PLAIN = ("epochs_run", "n_params")  # metrics whose name says all
SETTLED = "an effect whose 95 % interval excludes 0 and whose p after Holm's method is below 0.05, on 3 seeds or more"
KEPT = "the epoch whose weights were kept, by default that of the best score on validation; all scores are read there"
SLICE = "some of the images, those with a property that the source names, as edge: a shape touches the border"
TAU = "from 1, both sets rank the arms alike, to −1, one ranks them the other way round"
OF_SOME = ("slice_mse", "class_mse")  # MSE, over some of the images
METRIC_WORDS = {
    "partition_information": "What the parts of the latent tell of each other, in nats; 0 where they are independent.",
}


def glossary(summary: Summary, sections: Iterable[Section]) -> Section | None:
    """Return the section on the words that these sections use; None where they use none that needs one."""
    ablations = [study.ablation for study in summary.studies if study.ablation is not None]
    metrics = sorted(
        {name for ablation in ablations for name in _metrics(ablation)} | set(_searched(summary))
    )
    named = sorted({"mse" if name in OF_SOME else name for name in metrics} - set(PLAIN))
    items = [
        *_hints(sections),
        *_terms(ablations, metrics),
        *(_metric(name) for name in named),
    ]
    if not items:
        return None
    return Section("words", "Words used", (Text(items=tuple(items)),))


def _hints(sections: Iterable[Section]) -> list[tuple[str, str]]:
    """Return each column that has a hint, with the first that it has."""
    found: dict[str, str] = {}
    for table in _tables(sections):
        for column in table.columns:
            title = text_of(column.title)
            if column.note and title not in OWN and not title.endswith(" images"):
                found.setdefault(title, column.note)
    return list(found.items())


def _tables(sections: Iterable[Section]) -> Iterator[Table]:
    for section in sections:
        for block in section.blocks:
            table = block.table if isinstance(block, Figure) else block
            if isinstance(table, Table):
                yield table
        yield from _tables(section.parts)


def _terms(ablations: Sequence[AblationSummary], metrics: Iterable[str]) -> list[tuple[str, str]]:
    terms = []
    if any(arm.effect for ablation in ablations for arm in ablation.arms):
        terms.append(("settled", SETTLED))
    if ablations:
        terms.append(("kept epoch", KEPT))
    if any(ablation.shifts for ablation in ablations):
        terms.append(("Kendall's tau", TAU))
    if "slice_mse" in metrics:
        terms.append(("slice", SLICE))
    return terms


def _metrics(ablation: AblationSummary) -> Iterator[str]:
    """Return every metric that a study's section shows, by its name without part and class."""
    plan = ablation.plan
    names = [ablation.metric, *(plan.metrics if plan else ()), *(other.metric for other in ablation.others)]
    names += [verdict.claim.metric for verdict in ablation.verdicts]
    names += [curves.metric for curves in ablation.curves]
    names += [f"/{breakdown.metric}" for breakdown in ablation.breakdowns]
    for one in (part for name in names for part in name.split(" - ")):
        base = one.partition("/")[2].partition("/")[0]
        if base in METRICS.names():
            yield base


def _searched(summary: Summary) -> Iterator[str]:
    for study in summary.studies:
        for name in study.search.metrics if study.search is not None else ():
            if (base := name.partition("/")[2]) in METRICS.names():
                yield base


def _metric(name: str) -> tuple[str, str]:
    """Return a metric's name in words, and what it is: the first paragraph of its class."""
    told = METRIC_WORDS.get(name) or " ".join((METRICS.get(name).__doc__ or "").split("\n\n")[0].split())
    return NAMES.get(name, name.replace("_", " ")), f"{told[:1].lower()}{told[1:]}".rstrip(".")

"""The section that sets what documents report beside what was measured, with the verdict on every claim."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from markupsafe import Markup

from pokeopt.report.blocks import Cell, Column, Section, Table, Text, cells, present
from pokeopt.report.summary import AblationSummary, PlanSummary, StudySummary, Summary
from pokeopt.report.svg import tag
from pokeopt.report.words import ABSENT, capital, digits_for, interval, joined, metric_name, number, p_value

if TYPE_CHECKING:
    from pokeopt.ablation.estimates import Estimate
    from pokeopt.ablation.verdicts import Part, Verdict

WORDS = ("reproduced", "not reproduced", "inconclusive", "not testable")
ICONS = {
    "reproduced": "M2 7.5 L5.5 11 L12 3",
    "not reproduced": "M3 3 L11 11 M11 3 L3 11",
    "inconclusive": "M2 7 C4 3 5.5 3 7 7 C8.5 11 10 11 12 7",
    "not testable": "M3 7 L11 7",
}
MEANINGS = (
    ("reproduced", "the interval, widened for all claims of its study, lies wholly on the claimed side"),
    ("not reproduced", "it lies wholly outside what is claimed"),
    ("inconclusive", "it allows both; the seeds that would decide are named where a number can be given"),
    ("not testable", "the claim has no number, nothing measured it, or a cell is missing"),
)


def claims_section(summary: Summary) -> Section | None:
    """Return the claims of all studies in one table; None where no study has any."""
    found = [
        (study, f"s{i}-ablation" if i else "ablation", verdict)
        for i, study in enumerate(summary.studies)
        if study.ablation is not None
        for verdict in study.ablation.verdicts
    ]
    if not found:
        return None
    several = len(summary.studies) > 1
    columns = (
        Column("Claim and its source", is_number=False),
        Column("Verdict", is_number=False),
        Column("Reported", is_number=False),
        Column("Measured [interval]", is_number=False, note="adjusted for all claims of its study"),
        Column("Seeds"),
        Column("p (Holm)", note="adjusted over the claims of its study"),
        Column("P(impr.)", note="how often a run is ahead of the other arm's run of equal seed"),
        Column("Fidelity", is_number=False),
        *((Column("Study", is_number=False),) if several else ()),
    )
    rows = tuple(_row(study, id_, verdict, several=several) for study, id_, verdict in found)
    caption = "Every claim, what its document reports, and what was measured here."
    table = Table("claims-table", caption, columns, rows, is_sortable=True)
    counts = f"{capital(count_words([verdict for _, _, verdict in found]))}."
    blocks = present((Text((counts, *_inside_note(found))), table, Text(items=MEANINGS)))
    return Section("claims", "Claims: reported and measured", blocks)


def count_words(verdicts: Sequence[Verdict]) -> str:
    """Return how many claims have which verdict: "of 5 claims 2 are reproduced and 3 are inconclusive"."""
    shown = verdict_counts(verdicts)
    if len(verdicts) == 1:
        return f"the one claim is {shown[0][0]}"
    said = joined(f"{n} {'is' if n == 1 else 'are'} {word}" for word, n in shown)
    return f"of {len(verdicts)} claims {said}"


def verdict_counts(verdicts: Sequence[Verdict]) -> list[tuple[str, int]]:
    """Return each word that was given, and how often."""
    words = [verdict.word for verdict in verdicts]
    return [(word, n) for word in WORDS if (n := sum(found == word for found in words))]


def source_of(plan: PlanSummary, section: str = "") -> str:
    """Return the document, by its name without the file's ending, and where in it."""
    document = PurePath(plan.document).stem if plan.document else ""
    where = section or plan.section
    return ", ".join(part for part in (document, where) if part)


def icon(word: str) -> Markup:
    """Return the mark of a verdict: a shape of its own, so that colour says nothing alone."""
    path = tag("path", d=ICONS[word], class_="icon")
    return tag("svg", path, width=14, height=14, viewBox="0 0 14 14", aria_hidden="true")


def _row(study: StudySummary, id_: str, verdict: Verdict, *, several: bool) -> tuple[Cell, ...]:
    ablation, claim = study.ablation, verdict.claim
    assert ablation is not None
    plan = ablation.plan
    link = tag("a", study.title, href=f"#{id_}")
    word = icon(verdict.word) + tag("span", f" {verdict.word}")
    told = [verdict.reason] if verdict.reason else []
    if verdict.reported_inside is not None:
        where = "inside" if verdict.reported_inside else "outside"
        told.append(f"the reported value lies {where} the 95 % prediction interval of one run")
    why = tag("span", "; ".join(told), class_="why") if told else Markup("")
    shown = [_part(part, verdict) for part in verdict.parts]
    measured = Markup("").join([tag("span", metric_name(claim.metric), class_="why key"), *shown])
    source = tag("span", source_of(plan, claim.section), class_="why") if plan else Markup("")
    says = tag("span", f"“{claim.says}”") + source
    share = verdict.p_improvement
    return cells(
        Cell(says, look="wrap"),
        Cell(word + why, sort=WORDS.index(verdict.word), look="wrap verdict"),
        Cell(_reported(verdict, ablation), look="wrap narrow"),
        Cell(measured, look="tabular"),
        Cell(str(verdict.n) if verdict.n else ABSENT, verdict.n or None),
        Cell(p_value(verdict.p_holm), verdict.p_holm),
        Cell(_share(share), share.mean if share else None),
        plan.fidelity if plan else ABSENT,
        *((Cell(link),) if several else ()),
    )


def _reported(verdict: Verdict, ablation: AblationSummary) -> str:
    """Return the document's numbers, arm by arm."""
    texts = []
    for id_, values in verdict.claim.reported.items():
        arm = ablation.arm(id_)
        texts.append(f"{arm.label if arm else id_}: {' and '.join(f'{value:g}' for value in values)}")
    return "; ".join(texts) or "no number"


def _part(part: Part, verdict: Verdict) -> Markup:
    """Return what was compared, and its estimate."""
    is_ratio = verdict.claim.kind == "ratio"
    names = f"{part.arm} {'/' if is_ratio else '−'} {part.other}" if part.other else part.arm
    text = estimate_text(part.measured, sign=bool(part.other) and not is_ratio)
    return tag("span", tag("span", names, class_="key"), f" {text}", class_="line")


def estimate_text(found: Estimate, *, sign: bool) -> str:
    """Return an estimate with its interval, in the digits that its spread deserves."""
    digits = digits_for(found.sd, found.mean)
    return f"{number(found.mean, digits, sign=sign)} {interval(found.low, found.high, digits, sign=sign)}".strip()


def _share(share: Estimate | None) -> str:
    return (
        ABSENT if share is None else f"{number(share.mean, 2)} {interval(share.low, share.high, 2)}".strip()
    )


def _inside_note(found: Sequence[tuple[StudySummary, str, Verdict]]) -> list[str]:
    """Say what was not compared: the size of effects that are no full rerun of the document's."""
    levels = {study.ablation.plan.fidelity for study, _, _ in found if study.ablation and study.ablation.plan}
    if levels - {"exact"}:
        names = joined(sorted(levels - {"exact"}), "or")
        return [
            f"At fidelity {names} a verdict is on the direction and the size, not on the reported number."
        ]
    return []

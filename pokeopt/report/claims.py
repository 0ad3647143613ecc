"""The section that sets what documents report beside what was measured, with the verdict on every claim."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from markupsafe import Markup

from pokeopt.report.audit import title_of
from pokeopt.report.blocks import Cell, Column, Section, Table, Text, cells, present
from pokeopt.report.summary import AblationSummary, PlanSummary, StudySummary, Summary
from pokeopt.report.svg import tag
from pokeopt.report.words import (
    ABSENT,
    alike,
    capital,
    common_digits,
    interval,
    joined,
    metric_name,
    number,
    p_value,
    plural,
    unit_of,
)

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
    ("not testable", "no run of the plan can measure it, none did, or a cell is missing"),
)
SMOKE = ("no verdict", "the run is a smoke run")
TERMS = (
    ("p (Holm)", "of the paired t test against the claimed bound, adjusted over all claims of the study"),
    (
        "P(claim)",
        "the share of the seeds at which the claim holds, with Wilson's interval; of an order, its weakest pair's",
    ),
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
    )
    documents = _documents(found)
    rows = tuple(
        _row(study, id_, verdict, several=several, is_named=len(documents) > 1)
        for study, id_, verdict in found
    )
    caption = "Every claim, what its document reports, and what was measured here."
    table = Table("claims-table", caption, columns, rows, is_sortable=True)
    counts = f"{capital(count_words([verdict for _, _, verdict in found]))}."
    intro = (*_named(documents), counts, *_inside_note(found))
    smoke = (SMOKE,) if any(verdict.is_smoke for _, _, verdict in found) else ()
    terms = TERMS if any(verdict.p_claimed is not None for _, _, verdict in found) else ()
    blocks = present((Text(intro), table, Text(items=(*MEANINGS, *smoke, *terms))))
    return Section("claims", "Claims: reported and measured", blocks)


def count_words(verdicts: Sequence[Verdict]) -> str:
    """Return how many claims have which verdict: "of 5 claims 2 are reproduced and 3 are inconclusive"."""
    shown = verdict_counts(verdicts)
    if len(verdicts) == 1:
        return f"the one claim is {shown[0][0]}"
    said = joined(f"{n} {'is' if n == 1 else 'are'} {word}" for word, n in shown)
    return f"of {len(verdicts)} claims {said}"


def verdict_counts(verdicts: Sequence[Verdict]) -> list[tuple[str, int]]:
    """Return each word that was given, and how often; claims of a smoke run have none."""
    words = [verdict.word for verdict in verdicts if not verdict.is_smoke]
    counts = [(word, n) for word in WORDS if (n := sum(found == word for found in words))]
    n_smoke = len(verdicts) - len(words)
    return [*counts, ("without a verdict (smoke run)", n_smoke)] if n_smoke else counts


def source_of(plan: PlanSummary, section: str = "", *, is_named: bool = True) -> str:
    """Return the document, where the claims around it are of others, and where in it."""
    document = title_of(plan.document) or PurePath(plan.document).stem if plan.document and is_named else ""
    where = section or plan.section
    return ", ".join(part for part in (document, where) if part)


def _documents(found: Sequence[tuple[StudySummary, str, Verdict]]) -> list[str]:
    """Return the documents that the claims are from, in their order."""
    plans = [study.ablation.plan for study, _, _ in found if study.ablation and study.ablation.plan]
    return list(dict.fromkeys(plan.document for plan in plans if plan.document))


def _named(documents: Sequence[str]) -> list[str]:
    """Say once which files the claims are from."""
    named = [f"{title_of(document)} ({document})".removeprefix(" ") for document in documents]
    return [f"The claims are those of {joined(named)}."] if named else []


def icon(word: str) -> Markup:
    """Return the mark of a verdict: a shape of its own, so that colour says nothing alone."""
    path = tag("path", d=ICONS[word], class_="icon")
    return tag("svg", path, width=14, height=14, viewBox="0 0 14 14", aria_hidden="true")


def _row(
    study: StudySummary, id_: str, verdict: Verdict, *, several: bool, is_named: bool
) -> tuple[Cell, ...]:
    ablation, claim = study.ablation, verdict.claim
    assert ablation is not None
    plan = ablation.plan
    link = tag("a", study.title, href=f"#{id_}")
    word = icon(verdict.word) + tag("span", f" {SMOKE[0] if verdict.is_smoke else verdict.word}")
    told = [verdict.reason] if verdict.reason else []
    if verdict.reported_inside is not None:
        where = "inside" if verdict.reported_inside else "outside"
        told.append(f"the reported value lies {where} the 95 % prediction interval of one run")
    why = tag("span", "; ".join(told), class_="why") if told else Markup("")
    shown = [_part(part, verdict, ablation) for part in verdict.parts]
    named = tag("span", metric_name(claim.metric), class_="why key")
    measured = Markup("").join([named, *shown, *_evidence(verdict)]) if shown else Markup(ABSENT)
    basis = [plan.fidelity] if plan and plan.fidelity else []
    basis += [plural(verdict.n, "seed")] if verdict.n else []
    where = Markup(", ").join([*([link] if several else []), *basis])
    source = source_of(plan, claim.section, is_named=is_named) if plan else ""
    lines = [tag("span", line, class_="why") for line in (source, where) if line]
    says = tag("span", f"“{claim.says}”") + Markup("").join(lines)
    return cells(
        Cell(says, look="wrap"),
        Cell(word + why, sort=WORDS.index(verdict.word), look="wrap verdict"),
        Cell(_reported(verdict, ablation), look="wrap narrow"),
        Cell(measured, look="wrap tabular"),
    )


def _evidence(verdict: Verdict) -> list[Markup]:
    """Return p, and at what share of the seeds the claim holds; nothing where there is neither."""
    told = [f"p (Holm) {p_value(verdict.p_holm)}"] if verdict.p_holm is not None else []
    told += [f"P(claim) {_share(verdict.p_claimed)}"] if verdict.p_claimed is not None else []
    return [tag("span", ", ".join(told), class_="why")] if told else []


def _reported(verdict: Verdict, ablation: AblationSummary) -> str:
    """Return the document's numbers, arm by arm, in the unit of the metric."""
    texts, unit = [], unit_of(verdict.claim.metric)
    for id_, values in verdict.claim.reported.items():
        arm = ablation.arm(id_)
        told = joined(number(value, 0) if abs(value) >= 1000 else f"{value:g}" for value in values)
        texts.append(f"{arm.label if arm else id_}: {told}{f' {unit}' if unit else ''}")
    return "; ".join(texts) or "no number"


def _part(part: Part, verdict: Verdict, ablation: AblationSummary) -> Markup:
    """Return what was compared, and its estimate."""
    is_ratio, metric = verdict.claim.kind == "ratio", verdict.claim.metric
    text = estimate_text(
        part.measured, verdict.n, sign=bool(part.other) and not is_ratio, metric="" if is_ratio else metric
    )
    told = "; absolute effects are compared" if verdict.claim.over else ""
    if verdict.claim.kind == "equal" and text.endswith("]"):
        told += f", {100 * part.measured.confidence:.3g} %, two one-sided tests"
    value = tag("span", text, class_="value" if text.endswith("]") else None)
    return tag(
        "span", tag("span", _compared(part.name, ablation), class_="key"), " ", value, told, class_="line"
    )


def _compared(name: str, ablation: AblationSummary) -> str:
    """Return what was compared, with arms that a design made called as they are in the study."""
    made = [arm for arm in ablation.arms if "=" in arm.id]
    for arm in sorted(made, key=lambda arm: -len(arm.id)):  # batch_size=1 begins batch_size=16
        name = name.replace(arm.id, arm.label)
    return name


def estimate_text(found: Estimate, n: int, *, sign: bool, metric: str = "") -> str:
    """Return an estimate over ``n`` seeds with its interval, in the digits that its spread deserves."""
    is_large = found.mean is not None and abs(found.mean) >= 1000
    digits = 0 if is_large else common_digits([found.sd], [found.mean], metric)
    text, unit = number(found.mean, digits, sign=sign), unit_of(metric)
    text += f" {unit}" if unit and found.mean is not None else ""
    if n > 1 and found.sd == 0:
        return f"{text}, {alike(n)}" if found.low is None else f"{text} in every run"
    return f"{text} {interval(found.low, found.high, digits, sign=sign)}".strip()


def _share(share: Estimate) -> str:
    return f"{number(share.mean, 2)} {interval(share.low, share.high, 2)}".strip()


def _inside_note(found: Sequence[tuple[StudySummary, str, Verdict]]) -> list[str]:
    """Say what was not compared: the size of effects that are no full rerun of the document's."""
    levels = {study.ablation.plan.fidelity for study, _, _ in found if study.ablation and study.ablation.plan}
    if levels - {"exact"}:
        names = joined(sorted(levels - {"exact"}), "or")
        return [
            f"At fidelity {names} a verdict is on the direction and the size, not on the reported number."
        ]
    return []

"""One confirm study, in the same order every time: question, design, table, seeds, classes, curves, reading."""

from __future__ import annotations

from pokeopt.report import class_deltas, confusion, curve_figures, design_table, effects, redrawn, tables
from pokeopt.report.blocks import Block, Section, Text, headed, present
from pokeopt.report.layers import layer_tables
from pokeopt.report.summary import AblationSummary, StudySummary
from pokeopt.report.words import metric_name

SMOKE = "A smoke run: it shows that the plan runs. It gives no verdict, and no effect may be read from it."


def study_section(study: StudySummary, prefix: str, *, several: bool) -> Section | None:
    """Return the section of a study's ablation; None where it has none."""
    ablation = study.ablation
    if ablation is None:
        return None
    id_ = f"{prefix}ablation"
    plan = ablation.plan
    opening: list[Block] = [Text((_introduction(ablation),))]
    if plan is not None:
        opening = [
            design_table.introduction(ablation, plan),
            design_table.design_table(ablation, f"{id_}-design"),
        ]
    blocks: tuple[Block | None, ...] = (
        *opening,
        tables.arms_table(ablation, f"{id_}-arms"),
        *tables.further_tables(ablation, f"{id_}-further"),
        effects.strip(ablation, f"{id_}-strip"),
        redrawn.redrawn_table(ablation, f"{id_}-redrawn"),
        tables.holes_table(ablation, f"{id_}-holes"),
        tables.parts_table(ablation, f"{id_}-parts"),
        *(
            class_deltas.class_deltas(found, ablation, f"{id_}-{found.metric}-deltas")
            for found in ablation.breakdowns
        ),
        *(tables.breakdown_table(found, ablation, f"{id_}-{found.metric}") for found in ablation.breakdowns),
        confusion.confusions(ablation, f"{id_}-confusion"),
        class_deltas.recall_table(ablation, f"{id_}-recall"),
        *curve_figures.curve_figures(ablation, f"{id_}-curves"),
        curve_figures.stop_table(ablation, f"{id_}-stops"),
        *layer_tables(ablation, f"{id_}-layers"),
        _reading(study),
    )
    banner = SMOKE if plan is not None and plan.is_quick else ""
    return Section(
        id_, _title(study, several=several), present(blocks), banner, entry=_entry(study, several=several)
    )


def _title(study: StudySummary, *, several: bool) -> str:
    plan = study.ablation.plan if study.ablation else None
    if plan is not None and plan.question:
        return f"{study.title}: {plan.question[:1].lower()}{plan.question[1:]}" if several else plan.question
    return headed("Ablation: what the changes do", study.title, several=several)


def _entry(study: StudySummary, *, several: bool) -> str:
    return study.title if several else "Ablation"


def _reading(study: StudySummary) -> Text | None:
    """Return what the numbers say, and the author's note under it; of a smoke run, whose banner says it, the note."""
    plan = study.ablation.plan if study.ablation else None
    if plan is None:
        return None
    paragraphs = [] if plan.is_quick else [" ".join(study.finding)]
    if plan.note:
        paragraphs.append(f"The author's note: {plan.note}")
    return Text(tuple(paragraphs), title="Reading") if paragraphs else None


def _introduction(ablation: AblationSummary) -> str:
    intro = (
        f"Study {ablation.study}: arms {ablation.mode}, common seeds, full budget, no pruning. "
        f"Scores are {metric_name(ablation.metric)}, read once at the kept epoch, recomputed from stored "
        "predictions where there are any."
    )
    if len(ablation.arms) == 1:
        intro += " The best configuration is the baseline, so there is one arm and no comparison."
    return intro

"""The section on factors that act together: heat maps of cell means, the waterfall of a path, leave-one-out."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pokeopt.ablation import Level
from pokeopt.ablation.arms import BASELINE, BEST, WITHOUT
from pokeopt.report.blocks import (
    Block,
    Cell,
    Column,
    Figure,
    Section,
    Table,
    cells,
    headed,
    present,
    simple_table,
)
from pokeopt.report.effects import LABEL_WIDTH, arm_label, short
from pokeopt.report.summary import AblationSummary, ArmSummary, Chain, Crossing, Step, StudySummary
from pokeopt.report.svg import CHARACTER, WIDTH, drawing, spanning, tag, x_axis
from pokeopt.report.words import (
    axis_name,
    capital,
    common_digits,
    effect_text,
    level_text,
    metric_name,
    number,
    p_value,
    plural,
)

CELL_HEIGHT, HEAD, ROW = 34, 46, 44
MOST_CELL = 150.0
TEXT_WIDTH = 190.0  # right of the axis, at least


def section(study: StudySummary, prefix: str, *, several: bool) -> Section | None:
    """Return the section on crossed factors, paths and leave-one-out; None where there is none of them."""
    ablation = study.ablation
    if ablation is None:
        return None
    id_ = f"{prefix}together"
    blocks: list[Block | None] = []
    for i, crossing in enumerate(ablation.crossings):
        blocks += [
            _heat_map(crossing, ablation, f"{id_}-{i}"),
            _pairs_table(crossing, ablation, f"{id_}-{i}-pairs"),
        ]
    blocks.append(_path(ablation, f"{id_}-path"))
    blocks += [_chain(chain, ablation, f"{id_}-chain-{i}") for i, chain in enumerate(ablation.chains)]
    blocks.append(_leave_one_out(ablation, f"{id_}-without"))
    shown = present(blocks)
    if not shown:
        return None
    is_chain = all(
        block.id.startswith(f"{id_}-chain") for block in shown if isinstance(block, Figure | Table)
    )
    heading = (
        "Steps: each arm and the one before" if is_chain else "Together: factors, paths and leave-one-out"
    )
    return Section(id_, headed(heading, study.title, several=several), shown)


def _heat_map(crossing: Crossing, ablation: AblationSummary, id_: str) -> Figure:
    means = {(a, b): found for a, b, found in crossing.means}
    values = [found.mean for found in means.values() if found.mean is not None]
    low, high = min(values), max(values)
    rows, columns = crossing.first_levels, crossing.second_levels
    left = 150.0
    size = min(MOST_CELL, (WIDTH - left) / len(columns))
    digits = common_digits((level.sd for level in means.values()), (level.mean for level in means.values()))
    parts = [tag("text", short(crossing.second, 40), x=left, y=14, class_="tick")]
    parts.append(tag("text", short(crossing.first, 20), x=0, y=HEAD - 8, class_="tick"))
    for j, name in enumerate(columns):
        text = short(name, int(size / 7.5))
        parts.append(
            tag("text", text, x=left + (j + 0.5) * size, y=HEAD - 8, class_="label", text_anchor="middle")
        )
    for i, name in enumerate(rows):
        y = HEAD + i * CELL_HEIGHT
        parts.append(tag("text", short(name, 18), x=0, y=y + 22, class_="label"))
        for j, other in enumerate(columns):
            found = means.get((name, other))
            parts.append(_mean_cell(found, left + j * size, y, size, (low, high), digits))
    metric = metric_name(ablation.metric)
    label = f"{metric} by {crossing.first} and {crossing.second}"
    svg = drawing(HEAD + CELL_HEIGHT * len(rows) + 4, label, *parts)
    others = len(next((arm.factors for arm in ablation.arms if arm.factors), {})) > 2
    over = " and over the levels of the other factors" if others else ""
    reading = (
        f"Each cell is the mean {metric} over seeds{over}, darker where it is higher. Were the two factors to add up, "
        "the rows would differ by the same amount in every column; the table below says by how much they do not."
    )
    table_rows = [[a, b, level_text(found, digits), str(found.n)] for (a, b), found in means.items()]
    titles = [crossing.first, crossing.second, "Mean ± SD", "Seeds"]
    table = simple_table(f"{id_}-data", f"{capital(metric)} by cell", titles, table_rows, text_columns=2)
    question = f"Do {crossing.first} and {crossing.second} add up?"
    return Figure(id_, question, (svg,), reading, table)


def _mean_cell(
    found: Level | None, x: float, y: float, size: float, span: tuple[float, float], digits: int
) -> Markup:
    if found is None or found.mean is None:
        return tag("text", "–", x=x + size / 2, y=y + 22, class_="tick", text_anchor="middle")
    share = (found.mean - span[0]) / (span[1] - span[0]) if span[1] > span[0] else 0.5
    opacity = f"{0.06 + 0.5 * share:.2f}"
    box = tag(
        "rect", x=x + 1, y=y + 1, width=size - 3, height=CELL_HEIGHT - 3, class_="heat", fill_opacity=opacity
    )
    text = level_text(found, digits)
    shown = text if 7.6 * len(text) < size else number(found.mean, digits)
    return box + tag("text", shown, x=x + size / 2, y=y + 21.5, class_="count", text_anchor="middle")


def _pairs_table(crossing: Crossing, ablation: AblationSummary, id_: str) -> Table:
    rows = tuple(
        cells(
            f"{pair.first} with {pair.second}",
            Cell(effect_text(pair.effect), pair.effect.mean),
            str(pair.effect.n),
            p_value(pair.p_holm),
        )
        for pair in crossing.pairs
    )
    columns = (
        Column(f"{crossing.first} with {crossing.second}", is_number=False),
        Column("Difference of differences [95 % CI]"),
        Column("Seeds"),
        Column("p (Holm)", note="adjusted over the pairs of levels of these two factors"),
    )
    caption = (
        f"What the second factor's level adds to the effect of the first on {metric_name(ablation.metric)}, against "
        f"{crossing.first_levels[0]} and {crossing.second_levels[0]}; 0 where the two add up."
    )
    return Table(id_, caption, columns, rows)


def _path(ablation: AblationSummary, id_: str) -> Figure | None:
    """Return the path from the baseline to the best: each step was run again, none is predicted."""
    if not ablation.path:
        return None
    order = "in the plan's order" if ablation.plan is not None else "the largest predicted gain first"
    reading = (
        f"From the baseline to the best, one factor after the other, {order}. Each bar runs "
        "from the mean before its step to the mean after it; every step was trained again with all seeds. At the "
        "right the paired difference from the step before, with its 95 % interval, not corrected. A step's size "
        "depends on the order; leave-one-out has none."
    )
    question = "Which steps lead from the baseline to the best?"
    return _waterfall(BASELINE, ablation.path, ablation, id_, (question, reading))


def _chain(chain: Chain, ablation: AblationSummary, id_: str) -> Figure | None:
    """Return the steps through the arms that a claim puts in order."""
    first, last = ablation.arm(chain.start), ablation.arm(chain.steps[-1].arm_id)
    reading = (
        "The arms in the order that the claim gives them, worst first, each against the one above it. Each bar runs "
        "from the mean of the arm above to the arm's own, framed where the interval of the difference excludes 0. At "
        "the right the paired difference at equal seeds, with its 95 % interval, not corrected."
    )
    question = (
        f"What does each step bring, from {first.label if first else ''} to {last.label if last else ''}?"
    )
    return _waterfall(chain.start, chain.steps, ablation, id_, (question, reading))


def _waterfall(
    start: str, steps: Sequence[Step], ablation: AblationSummary, id_: str, told: tuple[str, str]
) -> Figure | None:
    """Return the means from a first arm on, one bar a step, under a question and over a reading."""
    baseline = ablation.arm(start)
    if baseline is None or baseline.level.mean is None:
        return None
    arms = [(step, ablation.arm(step.arm_id)) for step in steps]
    levels = [
        baseline.level.mean,
        *(a.level.mean for _, a in arms if a is not None and a.level.mean is not None),
    ]
    ends = [x for _, a in arms if a is not None for x in (a.level.low, a.level.high) if x is not None]
    texts = [level_text(baseline.level), *(effect_text(step.effect) for step, _ in arms)]
    texts += [_now(step, a.level.mean) for step, a in arms if a is not None and a.level.mean is not None]
    text_x = WIDTH - max(TEXT_WIDTH, CHARACTER * max(map(len, texts)))  # no number may run out of the figure
    scale = spanning([*levels, *ends], LABEL_WIDTH, text_x - 16)
    bottom = 8 + ROW * (len(steps) + 1)
    parts = [x_axis(scale, bottom, axis_name(ablation.metric), top=8), arm_label(baseline, 8 + ROW / 2)]
    before = baseline.level.mean
    parts.append(tag("line", x1=scale(before), x2=scale(before), y1=14, y2=8 + ROW - 6, class_="arm-0 mean"))
    parts.append(tag("text", level_text(baseline.level), x=text_x, y=8 + ROW / 2 + 5, class_="value"))
    for i, (step, arm) in enumerate(arms, start=1):
        y = 8 + ROW * i + ROW / 2
        if arm is None or arm.level.mean is None:
            parts.append(tag("text", f"{step.label}: no result", x=0, y=y + 5, class_="tick"))
            continue
        parts.append(_step(step, arm, scale(before), scale(arm.level.mean), y, ablation))
        parts.append(tag("text", effect_text(step.effect), x=text_x, y=y - 2, class_="value"))
        parts.append(tag("text", _now(step, arm.level.mean), x=text_x, y=y + 14, class_="tick"))
        before = arm.level.mean
    metric = metric_name(ablation.metric)
    label = f"{capital(metric)} from {baseline.label} to {steps[-1].label}, step by step"
    svg = drawing(bottom + 42, label, *parts)
    rows = [
        [step.label, effect_text(step.effect), str(step.effect.n), p_value(step.effect.p)] for step in steps
    ]
    titles = ["Step", "Difference from the step before [95 % CI]", "Seeds", "p"]
    table = simple_table(f"{id_}-data", f"Steps in {metric}, from {baseline.label}", titles, rows)
    question, reading = told
    return Figure(id_, question, (svg,), reading, table)


def _now(step: Step, mean: float) -> str:
    return f"{plural(step.effect.n, 'seed')}, now {number(mean)}"


def _step(
    step: Step, arm: ArmSummary, start: float, end: float, y: float, ablation: AblationSummary
) -> Markup:
    gains = (step.effect.mean or 0) >= 0 if ablation.direction == "maximize" else (step.effect.mean or 0) <= 0
    x, width = min(start, end), max(abs(end - start), 1.5)
    look = "heat" if gains else "heat loss"
    framed = " framed" if step.effect.excludes_zero else ""
    box = tag("rect", x=x, y=y - 9, width=width, height=18, class_=f"{look}{framed}", fill_opacity="0.55")
    return tag("g", arm_label(arm, y), box)


def _leave_one_out(ablation: AblationSummary, id_: str) -> Table | None:
    """Return what the best loses without each of its factors; no order is in it."""
    found = [arm for arm in ablation.arms if arm.id.startswith(WITHOUT) and arm.effect is not None]
    best = ablation.arm(BEST)
    if not found or best is None:
        return None
    rows = tuple(
        cells(
            arm.label,
            level_text(arm.level),
            Cell(effect_text(arm.effect), arm.effect.mean, look="" if arm.is_settled else "unsettled"),
            str(arm.effect.n),
            p_value(arm.p_holm),
        )
        for arm in sorted(found, key=lambda arm: arm.gain or 0.0)
        if arm.effect is not None
    )
    columns = (
        Column("Without", is_number=False),
        Column("Mean ± SD"),
        Column("Difference from the best [95 % CI]"),
        Column("Seeds"),
        Column("p (Holm)", note="adjusted over all comparisons of this study"),
    )
    caption = (
        f"The best configuration ({level_text(best.level)} {metric_name(ablation.metric)}) with one factor taken "
        "back, the largest loss first; no order of steps is in it."
    )
    return Table(id_, caption, columns, rows)

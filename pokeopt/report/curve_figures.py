"""Figures of the mean curves: how the arms learn, and where their runs stopped."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import pvariance
from typing import Any

from markupsafe import Markup

from pokeopt.registry import split_component
from pokeopt.report.blocks import Cell, Column, Figure, Table, cells, simple_table
from pokeopt.report.effects import legend, styles
from pokeopt.report.mean_curves import LOSS
from pokeopt.report.summary import AblationSummary, CurveSet, MeanCurve
from pokeopt.report.svg import WIDTH, Scale, drawing, marker, polyline, spanning, tag, x_axis, y_axis
from pokeopt.report.words import (
    ABSENT,
    axis_name,
    capital,
    column_digits,
    joined,
    metric_name,
    number,
    plain,
    plural,
)

HEIGHT, LEFT, RIGHT, TOP = 230, 52, 16, 24  # to the right of the last epoch stands half its number
HALF = 328.0  # two side by side
LEARN = "How fast do the arms learn, and do their runs agree?"
FIT = "How closely do the arms fit what they are trained on?"
MOST_BANDS = 3  # arms
END = 9  # pixels between the bars at the ends of the lines
MOST_POINTS = 60  # drawn of a curve: more are closer than a pixel can show on a page
MOST_ROWS = 12  # epochs in the table of a figure
TAIL = 5  # epochs before a stop that are shown


def curve_figures(ablation: AblationSummary, id_: str) -> list[Figure]:
    """Return the mean of each metric by epoch, one line an arm, with the band of one SD over its seeds.

    The objective has a figure of its own; what the training part says stands side by side in a second one.
    """
    training = [found for found in ablation.curves if found.metric.startswith("train/")]
    others = [found for found in ablation.curves if not found.metric.startswith("train/")]
    figures = [_figure([found], ablation, f"{id_}-{i}", LEARN) for i, found in enumerate(others)]
    if training:
        figures.append(_figure(training, ablation, f"{id_}-train", FIT))
    return figures


def _figure(sets: Sequence[CurveSet], ablation: AblationSummary, id_: str, question: str) -> Figure:
    width = WIDTH if len(sets) == 1 else HALF
    svgs = tuple(_drawing(found, ablation, width) for found in sets)
    n_runs = sum(max(curve.n) for curve in sets[0].curves)
    spread = "the band" if _has_bands(sets[0]) else "the bar at its end"
    reading = (
        f"Each line is an arm's mean over the seeds that reached the epoch, with its mark at the end, {spread} one "
        "standard deviation. "
    )
    if any(map(_abreast, sets)):
        reading += "Marks of arms that end at the last epoch stand side by side behind it. "
    if any(_early(curve) for found in sets for curve in found.curves):
        reading += "A hollow mark stands where a stopping rule ended a run; from there on the mean lacks it. "
    if any(found.metric == LOSS for found in sets) and _differ_in_loss(ablation):
        reading += (
            "The arms differ in what they are trained on, so their total losses have different units: only the course "
            "of each line can be read, not which lies below. "
        )
    reading += f"{plural(n_runs, 'run')}."
    labels = {arm.id: arm.label for arm in ablation.arms}
    return Figure(id_, question, svgs, reading, _table(sets, labels, f"{id_}-data"))


def _drawing(found: CurveSet, ablation: AblationSummary, width: float) -> Markup:
    look = styles(ablation.arms)
    labels = {arm.id: arm.label for arm in ablation.arms}
    last, has_bands = _last(found), _has_bands(found)
    first = 0 if has_bands else -1  # from here on the spread is drawn
    ends = [
        x for curve in found.curves for x in (*curve.means, *curve.lows[first:], *curve.highs[first:])
    ] + [value for curve in found.curves for _, _, value in _early(curve)]
    abreast = _abreast(found)
    right = width - RIGHT - END * len(abreast)
    across = Scale(min(curve.steps[0] for curve in found.curves), max(last, 2), LEFT, right)
    up = spanning(ends, TOP + HEIGHT, TOP)
    parts = [y_axis(up, LEFT, right, axis_name(found.metric))]
    parts.append(x_axis(across, TOP + HEIGHT, "epoch", whole=True))
    if has_bands:
        parts += [_band(curve, across, up, look[curve.arm_id][0]) for curve in found.curves]
    for curve in found.curves:
        parts.append(_line(curve, across, up, look[curve.arm_id][0], labels[curve.arm_id]))
        parts += _stops(curve, across, up, look[curve.arm_id], labels[curve.arm_id])
        place = abreast.index(curve.arm_id) + 1 if curve.arm_id in abreast else 0
        at = across(curve.steps[-1]) + float(END * place)
        parts += _end(curve, at, up, look[curve.arm_id], labels[curve.arm_id], has_bar=not has_bands)
    entries = [(labels[curve.arm_id], look[curve.arm_id]) for curve in found.curves]
    names, height = legend(entries, LEFT, TOP + HEIGHT + 52, width, lined=True)
    return drawing(
        height, f"{metric_name(found.metric)} by epoch, one line an arm", *parts, names, width=width
    )


def _has_bands(found: CurveSet) -> bool:
    """Whether the spread is drawn along the lines: of many arms the bands would cover each other."""
    return len(found.curves) <= MOST_BANDS


def _abreast(found: CurveSet) -> list[str]:
    """Return the arms whose ends would cover each other, so that they stand behind the axis."""
    ending = [curve.arm_id for curve in found.curves if curve.steps[-1] == _last(found)]
    return ending if len(ending) > 1 and not _has_bands(found) else []


def _last(found: CurveSet) -> int:
    return max(curve.steps[-1] for curve in found.curves)


def _differ_in_loss(ablation: AblationSummary) -> bool:
    return any(key == "loss" or key.startswith("loss.") for arm in ablation.arms for key in arm.changes)


def stop_table(ablation: AblationSummary, id_: str) -> Table | None:
    """Return where each run with a stopping rule stopped, its last epochs and the rule evaluated at each."""
    if not ablation.stopping or not ablation.curves:
        return None
    curves = {curve.arm_id: curve for curve in ablation.curves[0].curves}
    metric = ablation.curves[0].metric
    rows = []
    for arm in ablation.arms:
        rule, curve = ablation.stopping.get(arm.id), curves.get(arm.id)
        if rule is None or curve is None:
            continue
        for seed, run in sorted(curve.watched.items()):
            stop = curve.stops[seed]
            tail = [number(value, 4) for _, value in run[-TAIL:]]
            places = range(max(1, len(run) - TAIL + 1), len(run) + 1)
            seen = [_quantity(rule, run[:n], ablation.objective_direction) for n in places]
            rows.append(
                cells(
                    arm.label,
                    rule_text(rule),
                    Cell(str(seed), seed),
                    Cell(str(stop[0]), stop[0]),
                    str(stop[2]) if stop[2] is not None else ABSENT,
                    Cell(", ".join(tail)),
                    Cell(", ".join(seen)),
                )
            )
    if not rows:
        return None
    columns = (
        Column("Arm", is_number=False),
        Column("Rule", is_number=False),
        Column("Seed"),
        Column("Last epoch"),
        Column("Kept epoch"),
        Column(f"Last {metric_name(metric)}s", is_number=False),
        Column("What the rule saw then", is_number=False),
    )
    caption = (
        f"The last {TAIL} epochs of every run with a stopping rule, and what the rule saw after each: the range or "
        f"variance of {metric_name(metric)} over its window, or the epochs since the best."
    )
    fold = f"Where {plural(len(rows), 'run')} stopped, and what the rule saw"
    return Table(id_, caption, columns, tuple(rows), fold=fold)


def rule_text(rule: Any) -> str:
    """Return a stopping rule with its settings."""
    name, settings = split_component(rule)
    inside = ", ".join(f"{key} {plain(value)}" for key, value in settings.items())
    return f"{name} ({inside})" if inside else name


def _quantity(rule: Any, run: Sequence[tuple[int, float]], direction: str) -> str:
    """Return what a rule compares with its bound after a run's epochs; a dash for a rule that is none of ours."""
    name, settings = split_component(rule)
    values = [value for _, value in run]
    if name == "patience":
        watched = values[int(settings.get("after", 0)) :]
        if not watched:
            return ABSENT
        best = max(watched) if direction == "maximize" else min(watched)
        return str(len(watched) - 1 - watched.index(best))
    window = int(settings.get("over", TAIL))
    seen = values[-window:]
    if name not in ("range", "variance") or len(seen) < window:
        return ABSENT
    return number(max(seen) - min(seen), 4) if name == "range" else f"{pvariance(seen):.2g}"


def _thin(curve: MeanCurve) -> list[int]:
    """Return the places of a curve that are drawn: first and last always."""
    n = len(curve.steps)
    if n <= MOST_POINTS:
        return list(range(n))
    return sorted({round(i * (n - 1) / (MOST_POINTS - 1)) for i in range(MOST_POINTS)})


def _band(curve: MeanCurve, across: Scale, up: Scale, colour: str) -> Markup:
    places = [i for i in _thin(curve) if curve.n[i] > 1]  # one run has no spread
    if not places:
        return Markup("")
    upper = [(across(curve.steps[i]), up(curve.highs[i])) for i in places]
    lower = [(across(curve.steps[i]), up(curve.lows[i])) for i in reversed(places)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*upper, *lower])
    return tag("polygon", points=points, class_=f"{colour} spread")


def _line(curve: MeanCurve, across: Scale, up: Scale, colour: str, label: str) -> Markup:
    points = [(across(curve.steps[i]), up(curve.means[i])) for i in _thin(curve)]
    return polyline(points, f"{colour} arm-line", label)


def _end(
    curve: MeanCurve, x: float, up: Scale, look: tuple[str, str], label: str, *, has_bar: bool
) -> list[Markup]:
    """Return an arm's mark at the last point of its line, with the spread there where no band has it."""
    colour, shape = look
    if not math.isfinite(curve.means[-1]):
        return []
    bar = tag("line", x1=x, x2=x, y1=up(curve.lows[-1]), y2=up(curve.highs[-1]), class_=f"{colour} whisker")
    has_bar = has_bar and curve.n[-1] > 1  # one run has no spread
    mark = marker(shape, x, up(curve.means[-1]), f"{colour} dot", label, radius=4)
    return [*([bar] if has_bar and math.isfinite(curve.lows[-1]) else []), mark]


def _early(curve: MeanCurve) -> list[tuple[int, int, float]]:
    """Return seed, epoch and score of the runs that a stopping rule ended."""
    return [
        (seed, step, value)
        for seed, (step, value, _) in sorted(curve.stops.items())
        if seed in curve.early and math.isfinite(value)
    ]


def _stops(curve: MeanCurve, across: Scale, up: Scale, look: tuple[str, str], label: str) -> list[Markup]:
    colour, shape = look
    return [
        marker(shape, across(step), up(value), f"{colour} hollow", f"{label}, seed {seed}: stopped after epoch {step}",
               radius=3.5)
        for seed, step, value in _early(curve)
    ]  # fmt: skip


def _table(sets: Sequence[CurveSet], labels: Mapping[str, str], id_: str) -> Table:
    """Return every curve at no more than a dozen epochs."""
    steps = sorted({step for found in sets for curve in found.curves for step in curve.steps})
    n = len(steps)
    places = range(n) if n <= MOST_ROWS else [round(i * (n - 1) / (MOST_ROWS - 1)) for i in range(MOST_ROWS)]
    shown = sorted({steps[place] for place in places})
    digits = [column_digits(value for curve in found.curves for value in curve.means) for found in sets]
    rows = [
        [
            str(step),
            *(_at(curve, step, d) for found, d in zip(sets, digits, strict=True) for curve in found.curves),
        ]
        for step in shown
    ]
    several = len(sets) > 1
    titles = ["Epoch"]
    for found in sets:
        name = f"{metric_name(found.metric)}, " if several else ""
        titles += [f"{name}{labels[curve.arm_id]}" for curve in found.curves]
    names = joined(metric_name(found.metric) for found in sets)
    caption = f"{capital(names)} by epoch: mean ± SD (runs)"
    if any(n == 1 for found in sets for curve in found.curves for n in curve.n):
        caption += "; one run has no SD"
    if len(shown) < n:
        caption += f"; {len(shown)} of {n} epochs"
    return simple_table(id_, caption, titles, rows)


def _at(curve: MeanCurve, step: int, digits: int) -> str:
    if step not in curve.steps:
        return ABSENT
    i = curve.steps.index(step)
    if curve.n[i] < 2:
        return f"{number(curve.means[i], digits)} ({curve.n[i]})"
    spread = (curve.highs[i] - curve.lows[i]) / 2
    return f"{number(curve.means[i], digits)} ± {number(spread, digits)} ({curve.n[i]})"

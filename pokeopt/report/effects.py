"""Figures of a confirm study: the forest of effects, the strip of every seed."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pokeopt.ablation.arms import BASELINE, BEST
from pokeopt.report.blocks import Figure, simple_table
from pokeopt.report.summary import AblationSummary, ArmSummary
from pokeopt.report.svg import CHARACTER, SHAPES, WIDTH, drawing, marker, polyline, spanning, tag, x_axis
from pokeopt.report.words import (
    axis_name,
    column_digits,
    digits_for,
    effect_text,
    interval,
    metric_name,
    number,
    p_value,
    plural,
)

LABEL_WIDTH, TEXT_WIDTH, ROW = 228, 190, 44
TEXT_GAP = 24  # before a text
COLOURS = 7  # arm-0 is the baseline, arm-1 the best, the others follow and begin again


def styles(arms: Sequence[ArmSummary]) -> dict[str, tuple[str, str]]:
    """Return arm id -> (class of its colour, marker shape), the same in every figure."""
    result, at = {}, 2
    for arm in arms:
        index = {BASELINE: 0, BEST: 1}.get(arm.id, at)
        at += arm.id not in (BASELINE, BEST)
        place = index if index < 2 else 2 + (index - 2) % (COLOURS - 2)
        result[arm.id] = (f"arm-{place}", SHAPES[index % len(SHAPES)])
    return result


def forest(ablation: AblationSummary, id_: str) -> Figure | None:
    """Return the effects with their intervals, all on one axis around zero."""
    arms = [arm for arm in ablation.arms if arm.effect is not None and arm.effect.mean is not None]
    if not arms:
        return None
    longest = max(len(effect_text(arm.effect)) for arm in arms if arm.effect)
    text_width = max(TEXT_WIDTH, TEXT_GAP + CHARACTER * longest)  # no number may run out of the figure
    look, left, right = styles(ablation.arms), LABEL_WIDTH, WIDTH - text_width
    ends = [
        x
        for arm in arms
        if arm.effect
        for x in (arm.effect.low, arm.effect.high, arm.effect.mean)
        if x is not None
    ]
    scale = spanning(ends, left, right, include=[0.0], pad=0.08)
    bottom = 26 + ROW * len(arms)
    worse, better = "← worse", "better →"
    if ablation.direction == "minimize":
        worse, better = "← better", "worse →"
    parts = [
        x_axis(scale, bottom, f"difference in {axis_name(ablation.metric)}", top=20, signed=True),
        tag("line", x1=scale(0), x2=scale(0), y1=20, y2=bottom, class_="zero"),
        tag("text", worse, x=scale(0) - 8, y=12, class_="tick", text_anchor="end")
        if scale.low < 0
        else Markup(""),
        tag("text", better, x=scale(0) + 8, y=12, class_="tick") if scale.high > 0 else Markup(""),
    ]
    for i, arm in enumerate(arms):
        parts.append(_effect_row(arm, 26 + ROW * i + ROW / 2, scale, right + 16, look[arm.id]))
    metric = metric_name(ablation.metric)
    texts = [f"{arm.label}: {effect_text(arm.effect)}" for arm in arms if arm.effect]
    svg = drawing(bottom + 42, f"Effects on {metric}. " + "; ".join(texts), *parts)
    against = (
        "baseline"
        if all(arm.reference == BASELINE for arm in arms)
        else "baseline, or from the best for “without”"
    )
    n_runs = len({(arm.id, seed) for arm in ablation.arms if not arm.same_as for seed in arm.scores})
    reading = (
        f"Mean difference from the {against} at equal seeds, with its 95 % paired-t interval; filled where "
        "the interval excludes 0 and p after Holm is below 0.05, hollow where it is not settled. "
        f"{plural(n_runs, 'run')}, "
        f"{plural(len(ablation.seeds), 'seed')}."
    )
    rows = [
        [
            arm.label,
            arm.reference or "",
            number(effect.mean, digits_for(effect.sd, effect.mean), sign=True),
            interval(effect.low, effect.high, digits_for(effect.sd, effect.mean), sign=True) or "–",
            str(effect.n),
            p_value(arm.p_holm),
            p_value(effect.p_sign_flip),
            number(effect.correlation, 2),
            "settled" if arm.is_settled else "not settled",
        ]
        for arm in arms
        if (effect := arm.effect)
    ]
    titles = [
        "Arm",
        "Against",
        "Difference",
        "95 % interval",
        "Seeds",
        "p (Holm)",
        "p (sign flip)",
        "r of pairs",
        "Verdict",
    ]
    table = simple_table(f"{id_}-data", f"Effects on {metric}", titles, rows, text_columns=2)
    return Figure(id_, f"What changes {metric}, and by how much?", (svg,), reading, table)


def strip(ablation: AblationSummary, id_: str) -> Figure | None:
    """Return every seed of every arm, runs of one seed joined."""
    arms = [arm for arm in ablation.arms if arm.scores]
    if not arms:
        return None
    look, left = styles(ablation.arms), LABEL_WIDTH
    values = [value for arm in arms for value in arm.scores.values()]
    ends = [x for arm in arms for x in (arm.level.low, arm.level.high) if x is not None]
    scale = spanning([*values, *ends], left, WIDTH - 24)
    bottom = 8 + ROW * len(arms)
    middle = {arm.id: 8 + ROW * i + ROW / 2 for i, arm in enumerate(arms)}
    metric = metric_name(ablation.metric)
    parts = [x_axis(scale, bottom, axis_name(ablation.metric), top=8)]
    for seed in ablation.seeds:
        points = [(scale(arm.scores[seed]), middle[arm.id] - 6) for arm in arms if seed in arm.scores]
        parts.append(polyline(points, "pair", f"seed {seed}"))
    for arm in arms:
        colour, shape = look[arm.id]
        y = middle[arm.id]
        parts.append(_label(arm, y))
        for seed, value in sorted(arm.scores.items()):
            text = f"{arm.label}, seed {seed}: {number(value)}"
            parts.append(marker(shape, scale(value), y - 6, f"{colour} dot", text, radius=4.5))
        if arm.level.low is not None and arm.level.high is not None:
            ends_x = scale(arm.level.low), scale(arm.level.high)
            parts.append(
                tag("line", x1=ends_x[0], x2=ends_x[1], y1=y + 9, y2=y + 9, class_=f"{colour} whisker")
            )
        mean_x = scale(arm.level.mean or 0.0)
        parts.append(tag("line", x1=mean_x, x2=mean_x, y1=y + 4, y2=y + 14, class_=f"{colour} mean"))
    svg = drawing(bottom + 42, f"{metric} of every seed of {plural(len(arms), 'arm')}", *parts)
    reading = (
        "A mark is one run; a thin line joins the runs of one seed. Below them, the arm's mean with its "
        "95 % t interval. "
        f"{plural(sum(len(arm.scores) for arm in arms if not arm.same_as), 'run')}."
    )
    titles = ["Arm", *(f"seed {seed}" for seed in ablation.seeds)]
    digits = column_digits(values) + 1
    rows = [[arm.label, *(number(arm.scores.get(seed), digits) for seed in ablation.seeds)] for arm in arms]
    table = simple_table(f"{id_}-data", f"{metric} by arm and seed", titles, rows)
    return Figure(id_, "Do the seeds agree?", (svg,), reading, table)


def _effect_row(arm: ArmSummary, y: float, scale: object, text_x: float, look: tuple[str, str]) -> Markup:
    effect, (colour, shape) = arm.effect, look
    assert effect is not None
    assert effect.mean is not None
    assert callable(scale)
    parts = [_label(arm, y)]
    if effect.low is not None and effect.high is not None:
        parts.append(
            tag("line", x1=scale(effect.low), x2=scale(effect.high), y1=y, y2=y, class_=f"{colour} whisker")
        )
    title = (
        f"{arm.label}: {effect_text(effect)}, {plural(effect.n, 'seed')}, p {p_value(arm.p_holm)} after Holm"
    )
    filled = f"{colour} {'dot' if arm.is_settled else 'hollow'}"
    parts.append(marker(shape, scale(effect.mean), y, filled, title, radius=6))
    verdict = plural(effect.n, "seed") + ("" if arm.is_settled else ", not settled")
    parts.append(tag("text", effect_text(effect), x=text_x, y=y - 2, class_="value"))
    parts.append(tag("text", verdict, x=text_x, y=y + 14, class_="tick"))
    return tag("g", *parts)


def _label(arm: ArmSummary, y: float) -> Markup:
    """Return an arm's name at the left: key over value where it is one."""
    key, _, value = arm.label.partition(" = ")
    if not value:
        return tag("text", short(key), tag("title", arm.label), x=0, y=y + 5, class_="label")
    first = tag("text", short(key), tag("title", key), x=0, y=y - 2, class_="tick")
    return first + tag("text", short(value), tag("title", value), x=0, y=y + 14, class_="label")


def short(text: str, most: int = 30) -> str:
    """Cut from the front: the end of a key tells most."""
    return text if len(text) <= most else "…" + text[-(most - 1) :]

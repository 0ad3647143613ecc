"""The forest of effects: every confirmed effect of the page with its interval, one axis for each metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pokeopt.ablation.arms import BASELINE
from pokeopt.ablation.predicates import FEWEST_SEEDS
from pokeopt.report.blocks import Figure, Table, simple_table
from pokeopt.report.effects import (
    LABEL_WIDTH,
    ONE_POOL,
    ROW,
    arm_label,
    is_from_one_pool,
    short,
    styles,
)
from pokeopt.report.summary import AblationSummary, ArmSummary
from pokeopt.report.svg import CHARACTER, WIDTH, Scale, drawing, marker, spanning, tag, x_axis
from pokeopt.report.words import (
    axis_name,
    digits_for,
    effect_text,
    interval,
    joined,
    metric_name,
    number,
    p_value,
    plural,
)

TEXT_WIDTH, TEXT_GAP, TOP = 190, 24, 26
COMPACT_ROW = 24  # where there are many
MOST_TALL = 8  # effects that get two lines each
UNSETTLED = ", not settled"


@dataclass(frozen=True)
class Titled:
    """A study's ablation with the name that the page gives it."""

    title: str
    ablation: AblationSummary

    @property
    def arms(self) -> list[ArmSummary]:
        """The arms with an effect."""
        return [arm for arm in self.ablation.arms if arm.effect is not None and arm.effect.mean is not None]


def forest(found: Sequence[Titled], id_: str) -> Figure | None:
    """Return the effects of all studies; a drawing for each metric, since two units share no axis."""
    shown = [one for one in found if one.arms]
    if not shown:
        return None
    groups: dict[tuple[str, str], list[Titled]] = {}
    for one in shown:
        groups.setdefault((one.ablation.metric, one.ablation.direction), []).append(one)
    several = len(shown) > 1
    svgs = tuple(_drawing(members, several=several) for members in groups.values())
    metrics = [metric_name(metric) for metric, _ in groups]
    what = metrics[0] if len(metrics) == 1 else "the score"
    return Figure(id_, f"What changes {what}, and by how much?", svgs, _reading(shown), _table(shown, id_))


def _drawing(members: Sequence[Titled], *, several: bool) -> Markup:
    first = members[0].ablation
    n_effects = sum(len(one.arms) for one in members)
    is_tall = not several and n_effects <= MOST_TALL
    row = ROW if is_tall else COMPACT_ROW
    effects = [arm.effect for one in members for arm in one.arms if arm.effect]
    longest = max(len(effect_text(effect)) for effect in effects)
    text_width = max(TEXT_WIDTH, TEXT_GAP + CHARACTER * longest)  # no number may run out of the figure
    right = WIDTH - text_width
    ends = [x for effect in effects for x in (effect.low, effect.high, effect.mean) if x is not None]
    scale = spanning(ends, LABEL_WIDTH, right, include=[0.0], pad=0.08)
    rows: list[Markup] = []
    y: float = TOP
    for one in members:
        if several:
            rows.append(tag("text", short(one.title, 34), x=0, y=y + row / 2 + 5, class_="label group"))
            y += row
        look = styles(one.ablation.arms)
        for arm in one.arms:
            middle = y + row / 2
            rows.append(_row(arm, middle, scale, right + 16, look[arm.id], is_tall=is_tall))
            y += row
    worse, better = ("← worse", "better →") if first.direction == "maximize" else ("← better", "worse →")
    axis = [
        x_axis(scale, y, f"difference in {axis_name(first.metric)}", top=20, signed=True),
        tag("line", x1=scale(0), x2=scale(0), y1=20, y2=y, class_="zero"),
        tag("text", worse, x=scale(0) - 8, y=12, class_="tick", text_anchor="end")
        if scale.low < 0
        else Markup(""),
        tag("text", better, x=scale(0) + 8, y=12, class_="tick") if scale.high > 0 else Markup(""),
    ]
    texts = [f"{arm.label}: {effect_text(arm.effect)}" for one in members for arm in one.arms if arm.effect]
    label = f"Effects on {metric_name(first.metric)}. " + "; ".join(texts)
    return drawing(y + 42, label, *axis, *rows)


def _row(
    arm: ArmSummary, y: float, scale: Scale, text_x: float, look: tuple[str, str], *, is_tall: bool
) -> Markup:
    effect, (colour, shape) = arm.effect, look
    assert effect is not None
    assert effect.mean is not None
    parts = [arm_label(arm, y) if is_tall else _one_line(arm, y)]
    if effect.low is not None and effect.high is not None:
        line = tag(
            "line", x1=scale(effect.low), x2=scale(effect.high), y1=y, y2=y, class_=f"{colour} whisker"
        )
        parts.append(line)
    title = (
        f"{arm.label}: {effect_text(effect)}, {plural(effect.n, 'seed')}, p {p_value(arm.p_holm)} after Holm"
    )
    filled = f"{colour} {'dot' if arm.is_settled else 'hollow'}"
    parts.append(marker(shape, scale(effect.mean), y, filled, title, radius=6 if is_tall else 5))
    if not is_tall:
        look_ = "value" if arm.is_settled else "tick"
        parts.append(tag("text", effect_text(effect), x=text_x, y=y + 5, class_=look_))
        return tag("g", *parts)
    verdict = plural(effect.n, "seed") + ("" if arm.is_settled else UNSETTLED)
    parts.append(tag("text", effect_text(effect), x=text_x, y=y - 2, class_="value"))
    parts.append(tag("text", verdict, x=text_x, y=y + 14, class_="tick"))
    return tag("g", *parts)


def _one_line(arm: ArmSummary, y: float) -> Markup:
    return tag("text", short(arm.label, 28), tag("title", arm.label), x=14, y=y + 5, class_="label")


def _reading(shown: Sequence[Titled]) -> str:
    ablations = [one.ablation for one in shown]
    references = {arm.reference for one in shown for arm in one.arms}
    against = "arm's reference"
    if references == {BASELINE}:
        against = "baseline"
    elif references <= {BASELINE, "best"} and len(shown) == 1:
        against = "baseline, or from the best for “without”"
    elif len(references) == 1 and len(shown) == 1:
        (id_,) = references
        reference = ablations[0].arm(str(id_))
        against = f"reference “{reference.label if reference else id_}”"
    elif len(shown) > 1:
        against = "reference of each study"
    n_runs = sum(
        len({(arm.id, seed) for arm in one.arms if not (arm.same_as or arm.prefix_of) for seed in arm.scores})
        for one in ablations
    )
    pool = f" {ONE_POOL}" if any(is_from_one_pool(one) for one in ablations) else ""
    counts = sorted({len(one.seeds) for one in ablations})
    seeds = (
        plural(counts[0], "seed")
        if len(counts) == 1
        else f"{joined([str(n) for n in counts], 'or')} seeds a study"
    )
    return (
        f"Mean difference from the {against} at equal seeds, with its 95 % paired-t interval; filled where "
        f"the interval excludes 0 and p after Holm is below 0.05, on {FEWEST_SEEDS} seeds or more; hollow where it is "
        "not settled. "
        f"{plural(n_runs, 'run')}, {seeds}.{pool}"
    )


def _table(shown: Sequence[Titled], id_: str) -> Table:
    several = len(shown) > 1
    rows = [
        [
            *([one.title, metric_name(one.ablation.metric)] if several else []),
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
        for one in shown
        for arm in one.arms
        if (effect := arm.effect)
    ]
    titles = [
        *(["Study", "Metric"] if several else []),
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
    caption = "Effects" if several else f"Effects on {metric_name(shown[0].ablation.metric)}"
    return simple_table(f"{id_}-data", caption, titles, rows, text_columns=4 if several else 2)

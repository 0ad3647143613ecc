"""How arms look in every figure, and the strip of every seed."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pokeopt.ablation.arms import BEST
from pokeopt.report.blocks import Figure, simple_table
from pokeopt.report.summary import AblationSummary, ArmSummary
from pokeopt.report.svg import SHAPES, WIDTH, drawing, marker, polyline, spanning, tag, x_axis
from pokeopt.report.words import (
    axis_name,
    column_digits,
    joined,
    metric_name,
    number,
    plural,
)

LABEL_WIDTH, ROW = 228, 44
LEGEND_ROW = 20
REDRAWN = ("train", "val", "cost", "model")  # no part of a metric on these is the same for all seeds
ONE_POOL = (
    "Validation is redrawn from one pool: the intervals of what is measured on it are conditional on this pool, and "
    "narrower than for fresh images."
)
COLOURS = 7  # arm-0 is the reference, arm-1 the best where there is one, the others follow and begin again


def styles(arms: Sequence[ArmSummary]) -> dict[str, tuple[str, str]]:
    """Return arm id -> (class of its colour, marker shape), the same in every figure."""
    ids = [arm.id for arm in arms]
    fixed = {**{arm.id: 0 for arm in arms if arm.reference is None}, **({BEST: 1} if BEST in ids else {})}
    result, at = {}, 2 if BEST in ids else 1
    for arm in arms:
        index = fixed.get(arm.id, at)
        at += arm.id not in fixed
        place = index if index < COLOURS else 2 + (index - 2) % (COLOURS - 2)
        result[arm.id] = (f"arm-{place}", SHAPES[index % len(SHAPES)])
    return result


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
        parts.append(arm_label(arm, y))
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
        f"A mark is one run{_beginnings(arms)}; a thin line joins the runs of one seed. Below them, the arm's mean "
        f"with its 95 % t interval. {plural(n_runs(arms), 'run')}."
    )
    titles = ["Arm", *(f"seed {seed}" for seed in ablation.seeds)]
    digits = column_digits(values) + 1
    rows = [[arm.label, *(number(arm.scores.get(seed), digits) for seed in ablation.seeds)] for arm in arms]
    table = simple_table(f"{id_}-data", f"{metric} by arm and seed", titles, rows)
    return Figure(id_, "Do the seeds agree?", (svg,), reading, table)


def what_seeds_redraw(ablation: AblationSummary) -> str:
    """Say what each seed draws anew, and so on what every interval is conditional."""
    if ablation.resample == "none":
        return "All seeds share one split, so all depends on it."
    if ablation.resample == "all":
        return "Each seed redraws all parts; the intervals are widened by Nadeau and Bengio's factor for their overlap."
    kept = [part for part in _parts_of(ablation.metric) if part not in REDRAWN]
    same = "; the test part is the same for all, so all depends on it" if "test" in kept else ""
    if kept and not same:
        same = f"; {joined(kept)} is the same for all, so all depends on it"
    used = (
        ablation.metric,
        *(one.metric for one in ablation.others),
        *(v.claim.metric for v in ablation.verdicts),
    )
    pool = f" {ONE_POOL}" if any("val" in _parts_of(metric) for metric in used) else ""
    return f"Each seed redraws train and validation{same}.{pool}"


def is_from_one_pool(ablation: AblationSummary) -> bool:
    """Whether the primary metric is measured on validation images that every seed redraws from one pool."""
    return ablation.resample == "train_val" and "val" in _parts_of(ablation.metric)


def _parts_of(metric: str) -> list[str]:
    """Return where a metric is measured; of A - B, where both are."""
    return list(dict.fromkeys(name.partition("/")[0] for name in metric.split(" - ")))


def n_runs(arms: Sequence[ArmSummary]) -> int:
    """Return how many runs stand behind arms: none of its own behind one that reads the runs of another."""
    return sum(len(arm.scores) for arm in arms if arm.same_as is None and arm.prefix_of is None)


def _beginnings(arms: Sequence[ArmSummary]) -> str:
    """Say which arms are only the first epochs of another's runs."""
    of: dict[str, list[ArmSummary]] = {}
    for arm in arms:
        if arm.prefix_of is not None and arm.same_as is None:
            of.setdefault(arm.prefix_of[0], []).append(arm)
    labels = {arm.id: arm.label for arm in arms}
    said = []
    for whole, short in of.items():
        n = plural(max(len(arm.scores) for arm in short), "run")
        names = joined(arm.label for arm in short)
        said.append(f"{names} the beginnings of the {n} of {labels.get(whole, whole)}")
    return f", in {joined(said)}" if said else ""


def arm_label(arm: ArmSummary, y: float) -> Markup:
    """Return an arm's name at the left: key over value where it is one."""
    key, _, value = arm.label.partition(" = ")
    if not value:
        return tag("text", short(key), tag("title", arm.label), x=0, y=y + 5, class_="label")
    first = tag("text", short(key), tag("title", key), x=0, y=y - 2, class_="tick")
    return first + tag("text", short(value), tag("title", value), x=0, y=y + 14, class_="label")


def legend(
    entries: Sequence[tuple[str, tuple[str, str]]],
    left: float,
    y: float,
    within: float,
    *,
    lined: bool = False,
) -> tuple[Markup, float]:
    """Return names behind the marks of their looks, in as many rows as they need, and where these end.

    Args:
        entries: Name, and the class of its colour with its marker's shape.
        left: Where a row begins, in pixels.
        y: The middle of the first row.
        within: Where a row ends.
        lined: Whether a line runs through the marks, as in the figure.
    """
    parts, x = [], left
    for name, (colour, shape) in entries:
        text = short(name, 36)
        width = 44 + 7.4 * len(text)
        if x + width > within and x > left:
            x, y = left, y + LEGEND_ROW
        if lined:
            parts.append(tag("line", x1=x, x2=x + 20, y1=y, y2=y, class_=f"{colour} arm-line"))
        parts.append(marker(shape, x + 10, y, f"{colour} dot", radius=4))
        parts.append(tag("text", text, x=x + 26, y=y + 4, class_="tick"))
        x += width
    return Markup("").join(parts), y + 14


def short(text: str, most: int = 30) -> str:
    """Cut from the front: the end of a key tells most."""
    return text if len(text) <= most else "…" + text[-(most - 1) :]

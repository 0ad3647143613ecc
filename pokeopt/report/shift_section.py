"""The section on external sets: the score here against the score there, the gap, and whether the order holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from pokeopt.report.blocks import (
    Block,
    Cell,
    Column,
    Figure,
    Section,
    Table,
    Text,
    cells,
    headed,
    present,
    simple_table,
)
from pokeopt.report.dataset import prepared_text
from pokeopt.report.effects import short, styles
from pokeopt.report.evaluations import evaluations_table
from pokeopt.report.summary import AblationSummary, ArmSummary, Shift, StudySummary
from pokeopt.report.svg import Scale, drawing, marker, spanning, tag, x_axis, y_axis
from pokeopt.report.words import (
    ABSENT,
    bare_name,
    capital,
    common_digits,
    effect_text,
    interval,
    joined,
    level_text,
    number,
    plural,
)

SIDE, LEFT, TOP = 360, 56, 26
MOST_FLIPS = 6
TRAINED, SCORED = "Trained with", "scored with"


def section(study: StudySummary, prefix: str, *, several: bool) -> Section | None:
    """Return the section on external and evaluated sets; None where none was scored."""
    id_, ablation = f"{prefix}shift", study.ablation
    blocks: list[Block | None] = []
    if ablation is not None and ablation.shifts:
        for i, shift in enumerate(ablation.shifts):
            said = f"{_order(shift, ablation)} {_own_images(shift, ablation)}".strip()
            blocks += [_scatter(shift, ablation, f"{id_}-{i}"), Text((said,))]
        blocks.append(_skew_table(ablation, f"{id_}-skew"))
    blocks.append(evaluations_table(study.evaluations, f"{id_}-evaluations"))
    if not present(blocks):
        return None
    title = headed("External shift: does it hold elsewhere?", study.title, several=several)
    return Section(id_, title, present(blocks))


def _scatter(shift: Shift, ablation: AblationSummary, id_: str) -> Figure:
    arms = [arm for arm in ablation.arms if arm.id in shift.gaps]
    look = styles(ablation.arms)
    name = bare_name(ablation.metric)
    ends = [
        x
        for arm in arms
        for part in ("test", shift.part)
        if (level := arm.parts.get(part)) is not None
        for x in (level.low, level.high, level.mean)
        if x is not None
    ]
    across = spanning(ends, LEFT, LEFT + SIDE)
    up = Scale(
        across.low, across.high, TOP + SIDE, TOP
    )  # the two share their limits, so y = x is the diagonal
    parts = [
        y_axis(up, LEFT, LEFT + SIDE, f"{name} on {shift.part}"),
        x_axis(across, TOP + SIDE, f"{name} on test"),
        tag("line", x1=LEFT, x2=LEFT + SIDE, y1=TOP + SIDE, y2=TOP, class_="same-line"),
    ]
    y = TOP + 20.0
    for arm in arms:
        parts.append(_point(arm, shift.part, across, up, look[arm.id]))
        colour, shape = look[arm.id]
        parts.append(marker(shape, LEFT + SIDE + 34, y, f"{colour} dot", radius=5))
        full = tag("title", arm.label)
        parts.append(tag("text", short(arm.label, 28), full, x=LEFT + SIDE + 46, y=y + 5, class_="label"))
        y += 24
    svg = drawing(max(TOP + SIDE + 42, y + 10), f"{name} on test against {shift.part}, by arm", *parts)
    reading = (
        f"A mark is an arm's mean, the lines its 95 % t intervals over seeds; on the dashed line both sets score the "
        f"same, below it {shift.part} scores less. {plural(sum(arm.level.n for arm in arms), 'run')}."
    )
    rows = [
        [
            arm.label,
            *(_with_interval(arm.parts.get(part)) for part in ("test", shift.part)),
            effect_text(shift.gaps[arm.id]),
            str(shift.gaps[arm.id].n),
        ]
        for arm in arms
    ]
    titles = ["Arm", "test [95 % CI]", f"{shift.part} [95 % CI]", "Gap, paired [95 % CI]", "Seeds"]
    table = simple_table(f"{id_}-data", f"{name} on test and on {shift.part}", titles, rows)
    return Figure(id_, f"Does the score on test hold on {shift.part}?", (svg,), reading, table)


def _point(arm: ArmSummary, part: str, across: Scale, up: Scale, look: tuple[str, str]) -> Markup:
    here, there, (colour, shape) = arm.parts.get("test"), arm.parts.get(part), look
    if here is None or there is None or here.mean is None or there.mean is None:
        return Markup("")
    x, y, parts = across(here.mean), up(there.mean), []
    if here.low is not None and here.high is not None:
        parts.append(
            tag("line", x1=across(here.low), x2=across(here.high), y1=y, y2=y, class_=f"{colour} whisker")
        )
    if there.low is not None and there.high is not None:
        parts.append(tag("line", x1=x, x2=x, y1=up(there.low), y2=up(there.high), class_=f"{colour} whisker"))
    title = f"{arm.label}: {number(here.mean)} on test, {number(there.mean)} on {part}"
    return tag("g", *parts, marker(shape, x, y, f"{colour} dot", title, radius=5))


def _with_interval(level: Any) -> str:
    if level is None or level.mean is None:
        return ABSENT
    return f"{number(level.mean)} {interval(level.low, level.high)}".strip()


def _order(shift: Shift, ablation: AblationSummary) -> str:
    """Say whether the arms keep their order on the other set; means decide it, so it is said of means."""
    labels = {arm.id: arm.label for arm in ablation.arms}
    tau = ""
    if shift.tau is not None:
        tau = f"Kendall's tau of the arms' means on test and {shift.part} is {number(shift.tau, 2)}. "
    if not shift.flips:
        return f"{tau}No two means change their order between test and {shift.part}."
    pairs = [f"{labels[a]}/{labels[b]}{_tie(a, b, shift, ablation)}" for a, b in shift.flips[:MOST_FLIPS]]
    more = f"; {len(shift.flips) - MOST_FLIPS} more pairs" if len(shift.flips) > MOST_FLIPS else ""
    verb = "changes its" if len(shift.flips) == 1 else "change their"
    subject = "pair of means" if len(shift.flips) == 1 else "pairs of means"
    return f"{tau}{len(shift.flips)} {subject} {verb} order between the two: {joined(pairs)}{more}."


def _tie(a: str, b: str, shift: Shift, ablation: AblationSummary) -> str:
    """Say where two arms are equal, if their order is lost by that and not turned."""
    for part in ("test", shift.part):
        first, second = (arm.parts.get(part) if (arm := ablation.arm(id_)) else None for id_ in (a, b))
        if first is not None and second is not None and first.mean == second.mean:
            return f" (equal on {part})"
    return ""


def _own_images(shift: Shift, ablation: AblationSummary) -> str:
    """Say which arms are trained with the set's own preprocessing, so that both of their scores are of one thing."""
    steps = _sets(ablation).get(shift.part)
    same = [arm.label for arm in ablation.arms if arm.id in shift.gaps and _steps(arm, ablation) == steps]
    if steps is None or not same:
        return ""
    verb = "is" if len(same) == 1 else "are"
    return (
        f"The set {shift.part} holds the test images as {joined(same)} {verb} trained on them "
        f"({prepared_text(steps)}): the two scores are of the same images, and the gap is 0 by construction."
    )


def _sets(ablation: AblationSummary) -> dict[str, Any]:
    """Return the external sets that hold the test images in a preprocessing of their own: name to its steps."""
    return {
        name: section["preprocess"]
        for name, section in (ablation.external or {}).items()
        if isinstance(section, Mapping)
        and section.get("of") == "test"
        and section.get("preprocess") is not None
    }


def _skew_table(ablation: AblationSummary, id_: str) -> Table | None:
    """Return training against scoring preprocessing, where a set holds the test images prepared otherwise.

    Each arm is trained with one preprocessing; on the test part it is scored with the same, on such a set with the
    set's own. Low scores off the diagonal alone say that the skew is the cause.
    """
    sets = _sets(ablation)
    arms = [arm for arm in ablation.arms if arm.level.n and not arm.same_as]
    trained = {arm.id: prepared_text(_steps(arm, ablation)) for arm in arms}
    if not sets or len(set(trained.values())) < 2:
        return None
    levels = [level for arm in arms for level in arm.parts.values()]
    digits = common_digits((level.sd for level in levels), (level.mean for level in levels))
    columns = (
        Column(TRAINED, is_number=False),
        Column(f"{SCORED}: the same (test)"),
        *(Column(f"{SCORED}: {prepared_text(steps)} ({name})") for name, steps in sets.items()),
    )
    rows = tuple(
        cells(
            f"{arm.label}: {trained[arm.id]}",
            *(
                Cell("the same images", look="same")
                if part in sets and sets[part] == _steps(arm, ablation)
                else Cell(level_text(level, digits), level.mean)
                if (level := arm.parts.get(part)) is not None and level.n
                else Cell(ABSENT)
                for part in ("test", *sets)
            ),
        )
        for arm in arms
    )
    caption = (
        f"{capital(bare_name(ablation.metric))} by the preprocessing of training and of scoring, "
        "on the same test images, mean ± SD over seeds. A low score only where the two differ says that the "
        "difference is the cause."
    )
    return Table(id_, caption, columns, rows)


def _steps(arm: ArmSummary, ablation: AblationSummary) -> Any:
    """Return the preprocessing that an arm is trained with: what it changes, else that of all arms."""
    key = "data.preprocess"
    if key in arm.changes:
        return arm.changes[key][1]
    first = next((other.changes[key][0] for other in ablation.arms if key in other.changes), None)
    return (ablation.settings.get("data") or {}).get("preprocess") if first is None else first

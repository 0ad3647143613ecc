"""Tables of the ablation, the data and the failures."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pokeopt.ablation import Effect, Level
from pokeopt.ablation.arms import BEST
from pokeopt.ablation.shares import Share
from pokeopt.report.blocks import Cell, Column, Table, Text, cells, simple_table
from pokeopt.report.class_deltas import is_compared
from pokeopt.report.effects import styles, what_seeds_redraw
from pokeopt.report.summary import (
    AblationSummary,
    ArmSummary,
    Breakdown,
    DataSummary,
    Failure,
)
from pokeopt.report.svg import marker, tag
from pokeopt.report.words import (
    ABSENT,
    PARTS,
    alike_note,
    bare_name,
    capital,
    cell_text,
    duration,
    effect_digits,
    interval,
    level_digits,
    level_text,
    lower_note,
    metric_name,
    number,
    p_value,
    plain,
    plural,
    quantity,
)

COLLAPSED = (
    "runs no better than naming one class, or far worse than the arm's others; Clopper and Pearson's interval"
)
MOST_ROWS = 30  # of a table that is not folded


def arms_table(ablation: AblationSummary, id_: str) -> Table:
    """Return the ablation table, the baseline first."""
    metric = metric_name(ablation.metric)
    columns = (
        Column("Level", is_number=False),
        Column("Mean ± SD", note=f"{metric}, over seeds"),
        Column("Difference [95 % CI]", note="from the reference at equal seeds; paired t interval"),
        *((Column("Seeds", note="runs behind the mean"),) if _differ_in_seeds(ablation) else ()),
        Column("p (Holm)", note="paired t test, adjusted over all comparisons of this study"),
        Column("d_z", note="mean over SD of the paired differences"),
        Column(
            "P(impr.)",
            note="share of seeds at which the arm is ahead of its reference, with Wilson's interval",
        ),
        Column("Parameters"),
        Column("s/epoch", note="training time over epochs; the first runs of a worker pay its start, too"),
        Column("Total time", note="training time of all its seeds"),
        *((Column("Collapsed", note=COLLAPSED),) if any(_collapsed(arm) for arm in ablation.arms) else ()),
    )
    look = styles(ablation.arms)
    digits = level_digits((arm.level for arm in ablation.arms), ablation.metric)
    of_effects = effect_digits((arm.effect for arm in ablation.arms), ablation.metric)
    rows = tuple(_arm_row(arm, ablation, look[arm.id], digits, of_effects) for arm in ablation.arms)
    shared = [arm for arm in ablation.arms if arm.same_as]
    notes = [
        f"“{arm.label}” is the same configuration as “{arm.same_as}” and shares its runs." for arm in shared
    ]
    if any(arm.reference == BEST for arm in ablation.arms):
        notes.append("Arms without a factor are compared with the best, all others with the baseline.")
    notes += [
        f"“{arm.label}” is read from the first {arm.prefix_of[1]} epochs of the runs of “{arm.prefix_of[0]}”."
        for arm in ablation.arms
        if arm.prefix_of
    ]
    fallen = [arm for arm in ablation.arms if arm.iqm is not None]
    if fallen:
        means = "; ".join(f"{arm.label} {number(arm.iqm, digits)}" for arm in fallen)
        notes.append(f"Interquartile means of the arms with collapsed runs: {means}.")
    notes += [note] if (note := alike_note(arm.effect for arm in ablation.arms)) else []
    if ablation.n_superseded:
        notes.append(f"{ablation.n_superseded} runs of earlier arms are superseded and not shown.")
    how = what_seeds_redraw(ablation)
    lower = " (lower is better)" if ablation.direction == "minimize" else ""
    runs = "" if _differ_in_seeds(ablation) else f" over {plural(len(ablation.seeds), 'seed')}"
    return Table(id_, f"{capital(metric)} by arm{runs}{lower}. {how}", columns, rows, note=" ".join(notes))


def parts_table(ablation: AblationSummary, id_: str) -> Table | None:
    """Return each arm's score on validation, test and every external set; each column says which."""
    if len(ablation.parts) < 2:
        return None
    name = bare_name(ablation.metric)
    columns = (Column("Level", is_number=False), *(Column(PARTS.get(part, part)) for part in ablation.parts))
    look = styles(ablation.arms)
    levels = [level for arm in ablation.arms for level in arm.parts.values()]
    digits = level_digits(levels, ablation.metric)
    rows = tuple(
        cells(_arm_name(arm, look[arm.id]), *(_level(arm.parts.get(part), digits) for part in ablation.parts))
        for arm in ablation.arms
    )
    caption = f"{capital(name)}, mean ± SD over seeds, by the set that it was measured on."
    return Table(id_, caption, columns, rows)


def breakdown_table(breakdown: Breakdown, ablation: AblationSummary, id_: str) -> Table | None:
    """Return a metric by class or slice: support, every arm's mean, and what the best changes.

    None for a plan whose heat map has the same: its numbers are those of all classes.
    """
    if ablation.plan is not None and is_compared(breakdown, ablation):
        return None
    arms = [arm for arm in ablation.arms if breakdown.levels.get(arm.id) and not arm.same_as]
    levels = [level for arm in arms for level in breakdown.levels[arm.id].values()]
    digits = level_digits(levels, f"{ablation.part}/{breakdown.metric}")
    of_effects = effect_digits(entry.effect for entry in breakdown.entries)
    has_effect = any(entry.effect.n for entry in breakdown.entries) and ablation.arm(BEST) is not None
    columns = (
        Column(capital(breakdown.by), is_number=False),
        Column(f"{capital(ablation.part)} images", note="support: of few images little is known"),
        *(Column(_two_lines(arm.label)) for arm in arms),
        *((Column("Best − baseline [95 % CI]"),) if has_effect else ()),
    )
    rows = tuple(
        cells(
            entry.name,
            Cell(str(entry.support) if entry.support is not None else ABSENT, entry.support),
            *(_level(breakdown.levels[arm.id].get(entry.name), digits) for arm in arms),
            *((Cell(cell_text(entry.effect, of_effects), entry.effect.mean),) if has_effect else ()),
        )
        for entry in breakdown.entries
    )
    name = metric_name(f"{ablation.part}/{breakdown.metric}").split(" ", 1)[-1]
    lower = "" if breakdown.metric == "f1" else " (lower is better)"
    caption = (
        f"{capital(name)} by {breakdown.by} on the {ablation.part} part{lower}, mean ± SD over seeds; intervals "
        "without correction."
    )
    fold = f"{capital(name)} by {breakdown.by} and arm" if ablation.plan is not None else _fold(caption, rows)
    note = alike_note(entry.effect for entry in breakdown.entries) if has_effect else ""
    return Table(id_, caption, columns, rows, note, is_sortable=True, fold=fold)


def further_tables(ablation: AblationSummary, id_: str) -> list[Table | Text]:
    """Return a table for each further metric of a plan: level and difference of every arm.

    In the place of one that no run measured stands that it is not there.
    """
    tables: list[Table | Text] = []
    look = styles(ablation.arms)
    for i, found in enumerate(ablation.others):
        if not found.levels:
            tables.append(Text((f"{capital(metric_name(found.metric))}: not measured in any run.",)))
            continue
        digits = level_digits(found.levels.values(), found.metric)
        of_effects = effect_digits(found.effects.values(), found.metric)
        rows = []
        for arm in ablation.arms:
            effect = found.effects.get(arm.id)
            level = found.levels.get(arm.id)
            text = _difference(arm, effect, of_effects)
            n = str(level.n) if level else "0"
            rows.append(cells(_arm_name(arm, look[arm.id]), _level(level, digits), text, n))
        columns = (
            Column("Level", is_number=False),
            Column("Mean ± SD"),
            Column("Difference [95 % CI]", note="from the reference at equal seeds; not corrected"),
            Column("Seeds"),
        )
        lower = lower_note(found.metric, found.direction)
        caption = f"{capital(metric_name(found.metric))} by arm{lower}; intervals without correction."
        note = alike_note(found.effects.values())
        tables.append(Table(f"{id_}-{i}", caption, columns, tuple(rows), note))
    return tables


def holes_table(ablation: AblationSummary, id_: str) -> Table | None:
    """Return the declared cells that have no result."""
    rows = [
        [hole.arm_id, str(hole.seed), hole.state, hole.cause, (hole.message.strip().splitlines() or [""])[-1]]
        for hole in ablation.holes
    ]
    titles = ["Arm", "Seed", "State", "Cause", "Message"]
    caption = "Cells without a result. Means and intervals rest on the others; a claim that needs one has no verdict."
    return simple_table(id_, caption, titles, rows, text_columns=5) if rows else None


def failures_table(failures: Sequence[Failure], id_: str) -> Table | None:
    """Return what went wrong."""
    rows = [[f"{f.study} #{f.number}", f.what, f.state, f.cause, f.message] for f in failures]
    titles = ["Trial", "Arm and seed", "State", "Cause", "Message"]
    return simple_table(id_, "Runs without a score, and why.", titles, rows, text_columns=5) if rows else None


def classes_table(data: DataSummary, id_: str) -> Table | None:
    """Return images by class and part, each with its share."""
    parts = [part for part in data.parts if part in data.counts]
    if not data.classes or not parts:
        return None
    totals = [sum(data.counts[part][i] for part in parts) for i in range(len(data.classes))]
    everything, most = max(1, sum(totals)), max([1, *totals])
    columns = (
        Column("Class", is_number=False),
        *(Column(PARTS.get(part, part)) for part in parts),
        Column("Together"),
        Column("Share"),
        Column("", is_number=False),
    )
    rows = [
        cells(
            name,
            *(Cell(str(data.counts[part][i]), data.counts[part][i]) for part in parts),
            Cell(str(total), total),
            Cell(f"{100 * total / everything:.1f} %", total),
            Cell(_bar(total / most)),
        )
        for i, (name, total) in enumerate(zip(data.classes, totals, strict=True))
    ]
    sums = [str(sum(data.counts[part])) for part in parts]
    rows.append(tuple(Cell(text, look="sum") for text in ("All", *sums, str(sum(totals)), "", "")))
    caption = "Images by class and part."
    return Table(id_, caption, columns, tuple(rows), fold=_fold(caption, rows))


def _arm_row(
    arm: ArmSummary, ablation: AblationSummary, look: tuple[str, str], digits: int, of_effects: int
) -> tuple[Cell, ...]:
    effect = arm.effect
    difference = _difference(arm, effect, of_effects)
    n = f"{arm.level.n}" if arm.level.n == len(ablation.seeds) else f"{arm.level.n} of {len(ablation.seeds)}"
    return cells(
        _arm_name(arm, look),
        _level(arm.level, digits),
        Cell(difference, look="" if arm.reference is None or arm.is_settled else "unsettled"),
        *((n,) if _differ_in_seeds(ablation) else ()),
        p_value(arm.p_holm) if effect else "",
        number(effect.d_z, 2, sign=True) if effect else "",
        share_text(arm.p_improvement) if effect else "",
        quantity(arm.n_params),
        number(arm.s_per_epoch, 2),
        duration(arm.total_s),
        *((_collapse_cell(arm),) if any(_collapsed(other) for other in ablation.arms) else ()),
    )


def _difference(arm: ArmSummary, effect: Effect | None, digits: int) -> str:
    if arm.reference is None:
        return "reference"
    return cell_text(effect, digits) if effect else ABSENT


def share_text(share: Share | None) -> str:
    """Return a share with its interval."""
    return (
        ABSENT if share is None else f"{number(share.share, 2)} {interval(share.low, share.high, 2)}".strip()
    )


def _differ_in_seeds(ablation: AblationSummary) -> bool:
    """Whether some arm lacks seeds that another has; else the caption says once how many there are."""
    return any(arm.level.n != len(ablation.seeds) for arm in ablation.arms)


def _collapsed(arm: ArmSummary) -> bool:
    return arm.collapse is not None and arm.collapse.count > 0


def _collapse_cell(arm: ArmSummary) -> Cell:
    found = arm.collapse
    if found is None:
        return Cell(ABSENT)
    ends = f" {interval(found.low, found.high, 2)}" if found.count else ""
    return Cell(f"{found.count:.0f} of {found.n}{ends}", found.share)


def _arm_name(arm: ArmSummary, look: tuple[str, str]) -> Cell:
    colour, shape = look
    mark = tag(
        "svg",
        marker(shape, 7, 7, f"{colour} dot"),
        width=14,
        height=14,
        viewBox="0 0 14 14",
        aria_hidden="true",
    )
    changed = "; ".join(f"{key}: {plain(a)} → {plain(b)}" for key, (a, b) in arm.changes.items())
    name = tag("span", _two_lines(arm.label), title=changed or None)
    return Cell(mark + name, look="arm")


def _two_lines(label: str) -> Markup:
    """Return ``key = value`` as key over value."""
    key, _, value = label.partition(" = ")
    if not value:
        return tag("span", key)
    return tag("span", tag("span", key, class_="key"), tag("br"), value, class_="pair")


def _level(level: Level | None, digits: int) -> Cell:
    return Cell(level_text(level, digits), level.mean) if level is not None and level.n else Cell(ABSENT)


def _fold(caption: str, rows: Sequence[object]) -> str:
    """Return the line that a long table is folded under; nothing for a short one."""
    return f"{caption} {len(rows)} rows" if len(rows) > MOST_ROWS else ""


def _bar(share: float) -> Markup:
    box = tag("rect", x=0, y=2, width=max(1.0, 120 * share), height=10, class_="bar")
    return tag("svg", box, width=120, height=14, viewBox="0 0 120 14", aria_hidden="true")

"""What each arm changes for each class: a heat map of differences, the recall of each class in its table."""

from __future__ import annotations

import re

from markupsafe import Markup

from pokeopt.ablation import Effect, wilson
from pokeopt.report.blocks import Figure, Table, simple_table
from pokeopt.report.effects import short
from pokeopt.report.summary import AblationSummary, ArmSummary, Breakdown, Confusion
from pokeopt.report.svg import CHARACTER, WIDTH, drawing, tag
from pokeopt.report.words import (
    ABSENT,
    alike_note,
    capital,
    cell_text,
    digits_for,
    effect_digits,
    effect_text,
    interval,
    level_digits,
    level_text,
    metric_name,
    number,
    part_name,
    plural,
)

CELL_HEIGHT, MOST_CLASSES = 26, 40
LEVEL_HEAD, TURNED_HEAD = 26, 74  # room for the arms' names
LABEL, MOST_LABEL, SUPPORT = 110, 180, 58
LABEL_GAP = 52  # pixels between a name's end and the first column, where the number of its images stands
LEVEL_FROM = 84  # pixels of a column from which its name is written level
LINE = 15  # pixels of a line of a head
MOST_LINES = 3
PIECES = re.compile(r"[^\s_]*_+|[^\s_]+\s*")  # of a name, none of which is broken


def class_deltas(breakdown: Breakdown, ablation: AblationSummary, id_: str) -> Figure | None:
    """Return the heat map of an arm's difference from its reference by class; None where nothing can be compared."""
    if not is_compared(breakdown, ablation):
        return None
    arms, names = _compared(breakdown, ablation)
    what = metric_name(f"{ablation.part}/{breakdown.metric}").split(" ", 1)[-1]
    lower = breakdown.metric != "f1"
    svg = _drawing(breakdown, arms, names, what, lower_is_better=lower)
    counts = sorted({effect.n for arm in arms for effect in breakdown.effects[arm.id].values() if effect.n})
    seeds = plural(counts[-1], "seed") if counts else ""
    if len(counts) > 1:
        seeds = f"{counts[0]} to {seeds}"
    reading = (
        f"Each number is the mean difference in {what} from the arm's reference at equal seeds ({seeds}); blue is an "
        "improvement, orange a loss, and a frame says that the 95 % interval excludes 0. The intervals are not "
        f"corrected for the number of cells: of 100 cells without an effect about 5 are framed. "
        f"The column “images” counts those of the {part_name(ablation.part)} part; of few images little is known."
    )
    left_out = len(breakdown.entries) - len(names)
    if left_out > 0:
        where = "the numbers below" if ablation.plan is not None else f"the table by {breakdown.by}"
        reading += f" {left_out} more stand in {where}."
    question = f"Which {'classes' if breakdown.by == 'class' else 'slices'} gain, which lose?"
    return Figure(id_, question, (svg,), reading, _table(breakdown, ablation, arms, f"{id_}-data", what))


def is_compared(breakdown: Breakdown, ablation: AblationSummary) -> bool:
    """Whether some arm differs from its reference by class, so that there is a heat map with its numbers."""
    arms, names = _compared(breakdown, ablation)
    return any(_mean(breakdown, arm, name) is not None for arm in arms for name in names)


def _compared(breakdown: Breakdown, ablation: AblationSummary) -> tuple[list[ArmSummary], list[str]]:
    """Return the arms and classes that are drawn."""
    arms = [arm for arm in ablation.arms if breakdown.effects.get(arm.id) and not arm.same_as]
    return arms, [entry.name for entry in breakdown.entries][:MOST_CLASSES]


def recall_table(ablation: AblationSummary, id_: str) -> Table | None:
    """Return the recall of each class in each arm with Wilson's interval of one run at the mean recall."""
    found = ablation.confusions
    if not found or len(found[0].classes) > MOST_CLASSES:
        return None
    rows = []
    for i, name in enumerate(found[0].classes):
        row = [name]
        for confusion in found:
            line, runs = confusion.counts[i], max(1, confusion.n_runs)
            there, right = sum(line), line[i]
            # of one run: where a class has other numbers of images at other seeds, these are their means
            ends = wilson(right / runs, there / runs)
            row.append(ABSENT if ends is None else f"{number(right / there, 2)} {interval(*ends, 2)}")
        rows.append([row[0], _images(found[0], i), *row[1:]])
    titles = ["Class", "Images", *(confusion.label for confusion in found)]
    caption = (
        f"Recall by class on the {part_name(ablation.part)} part, over the images of all seeds, with Wilson's 95 % "
        "interval of a single run: it shows what so few images can tell."
    )
    table = simple_table(id_, caption, titles, rows)
    return Table(id_, caption, table.columns, table.rows, fold="Recall by class, with intervals")


def _images(confusion: Confusion, i: int) -> str:
    """Return how many images of a class one run has; their mean where runs differ."""
    n = sum(confusion.counts[i]) / max(1, confusion.n_runs)
    return f"{n:.0f}" if n.is_integer() else f"{n:.1f}"


def _drawing(
    breakdown: Breakdown,
    arms: list[ArmSummary],
    names: list[str],
    what: str,
    *,
    lower_is_better: bool,
) -> Markup:
    longest = max(len(name) for name in names)
    left = min(max(LABEL, CHARACTER * longest), MOST_LABEL) + SUPPORT  # a long name has what room there is
    size = min(96.0, (WIDTH - left) / len(arms))
    values = [abs(m) for arm in arms for name in names if (m := _mean(breakdown, arm, name)) is not None]
    digits = effect_digits(effect for arm in arms for effect in breakdown.effects[arm.id].values())
    most = max([*values, 1e-12])
    most_letters = int((size - 4) / CHARACTER)
    most_of_name = int((left - LABEL_GAP) / CHARACTER)
    heads = [_broken(arm.label, most_letters) for arm in arms]
    n_lines = max(len(lines) for lines in heads)
    is_turned = size < LEVEL_FROM or n_lines > MOST_LINES
    head = TURNED_HEAD if is_turned else LEVEL_HEAD + LINE * (n_lines - 1)
    parts = [tag("text", "images", x=left - 12, y=head - 8, class_="tick", text_anchor="end")]
    for j, arm in enumerate(arms):
        x = left + (j + 0.5) * size
        full = tag("title", arm.label)
        if is_turned:
            at, turn = left + j * size + 8, f"rotate(-35 {x:.1f} {head - 8:.1f})"
            parts.append(
                tag("text", short(arm.label, 14), full, x=at, y=head - 8, class_="tick", text_anchor="start",
                    transform=turn)
            )  # fmt: skip
            continue
        lines = heads[j]
        for i, line in enumerate(lines):
            y = head - 8 - LINE * (len(lines) - 1 - i)
            parts.append(
                tag("text", short(line, most_letters), full, x=x, y=y, class_="tick", text_anchor="middle")
            )
    supports = {entry.name: entry.support for entry in breakdown.entries}
    for i, name in enumerate(names):
        y = head + i * CELL_HEIGHT
        parts.append(
            tag("text", short(name, most_of_name), tag("title", name), x=0, y=y + 18, class_="label")
        )
        support = supports.get(name)
        text = str(support) if support is not None else ABSENT
        parts.append(tag("text", text, x=left - 12, y=y + 18, class_="tick", text_anchor="end"))
        for j, arm in enumerate(arms):
            effect = breakdown.effects[arm.id].get(name)
            parts.append(
                _cell(effect, left + j * size, y, size, most, f"{name}, {arm.label}", lower_is_better, digits)
            )
    label = f"Differences in {what} by {breakdown.by} and arm"
    return drawing(head + CELL_HEIGHT * len(names) + 4, label, *parts)


def _broken(label: str, most: int) -> list[str]:
    """Return a label in lines of at most so many letters, broken at blanks and behind underscores.

    A piece that is longer has a line of its own.

    >>> _broken("learning rate = 0.001", 13), _broken("relu", 13), _broken("bottleneck_1024", 12)
    (['learning rate', '0.001'], ['relu'], ['bottleneck_', '1024'])
    """
    lines: list[str] = []
    for part in label.split(" = "):
        start = len(lines)
        for piece in PIECES.findall(part):
            joined = lines[-1] + piece if len(lines) > start else ""
            if joined and len(joined.rstrip()) <= most:
                lines[-1] = joined
            else:
                lines.append(piece)
    return [line.rstrip() for line in lines]


def _cell(
    effect: Effect | None,
    x: float,
    y: float,
    size: float,
    most: float,
    where: str,
    lower_is_better: bool,
    digits: int,
) -> Markup:
    mean = effect.mean if effect is not None else None
    if effect is None or mean is None:
        return tag("text", ABSENT, x=x + size / 2, y=y + 18, class_="tick", text_anchor="middle")
    gains = (mean < 0) if lower_is_better else (mean > 0)
    share = abs(mean) / most
    title = f"{where}: {effect_text(effect, digits)}; {plural(effect.n, 'seed')}"
    framed = " framed" if effect.excludes_zero else ""
    box = tag(
        "rect", tag("title", title), x=x + 1, y=y + 1, width=size - 3, height=CELL_HEIGHT - 3,
        class_=f"{'heat' if gains else 'heat loss'}{framed}", fill_opacity=f"{0.04 + 0.8 * share:.2f}",
    )  # fmt: skip
    text = number(mean, 2 if most >= 0.095 else digits_for(None, most), sign=True)
    if size < 8 * len(text):
        return box
    return box + tag("text", text, x=x + size / 2, y=y + 17.5, class_="count", text_anchor="middle")


def _table(
    breakdown: Breakdown, ablation: AblationSummary, arms: list[ArmSummary], id_: str, what: str
) -> Table:
    rows = []
    reference = ablation.arm(ablation.reference)
    levels = breakdown.levels.get(ablation.reference, {})
    digits = level_digits(levels.values())
    of_effects = effect_digits(effect for arm in arms for effect in breakdown.effects[arm.id].values())
    for entry in breakdown.entries:
        row = [entry.name, str(entry.support) if entry.support is not None else ABSENT]
        base = levels.get(entry.name)
        row.append(level_text(base, digits) if base is not None else ABSENT)
        for arm in arms:
            effect = breakdown.effects[arm.id].get(entry.name)
            text = ABSENT
            if effect is not None and effect.mean is not None:
                text = cell_text(effect, of_effects)
            row.append(text)
        rows.append(row)
    base_label = reference.label if reference is not None else ablation.reference
    titles = [capital(breakdown.by), "Images", f"{base_label}, mean ± SD", *(arm.label for arm in arms)]
    note = alike_note(effect for arm in arms for effect in breakdown.effects[arm.id].values())
    caption = f"Differences in {what} from the reference, with 95 % intervals{'. ' if note else ''}{note}"
    return simple_table(id_, caption, titles, rows)


def _mean(breakdown: Breakdown, arm: ArmSummary, name: str) -> float | None:
    effect = breakdown.effects[arm.id].get(name)
    return None if effect is None else effect.mean

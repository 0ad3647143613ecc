"""What could have been saved: the best to expect of n trials, and stopping rules replayed."""

from __future__ import annotations

from pokeopt.report.blocks import Cell, Column, Figure, Table, cells, simple_table
from pokeopt.report.replay_stopping import Replays
from pokeopt.report.summary import SearchSummary
from pokeopt.report.svg import WIDTH, Scale, drawing, polyline, spanning, tag, x_axis, y_axis
from pokeopt.report.words import (
    axis_name,
    column_digits,
    common_digits,
    duration,
    interval,
    metric_name,
    number,
    plural,
)

LEFT, TOP, HEIGHT = 62, 34, 200


def expected(search: SearchSummary, id_: str) -> Figure | None:
    """Return the expected best score of n random trials."""
    found = search.facts.expected if search.facts else None
    if found is None:
        return None
    bottom = TOP + HEIGHT
    x = Scale(1.0 - 0.02 * found.n[-1], found.n[-1] * 1.02, 62, WIDTH - 10)
    y = spanning([*found.low, *found.high], bottom, TOP)
    band = [*zip(found.n, found.high, strict=True), *reversed(list(zip(found.n, found.low, strict=True)))]
    corners = " ".join(f"{x(n):.1f},{y(value):.1f}" for n, value in band)
    parts = [
        y_axis(y, 62, WIDTH - 10, f"best {axis_name(search.metrics[0])}"),
        x_axis(x, bottom, "complete trials"),
        tag("polygon", points=corners, class_="band"),
        polyline(
            [(x(n), y(v)) for n, v in zip(found.n, found.mean, strict=True)], "best-line", "expected best"
        ),
    ]
    svg = drawing(bottom + 42, f"Expected best of up to {found.n_trials} trials", *parts)
    reading = (
        f"Line: the expected best of n trials drawn at random from the {found.n_trials} complete ones; band: where "
        "the best of n lies with probability 0.9. It holds for independent trials, as of random search; the right "
        "end is the best that was found, by construction."
    )
    digits = column_digits(found.mean)
    titles = ["Trials", "Expected best", "90 % range"]
    time = found.s_per_trial
    rows = []
    for n, mean, low, high in zip(found.n, found.mean, found.low, found.high, strict=True):
        row = [str(n), number(mean, digits), interval(low, high, digits)]
        rows.append([*row, duration(n * time)] if time else row)
    if time:
        titles.append("Training time at the mean of all trials")
    table = simple_table(f"{id_}-data", "Expected best by number of trials", titles, rows)
    return Figure(id_, "What could fewer trials have found?", (svg,), reading, table)


def replay_table(found: Replays, id_: str) -> Table:
    """Return what each stopping rule would have saved and lost."""
    digits = max(3, common_digits((r.lost.sd for r in found.rules), (r.lost.mean for r in found.rules)))
    columns = (
        Column("Stopping rule", is_number=False),
        Column("Curves stopped"),
        Column("Epochs saved"),
        Column("Score lost, mean [95 % CI]", note="score of the whole run less that of the stopped one"),
        Column("Largest loss"),
        Column("Same score", note="curves whose kept epoch came before the stop"),
    )
    rows = []
    for rule in found.rules:
        ends = interval(rule.lost.low, rule.lost.high, digits) if rule.n_stopped else ""
        mean = f"{number(rule.lost.mean, digits)} {ends}".strip()
        rows.append(
            cells(
                rule.rule + (" (the study’s own)" if rule.is_own else ""),
                Cell(f"{rule.n_stopped} of {rule.n_runs}", rule.n_stopped),
                Cell(f"{100 * rule.saved:.0f} %", rule.saved),
                Cell(mean, rule.lost.mean),
                Cell(number(rule.worst, digits), rule.worst),
                Cell(f"{rule.n_same} of {rule.n_runs}", rule.n_same),
            )
        )
    first, last = found.n_epochs
    length = plural(first, "epoch") if first == last else f"{first} to {last} epochs"
    one = found.n_full == 1
    caption = (
        f"Stopping rules replayed on the stored curves of {metric_name(found.metric)} of study {found.study}: "
        f"{plural(found.n_full, 'run')} that went to {'its' if one else 'their'} end ({length})"
    )
    if found.n_different < found.n_full:
        caption += f", with {plural(found.n_different, 'different curve')}: equal ones of a seed count once"
    caption += f"; of them {found.n_used}, evenly spaced." if found.n_used < found.n_different else "."
    note = (
        "Nothing is trained again. A schedule that looks at the budget, like cosine, would have run otherwise had the "
        "budget been shorter. Runs that a rule or a pruner stopped in the study have no end to compare with."
    )
    return Table(id_, caption, columns, tuple(rows), note=note)

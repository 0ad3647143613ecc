"""Figures of a search: history, learning curves with pruned tails, the front."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from pokeopt.report.blocks import Figure, simple_table
from pokeopt.report.summary import SearchSummary, TrialSummary
from pokeopt.report.svg import WIDTH, Scale, drawing, marker, polyline, spanning, tag, x_axis, y_axis
from pokeopt.report.thinning import rows_note, thinned, thinned_note
from pokeopt.report.words import ABSENT, axis_name, column_digits, metric_name, number, plural

LEFT, TOP, HEIGHT = 62, 54, 250
MOST_MARKS, MOST_LOST = 1500, 300  # of more trials, evenly spaced ones are drawn
MOST_CURVES, MOST_STEPS = 250, 120
MOST_ROWS = 1000  # of a data table
MARKS = {
    "complete": ("circle", "state-complete dot"),
    "pruned": ("down", "state-pruned hollow"),
    "diverged": ("cross", "state-lost dot"),
    "out of memory": ("square", "state-lost hollow"),
    "too slow": ("diamond", "state-lost hollow"),
    "failed": ("cross", "state-lost dot"),
    "running": ("circle", "state-pruned hollow"),
}


def history(search: SearchSummary, id_: str) -> Figure | None:
    """Return every trial's value in the order of the search, and the best so far."""
    trials = [trial for trial in search.trials if trial.values]
    if not trials:
        return None
    metric, maximize = metric_name(search.metrics[0]), search.directions[0] == "maximize"
    bottom = TOP + HEIGHT
    x = Scale(-0.5, max(trial.number for trial in search.trials) + 0.5, LEFT, WIDTH - 10)
    y = spanning([trial.values[0] for trial in trials], bottom, TOP)
    best_line: list[tuple[float, float]] = []
    best: float | None = None
    for trial in trials:
        if trial.state != "complete":
            continue
        value = trial.values[0]
        if best is None or (value > best if maximize else value < best):
            best_line += [(x(trial.number), y(best))] if best is not None else []
            best = value
            best_line.append((x(trial.number), y(value)))
    if best is not None:
        best_line.append((WIDTH - 10, y(best)))
    drawn = thinned(trials, MOST_MARKS, keep=_is_named(search))
    marks = [_trial_mark(trial, x(trial.number), y(trial.values[0]), search) for trial in drawn]
    lost = [trial for trial in search.trials if not trial.values and trial.state != "running"]
    drawn_lost = thinned(lost, MOST_LOST)
    marks += [_trial_mark(trial, x(trial.number), bottom - 7, search) for trial in drawn_lost]
    parts = [
        y_axis(y, LEFT, WIDTH - 10, axis_name(search.metrics[0])),
        _x_axis(x, bottom, "trial"),
        _legend(search),
        polyline(best_line, "best-line", "best so far"),
        *marks,
    ]
    svg = drawing(bottom + 42, f"{metric} of {plural(len(trials), 'trial')} in order", *parts)
    reading = "The line is the best so far, of complete trials only. A pruned trial stands at its last value, no score"
    reading += "; trials without any value stand at the bottom." if lost else "."
    reading += thinned_note(len(drawn) + len(drawn_lost), len(trials) + len(lost), "trial")
    digits = column_digits(trial.values[0] for trial in trials)
    listed = thinned(search.trials, MOST_ROWS, keep=_is_named(search))
    rows = [[f"#{t.number}", t.state, number(t.values[0], digits) if t.values else ABSENT] for t in listed]
    caption = "Value by trial" + rows_note(len(listed), len(search.trials), "trial")
    table = simple_table(f"{id_}-data", caption, ["Trial", "State", metric], rows, text_columns=2)
    return Figure(id_, "How did the search proceed?", (svg,), reading, table)


def curves(search: SearchSummary, id_: str) -> Figure | None:
    """Return every trial's learning curve; those that were stopped end in their mark."""
    trials = [trial for trial in search.trials if trial.curve]
    if not trials:
        return None
    bottom, right = TOP + HEIGHT, WIDTH - 92
    steps = [step for trial in trials for step in trial.curve]
    x = Scale(min(steps) - 0.3, max(*steps, min(steps) + 1) + 0.3, LEFT, right)
    y = spanning([value for trial in trials for value in trial.curve.values()], bottom, TOP)
    order = sorted(trials, key=lambda trial: (trial.number == search.best, trial.is_baseline, -trial.number))
    drawn = thinned(order, MOST_CURVES, keep=_is_named(search))
    lines = [_curve(trial, x, y, search) for trial in drawn]
    named = [
        trial for trial in (search.trial(search.best), search.trial(search.baseline)) if trial and trial.curve
    ]
    parts = [
        y_axis(y, LEFT, right, axis_name(search.metrics[0])),
        _x_axis(x, bottom, "epoch"),
        _legend(search, lines=True),
        *lines,
        *_end_labels(named, x, y, search),
    ]
    svg = drawing(bottom + 42, f"Learning curves of {plural(len(trials), 'trial')}", *parts)
    stopped = sum(trial.state != "complete" for trial in trials)
    count = plural(len(trials), "trial")
    reading = f"{count}, of which {stopped} stopped before their end (dashed, ending in a mark)."
    if search.n_seeds > 1:
        reading += f" Each curve is the mean of {search.n_seeds} networks."
    reading += thinned_note(len(drawn), len(trials), "trial")
    if max(len(trial.curve) for trial in drawn) > MOST_STEPS:
        reading += f" Curves are drawn through at most {MOST_STEPS} epochs."
    digits = column_digits(_extreme(trial, search) for trial in trials)
    listed = thinned(trials, MOST_ROWS, keep=_is_named(search))
    rows = [
        [
            f"#{t.number}",
            t.state,
            str(max(t.curve)),
            number(t.curve[max(t.curve)], digits),
            number(_extreme(t, search), digits),
        ]
        for t in listed
    ]
    titles = ["Trial", "State", "Epochs", "Last value", "Best value"]
    caption = "Curves by trial" + rows_note(len(listed), len(trials), "trial")
    table = simple_table(f"{id_}-data", caption, titles, rows, text_columns=2)
    return Figure(id_, "Which trials were stopped, and what had they shown?", (svg,), reading, table)


def front(search: SearchSummary, id_: str) -> Figure | None:
    """Return the first two objectives of every COMPLETE trial, those on the front joined."""
    trials = [trial for trial in search.trials if len(trial.values) > 1 and trial.state == "complete"]
    if not trials:
        return None
    first, second = (axis_name(name) for name in search.metrics[:2])
    bottom = TOP + HEIGHT
    x = spanning([trial.values[0] for trial in trials], LEFT, WIDTH - 10)
    y = spanning([trial.values[1] for trial in trials], bottom, TOP)
    on_front = sorted((trial for trial in trials if trial.is_on_front), key=lambda trial: trial.values)
    drawn = thinned(trials, MOST_MARKS, keep=lambda trial: trial.is_on_front)
    parts = [
        y_axis(y, LEFT, WIDTH - 10, second),
        x_axis(x, bottom, first),
        polyline([(x(t.values[0]), y(t.values[1])) for t in on_front], "best-line", "front"),
        *(
            marker(
                "circle", x(t.values[0]), y(t.values[1]),
                "state-complete dot" if t.is_on_front else "state-pruned hollow",
                f"trial {t.number}: {number(t.values[0])}, {number(t.values[1])}",
            )
            for t in drawn
        ),
    ]  # fmt: skip
    svg = drawing(bottom + 42, f"{first} and {second} of {plural(len(trials), 'trial')}", *parts)
    reading = f"Filled: the front of {plural(len(on_front), 'trial')} that no other beats in every objective."
    reading += thinned_note(len(drawn), len(trials), "complete trial")
    digits = [column_digits(trial.values[i] for trial in on_front) for i in range(len(search.metrics))]
    rows = [
        [f"#{t.number}", *(number(value, d) for value, d in zip(t.values, digits, strict=True))]
        for t in on_front
    ]
    titles = ["Trial", *(metric_name(metric) for metric in search.metrics)]
    table = simple_table(f"{id_}-data", "Trials on the front", titles, rows)
    return Figure(id_, "What is given up for what?", (svg,), reading, table)


def _is_named(search: SearchSummary) -> Callable[[TrialSummary], bool]:
    """Return whether a trial must be drawn, however many there are."""
    named = (search.best, search.baseline)
    return lambda trial: trial.number in named


def _mark(trial: TrialSummary) -> tuple[str, str]:
    return MARKS.get(trial.state, MARKS["failed"])


def _trial_mark(trial: TrialSummary, x: float, y: float, search: SearchSummary) -> Markup:
    shape, look = _mark(trial)
    value = number(trial.values[0]) if trial.values else "no value"
    if trial.number == search.best:
        return marker("star", x, y, "arm-1 dot", f"trial {trial.number}, best: {value}", radius=7)
    if trial.is_baseline:
        look = look.replace("state-complete", "arm-0")
    role = ", baseline" if trial.is_baseline else ""
    return marker(shape, x, y, look, f"trial {trial.number}{role}, {trial.state}: {value}", radius=4.5)


def _curve(trial: TrialSummary, x: Scale, y: Scale, search: SearchSummary) -> Markup:
    steps = sorted(trial.curve.items())
    kept_steps = (trial.best_step, steps[-1][0])
    points = [
        (x(step), y(value)) for step, value in thinned(steps, MOST_STEPS, keep=lambda s: s[0] in kept_steps)
    ]
    look = "curve"
    if trial.number == search.best:
        look = "curve best"
    elif trial.is_baseline:
        look = "curve baseline"
    elif trial.state != "complete":
        look = "curve stopped"
    title = f"trial {trial.number}, {trial.state}"
    parts = [polyline(points, look, title)] if len(points) > 1 else []
    if trial.state != "complete":
        shape, mark = _mark(trial)
        parts.append(marker(shape, *points[-1], mark, title, radius=4))
    elif trial.number == search.best and trial.best_step in trial.curve:
        kept = trial.best_step
        assert kept is not None
        parts.append(
            marker("star", x(kept), y(trial.curve[kept]), "arm-1 dot", f"kept epoch {kept}", radius=7)
        )
    elif len(points) == 1:
        parts.append(marker("circle", *points[0], "state-complete dot", title, radius=3))
    return tag("g", *parts)


def _end_labels(trials: list[TrialSummary], x: Scale, y: Scale, search: SearchSummary) -> list[Markup]:
    """Name the best and the baseline at the end of their curves, apart from each other."""
    found = {trial.number: trial for trial in trials}.values()
    ends = sorted((y(trial.curve[max(trial.curve)]) + 4, trial.number, trial) for trial in found)
    labels, lowest = [], float("-inf")
    for at_y, _, trial in ends:
        lowest = max(at_y, lowest + 16)
        name = "best" if trial.number == search.best else "baseline"
        at_x = x(max(trial.curve)) + 8
        labels.append(tag("text", f"{name} #{trial.number}", x=at_x, y=lowest, class_=f"label {name}"))
    return labels


def _x_axis(scale: Scale, y: float, title: str) -> Markup:
    """Return an axis of whole numbers."""
    ticks = sorted({round(value) for value in scale.ticks(8) if abs(value - round(value)) < 1e-9})
    parts = [tag("line", x1=scale.start, x2=scale.end, y1=y, y2=y, class_="axis")]
    parts += [
        tag("text", str(value), x=scale(value), y=y + 17, class_="tick", text_anchor="middle")
        for value in ticks
    ]
    middle = (scale.start + scale.end) / 2
    parts.append(tag("text", title, x=middle, y=y + 36, class_="axis-title", text_anchor="middle"))
    return Markup("").join(parts)


def _legend(search: SearchSummary, *, lines: bool = False) -> Markup:
    """Return the marks of the states that occur."""
    present = [state for state in MARKS if any(trial.state == state for trial in search.trials)]
    if lines:
        present = [
            state
            for state in present
            if state != "complete" and any(t.curve for t in search.trials if t.state == state)
        ]
    parts, x = [], float(LEFT)
    for state in present:
        shape, look = MARKS[state]
        parts.append(marker(shape, x + 5, 31, look, radius=4.5))
        parts.append(tag("text", state, x=x + 15, y=35, class_="tick"))
        x += 33 + 7 * len(state)
    return Markup("").join(parts)


def _extreme(trial: TrialSummary, search: SearchSummary) -> float:
    values = trial.curve.values()
    return max(values) if search.directions[0] == "maximize" else min(values)

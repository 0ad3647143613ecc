"""What a score costs: size and training time against it, of trials or of arms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pokeopt.report.blocks import Figure, simple_table
from pokeopt.report.effects import legend, styles
from pokeopt.report.summary import AblationSummary, SearchSummary
from pokeopt.report.svg import (
    WIDTH,
    Scale,
    drawing,
    marker,
    polyline,
    spanning,
    tag,
    x_axis,
    y_axis,
)
from pokeopt.report.thinning import thinned, thinned_note
from pokeopt.report.words import (
    axis_name,
    capital,
    column_digits,
    duration,
    interval,
    metric_name,
    number,
    plural,
    quantity,
)

PANEL, LEFT, TOP, HEIGHT = 328, 52, 34, 200
MOST_POINTS = 400
LOG_FROM = 20.0  # largest over smallest cost from which the axis is logarithmic


@dataclass(frozen=True)
class Point:
    """A trial or an arm: its name, score with interval, and costs that are known."""

    name: str
    score: float
    low: float | None
    high: float | None
    n_params: float | None
    seconds: float | None
    look: tuple[str, str]
    is_marked: bool = False


def search_points(search: SearchSummary) -> list[Point]:
    """Return the complete trials as points; one run each, so without interval."""
    found = []
    for trial in search.trials:
        if trial.state == "complete" and trial.values:
            is_best = trial.number == search.best
            look = (
                ("arm-1 dot", "star")
                if is_best
                else ("arm-0 dot", "circle")
                if trial.is_baseline
                else ("state-complete hollow", "circle")
            )
            marked = is_best or trial.is_baseline
            found.append(
                Point(
                    f"trial {trial.number}",
                    trial.values[0],
                    None,
                    None,
                    trial.n_params,
                    trial.wall_s,
                    look,
                    marked,
                )
            )
    return found


def arm_points(ablation: AblationSummary) -> list[Point]:
    """Return the arms as points: mean score with its interval, parameters, mean time of a run."""
    look = styles(ablation.arms)
    found = []
    for arm in ablation.arms:
        if arm.level.mean is None or arm.same_as or arm.prefix_of is not None:
            continue
        seconds = arm.total_s / arm.level.n if arm.total_s and arm.level.n else None
        found.append(
            Point(
                arm.label, arm.level.mean, arm.level.low, arm.level.high, arm.n_params, seconds,
                (f"{look[arm.id][0]} dot", look[arm.id][1]), True,
            )
        )  # fmt: skip
    return found


def pareto(
    points: Sequence[Point], metric: str, direction: str, id_: str, noun: str, *, is_mean: bool
) -> Figure | None:
    """Return score against parameters and against training time, with the front of each."""
    shown = [p for p in points if math.isfinite(p.score)]
    if len(shown) < 2:
        return None
    drawn = thinned(shown, MOST_POINTS, keep=lambda p: p.is_marked)
    panels = [
        (panel, front)
        for title, cost, text, tick in (
            ("parameters", _params, quantity, quantity),
            ("training time of a run (s)", _seconds, duration, _plain_tick),
        )
        if (found := _panel(shown, drawn, cost, metric, direction, title, text, tick)) is not None
        for panel, front in (found,)
    ]
    if not panels:
        return None
    digits = column_digits(p.score for p in shown)
    fronts = [front for _, front in panels]
    listed = [p for p in shown if is_mean or any(p.name in front for front in fronts)]
    rows = [
        [
            p.name,
            number(p.score, digits),
            interval(p.low, p.high, digits),
            quantity(p.n_params),
            duration(p.seconds),
        ]
        for p in sorted(listed, key=lambda p: (p.n_params or 0.0, p.seconds or 0.0, p.name))
    ]
    titles = [capital(noun), metric_name(metric), "95 % CI", "Parameters", "Time of a run"]
    caption = "Arms by size" if is_mean else f"The {plural(len(listed), noun)} on a front"
    table = simple_table(f"{id_}-data", caption, titles, rows)
    article = "an" if noun[0] in "aeiou" else "a"
    reading = f"One point {article} {noun}; the line joins those with the best score at their cost or below."
    if is_mean:
        reading += " Means over seeds, each with its own 95 % interval; whether two arms differ stands in their study."
        reading += " The first runs of a worker pay its start, so the arms that came first seem slower than they are."
    else:
        reading += (
            " One run each, chosen by a sampler: the line lists candidates, no effects. Star: the best."
        )
    reading += " Time depends on the machine and on what ran beside it." + thinned_note(
        len(drawn), len(shown), noun
    )
    question = (
        "What does a higher score cost?" if direction == "maximize" else "What does a lower error cost?"
    )
    drawings = tuple(panel for panel, _ in panels)
    return Figure(id_, question, (*drawings, *([_key(shown)] if is_mean else [])), reading, table)


def _key(points: Sequence[Point]) -> Markup:
    """Return a drawing under the panels that names the marks."""
    entries = [(p.name, (p.look[0].split()[0], p.look[1])) for p in points]
    names, height = legend(entries, LEFT, 10, WIDTH)
    return drawing(height, "The arms' marks", names)


def _plain_tick(value: float) -> str:
    """Return a number with no more digits than it needs, never in thousands: a logarithmic axis has 0.3 and 3000."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _params(point: Point) -> float | None:
    return point.n_params


def _seconds(point: Point) -> float | None:
    return point.seconds


def _panel(
    points: Sequence[Point],
    drawn: Sequence[Point],
    cost: Callable[[Point], float | None],
    metric: str,
    direction: str,
    title: str,
    text: Callable[[float | None], str],
    tick: Callable[[float], str],
) -> tuple[Markup, frozenset[str]] | None:
    known = [(c, p) for p in points if (c := cost(p)) is not None and c > 0]
    costs = sorted(c for c, _ in known)
    if len(known) < 2 or costs[-1] - costs[0] <= 1e-9 * costs[-1]:
        return None  # all cost the same: there is no trade
    is_log = costs[-1] / costs[0] > LOG_FROM
    bottom = TOP + HEIGHT
    place: Callable[[float], float] = math.log10 if is_log else float
    x = spanning([place(c) for c in costs], LEFT, PANEL - 12, include=() if is_log else (0.0,))
    ends = [end for _, p in known for end in (p.low, p.high) if end is not None]
    y = spanning([*(p.score for _, p in known), *ends], bottom, TOP)
    front = _front(known, 1.0 if direction == "maximize" else -1.0)
    parts = [
        y_axis(y, LEFT, PANEL - 12, axis_name(metric)),
        _log_axis(x, bottom, title, tick) if is_log else x_axis(x, bottom, title, say=tick),
    ]
    parts.append(polyline([(x(place(c)), y(p.score)) for c, p in front], "front-line", "front"))
    for p in sorted(drawn, key=lambda p: p.is_marked):
        at = cost(p)
        if at is None or at <= 0:
            continue
        colour, shape = p.look
        line = []
        if p.low is not None and p.high is not None:
            line = [
                tag("line", x1=x(place(at)), x2=x(place(at)), y1=y(p.low), y2=y(p.high), class_="whisker")
            ]
        words = f"{p.name}: {number(p.score)}, {text(at)}"
        mark = marker(shape, x(place(at)), y(p.score), colour, words, radius=5 if p.is_marked else 3)
        parts.append(tag("g", *line, mark, class_=colour.split()[0]))
    label = f"{metric_name(metric)} against {title}"
    return drawing(bottom + 42, label, *parts, width=PANEL), frozenset(p.name for _, p in front)


def _front(known: Sequence[tuple[float, Point]], sign: float) -> list[tuple[float, Point]]:
    """Return the points that none of lower cost equals or beats, by cost."""
    front: list[tuple[float, Point]] = []
    for c, point in sorted(known, key=lambda item: (item[0], -sign * item[1].score, item[1].name)):
        if not front or sign * point.score > sign * front[-1][1].score:
            front.append((c, point))
    return front


def _log_axis(scale: Scale, y: float, title: str, tick: Callable[[float], str]) -> Markup:
    """Return an axis whose values are powers of ten."""
    parts = [tag("line", x1=scale.start, x2=scale.end, y1=y, y2=y, class_="axis")]
    decades = range(math.ceil(scale.low - 1e-9), math.floor(scale.high + 1e-9) + 1)
    factors = (1,) if len(decades) > 3 else (1, 3)
    ticks = [
        factor * 10.0**power
        for power in range(math.floor(scale.low), math.floor(scale.high) + 1)
        for factor in factors
        if scale.low <= math.log10(factor * 10.0**power) <= scale.high
    ]
    for value in ticks:
        parts.append(
            tag(
                "text", tick(value), x=scale(math.log10(value)), y=y + 17, class_="tick", text_anchor="middle"
            )
        )
    middle = (scale.start + scale.end) / 2
    parts.append(
        tag("text", f"{title}, logarithmic", x=middle, y=y + 36, class_="axis-title", text_anchor="middle")
    )
    return Markup("").join(parts)

"""Maps: what a forest predicts over two parameters, with the trials that it knows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from pokeopt.report.axes import Axis
from pokeopt.report.blocks import Figure, Table, simple_table
from pokeopt.report.search_facts import PairMap, SearchFacts
from pokeopt.report.summary import SearchSummary, TrialSummary
from pokeopt.report.svg import Scale, drawing, marker, tag
from pokeopt.report.thinning import thinned, thinned_note
from pokeopt.report.words import column_digits, metric_name, number

MAP_WIDTH, MAP_LEFT, MAP_SIZE = 328, 74, 232
MOST_POINTS = 200  # trials on a map


def maps(search: SearchSummary, id_: str) -> Figure | None:
    """Return the forest's prediction over the pairs that explain most, with the trials on it."""
    facts = search.facts
    if facts is None or not facts.maps:
        return None
    scored = [trial for trial in search.trials if trial.state == "complete" and trial.number in facts.places]
    drawn = thinned(scored, MOST_POINTS, keep=lambda trial: trial.number in (search.best, search.baseline))
    values = [value for one in facts.maps for row in one.cells for value in row]
    low, high = min(values), max(values)
    svgs = tuple(_map(one, facts, drawn, search, (low, high)) for one in facts.maps)
    digits = column_digits(values)
    reading = (
        f"Shade: mean prediction of 10 forests from {number(low, digits)} (pale) to {number(high, digits)} "
        f"(full), {metric_name(search.metrics[0])}, the other parameters averaged; one scale for all maps. Points: "
        "complete trials; star: the best. Where no point is near, the forest guesses."
    )
    reading += thinned_note(len(drawn), len(scored), "complete trial")
    question = (
        "What does a forest see over the pair that explains most, and the pair that acts most together?"
    )
    return Figure(id_, question, svgs, reading, _map_table(facts.maps, digits, id_))


def _map(
    one: PairMap,
    facts: SearchFacts,
    trials: Sequence[TrialSummary],
    search: SearchSummary,
    ends: tuple[float, float],
) -> Markup:
    top, left = 22, MAP_LEFT
    x, y = Scale(0.0, 1.0, left, left + MAP_SIZE), Scale(0.0, 1.0, top + MAP_SIZE, top)
    x_edges, y_edges = _edges(one.x_places), _edges(one.y_places)
    parts = [tag("text", one.y.name, x=0, y=12, class_="axis-title")]
    span = ends[1] - ends[0] or 1.0
    for row, (y0, y1) in zip(one.cells, y_edges, strict=True):
        for value, (x0, x1) in zip(row, x_edges, strict=True):
            shade = f"{0.04 + 0.86 * (value - ends[0]) / span:.2f}"
            box = {"x": x(x0), "y": y(y1), "width": x(x1) - x(x0) + 0.3, "height": y(y0) - y(y1) + 0.3}
            parts.append(tag("rect", **box, class_="heat", fill_opacity=shade))
    names = [axis.name for axis in facts.axes]
    a, b = names.index(one.x.name), names.index(one.y.name)
    for trial in sorted(trials, key=lambda t: (t.number == search.best, t.number)):
        at = facts.places[trial.number]
        if at[a] is None or at[b] is None:
            continue
        is_best = trial.number == search.best
        look = ("star", "arm-2 dot", 8.0) if is_best else ("circle", "state-complete hollow", 2.6)
        title = f"trial {trial.number}: {number(trial.values[0] if trial.values else None)}"
        parts.append(marker(look[0], x(at[a] or 0.0), y(at[b] or 0.0), look[1], title, radius=look[2]))
    parts += _map_ticks(one.x, x, top + MAP_SIZE + 17, is_x=True) + _map_ticks(one.y, y, left - 8, is_x=False)
    middle = left + MAP_SIZE / 2
    parts.append(
        tag("text", one.x.name, x=middle, y=top + MAP_SIZE + 38, class_="axis-title", text_anchor="middle")
    )
    return drawing(
        top + MAP_SIZE + 46, f"Prediction over {one.x.name} and {one.y.name}", *parts, width=MAP_WIDTH
    )


def _edges(places: Sequence[float]) -> list[tuple[float, float]]:
    """Return the stretch that each place of a grid stands for, half way to its neighbours."""
    middles = [(a + b) / 2 for a, b in pairwise(places)]
    ends = [0.0, *middles, 1.0]
    return list(pairwise(ends))


def _map_ticks(axis: Axis, scale: Scale, at: float, *, is_x: bool) -> list[Markup]:
    places = axis.grid(3) if not axis.options else axis.grid(len(axis.options))
    parts = []
    for i, place in enumerate(places):
        text = axis.text(place)
        text = text if len(text) <= 10 else f"{text[:9]}…"
        if is_x:
            anchor = "middle" if axis.options or 0 < i < len(places) - 1 else "start" if i == 0 else "end"
            parts.append(tag("text", text, x=scale(place), y=at, class_="tick", text_anchor=anchor))
        else:
            parts.append(tag("text", text, x=at, y=scale(place) + 4, class_="tick", text_anchor="end"))
    return parts


def _map_table(found: Sequence[PairMap], digits: int, id_: str) -> Table:
    """Return the corners and middles of the maps: the drawing holds the rest."""
    rows = []
    for one in found:
        for i in sorted({0, len(one.y_places) // 2, len(one.y_places) - 1}):
            for j in sorted({0, len(one.x_places) // 2, len(one.x_places) - 1}):
                at = (
                    f"{one.x.name} {one.x.text(one.x_places[j])}",
                    f"{one.y.name} {one.y.text(one.y_places[i])}",
                )
                rows.append([*at, number(one.cells[i][j], digits)])
    titles = ["First", "Second", "Mean prediction"]
    return simple_table(f"{id_}-data", "Predictions at ends and middles", titles, rows, text_columns=2)

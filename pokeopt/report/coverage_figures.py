"""Where a search looked: histograms of the values tried, and trials as lines over parallel axes."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pokeopt.report.axes import Axis
from pokeopt.report.blocks import Figure, simple_table
from pokeopt.report.search_facts import SearchFacts
from pokeopt.report.summary import SearchSummary, TrialSummary
from pokeopt.report.svg import WIDTH, Scale, drawing, polyline, spanning, tag
from pokeopt.report.thinning import thinned, thinned_note
from pokeopt.report.words import ABSENT, axis_name, metric_name, number, plural

N_BINS = 12
MOST_HISTOGRAMS = 12
MOST_LINES, MOST_PARALLEL = 150, 8


def coverage(search: SearchSummary, id_: str) -> Figure | None:
    """Return by parameter which values were tried, and which the top tenth has."""
    facts = search.facts
    if facts is None or not facts.axes or not facts.places:
        return None
    order = _by_importance(facts)
    shown = order[:MOST_HISTOGRAMS]
    counts = [_counts(axis, j, facts) for j, axis in shown]
    svgs = tuple(_histogram(axis, *found) for (_, axis), found in zip(shown, counts, strict=True))
    rows = []
    for (_, axis), (everything, top) in zip(shown, counts, strict=True):
        seen = sum(n > 0 for n in everything)
        rows.append(
            [axis.name, str(sum(everything)), f"{seen} of {len(everything)}", str(sum(n > 0 for n in top))]
        )
    titles = ["Parameter", "Trials with it", "Bins seen", "Bins of the top tenth"]
    table = simple_table(f"{id_}-data", "Values tried by parameter", titles, rows)
    reading = (
        f"Bars: all {plural(len(facts.places), 'trial')} with the parameter active, whatever their end, in bins as "
        f"the sampler draws; dark: the {len(facts.top)} complete trials with the best scores. A stretch without bars "
        "was not looked at, so nothing is known of it."
    )
    if len(order) > len(shown):
        reading += f" Drawn are {len(shown)} of {len(order)} parameters, those of the largest importance."
    return Figure(id_, "Which part of the space was seen?", svgs, reading, table)


def parallel(search: SearchSummary, id_: str) -> Figure | None:
    """Return complete trials as lines over parallel axes, the objective last."""
    facts = search.facts
    trials = [trial for trial in search.trials if trial.state == "complete" and trial.values]
    if facts is None or not facts.axes or len(trials) < 2:
        return None
    order = _by_importance(facts)
    shown = sorted(order[:MOST_PARALLEL])
    top = frozenset(facts.top)
    drawn = thinned(trials, MOST_LINES, keep=lambda t: t.number in (search.best, search.baseline))
    bottom, head = 300, 62
    spacing = (WIDTH - 90) / len(shown)
    y = Scale(0.0, 1.0, bottom - 34, head)
    score = spanning([trial.values[0] for trial in trials], bottom - 34, head)
    lines = []
    for trial in sorted(
        drawn, key=lambda t: (t.number == search.best, t.is_baseline, t.number in top, -t.number)
    ):
        points = [
            (10 + i * spacing, _parallel_y(facts, trial, j, y, bottom)) for i, (j, _) in enumerate(shown)
        ]
        points.append((10 + len(shown) * spacing, score(trial.values[0])))
        look = (
            "curve best"
            if trial.number == search.best
            else "curve baseline"
            if trial.is_baseline
            else "curve"
        )
        look += " top" if trial.number in top and look == "curve" else ""
        lines.append(tag("g", polyline(points, look, f"trial {trial.number}: {number(trial.values[0])}")))
    axes = [_parallel_axis(axis, 10 + i * spacing, y, i) for i, (_, axis) in enumerate(shown)]
    axes.append(_score_axis(search, 10 + len(shown) * spacing, score))
    svg = drawing(
        bottom + 4,
        f"{plural(len(drawn), 'complete trial')} over {plural(len(shown), 'parameter')}",
        *lines,
        *axes,
    )
    reading = (
        "One line a complete trial; blue: the best, thick grey: the baseline, orange: the top tenth. An inactive "
        "parameter is crossed below its axis."
    )
    if len(order) > len(shown):
        reading += f" Axes are the {len(shown)} of {len(order)} parameters with the largest importance."
    reading += thinned_note(len(drawn), len(trials), "complete trial")
    question = "Which values go together with which scores?"
    rows = [
        [f"#{t.number}", *(_value_text(facts, t, j, axis) for j, axis in shown), number(t.values[0])]
        for t in drawn
    ]
    titles = ["Trial", *(axis.name for _, axis in shown), metric_name(search.metrics[0])]
    table = simple_table(f"{id_}-data", "The lines as numbers, rounded", titles, rows)
    return Figure(id_, question, (svg,), reading, table)


def _counts(axis: Axis, j: int, facts: SearchFacts) -> tuple[list[int], list[int]]:
    """Return trials by bin: all of them, and those of the top tenth."""
    discrete = axis.strata(N_BINS)
    bins = len(discrete)
    everything, top = [0] * bins, [0] * bins
    best = frozenset(facts.top)
    for trial, places in facts.places.items():
        place = places[j]
        if place is None:
            continue
        bin_ = min(range(bins), key=lambda i: (abs(discrete[i] - place), i))
        everything[bin_] += 1
        top[bin_] += trial in best
    return everything, top


def _histogram(axis: Axis, everything: Sequence[int], top: Sequence[int]) -> Markup:
    width, height, head = 204, 60, 20
    most = max(1, *everything)
    step = width / len(everything)
    parts = [
        tag("text", axis.name if len(axis.name) < 29 else f"…{axis.name[-27:]}", x=0, y=12, class_="label")
    ]
    for i, (n, best) in enumerate(zip(everything, top, strict=True)):
        for count, look in ((n, "bar pale"), (best, "bar")):
            if count:
                tall = max(1.0, height * count / most)
                title = f"{count} of the top tenth" if look == "bar" else plural(count, "trial")
                box = {"x": i * step + 0.5, "y": head + height - tall, "width": step - 1, "height": tall}
                parts.append(tag("rect", tag("title", title), **box, class_=look))
    base = head + height
    parts.append(tag("line", x1=0, x2=width, y1=base, y2=base, class_="axis"))
    ends = (axis.options[0], axis.options[-1]) if axis.options else (axis.text(0.0), axis.text(1.0))
    for text, at, anchor in ((ends[0], 0, "start"), (ends[1], width, "end")):
        short = text if len(text) <= 13 else f"{text[:12]}…"
        parts.append(tag("text", short, x=at, y=base + 16, class_="tick", text_anchor=anchor))
    return drawing(base + 22, f"Values of {axis.name}", *parts, width=width)


def _by_importance(facts: SearchFacts) -> list[tuple[int, Axis]]:
    """Return the axes with their places in the table, the largest importance by any evaluation first."""
    largest: dict[str, float] = {}
    for one in facts.evaluations:
        for name, share in one.scores.items():
            largest[name] = max(largest.get(name, 0.0), share.mean)
    return sorted(enumerate(facts.axes), key=lambda item: (-largest.get(item[1].name, 0.0), item[0]))


def _parallel_y(facts: SearchFacts, trial: TrialSummary, j: int, y: Scale, bottom: float) -> float:
    place = facts.places[trial.number][j]
    return bottom - 6 if place is None else y(place)


def _parallel_axis(axis: Axis, x: float, y: Scale, i: int) -> Markup:
    name = (
        axis.name.rpartition(".")[2] if not axis.name[-1].isdigit() else ".".join(axis.name.split(".")[-2:])
    )
    name = name if len(name) <= 20 else f"{name[:19]}…"
    parts = [tag("line", x1=x, x2=x, y1=y.start, y2=y.end, class_="axis")]
    parts.append(tag("text", tag("title", axis.name), name, x=x, y=14 if i % 2 == 0 else 32, class_="label"))
    places = axis.grid(2) if not axis.options else [axis.grid(2)[0], axis.grid(2)[-1]]
    for place in (places[0], places[-1]):
        text = axis.text(place)
        short = text if len(text) <= 8 else f"{text[:7]}…"
        above = -5 if place > 0.5 else 15
        parts.append(tag("text", short, x=x + 3, y=y(place) + above, class_="tick"))
    return Markup("").join(parts)


def _score_axis(search: SearchSummary, x: float, score: Scale) -> Markup:
    parts = [tag("line", x1=x, x2=x, y1=score.start, y2=score.end, class_="axis")]
    name = axis_name(search.metrics[0])
    parts.append(tag("text", name, x=WIDTH, y=50, class_="label", text_anchor="end"))
    for value in score.ticks(4):
        parts.append(
            tag(
                "text",
                number(value, 2 if abs(value) < 100 else 0),
                x=x + 6,
                y=score(value) + 4,
                class_="tick",
            )
        )
    return Markup("").join(parts)


def _value_text(facts: SearchFacts, trial: TrialSummary, j: int, axis: Axis) -> str:
    place = facts.places[trial.number][j]
    return ABSENT if place is None else axis.text(place)

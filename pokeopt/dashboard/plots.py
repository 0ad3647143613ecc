"""Custom plots of a study's page: the effects with their intervals, and how the arms learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pokeopt.report.effects import styles
from pokeopt.report.summary import AblationSummary, CurveSet, SearchSummary, StudySummary
from pokeopt.report.words import capital, effect_text, metric_name
from pokeopt.store.writing import persistently

if TYPE_CHECKING:
    from pokeopt.store import Store

FOREST, LEARNING = "pokeopt-effects", "pokeopt-learning"
COLOURS = ("#808080", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")  # Okabe and Ito's
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star", "hexagon")
GREY = "#8a8a8a"  # of text and lines: it reads on the page's light ground and on its dark one
MOST_ARMS = 14  # of a plot: the page gives it half its width
MOST_POINTS = 60  # of a curve
DIGITS = 5
LABEL_LETTERS = 40


def save_plots(store: Store, study: StudySummary) -> list[str]:
    """Give the plots of a study to its page in optuna-dashboard, and to its ablation's; return their ids.

    A plot of an earlier report is overwritten. Those of one study are a few attributes of 2 kB each.
    """
    figures = figures_of(study)
    for name in pages_of(store, study):
        for id_, figure in figures.items():
            _save(store, name, id_, figure)
    return list(figures)


def pages_of(store: Store, study: StudySummary) -> list[str]:
    """Return the studies that a summary tells of: its search, its ablation, or both."""
    names = dict.fromkeys([study.name, *([study.ablation.study] if study.ablation else [])])
    known = store.names()
    return [name for name in names if name in known]


def figures_of(study: StudySummary) -> dict[str, Mapping[str, Any]]:
    """Return the plots by their id, as Plotly's JSON: data and layout."""
    figures = {}
    if study.ablation is not None:
        figures[FOREST] = forest(study.ablation)
        if study.ablation.curves:
            figures[LEARNING] = arm_curves(study.ablation, study.ablation.curves[0])
    if LEARNING not in figures and study.search is not None:
        figures[LEARNING] = trial_curves(study.search)
    return {id_: figure for id_, figure in figures.items() if figure["data"]}


def forest(ablation: AblationSummary) -> dict[str, Any]:
    """Return every effect of an ablation with its interval, a line at no effect."""
    arms = [arm for arm in ablation.arms if arm.effect is not None and arm.effect.mean is not None]
    arms = sorted(arms, key=lambda arm: abs(arm.gain or 0.0), reverse=True)[:MOST_ARMS]
    labels = _labels([arm.label for arm in arms])
    data = []
    for arm, label in zip(arms, labels, strict=True):
        effect = arm.effect
        assert effect is not None
        assert effect.mean is not None
        colour = COLOURS[1] if arm.is_settled else COLOURS[0]
        trace: dict[str, Any] = {
            "type": "scatter",
            "mode": "markers",
            "x": [_short(effect.mean)],
            "y": [label],
            "marker": {"color": colour, "size": 11, "symbol": "circle" if arm.is_settled else "circle-open"},
            "text": [f"{arm.label}: {effect_text(effect)}, {effect.n} seeds"],
            "hoverinfo": "text",
            "showlegend": False,
        }
        if effect.low is not None and effect.high is not None:
            trace["error_x"] = {
                "type": "data",
                "symmetric": False,
                "array": [_short(effect.high - effect.mean)],
                "arrayminus": [_short(effect.mean - effect.low)],
                "color": colour,
                "thickness": 2,
                "width": 5,
            }
        data.append(trace)
    better = "right" if ablation.direction == "maximize" else "left"
    title = f"Effect on {metric_name(ablation.metric)} against the {ablation.reference}, 95 % interval"
    layout = _layout(title, f"difference ({better} is better; open: not settled)", "")
    layout["yaxis"] |= {"autorange": "reversed", "automargin": True, "type": "category"}
    layout["xaxis"] |= {"zeroline": True, "zerolinecolor": GREY, "zerolinewidth": 2, "rangemode": "tozero"}
    return {"data": data, "layout": layout}


def arm_curves(ablation: AblationSummary, curves: CurveSet) -> dict[str, Any]:
    """Return the mean of a metric by epoch, one line an arm."""
    names = {arm.id: arm.label for arm in ablation.arms}
    look = styles(ablation.arms)  # an arm has the colour that it has in the report
    shown = curves.curves[:MOST_ARMS]
    labels = _labels([names.get(curve.arm_id, curve.arm_id) for curve in shown])
    lines = [
        _line(label, curve.steps, curve.means, int(look[curve.arm_id][0].removeprefix("arm-")))
        for label, curve in zip(labels, shown, strict=True)
    ]
    name = capital(metric_name(curves.metric))
    return {
        "data": lines,
        "layout": _layout(f"{name} by epoch, mean over seeds", "epoch", metric_name(curves.metric)),
    }


def trial_curves(search: SearchSummary) -> dict[str, Any]:
    """Return the curves of a search's baseline and of its best trial: its other trials are on the page already."""
    wanted = {"baseline": search.baseline, "best": search.best}
    lines = []
    for place, (who, number) in enumerate(wanted.items()):
        trial = search.trial(number)
        if trial is not None and trial.curve:
            lines.append(
                _line(f"{who}, trial {number}", tuple(trial.curve), tuple(trial.curve.values()), place)
            )
    metric = metric_name(search.metrics[0])
    title = f"{capital(metric)} by epoch of baseline and best trial"
    return {"data": lines, "layout": _layout(title, "epoch", metric)}


def _line(label: str, steps: Sequence[int], values: Sequence[float], place: int) -> dict[str, Any]:
    n = len(steps)
    places = (
        range(n) if n <= MOST_POINTS else [round(i * (n - 1) / (MOST_POINTS - 1)) for i in range(MOST_POINTS)]
    )
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": label,
        "x": [steps[i] for i in places],
        "y": [_short(values[i]) for i in places],
        "line": {"color": COLOURS[place % len(COLOURS)], "width": 2},
        "marker": {"symbol": SYMBOLS[place % len(SYMBOLS)], "size": 7},
    }


def _layout(title: str, across: str, up: str) -> dict[str, Any]:
    axis = {"gridcolor": "rgba(138,138,138,0.25)", "zeroline": False, "linecolor": GREY}
    return {
        "title": {"text": title, "font": {"size": 15}, "x": 0.02, "xanchor": "left"},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": GREY, "orientation": "v"},
        "font": {"color": GREY, "size": 13},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": {**axis, "title": {"text": across}},
        "yaxis": {**axis, "title": {"text": up}},
        "margin": {"l": 60, "r": 24, "t": 56, "b": 56},
        "legend": {"orientation": "h", "y": -0.2},
    }


def _labels(names: Sequence[str]) -> list[str]:
    """Return names cut from the front, each once: a category axis would draw equal ones on one row."""
    cut = [name if len(name) <= LABEL_LETTERS else "…" + name[1 - LABEL_LETTERS :] for name in names]
    return [name if cut.count(name) == 1 else f"{i + 1}. {name}" for i, name in enumerate(cut)]


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _save(store: Store, name: str, id_: str, figure: Mapping[str, Any]) -> None:
    import plotly.graph_objects as go
    from optuna_dashboard import save_plotly_graph_object

    study = store.study(name)
    drawn = go.Figure(data=figure["data"], layout={**figure["layout"], "template": {}})  # its own is 7 kB
    persistently(lambda: save_plotly_graph_object(study, drawn, graph_object_id=id_))

"""Figures of what a search suggests about its parameters: importances with ranges, around the best, in pairs."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pokeopt.report.blocks import Figure, Table, simple_table
from pokeopt.report.importances import FANOVA, PED
from pokeopt.report.search_facts import Evaluation, LocalEffect, Spread
from pokeopt.report.summary import SearchSummary
from pokeopt.report.svg import WIDTH, Scale, drawing, marker, spanning, tag, x_axis
from pokeopt.report.words import ABSENT, column_digits, metric_name, number, plural

LABELS, ROW = 270, 24
MOST_PARAMETERS = 20  # drawn; the table holds all
MOST_PAIRS = 10
LOOKS = {(PED, True): ("diamond", "arm-1 dot"), (FANOVA, True): ("circle", "arm-2 dot"),
         (PED, False): ("diamond", "arm-1 hollow"), (FANOVA, False): ("circle", "arm-2 hollow")}  # fmt: skip


def importance(search: SearchSummary, id_: str) -> Figure | None:
    """Return every parameter's share by each evaluator, with the range over forest seeds."""
    found = search.facts.evaluations if search.facts else ()
    names = _ranked(found)
    if not names:
        return None
    shown = names[:MOST_PARAMETERS]
    top = 14 + 22 * len(found)
    x = spanning(
        (one.scores[n].high for one in found for n in shown if n in one.scores),
        LABELS,
        WIDTH - 20,
        include=[0.0],
    )
    step = ROW if len(found) < 3 else 34
    bottom = top + step * len(shown)
    parts = [_legend(found), x_axis(x, bottom, "importance", top=top)]
    for i, name in enumerate(shown):
        y = top + step * (i + 0.5)
        parts.append(tag("text", name, x=LABELS - 12, y=y + 4, class_="label", text_anchor="end"))
        for k, one in enumerate(found):
            share = one.scores.get(name)
            if share is not None:
                parts.append(_mark(one, share, x, y + 7 * (k - (len(found) - 1) / 2)))
    svg = drawing(
        bottom + 42, f"Importance of {plural(len(shown), 'parameter')} by {len(found)} evaluations", *parts
    )
    return Figure(
        id_, "Which parameters seem to matter?", (svg,), _reading(search, found), _table(found, names, id_)
    )


def local(search: SearchSummary, id_: str) -> Figure | None:
    """Return what a forest predicts to change when one parameter of the best trial varies."""
    facts = search.facts
    if facts is None or not facts.local or search.best is None:
        return None
    shown = facts.local[:MOST_PARAMETERS]
    x = spanning((effect.change.high for effect in shown), LABELS, WIDTH - 20, include=[0.0])
    bottom = 8 + ROW * len(shown)
    parts = [x_axis(x, bottom, f"predicted change of {metric_name(search.metrics[0])}", top=0)]
    for i, effect in enumerate(shown):
        y = 8 + ROW * (i + 0.5)
        parts.append(tag("text", effect.name, x=LABELS - 12, y=y + 4, class_="label", text_anchor="end"))
        parts.append(_whisker(effect.change, x, y, "circle", "arm-2 dot", effect.name))
    svg = drawing(bottom + 42, f"Predicted change around trial {search.best}", *parts)
    fit = (
        f" On trials left out it explains {_percent(facts.fit)} of the variance."
        if facts.fit is not None
        else ""
    )
    reading = (
        f"A forest's largest minus smallest prediction while one parameter runs over its range and all "
        f"others stay as in trial {search.best}; dot: mean of 10 forest seeds, line: their range. A forest "
        f"predicts, it does not measure.{fit}"
    )
    question = "What would change around the best trial, as a forest sees it?"
    return Figure(id_, question, (svg,), reading, _local_table(facts.local, id_))


def pairs_table(search: SearchSummary, id_: str) -> Table | None:
    """Return the pairs of parameters that explain most, and what only both together explain."""
    pairs = search.facts.pairs if search.facts else ()
    if not pairs or search.facts is None:
        return None
    ordered = sorted(pairs, key=lambda pair: (-pair.together.mean, pair.first, pair.second))
    rows = [
        [f"{p.first} × {p.second}", _range(p.together), _range(p.alone[0]), _range(p.alone[1])]
        for p in ordered[:MOST_PAIRS]
    ]
    caption = (
        "Pairs of parameters: share of a forest's variance that only both together explain, mean [range over 10 "
        f"forest seeds]; {search.facts.n_forest} complete trials, parameters that all of them have."
    )
    if len(ordered) > MOST_PAIRS:
        caption += f" The first {MOST_PAIRS} of {len(ordered)} pairs."
    return simple_table(id_, caption, ["Pair", "Together", "First alone", "Second alone"], rows)


def _ranked(found: Sequence[Evaluation]) -> list[str]:
    """Return all parameters, by the largest share that any evaluation gives."""
    best: dict[str, float] = {}
    for one in found:
        for name, share in one.scores.items():
            best[name] = max(best.get(name, 0.0), share.mean)
    names = dict.fromkeys(name for one in found for name in one.scores)
    return sorted(names, key=lambda name: (-best.get(name, -1.0), name))


def _mark(one: Evaluation, share: Spread, x: Scale, y: float) -> Markup:
    shape, look = LOOKS[one.evaluator, one.epoch is None]
    return _whisker(share, x, y, shape, look, _title(one))


def _whisker(share: Spread, x: Scale, y: float, shape: str, look: str, title: str) -> Markup:
    line = tag("line", x1=x(share.low), x2=x(share.high), y1=y, y2=y, class_="whisker")
    text = f"{title}: {number(share.mean)} [{number(share.low)}, {number(share.high)}]"
    mark = marker(shape, x(share.mean), y, look, text, radius=4)
    return tag("g", *([line] if share.high > share.low else []), mark, class_=look.split()[0])


def _title(one: Evaluation) -> str:
    where = "final scores" if one.epoch is None else f"values at epoch {one.epoch}"
    return f"{one.evaluator}, {where} of {plural(one.n_trials, 'trial')}"


def _legend(found: Sequence[Evaluation]) -> Markup:
    parts = []
    for i, one in enumerate(found):
        shape, look = LOOKS[one.evaluator, one.epoch is None]
        parts.append(marker(shape, 7, 10 + 22 * i, look, radius=4.5))
        parts.append(tag("text", _title(one), x=20, y=14 + 22 * i, class_="tick"))
    return Markup("").join(parts)


def _reading(search: SearchSummary, found: Sequence[Evaluation]) -> str:
    states = search.states
    complete = states.get("complete", 0)
    others = ", ".join(f"{n} {state}" for state, n in sorted(states.items()) if state != "complete")
    text = f"{plural(complete, 'complete trial')}" + (f"; {others}." if others else ".")
    text += (
        " PED-ANOVA asks what sets the top tenth apart from all trials; fANOVA asks what explains a forest's "
        "variance over the whole space (dot: mean of 10 seeds of extremely randomised trees, line: their range; "
        "parameters that all trials have). They answer different questions and may disagree."
    )
    epochs = [one.epoch for one in found if one.epoch is not None]
    if epochs:
        text += (
            " A pruned trial's last value is no score, so final scores are of complete trials only, which pruning "
            f"has selected; hollow: all trials that completed or were pruned, compared at epoch {epochs[0]}, the "
            "last that all of them reached."
        )
    return text + " Only a re-run with common seeds measures an effect."


def _table(found: Sequence[Evaluation], names: Sequence[str], id_: str) -> Table:
    rows = [[name, *(_range(one.scores.get(name)) for one in found)] for name in names]
    titles = ["Parameter", *(_title(one) for one in found)]
    return simple_table(
        f"{id_}-data", "Importance by parameter, mean [range over forest seeds]", titles, rows
    )


def _local_table(effects: Sequence[LocalEffect], id_: str) -> Table:
    digits = column_digits(effect.change.mean for effect in effects)
    rows = [[e.name, _range(e.change, digits), _range(e.share)] for e in effects]
    titles = ["Parameter", "Predicted change", "Share of the changes' variance"]
    return simple_table(f"{id_}-data", "Around the best, mean [range over 10 forest seeds]", titles, rows)


def _range(share: Spread | None, digits: int = 3) -> str:
    if share is None:
        return ABSENT
    if share.low == share.high:
        return number(share.mean, digits)
    return f"{number(share.mean, digits)} [{number(share.low, digits)}, {number(share.high, digits)}]"


def _percent(value: float) -> str:
    return f"{round(100 * max(0.0, value))} %"

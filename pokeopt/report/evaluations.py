"""What models of a study scored on further labelled sets, beside what they scored here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pokeopt.report.blocks import Table, simple_table
from pokeopt.report.summary import EvaluationSummary
from pokeopt.report.words import ABSENT, capital, interval, metric_name, number, plural
from pokeopt.store import StudyView
from pokeopt.store.evaluations import read_evaluations

if TYPE_CHECKING:
    from pokeopt.store import Store


def summarise_evaluations(store: Store, view: StudyView) -> tuple[EvaluationSummary, ...]:
    """Return the evaluations of a study that measured its metric, oldest first."""
    name = view.metrics[0].partition("/")[2]
    return tuple(
        EvaluationSummary(
            model=str(one["model"]),
            data=str(one["data"]),
            n=int(one["n"]),
            metric=name,
            there=float(one["metrics"][name]),
            low=one["intervals"].get(name, (None, None))[0],
            high=one["intervals"].get(name, (None, None))[1],
            here=one["local"].get(f"test/{name}"),
            at=str(one["at"]),
            own=sum(one.get("own", {}).values()),
        )
        for one in read_evaluations(store, view.name)
        if name in one["metrics"]
    )


def evaluations_table(found: Sequence[EvaluationSummary], id_: str) -> Table | None:
    """Return the table of local against external scores; None where nothing was evaluated."""
    if not found:
        return None
    name = capital(metric_name(f"test/{found[0].metric}").split(" ", 1)[-1])
    rows = [
        [
            one.model,
            f"{one.data}, {plural(one.n, 'image')}"
            + (f", {one.own} of them the study's own" if one.own else ""),
            ABSENT if one.here is None else number(one.here),
            f"{number(one.there)} {interval(one.low, one.high)}".strip(),
            ABSENT if one.here is None else number(one.there - one.here),
        ]
        for one in found
    ]
    caption = (
        f"{name} of kept models here and on further labelled sets. The interval, 95 %, is over the "
        "images of the set: it does not say what another training would score."
    )
    titles = ["Model", "Set", "Here, on test", "There [95 % CI]", "There minus here"]
    return simple_table(id_, caption, titles, rows, text_columns=2)

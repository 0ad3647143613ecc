"""The search: a study whose rows are configurations that a sampler proposes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pokeopt.errors import SpecError
from pokeopt.spec import StudySpec
from pokeopt.store import StudyView
from pokeopt.store.writing import StudyWriter
from pokeopt.study.core import Core
from pokeopt.study.launch import Launch, build_core, code_version, direction, directions, versions
from pokeopt.study.retries import next_proposal
from pokeopt.study.work import SearchWork

WARM_STARTS = 5


def search_attrs(spec: StudySpec, data_facts: Mapping[str, Any], fresh_of: str | None) -> dict[str, Any]:
    """Return the study attributes that the first launch stores."""
    attrs = {
        "kind": "search",
        "spec": spec.resolved(),
        "metric": spec.objective,
        "metrics": list(spec.objectives),
        "baseline": dict(spec.space.baseline()) if spec.baseline else None,
        "versions": dict(versions()),
        "code_version": code_version(),
        "fresh_of": fresh_of,
        **data_facts,
    }
    return {key: value for key, value in attrs.items() if value is not None}


def open_search(
    spec: StudySpec, name: str, attrs: Mapping[str, Any], launch: Launch, warm: StudyView | None
) -> Core:
    """Open or create the search, with its baseline and warm starts enqueued, and return its core."""
    writer = StudyWriter(launch.store, name, directions(spec), attrs)
    with launch.store.ask_lock():
        writer.set_attrs({"mute": spec.closed.get("mute", {})})  # a later launch may mute more, or less
        _enqueue_first(spec, writer, warm)
    return build_core(spec, writer, SearchWork(spec), launch)


def _enqueue_first(spec: StudySpec, writer: StudyWriter, warm: StudyView | None) -> None:
    """Enqueue the baseline as proposal 0, then the warm starts that the budget has room for; none of them twice."""
    rows = writer.rows()
    if spec.baseline is not None and not rows:
        writer.enqueue({"proposal": 0}, spec.space.baseline())
    if warm is None or any("warm_from" in row.attrs for row in rows):
        return
    for number, params in warm_starts(spec, warm):
        proposal = next_proposal(writer.rows())
        if proposal >= spec.search.trials:
            return
        writer.enqueue({"proposal": proposal, "warm_from": f"{warm.name}#{number}"}, params)


def warm_starts(spec: StudySpec, old: StudyView) -> list[tuple[int, dict[str, Any]]]:
    """Return (number, parameters) of the best configurations of another search that fit this space.

    They are enqueued as ordinary proposals and run here: no score is copied.
    """
    sign = -1 if direction(spec, spec.objective) == "maximize" else 1
    ranked = sorted(
        (row for row in old.complete if row.value is not None), key=lambda row: sign * (row.value or 0.0)
    )
    known: Sequence[str] = [param.path for param in spec.space.params]
    fitting: list[tuple[int, dict[str, Any]]] = []
    for row in ranked:
        values = {path: value for path, value in row.params.items() if path in known}
        try:
            spec.space.check(values)
            active = spec.space.active(values)
        except SpecError:
            continue
        if active not in [params for _, params in fitting]:
            fitting.append((row.number, dict(active)))
    return fitting[:WARM_STARTS]

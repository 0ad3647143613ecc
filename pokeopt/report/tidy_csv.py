"""Store -> CSV: every number of a study in the long form, one row each; nothing is thinned or left out."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pokeopt.ablation.arms import grouped
from pokeopt.records import TrialState
from pokeopt.report.predictions import read_predictions
from pokeopt.store import StudyView, TrialRow

if TYPE_CHECKING:
    from pokeopt.report.summary import Summary
    from pokeopt.store import Store

COLUMNS = ("study", "kind", "trial", "arm", "seed", "state", "cause", "what", "name", "epoch", "value")
COSTS = (
    "n_params", "flops", "wall_s", "s_per_epoch", "peak_mem_mb", "gpu_util_pct", "epochs_run", "best_step", "lr_last",
)  # fmt: skip
Line = tuple[Any, ...]


def render_csv(store: Store, summary: Summary) -> str:
    """Return the rows of all studies of a report as CSV text; equal stores give equal text.

    ``what`` is ``metric`` (a final score at the kept epoch; of cells recomputed from stored predictions), ``cost``,
    ``curve`` (the objective after that epoch), ``parameter``, or ``none`` of a run that left no number and of a
    declared cell that was never run. Rows that a retry replaced have the state "retried".
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for study in summary.studies:
        if study.search is not None:
            writer.writerows(_rows(store, store.load(study.search.study, exact=True)))
        if study.ablation is not None:
            view = store.load(study.ablation.study, exact=True)
            writer.writerows(_rows(store, view))
            writer.writerows(
                _prefixes(view, study.ablation.metric, {a.id: a.scores for a in study.ablation.arms})
            )
            for hole in study.ablation.holes:
                if hole.state == "not run":
                    place = (view.name, view.kind, "", hole.arm_id, hole.seed, hole.state, "")
                    writer.writerow((*place, "none", "", "", ""))
    return text.getvalue()


def _rows(store: Store, view: StudyView) -> Iterator[Line]:
    """Yield the lines of every trial, and of a cell once for each arm that runs its configuration."""
    arms: dict[str, list[str]] = {}
    for arm in view.attrs.get("arms") or ():
        if not arm.get("prefix"):
            arms.setdefault(arm["config_hash"], []).append(arm["id"])
    for row in view.trials:
        cause = row.stop_cause.value if row.stop_cause else ""
        seed = "" if row.seed is None else row.seed
        own = row.arm_id or ""
        for arm_id in arms.get(str(row.attrs.get("config_hash")), [own]):
            place = (view.name, view.kind, row.number, arm_id, seed, row.shown_state, cause)
            found = list(_values(store, view, row))
            yield from ((*place, *value) for value in found or [("none", "", "", "")])


def _values(store: Store, view: StudyView, row: TrialRow) -> Iterator[tuple[str, str, Any, Any]]:
    """Yield (what, name, epoch, value) of one trial."""
    yield from (("metric", name, "", value) for name, value in sorted(_metrics(store, view, row).items()))
    for name in COSTS:
        if (cost := row.metric(name)) is not None:
            yield "cost", name, "", cost
    yield from (("curve", view.metrics[0], step, v) for step, v in row.curve.items() if math.isfinite(v))
    yield from (("parameter", key, "", _plain(value)) for key, value in grouped(row.params).items())


def _metrics(store: Store, view: StudyView, row: TrialRow) -> Mapping[str, float]:
    if row.state is not TrialState.COMPLETE:
        return {}
    objectives = dict(zip(view.metrics, row.values or (), strict=False))
    stored = {key: value for key in row.attrs if "/" in key and (value := row.metric(key)) is not None}
    predictions = read_predictions(store, view.name, row.number) if view.kind == "confirm" else None
    return objectives | stored | (predictions.metrics() if predictions else {})


def _prefixes(view: StudyView, metric: str, scores: Mapping[str, Mapping[int, float]]) -> Iterator[Line]:
    """Yield the scores of arms that were read from the curves of a longer one."""
    arms: Sequence[Mapping[str, Any]] = view.attrs.get("arms") or ()
    for arm in arms:
        if prefix := arm.get("prefix"):
            for seed, value in sorted(scores.get(arm["id"], {}).items()):
                cause = f"first epochs of {prefix['of']}"
                place = (view.name, view.kind, "", arm["id"], seed, "complete", cause)
                yield (*place, "metric", metric, prefix.get("epochs", ""), value)


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (list, tuple, dict, bool)) or value is None else value

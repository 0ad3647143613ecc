"""The cells of a confirm study with everything that they measured: what every number of its section is made of."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pokeopt.ablation import rows_by_arm
from pokeopt.ablation.arms import BASELINE, BEST
from pokeopt.records import TrialState
from pokeopt.registry import METRICS
from pokeopt.report.predictions import TrialPredictions, read_predictions
from pokeopt.store import StudyView, TrialRow

if TYPE_CHECKING:
    from pokeopt.store import Store

MINUS = " - "  # between the two metrics of a difference, as claims write it
OTHER_WAY = {"maximize": "minimize", "minimize": "maximize"}
Rows = Mapping[str, Mapping[int, TrialRow]]


@dataclass(frozen=True)
class Epoch:
    """One epoch of a run: its metrics, and the seconds of training until its end."""

    step: int
    metrics: Mapping[str, float]
    wall_s: float


@dataclass(frozen=True)
class Cells:
    """Every declared cell.

    Attributes:
        arms: The declared arms, as the study attribute has them.
        rows: Arm id to seed to the row of that cell, a COMPLETE one where there is one.
        predictions: Row number to what it stored.
        epochs: Row number to its epochs.
        objective: What chose the kept epoch, and its direction.
    """

    arms: tuple[Mapping[str, Any], ...]
    rows: Rows
    predictions: Mapping[int, TrialPredictions | None]
    epochs: Mapping[int, tuple[Epoch, ...]]
    objective: str
    direction: str
    metrics: Mapping[str, Mapping[int, Mapping[str, float]]] = field(default_factory=dict)

    @cached_property
    def complete(self) -> dict[str, dict[int, TrialRow]]:
        """Arm id to seed to the row that gave its score."""
        return {arm: _complete(rows) for arm, rows in self.rows.items()}

    @cached_property
    def hashes(self) -> dict[str, str]:
        """Arm id to the hash of its configuration."""
        return _hashes(self.arms)

    @cached_property
    def known(self) -> set[str]:
        """Every metric that any cell has."""
        return {name for by_seed in self.metrics.values() for one in by_seed.values() for name in one}

    def scores(self, arm_id: str, metric: str) -> dict[int, float]:
        """Return seed to value of a metric, or of the difference of two, ``A - B``."""
        first, minus, second = metric.partition(MINUS)
        found = {}
        for seed, values in sorted(self.metrics.get(arm_id, {}).items()):
            value, less = values.get(first), values.get(second) if minus else 0.0
            if value is not None and less is not None:
                found[seed] = value - less
        return found

    def by_arm(self, metric: str) -> dict[str, dict[int, float]]:
        """Return arm id to seed to value."""
        return {arm["id"]: self.scores(arm["id"], metric) for arm in self.arms}

    def direction_of(self, metric: str) -> str:
        """Return ``maximize`` or ``minimize``; of A - B the gap is meant, which training opens by gaining on A."""
        first, minus, _ = metric.partition(MINUS)
        base = first.partition("/")[2].partition("/")[0]
        known = METRICS.get(base).direction if base in METRICS.names() else None
        direction = self.direction if first == self.objective or known is None else str(known)
        return OTHER_WAY[direction] if minus else direction


def read_cells(store: Store, view: StudyView) -> Cells:
    """Return the cells of a confirm study; each artifact is read once."""
    arms = declared_arms(view)
    rows = _rows(view, _hashes(arms))
    used = {row.number: row for of_arm in rows.values() for row in _complete(of_arm).values()}
    predictions = {number: read_predictions(store, view.name, number) for number in sorted(used)}
    epochs = {number: read_epochs(store, view.name, number) for number in sorted(used)}
    found = Cells(tuple(arms), rows, predictions, epochs, view.metrics[0], view.directions[0])
    metrics: dict[str, dict[int, dict[str, float]]] = {}
    for arm in arms:
        prefix = arm.get("prefix")
        metrics[arm["id"]] = {
            seed: _at_prefix(found, row, int(prefix["epochs"])) if prefix else _metrics(found, row)
            for seed, row in found.complete[arm["id"]].items()
        }
    return Cells(found.arms, rows, predictions, epochs, found.objective, found.direction, metrics)


def complete_cells(view: StudyView) -> dict[str, dict[int, TrialRow]]:
    """Return arm id -> seed -> the row that gave its score."""
    return {arm: _complete(rows) for arm, rows in _rows(view, _hashes(declared_arms(view))).items()}


def declared_arms(view: StudyView) -> list[dict[str, Any]]:
    """Return the study's arms; from its rows where none are declared."""
    if arms := view.attrs.get("arms"):
        return list(arms)
    found: dict[str, dict[str, Any]] = {}
    for row in view.counted:
        if row.arm_id is not None:
            hash_ = row.attrs.get("config_hash", row.arm_id)
            found[row.arm_id] = {"id": row.arm_id, "label": row.arm_id, "changes": {}, "config_hash": hash_}
    return sorted(found.values(), key=lambda arm: (arm["id"] == BEST, arm["id"] != BASELINE))


def read_epochs(store: Store, name: str, number: int) -> tuple[Epoch, ...]:
    """Return a trial's epochs; none if its curves are not there or torn."""
    content = store.read_artifact(name, number, "curves.json")
    try:
        steps = json.loads(content)["steps"] if content is not None else []
        return tuple(
            Epoch(
                int(step["step"]),
                {key: float(value) for key, value in step["metrics"].items() if value is not None},
                float(step.get("wall_s") or 0.0),
            )
            for step in steps
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return ()


def kept_epoch(epochs: Sequence[Epoch], objective: str, direction: str, keep: str) -> Epoch | None:
    """Return the epoch whose weights would be kept: the best of the objective (the first of equals), or the last."""
    if not epochs or keep == "last":
        return epochs[-1] if epochs else None
    sign = -1 if direction == "maximize" else 1
    scored = [epoch for epoch in epochs if math.isfinite(epoch.metrics.get(objective, math.nan))]
    return min(scored, key=lambda epoch: (sign * epoch.metrics[objective], epoch.step), default=None)


def _at_prefix(cells: Cells, row: TrialRow, n_epochs: int) -> dict[str, float]:
    """Return what a run had measured when it had trained so many epochs; it says nothing of the test part."""
    epochs = [epoch for epoch in cells.epochs[row.number] if epoch.step <= n_epochs]
    keep = str((row.config.get("training") or {}).get("keep", "best"))
    kept = kept_epoch(epochs, cells.objective, cells.direction, keep)
    if kept is None:
        return {}
    cost = {"cost/wall_s": epochs[-1].wall_s, "cost/epochs_run": float(epochs[-1].step)}
    return {key: value for key, value in kept.metrics.items() if key.startswith(("train/", "val/"))} | cost


def _metrics(cells: Cells, row: TrialRow) -> dict[str, float]:
    """Return the final metrics of a row, those of stored predictions recomputed."""
    predictions = cells.predictions[row.number]
    told = {cells.objective: row.value} if row.value is not None else {}
    stored = {key: value for key in row.attrs if "/" in key and (value := row.metric(key)) is not None}
    return told | stored | (predictions.metrics() if predictions else {})


def _rows(view: StudyView, hashes: Mapping[str, str]) -> Rows:
    ended_last = sorted(view.counted, key=lambda row: (row.state is TrialState.COMPLETE, row.number))
    return rows_by_arm(hashes, ended_last)


def _hashes(arms: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {arm["id"]: arm["config_hash"] for arm in arms}


def _complete(rows: Mapping[int, TrialRow]) -> dict[int, TrialRow]:
    return {seed: row for seed, row in rows.items() if row.state is TrialState.COMPLETE}

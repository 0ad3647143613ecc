"""How the arms learn: each metric by epoch, its mean over the seeds and their spread."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pokeopt.records import StopCause
from pokeopt.report.cells import Cells, Epoch
from pokeopt.report.summary import ArmSummary, CurveSet, MeanCurve

LOSS = "train/total_loss"


def mean_curves(cells: Cells, arms: Sequence[ArmSummary]) -> tuple[CurveSet, ...]:
    """Return the curves of the objective, of the same on the training part, and of the training loss."""
    name = cells.objective.partition("/")[2]
    wanted = dict.fromkeys((cells.objective, f"train/{name}", LOSS))
    shown = [arm for arm in arms if arm.same_as is None and arm.prefix_of is None]
    rules = stopping_rules(cells, arms)
    sets = []
    for metric in wanted:
        curves = [_curve(arm, cells, metric, rules) for arm in shown]
        found = tuple(curve for curve in curves if curve is not None and len(curve.steps) > 1)
        if found:
            sets.append(CurveSet(metric, found))
    return tuple(sets)


def stopping_rules(cells: Cells, arms: Sequence[ArmSummary]) -> dict[str, Any]:
    """Return arm id to the stopping rule of its runs, where it has one."""
    rules = {}
    for arm in arms:
        rows = cells.complete.get(arm.id) or {}
        row = next(iter(rows.values()), None)
        rule = (row.config.get("training") or {}).get("early_stopping") if row is not None else None
        if rule and rule != "none":
            rules[arm.id] = rule
    return rules


def _curve(arm: ArmSummary, cells: Cells, metric: str, rules: Mapping[str, Any]) -> MeanCurve | None:
    """Return an arm's mean curve; a run that stopped early is in the mean up to its last epoch."""
    runs: dict[int, Mapping[int, float]] = {}
    stops: dict[int, tuple[int, float, int | None]] = {}
    watched: dict[int, tuple[tuple[int, float], ...]] = {}
    early: set[int] = set()
    for seed, row in sorted(cells.complete[arm.id].items()):
        values = _finite(cells.epochs[row.number], metric)
        if not values:
            continue
        runs[seed] = values
        last = max(values)
        kept = row.metric("best_step")
        stops[seed] = (last, values[last], None if kept is None else int(kept))
        if row.stop_cause is StopCause.EARLY_STOP:
            early.add(seed)
        if rules.get(arm.id):
            watched[seed] = tuple((step, values[step]) for step in sorted(values))
    steps = sorted({step for run in runs.values() for step in run})
    if not steps:
        return None
    means, spreads, counts = [], [], []
    for step in steps:
        values_here = np.array([run[step] for run in runs.values() if step in run])
        counts.append(len(values_here))
        means.append(float(values_here.mean()))
        spreads.append(float(values_here.std(ddof=1)) if len(values_here) > 1 else 0.0)
    return MeanCurve(
        arm_id=arm.id,
        steps=tuple(steps),
        n=tuple(counts),
        means=tuple(means),
        lows=tuple(mean - spread for mean, spread in zip(means, spreads, strict=True)),
        highs=tuple(mean + spread for mean, spread in zip(means, spreads, strict=True)),
        stops=stops,
        watched=watched,
        early=frozenset(early),
    )


def _finite(epochs: Sequence[Epoch], metric: str) -> Mapping[int, float]:
    return {
        epoch.step: value
        for epoch in epochs
        if (value := epoch.metrics.get(metric)) is not None and math.isfinite(value)
    }

"""Metrics of the objective's curve: how restless it is, and when it was at its best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from pokeopt.metrics.base import CurveMetric, Direction
from pokeopt.metrics.measured import ANY_TASK
from pokeopt.registry import METRICS


@METRICS.register("oscillation")
class Oscillation(CurveMetric):
    """Way that the objective goes in vain, an epoch: the epoch-to-epoch changes less the net one, over their number.

    In the objective's unit. A curve that only rises or only falls has 0, however steep it is; one that jumps up and
    down by d at each epoch has about d.
    """

    direction: ClassVar[Direction] = "minimize"
    tasks: ClassVar[tuple[str, ...]] = ANY_TASK

    def __call__(self, curve: Sequence[float], direction: Direction) -> float:  # noqa: ARG002 - the same for both
        """Return (sum of |v[t+1] - v[t]| - |v[T] - v[1]|) / (T - 1); 0 of a single epoch."""
        if len(curve) < 2:
            return 0.0
        changes = np.diff(np.asarray(curve, dtype=np.float64))
        in_vain = float(np.abs(changes).sum() - abs(changes.sum()))
        return max(in_vain, 0.0) / len(changes)  # rounding may leave a monotone curve a hair below 0


@METRICS.register("best_epoch")
class BestEpoch(CurveMetric):
    """Epoch at which the objective was best, the first of equals: where it lies early, the rest was overfitting."""

    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "epochs"
    tasks: ClassVar[tuple[str, ...]] = ANY_TASK

    def __call__(self, curve: Sequence[float], direction: Direction) -> float:
        """Return the epoch, from 1; curve[0] is epoch 1."""
        values = np.asarray(curve, dtype=np.float64)
        return float(1 + (values.argmax() if direction == "maximize" else values.argmin()))

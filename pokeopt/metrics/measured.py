"""Metrics that the training measures: how it went, how large the model is, what it cost; and curve metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pokeopt.metrics.base import CurveMetric, Direction, MeasuredMetric
from pokeopt.registry import METRICS

ANY_TASK = ("classification", "reconstruction", "translation")


@METRICS.register("epochs_to_90pct")
class EpochsTo90Pct(CurveMetric):
    """First epoch at which the objective is within a tenth of its best: 0.9 of the best, or best / 0.9 for a loss."""

    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "epochs"
    tasks: ClassVar[tuple[str, ...]] = ANY_TASK

    def __call__(self, curve: Sequence[float], direction: Direction) -> float:
        """Return the epoch, from 1; curve[0] is epoch 1."""
        if direction == "maximize":
            best = max(curve)
            bar = best - 0.1 * abs(best)
            return float(next(epoch for epoch, value in enumerate(curve, 1) if value >= bar))
        best = min(curve)
        bar = best + abs(best) * (1 / 0.9 - 1)
        return float(next(epoch for epoch, value in enumerate(curve, 1) if value <= bar))


@METRICS.register("total_loss")
class TotalLoss(MeasuredMetric):
    """What the optimizer lowered: all terms combined, in training mode, mean over the epoch's images."""

    part: ClassVar[str] = "train"
    direction: ClassVar[Direction] = "minimize"
    tasks: ClassVar[tuple[str, ...]] = ANY_TASK
    bounds: ClassVar[tuple[float, float]] = (float("-inf"), float("inf"))


@METRICS.register("grad_norm")
class GradNorm(MeasuredMetric):
    """Euclidean norm of the gradient before clipping, mean over at least eight batches spread over the epoch."""

    part: ClassVar[str] = "train"
    direction: ClassVar[Direction] = "minimize"
    tasks: ClassVar[tuple[str, ...]] = ANY_TASK


@METRICS.register("n_params")
class NParams(MeasuredMetric):
    """Parameters of the model, frozen ones included."""

    part: ClassVar[str] = "model"
    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "parameters"
    tasks: ClassVar[tuple[str, ...]] = ANY_TASK


@METRICS.register("flops")
class Flops(MeasuredMetric):
    """Floating-point operations of one image's forward pass, in matrix products and convolutions only."""

    part: ClassVar[str] = "model"
    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "flop"
    tasks: ClassVar[tuple[str, ...]] = ANY_TASK


@METRICS.register("wall_s")
class WallS(MeasuredMetric):
    """Seconds of training and validation, resumed parts included."""

    part: ClassVar[str] = "cost"
    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "s"
    tasks: ClassVar[tuple[str, ...]] = ANY_TASK


@METRICS.register("s_per_epoch")
class SPerEpoch(MeasuredMetric):
    """Seconds of training and validation per epoch, all networks of the trial together."""

    part: ClassVar[str] = "cost"
    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "s"
    tasks: ClassVar[tuple[str, ...]] = ANY_TASK


@METRICS.register("peak_mem_mb")
class PeakMemMb(MeasuredMetric):
    """Most memory held: of the GPU where there is one, else of the process, in 10^6 bytes."""

    part: ClassVar[str] = "cost"
    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "MB"
    tasks: ClassVar[tuple[str, ...]] = ANY_TASK


@METRICS.register("epochs_run")
class EpochsRun(MeasuredMetric):
    """Epochs that were trained."""

    part: ClassVar[str] = "cost"
    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "epochs"
    tasks: ClassVar[tuple[str, ...]] = ANY_TASK

"""Metrics of class predictions, on the pooled set. Zero over zero is 0, as in scikit-learn's ``zero_division=0``."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from pokeopt.metrics.base import ClassMetric, Direction, Floats, PredictionMetric, Scored
from pokeopt.registry import METRICS

SHARE = (0.0, 1.0)


@METRICS.register("accuracy")
class Accuracy(PredictionMetric):
    """Share of the images whose most probable class is the true one."""

    direction: ClassVar[Direction] = "maximize"
    bounds: ClassVar[tuple[float, float]] = SHARE

    def __call__(self, scored: Scored) -> float:
        """Return the share in [0, 1]."""
        return float(np.trace(scored.confusion) / len(scored.truth))


@METRICS.register("balanced_accuracy")
class BalancedAccuracy(PredictionMetric):
    """Mean over the classes of the share of their images that are found; classes without images are left out."""

    direction: ClassVar[Direction] = "maximize"
    bounds: ClassVar[tuple[float, float]] = SHARE

    def __call__(self, scored: Scored) -> float:
        """Return the mean recall in [0, 1]."""
        counts = scored.confusion.sum(axis=1)
        seen = counts > 0
        return float(np.mean(np.diag(scored.confusion)[seen] / counts[seen]))


@METRICS.register("f1")
class F1(ClassMetric):
    """Harmonic mean of a class's precision and recall."""

    direction: ClassVar[Direction] = "maximize"
    bounds: ClassVar[tuple[float, float]] = SHARE

    def __call__(self, scored: Scored) -> Floats:
        """Return (K,) values in [0, 1]; 0 for a class that is neither there nor predicted."""
        found_and_there = scored.confusion.sum(axis=0) + scored.confusion.sum(axis=1)
        shares: Floats = 2 * np.diag(scored.confusion) / np.maximum(found_and_there, 1)
        return shares


@METRICS.register("macro_f1")
class MacroF1(PredictionMetric):
    """Mean of F1 over the classes that are there or predicted, each with equal weight."""

    direction: ClassVar[Direction] = "maximize"
    bounds: ClassVar[tuple[float, float]] = SHARE

    def __call__(self, scored: Scored) -> float:
        """Return the mean in [0, 1]."""
        seen = scored.confusion.sum(axis=0) + scored.confusion.sum(axis=1) > 0
        return float(F1()(scored)[seen].mean())


@METRICS.register("loss")
class CrossEntropyLoss(PredictionMetric):
    """Mean of -ln p of the true class, whatever loss was trained: arms with different losses stay comparable."""

    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "nats"

    def __call__(self, scored: Scored) -> float:
        """Return nats, 0 or more; a probability below the smallest float32 counts as that."""
        p = scored.probabilities[np.arange(len(scored.truth)), scored.truth].astype(np.float64)
        nats = -np.log(np.maximum(p, np.finfo(np.float32).tiny))
        return max(0.0, float(np.mean(nats)))  # a float32 softmax may exceed 1 by rounding


@METRICS.register("pred_share")
class PredShare(ClassMetric):
    """Share of the predictions that a class gets. Neither way is better; most mistakes feed on a large one."""

    direction: ClassVar[Direction] = "minimize"
    bounds: ClassVar[tuple[float, float]] = SHARE

    def __call__(self, scored: Scored) -> Floats:
        """Return (K,) shares that sum to 1."""
        return scored.share_predicted


@METRICS.register("max_pred_share")
class MaxPredShare(PredictionMetric):
    """Largest share of the predictions that one class gets: near 1, the predictions have collapsed."""

    direction: ClassVar[Direction] = "minimize"
    bounds: ClassVar[tuple[float, float]] = SHARE

    def __call__(self, scored: Scored) -> float:
        """Return the share in [1 / K, 1]."""
        return float(scored.share_predicted.max())


@METRICS.register("n_overpredicted")
class NOverpredicted(PredictionMetric):
    """Number of classes that are predicted more than twice as often as they are there."""

    direction: ClassVar[Direction] = "minimize"
    unit: ClassVar[str] = "classes"

    def __call__(self, scored: Scored) -> float:
        """Return the number, 0 to K."""
        return float((scored.confusion.sum(axis=0) > 2 * scored.confusion.sum(axis=1)).sum())

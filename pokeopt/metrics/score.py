"""Every metric of one set of predictions, or of one curve, by name without its part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pokeopt.metrics.base import ClassMetric, CurveMetric, Direction, PredictionMetric, Scored
from pokeopt.registry import METRICS


def score(
    truth: npt.NDArray[np.int64], probabilities: npt.NDArray[np.floating], classes: Sequence[str]
) -> dict[str, float]:
    """Return all metrics of predictions on one part, pooled: ``accuracy``, ``macro_f1``, ``f1/<Class>`` and on.

    Args:
        truth: (N,) class indices.
        probabilities: (N, K), rows sum to 1.
        classes: K names.

    Returns:
        Name without part to value; empty when there is no image.
    """
    values: dict[str, float] = {}
    if not len(truth):
        return values
    scored = Scored(truth, probabilities)
    for name in METRICS.names():
        member = METRICS.get(name)
        if issubclass(member, PredictionMetric):
            values[name] = member()(scored)
        elif issubclass(member, ClassMetric):
            per_class = member()(scored).tolist()
            values.update({f"{name}/{label}": value for label, value in zip(classes, per_class, strict=True)})
    return values


def curve_metrics(curve: Sequence[float], direction: Direction) -> dict[str, float]:
    """Return all metrics of the objective's curve (one value an epoch, from epoch 1); empty without an epoch."""
    if not curve:
        return {}
    names = [name for name in METRICS.names() if issubclass(METRICS.get(name), CurveMetric)]
    return {name: METRICS.get(name)()(curve, direction) for name in names}

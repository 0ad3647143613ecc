"""Every metric of one set of predictions, or of one curve, by name without its part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pokeopt.metrics.base import (
    ClassMetric,
    CurveMetric,
    Direction,
    Floats,
    GroupMetric,
    ImageMetric,
    PredictionMetric,
    Scored,
    SliceMetric,
)
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


def score_images(
    values: Mapping[str, npt.NDArray[np.floating]],
    truth: npt.NDArray[np.int64],
    classes: Sequence[str],
    slices: Mapping[str, npt.NDArray[np.bool_]],
) -> dict[str, float]:
    """Return all metrics that can be read off one value an image, pooled: ``mse``, ``slice_mse/edge`` and on.

    Args:
        values: Name to values (N,), see ``pokeopt.training.values``.
        truth: (N,) class indices.
        classes: Their names; a class without an image has no value.
        slices: Name to which images (N,) are in it; one without an image has no value.
    """
    found: dict[str, float] = {}
    if not len(truth):
        return found
    for name in METRICS.names():
        member = METRICS.get(name)
        if not issubclass(member, ImageMetric) or member.reads not in values:
            continue
        each: Floats = values[member.reads].astype(np.float64)
        if issubclass(member, SliceMetric):
            chosen = {f"{name}/{label}": mask for label, mask in slices.items()}
        elif issubclass(member, GroupMetric):
            chosen = {f"{name}/{label}": truth == number for number, label in enumerate(classes)}
        else:
            chosen = {name: np.ones(len(truth), dtype=bool)}
        found.update({key: member()(each[mask]) for key, mask in chosen.items() if mask.any()})
    return found


def values_for(metric: str) -> frozenset[str]:
    """Return the costly values that a metric, by its name without part, is read from."""
    member = METRICS.get(metric)
    is_costly = issubclass(member, ImageMetric) and member.is_costly
    return frozenset({member.reads}) if is_costly else frozenset()


def costly_values(task: str) -> frozenset[str]:
    """Return all costly values that a task's metrics are read from."""
    members = [METRICS.get(name) for name in METRICS.names()]
    return frozenset(
        member.reads
        for member in members
        if issubclass(member, ImageMetric) and member.is_costly and task in member.tasks
    )


def curve_metrics(curve: Sequence[float], direction: Direction) -> dict[str, float]:
    """Return all metrics of the objective's curve (one value an epoch, from epoch 1); empty without an epoch."""
    if not curve:
        return {}
    names = [name for name in METRICS.names() if issubclass(METRICS.get(name), CurveMetric)]
    return {name: METRICS.get(name)()(curve, direction) for name in names}

"""What a metric is: one number with a direction, from predictions, from a curve, or measured while training."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

Direction = Literal["maximize", "minimize"]
Floats = npt.NDArray[np.float64]


def confusion_matrix(
    truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], n_classes: int
) -> npt.NDArray[np.int64]:
    """Return the counts (K, K): rows are true classes, columns predicted ones."""
    cells = np.bincount(truth * n_classes + predicted, minlength=n_classes * n_classes)
    return cells.reshape(n_classes, n_classes).astype(np.int64)


@dataclass(frozen=True)
class Scored:
    """Predictions on one part, pooled over all its images.

    Attributes:
        truth: (N,) class indices.
        probabilities: (N, K), rows sum to 1.
    """

    truth: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.floating]

    @cached_property
    def predicted(self) -> npt.NDArray[np.int64]:
        """(N,) most probable classes; the first of equals."""
        predicted: npt.NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return predicted

    @cached_property
    def confusion(self) -> npt.NDArray[np.int64]:
        """(K, K) counts: rows are true classes, columns predicted ones."""
        return confusion_matrix(self.truth, self.predicted, self.probabilities.shape[1])

    @cached_property
    def share_predicted(self) -> Floats:
        """(K,) share of the predictions that each class gets."""
        shares: Floats = self.confusion.sum(axis=0) / len(self.truth)
        return shares


class Metric(abc.ABC):
    """One metric; registered in ``METRICS`` as a class without settings."""

    direction: ClassVar[Direction]
    unit: ClassVar[str] = ""
    tasks: ClassVar[tuple[str, ...]] = ("classification",)
    bounds: ClassVar[tuple[float, float]] = (0.0, float("inf"))


class PredictionMetric(Metric):
    """A metric of predictions on train, val, test or an external set."""

    @abc.abstractmethod
    def __call__(self, scored: Scored) -> float:
        """Return the value on at least one image."""


class ClassMetric(Metric):
    """A metric of predictions with one value a class: PART/NAME/CLASS."""

    @abc.abstractmethod
    def __call__(self, scored: Scored) -> Floats:
        """Return the values (K,) on at least one image."""


class ImageMetric(Metric):
    """A metric that is the mean of one value an image, on train, val, test or an external set.

    Attributes:
        reads: The value's name, see ``pokeopt.training.values``; it is stored with the predictions.
        is_trained: Whether it is measured on the training part, too.
        is_costly: Measured once, at the kept epoch; after every epoch only where it is the objective.
    """

    reads: ClassVar[str]
    is_trained: ClassVar[bool] = False
    is_costly: ClassVar[bool] = False

    def __call__(self, values: Floats) -> float:
        """Return the metric of the values (N,) of at least one image."""
        return float(np.mean(values))


class SliceMetric(ImageMetric):
    """The same over some of the images: PART/NAME/SLICE, where a slice is a yes-or-no column of the source."""


class GroupMetric(ImageMetric):
    """The same over the images of one class: PART/NAME/CLASS."""


class CurveMetric(Metric):
    """A metric of the objective's curve up to the end of the training; its part is val."""

    @abc.abstractmethod
    def __call__(self, curve: Sequence[float], direction: Direction) -> float:
        """Return the value of a curve that has at least one epoch."""


class MeasuredMetric(Metric):
    """A number that the training measures itself.

    Attributes:
        part: Where it is measured.
        is_named: Whether there are several, each with a name of its own: PART/NAME/WHICH.
    """

    part: ClassVar[str]
    is_named: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """What a metric's name means.

    Attributes:
        name: The whole name, like ``test/f1/Fighting``.
        part: ``train``, ``val``, ``test``, an external set, ``model`` or ``cost``.
        base: The metric without part and class, like ``f1``.
        class_name: The class of a per-class metric, or what else stands at the end of its name.
        direction: ``maximize`` or ``minimize``.
        unit: Empty for a share or a score.
    """

    name: str
    part: str
    base: str
    class_name: str | None
    direction: Direction
    unit: str

"""Stored predictions of a trial, and the scores recomputed from them: nothing is copied from a log."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pokeopt.metrics import confusion_matrix, score, score_images

if TYPE_CHECKING:
    from pokeopt.store import Store


@dataclass(frozen=True)
class PartPredictions:
    """Predictions of S networks on one part.

    Attributes:
        truth: (N,) class indices.
        probabilities: (S, N, K), one layer a network; None where images were made, not classes named.
        values: Name to values (S, N) of those images.
        slices: Name to which images (N,) are in it.
    """

    truth: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.floating] | None = None
    values: Mapping[str, npt.NDArray[np.floating]] = field(default_factory=dict)
    slices: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def n_networks(self) -> int:
        """S."""
        arrays = self.values.values() if self.probabilities is None else [self.probabilities]
        return max((len(array) for array in arrays), default=0)

    def scores(self, classes: tuple[str, ...]) -> dict[str, float]:
        """Return every metric's mean over the networks, by name without part."""
        if self.probabilities is not None:
            each = [score(self.truth, layer, classes) for layer in self.probabilities]
        else:
            each = [
                score_images(
                    {name: layers[i] for name, layers in self.values.items()},
                    self.truth,
                    classes,
                    self.slices,
                )
                for i in range(self.n_networks)
            ]
        return {name: float(np.mean([values[name] for values in each])) for name in each[0]} if each else {}

    @cached_property
    def confusion(self) -> npt.NDArray[np.int64] | None:
        """(K, K) counts summed over the networks: rows are true classes; None where no class was named."""
        if self.probabilities is None:
            return None
        n_classes = self.probabilities.shape[2]
        matrices = [
            confusion_matrix(self.truth, layer.argmax(axis=1), n_classes) for layer in self.probabilities
        ]
        total: npt.NDArray[np.int64] = np.sum(matrices, axis=0, dtype=np.int64)
        return total

    @cached_property
    def support(self) -> tuple[int, ...]:
        """Images of each class."""
        n_classes = 0 if self.probabilities is None else self.probabilities.shape[2]
        return tuple(int(count) for count in np.bincount(self.truth, minlength=n_classes))


@dataclass(frozen=True)
class TrialPredictions:
    """All predictions of one trial, by part."""

    classes: tuple[str, ...]
    parts: Mapping[str, PartPredictions]

    def metrics(self) -> dict[str, float]:
        """Return every metric by its full name, PART/NAME."""
        return {
            f"{part}/{name}": value
            for part, predictions in self.parts.items()
            for name, value in predictions.scores(self.classes).items()
        }


def read_predictions(store: Store, name: str, number: int) -> TrialPredictions | None:
    """Return a trial's stored predictions; None if there are none, or their file is gone or torn."""
    content = store.read_artifact(name, number, "predictions.npz")
    if content is None:
        return None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            names = [key.removesuffix("/truth") for key in arrays.files if key.endswith("/truth")]
            parts = {name: _read_part(arrays, name) for name in names}
            return TrialPredictions(tuple(str(label) for label in arrays["classes"]), parts)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile):
        return None


def _read_part(arrays: Mapping[str, npt.NDArray[Any]], part: str) -> PartPredictions:
    def below(kind: str) -> dict[str, npt.NDArray[Any]]:
        start = f"{part}/{kind}/"
        return {key.removeprefix(start): arrays[key] for key in arrays if key.startswith(start)}

    values = below("values")
    probabilities = None if values else arrays[f"{part}/probabilities"]
    return PartPredictions(arrays[f"{part}/truth"], probabilities, values, below("slices"))

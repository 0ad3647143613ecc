"""Stored predictions of a trial, and the scores recomputed from them: nothing is copied from a log."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pokeopt.metrics import confusion_matrix, score

if TYPE_CHECKING:
    from pokeopt.store import Store


@dataclass(frozen=True)
class PartPredictions:
    """Predictions of S networks on one part.

    Attributes:
        truth: (N,) class indices.
        probabilities: (S, N, K), one layer a network.
    """

    truth: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.floating]

    def scores(self, classes: tuple[str, ...]) -> dict[str, float]:
        """Return every metric's mean over the networks, by name without part."""
        each = [score(self.truth, layer, classes) for layer in self.probabilities]
        return {name: float(np.mean([values[name] for values in each])) for name in each[0]} if each else {}

    @cached_property
    def confusion(self) -> npt.NDArray[np.int64]:
        """(K, K) counts summed over the networks: rows are true classes."""
        n_classes = self.probabilities.shape[2]
        matrices = [
            confusion_matrix(self.truth, layer.argmax(axis=1), n_classes) for layer in self.probabilities
        ]
        total: npt.NDArray[np.int64] = np.sum(matrices, axis=0, dtype=np.int64)
        return total

    @cached_property
    def support(self) -> tuple[int, ...]:
        """Images of each class."""
        counts = np.bincount(self.truth, minlength=self.probabilities.shape[2])
        return tuple(int(count) for count in counts)


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
            parts = {
                key.removesuffix("/truth"): PartPredictions(
                    arrays[key], arrays[f"{key.removesuffix('/truth')}/probabilities"]
                )
                for key in arrays.files
                if key.endswith("/truth")
            }
            return TrialPredictions(tuple(str(label) for label in arrays["classes"]), parts)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile):
        return None

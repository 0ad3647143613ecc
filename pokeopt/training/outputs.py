"""What a network says of a part, image by image: what its scores are computed from, and what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pokeopt.metrics import score, score_images

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class PartOutputs:
    """Probabilities of a classifier, or values of the images that another network made.

    Attributes:
        probabilities: (N, K); None where classes are not the task.
        values: Name to values (N,), see ``pokeopt.training.values``.
    """

    probabilities: Floats | None = None
    values: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def is_finite(self) -> bool:
        """Whether nothing is NaN or infinite."""
        arrays = [*self.values.values(), *([] if self.probabilities is None else [self.probabilities])]
        return all(bool(np.isfinite(array).all()) for array in arrays)

    def scores(
        self,
        truth: npt.NDArray[np.int64],
        classes: Sequence[str],
        slices: Mapping[str, npt.NDArray[np.bool_]],
    ) -> dict[str, float]:
        """Return every metric by its name without part; see ``score`` and ``score_images``."""
        if self.probabilities is not None:
            return score(truth, self.probabilities, classes)
        return score_images(self.values, truth, classes, slices)

    def state_dict(self) -> dict[str, Any]:
        """Return tensors."""
        probabilities = None if self.probabilities is None else torch.from_numpy(self.probabilities)
        values = {name: torch.from_numpy(value) for name, value in self.values.items()}
        return {"probabilities": probabilities, "values": values}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> PartOutputs:
        """Return what ``state_dict`` was given by."""
        probabilities = state["probabilities"]
        return cls(
            None if probabilities is None else probabilities.numpy(),
            {name: value.numpy() for name, value in state["values"].items()},
        )


def joined(pieces: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """Return the values of several batches as one array each."""
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]} if pieces else {}

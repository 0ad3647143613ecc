"""What a loss term sees and what it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """The images and answers of one step.

    Attributes:
        images: (N, C, H, W), bytes, or floats in [0, 1] after augmentation.
        labels: (N,) class indices, int64.
    """

    images: Tensor
    labels: Tensor

    def intensity(self) -> Tensor:
        """Return the images as floats in [0, 1]."""
        return self.images.float() / 255 if self.images.dtype == torch.uint8 else self.images

    def split(self, n_pieces: int) -> list[Batch]:
        """Return the batch in so many pieces of about the same size."""
        if n_pieces == 1:
            return [self]
        pieces = zip(self.images.tensor_split(n_pieces), self.labels.tensor_split(n_pieces), strict=True)
        return [Batch(images, labels) for images, labels in pieces]


@dataclass(frozen=True, slots=True)
class LossContext:
    """What a term may know of the training part.

    Attributes:
        class_counts: (K,) training images of each class.
        n_classes: K.
    """

    class_counts: Tensor
    n_classes: int


LossFunction = Callable[[Mapping[str, Tensor], Batch], Tensor]


class LossTerm(Protocol):
    """One loss term with its settings; registered in ``LOSSES``."""

    roles: ClassVar[tuple[str, ...]]  # of classification, reconstruction, prior: what it can be used for

    def build(self, context: LossContext) -> LossFunction:
        """Return the function from (outputs, batch) to a scalar: a mean over the batch, 0 or more."""
        ...

"""What a loss term sees and what it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from pokeopt.errors import ShapeError


@dataclass(frozen=True, slots=True)
class Batch:
    """The images and answers of one step.

    Attributes:
        images: (N, C, H, W), bytes, or floats in [0, 1] after augmentation; a condition's channels follow the image's.
        labels: (N,) class indices, int64.
        target: (N, C, H, W), the images to be made, bytes or floats in [0, 1]; None where none are.
        shares: (N, K), the share of each class in images that were mixed from several; None where none were.
    """

    images: Tensor
    labels: Tensor
    target: Tensor | None = None
    shares: Tensor | None = None

    def target_intensity(self) -> Tensor:
        """Return the images to be made as floats in [0, 1]."""
        if self.target is None:
            raise ShapeError("loss", "there are no images to be made", "use a term for classification")
        return intensity(self.target)

    def class_targets(self) -> Tensor:
        """Return what torch's cross-entropy takes as its target: labels (N,), or shares (N, K) of mixed images."""
        return self.labels if self.shares is None else self.shares

    def split(self, n_pieces: int) -> list[Batch]:
        """Return the batch in so many pieces of about the same size."""
        if n_pieces == 1:
            return [self]

        def cut(tensor: Tensor | None) -> Sequence[Tensor | None]:
            return [None] * n_pieces if tensor is None else tensor.tensor_split(n_pieces)

        images, labels = self.images.tensor_split(n_pieces), self.labels.tensor_split(n_pieces)
        return list(map(Batch, images, labels, cut(self.target), cut(self.shares)))


def intensity(images: Tensor) -> Tensor:
    """Return images as floats in [0, 1], whether they are bytes or are so already."""
    return images.float() / 255 if images.dtype == torch.uint8 else images


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

"""What the augmentations share that mix the images of a batch and their classes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pokeopt.data.augment.draws import default_seeded_by


@dataclass(frozen=True)
class Mixing:
    """Mixes each image of a batch with the one before it, which is any image since batches are drawn at random.

    Attributes:
        transform: Name of the class in torchvision.transforms.v2 that does it.
        alpha: Of the Beta(alpha, alpha) distribution that the mixing share is drawn from, once for a batch; the
            smaller, the nearer to 0 or 1.
        probability: Of a batch to be mixed at all.
    """

    kind: ClassVar[str] = "labels"
    transform: ClassVar[str]

    alpha: float = 1.0
    probability: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.alpha < math.inf:
            raise ValueError(f"alpha must be above 0, got {self.alpha}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be in [0, 1], got {self.probability}")

    def __call__(self, images: Tensor, shares: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Mix a batch.

        Args:
            images: (N, C, H, W) in [0, 1].
            shares: (N, K), floats that sum to 1 in each row: one-hot where nothing was mixed before.
            generator: Where the draws come from.

        Returns:
            Images and shares of the same shapes.
        """
        from torchvision.transforms import v2

        with default_seeded_by(generator):
            if torch.rand(()) >= self.probability:
                return images, shares
            mixed, mixed_shares = getattr(v2, self.transform)(alpha=float(self.alpha))(images, shares)
        return mixed, mixed_shares

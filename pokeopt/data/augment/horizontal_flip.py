"""Mirror images left to right."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pokeopt.data.augment.draws import uniform
from pokeopt.registry import AUGMENTATIONS


@AUGMENTATIONS.register("horizontal_flip")
@dataclass(frozen=True)
class HorizontalFlip:
    """Mirror each image with probability ``probability``."""

    probability: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be in [0, 1], got {self.probability}")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return images (N, C, H, W) of the same shape and range."""
        is_flipped = uniform(images, 0, 1, generator) < self.probability
        return torch.where(is_flipped.reshape(-1, 1, 1, 1), images.flip(-1), images)

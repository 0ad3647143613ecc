"""Mirror images top to bottom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pokeopt.data.augment.draws import mirror
from pokeopt.registry import AUGMENTATIONS


@AUGMENTATIONS.register("vertical_flip")
@dataclass(frozen=True)
class VerticalFlip:
    """Mirror each image top to bottom with probability ``probability``."""

    kind: ClassVar[str] = "geometry"

    probability: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be in [0, 1], got {self.probability}")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return images (N, C, H, W) of the same shape and range."""
        return mirror(images, -2, self.probability, generator)

"""Move images sideways and up or down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pokeopt.data.augment.draws import transform, uniform
from pokeopt.registry import AUGMENTATIONS


@AUGMENTATIONS.register("shift")
@dataclass(frozen=True)
class Shift:
    """Move each image by up to ``fraction`` of its size in each direction; the border is repeated."""

    kind: ClassVar[str] = "geometry"

    fraction: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.fraction < 1:
            raise ValueError(f"fraction must be in [0, 1), got {self.fraction}")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return images (N, C, H, W) of the same shape and range."""
        matrices = torch.eye(2, 3, dtype=images.dtype, device=images.device).repeat(len(images), 1, 1)
        for axis in (0, 1):  # the whole image is 2 wide in these coordinates
            matrices[:, axis, 2] = uniform(images, -2 * self.fraction, 2 * self.fraction, generator)
        return transform(images, matrices)

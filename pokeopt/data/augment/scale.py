"""Enlarge and shrink images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pokeopt.data.augment.draws import transform, uniform
from pokeopt.registry import AUGMENTATIONS


@AUGMENTATIONS.register("scale")
@dataclass(frozen=True)
class Scale:
    """Enlarge each image about its middle by a factor in [1 - amount, 1 + amount]; the border is repeated."""

    kind: ClassVar[str] = "geometry"

    amount: float = 0.15

    def __post_init__(self) -> None:
        if not 0 <= self.amount < 1:
            raise ValueError(f"amount must be in [0, 1), got {self.amount}")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return images (N, C, H, W) of the same shape and range."""
        factor = uniform(images, 1 - self.amount, 1 + self.amount, generator)
        matrices = torch.eye(2, 3, dtype=images.dtype, device=images.device) / factor.reshape(-1, 1, 1)
        return transform(images, matrices)

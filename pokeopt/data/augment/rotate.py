"""Turn images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pokeopt.data.augment.draws import transform, uniform
from pokeopt.registry import AUGMENTATIONS


@AUGMENTATIONS.register("rotate")
@dataclass(frozen=True)
class Rotate:
    """Turn each image by up to ``degrees`` either way about its middle; the border is repeated."""

    kind: ClassVar[str] = "geometry"

    degrees: float = 15.0

    def __post_init__(self) -> None:
        if not 0 <= self.degrees <= 180:
            raise ValueError(f"degrees must be in [0, 180], got {self.degrees}")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return images (N, C, H, W) of the same shape and range."""
        angle = uniform(images, -self.degrees, self.degrees, generator) * (math.pi / 180)
        cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
        ratio = images.shape[-1] / images.shape[-2]  # an angle is one only where both axes have one unit
        rows = [torch.stack([cos, -sin / ratio, zero], 1), torch.stack([sin * ratio, cos, zero], 1)]
        return transform(images, torch.stack(rows, 1))

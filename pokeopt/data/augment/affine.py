"""Turn, move, scale and slant images in one go."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pokeopt.data.augment.draws import transform, uniform
from pokeopt.registry import AUGMENTATIONS


@AUGMENTATIONS.register("affine")
@dataclass(frozen=True)
class Affine:
    """Slant, scale, turn and move each image about its middle; the border is repeated.

    Attributes:
        degrees: Largest turn either way.
        translate: Largest move in each direction, as a share of the image's size.
        scale: Largest change of its size: the factor is in [1 - scale, 1 + scale].
        shear: Largest slant of its upright lines either way, in degrees.
    """

    kind: ClassVar[str] = "geometry"

    degrees: float = 15.0
    translate: float = 0.1
    scale: float = 0.1
    shear: float = 10.0

    def __post_init__(self) -> None:
        if not 0 <= self.degrees <= 180:
            raise ValueError(f"degrees must be in [0, 180], got {self.degrees}")
        for name in ("translate", "scale"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be in [0, 1), got {getattr(self, name)}")
        if not 0 <= self.shear < 90:
            raise ValueError(f"shear must be in [0, 90), got {self.shear}")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return images (N, C, H, W) of the same shape and range."""
        angle, shear, across, down = (
            uniform(images, -most, most, generator)
            for most in (math.radians(self.degrees), math.radians(self.shear), self.translate, self.translate)
        )
        factor = uniform(images, 1 - self.scale, 1 + self.scale, generator)
        ratio = images.shape[-1] / images.shape[-2]
        move = torch.stack([across, down], 1)
        return transform(images, affine_matrices(angle, factor, shear, move, ratio))


def affine_matrices(angle: Tensor, factor: Tensor, shear: Tensor, move: Tensor, ratio: float) -> Tensor:
    """Return the maps (N, 2, 3) from output to input, in coordinates that run from -1 to 1 on both axes.

    Args:
        angle: (N,) clockwise turns, in radians.
        factor: (N,) how many times larger the picture becomes.
        shear: (N,) slants of its upright lines, in radians.
        move: (N, 2) how far it goes right and down, as shares of its width and height.
        ratio: Width over height; an angle is one only where both axes have one unit.
    """
    cos, sin, slant = angle.cos(), angle.sin(), shear.tan()
    first = torch.stack([cos - slant * sin, (sin + slant * cos) / ratio], 1)
    second = torch.stack([-sin * ratio, cos], 1)
    linear = torch.stack([first, second], 1) / factor.reshape(-1, 1, 1)
    return torch.cat([linear, -linear @ (2 * move).unsqueeze(2)], 2)  # the whole image is 2 wide

"""Change brightness, contrast and saturation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pokeopt.data.augment.draws import uniform
from pokeopt.registry import AUGMENTATIONS

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


@AUGMENTATIONS.register("color_jitter")
@dataclass(frozen=True)
class ColorJitter:
    """Scale each image's brightness, contrast and saturation by a factor of its own in [1 - x, 1 + x]."""

    kind: ClassVar[str] = "colour"

    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2

    def __post_init__(self) -> None:
        for name in ("brightness", "contrast", "saturation"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return images (N, C, H, W) in [0, 1]; an alpha channel stays as it is, grey images keep their saturation."""
        brightness, contrast, saturation = (
            uniform(images, 1 - amount, 1 + amount, generator).reshape(-1, 1, 1, 1)
            for amount in (self.brightness, self.contrast, self.saturation)
        )
        colour, alpha = (images[:, :3], images[:, 3:]) if images.shape[1] == 4 else (images, images[:, :0])
        colour = (colour * brightness).clamp(0, 1)
        mean = _grey(colour).mean(dim=(1, 2, 3), keepdim=True)
        colour = (mean + (colour - mean) * contrast).clamp(0, 1)
        if colour.shape[1] == 3:
            grey = _grey(colour)
            colour = (grey + (colour - grey) * saturation).clamp(0, 1)
        return torch.cat([colour, alpha], dim=1)


def _grey(images: Tensor) -> Tensor:
    """Return (N, 1, H, W)."""
    if images.shape[1] != 3:
        return images.mean(dim=1, keepdim=True)
    weights = torch.tensor(LUMA, dtype=images.dtype, device=images.device).reshape(1, 3, 1, 1)
    return (images * weights).sum(dim=1, keepdim=True)

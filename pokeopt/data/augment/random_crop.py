"""Pad images and cut them to their size again, anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pokeopt.data.augment.draws import uniform
from pokeopt.registry import AUGMENTATIONS


@AUGMENTATIONS.register("random_crop")
@dataclass(frozen=True)
class RandomCrop:
    """Repeat each image's border ``padding_fraction`` of its size outwards and cut out a window of the old size.

    Windows start at whole pixels, so that nothing is blurred. An eighth is 4 pixels of 32, the usual padding.
    """

    kind: ClassVar[str] = "geometry"

    padding_fraction: float = 0.125

    def __post_init__(self) -> None:
        if not 0 <= self.padding_fraction < 1:
            raise ValueError(f"padding_fraction must be in [0, 1), got {self.padding_fraction}")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return images (N, C, H, W) of the same shape and range."""
        rows, columns = (self._window(images, axis, generator) for axis in (-2, -1))
        n_images, n_channels = images.shape[:2]
        image = torch.arange(n_images, device=images.device).reshape(-1, 1, 1, 1)
        channel = torch.arange(n_channels, device=images.device).reshape(1, -1, 1, 1)
        return images[image, channel, rows[:, None, :, None], columns[:, None, None, :]]

    def _window(self, images: Tensor, axis: int, generator: torch.Generator) -> Tensor:
        """Return (N, size) positions along an axis; what lies outside is its nearest position inside."""
        size = images.shape[axis]
        most = round(self.padding_fraction * size)
        # rounding may lift a draw to the upper end, which is one too many
        start = uniform(images, -most, most + 1, generator).floor().long().clamp(max=most)
        return (start[:, None] + torch.arange(size, device=images.device)).clamp(0, size - 1)

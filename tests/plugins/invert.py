"""An augmentation: the negative of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pokeopt.registry import AUGMENTATIONS


@AUGMENTATIONS.register("invert")
@dataclass(frozen=True)
class Invert:
    """Turn each image into its negative with probability ``probability``."""

    kind: ClassVar[str] = "colour"

    probability: float = 0.5

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return images (N, C, H, W) of the same shape and range."""
        draws = torch.rand(len(images), generator=generator, device=generator.device).to(images.device)
        return torch.where((draws < self.probability).reshape(-1, 1, 1, 1), 1 - images, images)

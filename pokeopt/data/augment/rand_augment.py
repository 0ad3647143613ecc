"""Change images by a few operations drawn from many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pokeopt.data.augment.draws import default_seeded_by
from pokeopt.registry import AUGMENTATIONS

MAGNITUDES = 31  # steps from nothing to the strongest, torchvision's default


@AUGMENTATIONS.register("rand_augment")
@dataclass(frozen=True)
class RandAugment:
    """Do ``n_ops`` of torchvision's 14 operations to each image, drawn for it alone.

    They change colours, sharpness and contrast, and also turn, move and slant; what comes from outside is black, and
    an alpha channel stays as it is. Values are rounded to the 256 levels of a byte.

    Attributes:
        n_ops: Operations for each image, one after the other.
        magnitude: Their strength, from 0 to 30.

    Source: Cubuk et al., "RandAugment: Practical automated data augmentation with a reduced search space", 2019.
    """

    kind: ClassVar[str] = "colour"

    n_ops: int = 2
    magnitude: int = 9

    def __post_init__(self) -> None:
        if self.n_ops < 0:
            raise ValueError(f"n_ops must be at least 0, got {self.n_ops}")
        if not 0 <= self.magnitude < MAGNITUDES:
            raise ValueError(f"magnitude must be in [0, {MAGNITUDES - 1}], got {self.magnitude}")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return images (N, C, H, W) in [0, 1], C being 1, 3 or 4."""
        from torchvision.transforms import v2

        augment = v2.RandAugment(self.n_ops, self.magnitude, MAGNITUDES)
        colour, alpha = (images[:, :3], images[:, 3:]) if images.shape[1] == 4 else (images, images[:, :0])
        levels = (colour * 255).round().clamp(0, 255).to(torch.uint8)  # torchvision asks for bytes
        is_grey = levels.shape[1] == 1
        with default_seeded_by(generator):
            # one by one: called with a batch, it would do the same to all
            changed = torch.stack([augment(one.repeat(3, 1, 1) if is_grey else one) for one in levels])
        colour = changed.to(images.dtype) / 255
        return torch.cat([colour.mean(dim=1, keepdim=True) if is_grey else colour, alpha], dim=1)

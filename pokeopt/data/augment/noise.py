"""Add noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pokeopt.registry import AUGMENTATIONS


@AUGMENTATIONS.register("noise")
@dataclass(frozen=True)
class Noise:
    """Add normal noise of standard deviation ``std`` to every value, and cut to [0, 1]."""

    kind: ClassVar[str] = "corruption"

    std: float = 0.05

    def __post_init__(self) -> None:
        if self.std < 0:
            raise ValueError(f"std must be at least 0, got {self.std}")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return images (N, C, H, W) in [0, 1]."""
        noise = torch.randn(images.shape, generator=generator, device=generator.device, dtype=images.dtype)
        return (images + self.std * noise.to(images.device)).clamp(0, 1)

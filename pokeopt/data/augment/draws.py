"""Random draws for a batch: one for each image, never one for all."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def uniform(images: Tensor, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Return (N,) uniform draws in [low, high), on the images' device."""
    draws = torch.rand(len(images), generator=generator, device=generator.device)
    return (low + (high - low) * draws).to(images.device, images.dtype)


def transform(images: Tensor, matrices: Tensor) -> Tensor:
    """Move the pixels of each image by its own affine map, bilinearly; what comes from outside repeats the border.

    Args:
        images: (N, C, H, W).
        matrices: (N, 2, 3), from output to input in coordinates that run from -1 to 1.
    """
    grid = F.affine_grid(matrices, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)

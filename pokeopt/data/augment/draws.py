"""Random draws for a batch: one for each image, never one for all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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


def mirror(images: Tensor, axis: int, probability: float, generator: torch.Generator) -> Tensor:
    """Reverse each image (N, C, H, W) along an axis with a probability."""
    is_mirrored = uniform(images, 0, 1, generator) < probability
    return torch.where(is_mirrored.reshape(-1, 1, 1, 1), images.flip(axis), images)


@contextmanager
def default_seeded_by(generator: torch.Generator) -> Iterator[None]:
    """Let what draws from torch's default CPU generator follow a generator; the default is as before afterwards."""
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed the GPUs, too
        yield

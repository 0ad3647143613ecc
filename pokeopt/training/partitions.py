"""What each part of a latent does to the image, measured."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import torch
from torch import Tensor

DEAD_BELOW = 1e-3  # a quarter of a grey level: nobody sees it


def partition_effects(
    decoder: Any, latents: Tensor, partitions: Sequence[int]
) -> Generator[None, None, list[float]]:
    """Return the effect of each partition; yield after each unit.

    The effect is the mean absolute change of the image, in intensity, when one unit grows by 1: over the units of the
    partition, the latents, and all pixels.

    Args:
        decoder: A network whose ``decode`` takes latents; in evaluation mode.
        latents: (N, D), of some images.
        partitions: Sizes that sum to D.
    """
    with torch.inference_mode():
        before = decoder.decode(latents).float()
    effects, start = [], 0
    for size in partitions:
        changes = []
        for unit in range(start, start + size):
            moved = latents.clone()
            moved[:, unit] += 1
            with torch.inference_mode():
                changes.append(float((decoder.decode(moved).float() - before).abs().mean()))
            yield
        effects.append(sum(changes) / size)
        start += size
    return effects

"""Every image once an epoch, in random order."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pokeopt.registry import IMAGE_SAMPLERS


@IMAGE_SAMPLERS.register("shuffle")
@dataclass(frozen=True)
class Shuffle:
    """Every image once an epoch, in random order."""

    def indices(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return positions (n,) in the training part, for labels (n,)."""
        return torch.randperm(len(labels), generator=generator, device=generator.device)

"""Draws with replacement, every class as likely as any other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pokeopt.data.samplers.balance import class_weights
from pokeopt.registry import IMAGE_SAMPLERS


@IMAGE_SAMPLERS.register("weighted")
@dataclass(frozen=True)
class Weighted:
    """As many draws as there are images, with replacement, each class equally likely (001 task 3's sampler)."""

    def indices(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return positions (n,) in the training part, for labels (n,)."""
        weights = class_weights(labels).to(generator.device)
        return torch.multinomial(weights, len(labels), replacement=True, generator=generator)

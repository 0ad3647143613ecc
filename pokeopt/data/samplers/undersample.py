"""As many images of each class as the rarest has; which ones, is drawn anew each epoch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pokeopt.data.samplers.balance import grouped_by_class, shuffled
from pokeopt.registry import IMAGE_SAMPLERS


@IMAGE_SAMPLERS.register("undersample")
@dataclass(frozen=True)
class Undersample:
    """As many images of each class as the rarest has (002's choice), without replacement, drawn anew each epoch."""

    def indices(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return positions in the training part, K times the smallest class, for labels (n,)."""
        groups = grouped_by_class(labels, generator)
        fewest = min(len(group) for group in groups)
        return shuffled(torch.cat([group[:fewest] for group in groups]), generator)

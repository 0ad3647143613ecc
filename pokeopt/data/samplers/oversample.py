"""Every image, and the rare classes repeated until each is as large as the largest."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pokeopt.data.samplers.balance import grouped_by_class, shuffled
from pokeopt.registry import IMAGE_SAMPLERS


@IMAGE_SAMPLERS.register("oversample")
@dataclass(frozen=True)
class Oversample:
    """Every image at least once; images of a rarer class as often as makes it as large as the largest."""

    def indices(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return positions in the training part, K times the largest class, for labels (n,)."""
        groups = grouped_by_class(labels, generator)
        most = max(len(group) for group in groups)
        repeated = [group.repeat(-(-most // len(group)))[:most] for group in groups]
        return shuffled(torch.cat(repeated), generator)

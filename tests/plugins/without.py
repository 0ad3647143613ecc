"""An image sampler: all classes but one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pokeopt.registry import IMAGE_SAMPLERS


@IMAGE_SAMPLERS.register("without")
@dataclass(frozen=True)
class Without:
    """Every image once an epoch, but for those of one class.

    Attributes:
        label: Index of the class that is never drawn.
    """

    label: int = 0

    def indices(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Return positions in the training part, for labels (n,)."""
        order = torch.randperm(len(labels), generator=generator, device=generator.device)
        return order[labels.to(order.device)[order] != self.label]

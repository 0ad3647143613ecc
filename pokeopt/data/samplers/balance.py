"""Class counts, and what the balancing samplers make of them."""

from __future__ import annotations

import torch
from torch import Tensor


def class_weights(labels: Tensor) -> Tensor:
    """Return a weight for each image, (n,) float64: one over the size of its class, so that classes weigh the same."""
    counts = torch.bincount(labels)
    return 1.0 / counts.double()[labels]


def grouped_by_class(labels: Tensor, generator: torch.Generator) -> list[Tensor]:
    """Return the positions of each class that occurs, shuffled within it."""
    order = torch.randperm(len(labels), generator=generator, device=generator.device).to(labels.device)
    return [order[labels[order] == label] for label in torch.unique(labels)]


def shuffled(positions: Tensor, generator: torch.Generator) -> Tensor:
    """Return the positions in random order."""
    order = torch.randperm(len(positions), generator=generator, device=generator.device)
    return positions.to(order.device)[order]

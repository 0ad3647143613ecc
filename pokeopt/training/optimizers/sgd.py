"""Stochastic gradient descent with momentum."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.optim.optimizer import ParamsT

from pokeopt.registry import OPTIMIZERS
from pokeopt.training.optimizers.base import FUSED_DEVICES, check_share


@OPTIMIZERS.register("sgd")
@dataclass(frozen=True)
class SGD:
    """Steps along the gradient, smoothed by momentum.

    Attributes:
        momentum: Share of the last step that is taken again; 0 is plain descent.
        nesterov: Take the gradient where the momentum leads.
    """

    momentum: float = 0.9
    nesterov: bool = False

    def __post_init__(self) -> None:
        check_share("momentum", self.momentum)
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs momentum above 0, got 0")

    def build(
        self,
        parameters: ParamsT,
        learning_rate: float,
        weight_decay: float,
        device: torch.device,
    ) -> torch.optim.Optimizer:
        """Return torch's SGD, fused where torch can."""
        return torch.optim.SGD(
            parameters,
            lr=learning_rate,
            momentum=self.momentum,
            nesterov=self.nesterov,
            weight_decay=weight_decay,
            fused=device.type in FUSED_DEVICES,
        )

"""Adam, and AdamW, which decays the weights apart from the gradient."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.optim.optimizer import ParamsT

from pokeopt.registry import OPTIMIZERS
from pokeopt.training.optimizers.base import FUSED_DEVICES, check_share


@OPTIMIZERS.register("adam")
@dataclass(frozen=True)
class Adam:
    """Steps scaled by running moments of the gradient; weight decay is added to the gradient.

    Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.

    Attributes:
        beta1: Share of the old mean of the gradient that is kept each step.
        beta2: Share of the old mean of its square.
        eps: Added to the root of the second moment; larger is steadier.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        check_share("beta1", self.beta1)
        check_share("beta2", self.beta2)
        if self.eps <= 0:
            raise ValueError(f"eps must be above 0, got {self.eps}")

    def build(
        self,
        parameters: ParamsT,
        learning_rate: float,
        weight_decay: float,
        device: torch.device,
    ) -> torch.optim.Optimizer:
        """Return torch's Adam, fused where torch can."""
        return torch.optim.Adam(
            parameters,
            lr=learning_rate,
            betas=(self.beta1, self.beta2),
            eps=self.eps,
            weight_decay=weight_decay,
            fused=device.type in FUSED_DEVICES,
        )


@OPTIMIZERS.register("adamw")
@dataclass(frozen=True)
class AdamW(Adam):
    """Adam whose weight decay shrinks the weights directly: learning rate * decay each step.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
    """

    def build(
        self,
        parameters: ParamsT,
        learning_rate: float,
        weight_decay: float,
        device: torch.device,
    ) -> torch.optim.Optimizer:
        """Return torch's AdamW, fused where torch can."""
        return torch.optim.AdamW(
            parameters,
            lr=learning_rate,
            betas=(self.beta1, self.beta2),
            eps=self.eps,
            weight_decay=weight_decay,
            fused=device.type in FUSED_DEVICES,
        )

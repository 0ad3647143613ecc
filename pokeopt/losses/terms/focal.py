"""Focal loss: images that are already right weigh less."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from pokeopt.losses.base import Batch, LossContext, LossFunction
from pokeopt.registry import LOSSES


@LOSSES.register("focal")
@dataclass(frozen=True)
class Focal:
    """Mean of (1 - p)^gamma * -ln p, where p is the probability given to the true class; in nats.

    A mixed image counts this for each of its classes, by their shares.

    Source: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, without its class weights alpha.

    Attributes:
        gamma: How fast easy images lose weight; 0 is plain cross-entropy, the paper's best 2.
    """

    roles: ClassVar[tuple[str, ...]] = ("classification",)

    gamma: float = 2.0

    def __post_init__(self) -> None:
        if self.gamma < 0:
            raise ValueError(f"gamma must be at least 0, got {self.gamma}")

    def build(self, context: LossContext) -> LossFunction:  # noqa: ARG002 - the protocol's
        """Return the mean over the batch of logits (N, K) against labels (N,), or against shares (N, K)."""

        def focal(outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
            logits = outputs["logits"].float()
            if batch.shares is None:
                return self._price(functional.cross_entropy(logits, batch.labels, reduction="none")).mean()
            price = self._price(-functional.log_softmax(logits, dim=1))
            return (batch.shares.float() * price).sum(dim=1).mean()

        return focal

    def _price(self, nats: Tensor) -> Tensor:
        """Return (1 - p)^gamma * -ln p of any -ln p."""
        miss = -nats.neg().expm1()  # 1 - p, exact where p is near 1
        # at p = 1 the slope of miss^gamma is infinite for gamma < 1: 0 * inf would make the gradient NaN
        return miss.clamp_min(1e-12) ** self.gamma * nats

"""Cross-entropy in which rare classes weigh more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from pokeopt.losses.base import Batch, LossContext, LossFunction
from pokeopt.registry import LOSSES


@LOSSES.register("weighted_cross_entropy")
@dataclass(frozen=True)
class WeightedCrossEntropy:
    """Cross-entropy with class weights N / (K * n_k), so that every class has the same say; in nats.

    As in ``torch.nn.CrossEntropyLoss`` for labels, the mean divides by the weights of the batch, not by its size; each
    class of a mixed image weighs by its share.
    """

    roles: ClassVar[tuple[str, ...]] = ("classification",)

    def build(self, context: LossContext) -> LossFunction:
        """Return the weighted mean over the batch of logits (N, K) against labels (N,), or against shares (N, K)."""
        counts = context.class_counts.float()
        weight = counts.sum() / (context.n_classes * counts.clamp_min(1))

        def weighted_cross_entropy(outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
            logits = outputs["logits"].float()
            by_class = weight.to(logits.device)
            if batch.shares is None:
                return functional.cross_entropy(logits, batch.labels, weight=by_class)
            # torch divides by the batch's size when it is given shares
            shares = batch.shares.float() * by_class
            return -(shares * functional.log_softmax(logits, dim=1)).sum() / shares.sum()

        return weighted_cross_entropy

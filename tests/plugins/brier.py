"""A loss term: Brier's score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from pokeopt.losses.base import Batch, LossContext, LossFunction
from pokeopt.registry import LOSSES


@LOSSES.register("brier")
@dataclass(frozen=True)
class Brier:
    """Squared distance of the probabilities from the truth, summed over the classes; (K - 1) / K where all are alike.

    Source: Brier, "Verification of Forecasts Expressed in Terms of Probability", 1950.

    Attributes:
        scale: What the score is multiplied by.
    """

    roles: ClassVar[tuple[str, ...]] = ("classification",)

    scale: float = 1.0

    def build(self, context: LossContext) -> LossFunction:
        """Return the mean over the batch of logits (N, K) against labels (N,)."""

        def brier(outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
            truth = functional.one_hot(batch.labels, context.n_classes)
            distance = functional.softmax(outputs["logits"].float(), dim=1) - truth
            return self.scale * distance.square().sum(dim=1).mean()

        return brier

"""Cross-entropy of the predicted classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor
from torch.nn import functional

from pokeopt.losses.base import Batch, LossContext, LossFunction
from pokeopt.registry import LOSSES

PLACEMENTS: dict[str, Callable[[Tensor], Tensor]] = {
    "logits": lambda logits: logits,
    "softmax": lambda logits: functional.softmax(logits, dim=1),
    "log_softmax": lambda logits: functional.log_softmax(logits, dim=1),
}


@LOSSES.register("cross_entropy")
@dataclass(frozen=True)
class CrossEntropy:
    """Mean negative log-likelihood of the true class, in nats; of a mixed image, each class by its share.

    Attributes:
        on: What is taken for the logits. ``softmax`` normalises twice, the common slip of a network that ends in a
            softmax before this loss: gradients shrink, and the loss cannot fall below ln(1 + (K - 1) / e).
            ``log_softmax`` changes nothing but rounding.
    """

    roles: ClassVar[tuple[str, ...]] = ("classification",)

    on: Literal["logits", "softmax", "log_softmax"] = "logits"

    def __post_init__(self) -> None:
        if self.on not in PLACEMENTS:
            raise ValueError(f"on must be one of {', '.join(PLACEMENTS)}, got {self.on!r}")

    def build(self, context: LossContext) -> LossFunction:  # noqa: ARG002 - the protocol's
        """Return the mean over the batch of logits (N, K) against labels (N,), or against shares (N, K)."""
        place = PLACEMENTS[self.on]

        def cross_entropy(outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
            return functional.cross_entropy(place(outputs["logits"].float()), batch.class_targets())

        return cross_entropy

"""Squared and absolute error of an image, mixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from pokeopt.losses.base import Batch, LossContext, LossFunction
from pokeopt.losses.images import made_and_wanted
from pokeopt.registry import LOSSES


@LOSSES.register("mse_l1")
@dataclass(frozen=True)
class MSEL1:
    """(1 - l1_share) * MSE + l1_share * L1, each a mean over images, channels and pixels.

    Attributes:
        l1_share: 0 is MSE alone, 1 is L1 alone.
    """

    roles: ClassVar[tuple[str, ...]] = ("reconstruction",)

    l1_share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.l1_share <= 1:
            raise ValueError(f"l1_share must be in [0, 1], got {self.l1_share}")

    def build(self, context: LossContext) -> LossFunction:  # noqa: ARG002 - the protocol's
        """Return the mean over the batch of images (N, C, H, W) against their targets."""

        def mse_l1(outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
            made, wanted = made_and_wanted("mse_l1", outputs, batch)
            return functional.mse_loss(made, wanted).lerp(functional.l1_loss(made, wanted), self.l1_share)

        return mse_l1

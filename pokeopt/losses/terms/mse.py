"""Mean squared error of an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from pokeopt.losses.base import Batch, LossContext, LossFunction
from pokeopt.losses.images import made_and_wanted
from pokeopt.registry import LOSSES


@LOSSES.register("mse")
@dataclass(frozen=True)
class MSE:
    """Mean over images, channels and pixels of the squared difference, in intensity squared."""

    roles: ClassVar[tuple[str, ...]] = ("reconstruction",)

    def build(self, context: LossContext) -> LossFunction:  # noqa: ARG002 - the protocol's
        """Return the mean over the batch of images (N, C, H, W) against their targets."""

        def mse(outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
            return functional.mse_loss(*made_and_wanted("mse", outputs, batch))

        return mse

"""Binary cross-entropy of an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from pokeopt.losses.base import Batch, LossContext, LossFunction
from pokeopt.losses.images import made_and_wanted
from pokeopt.registry import LOSSES


@LOSSES.register("bce")
@dataclass(frozen=True)
class BCE:
    """Mean over images, channels and pixels of the cross-entropy of intensities read as probabilities, in nats.

    At the truth it is the target's own entropy, 0 only where all pixels are 0 or 1. Meant for images that end in a
    sigmoid: what lies outside of [0, 1] is taken to its border, and gets no gradient. A pixel costs 100 nats at most.
    """

    roles: ClassVar[tuple[str, ...]] = ("reconstruction",)

    def build(self, context: LossContext) -> LossFunction:  # noqa: ARG002 - the protocol's
        """Return the mean over the batch of images (N, C, H, W) against their targets."""

        def bce(outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
            made, wanted = made_and_wanted("bce", outputs, batch)
            # torch refuses it under CUDA's autocast, for fear of half precision: these are float32 already
            with torch.autocast(made.device.type, enabled=False):
                return functional.binary_cross_entropy(made.clamp(0, 1), wanted)

        return bce

"""Kullback-Leibler divergence of the latent from the standard normal distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from pokeopt.losses.base import Batch, LossContext, LossFunction
from pokeopt.registry import LOSSES


@LOSSES.register("kl")
@dataclass(frozen=True)
class KL:
    """KL(N(mean, exp(logvar)) || N(0, 1)), summed over the latent's D numbers, mean over images; in nats.

    A sum over the latent beside a mean over the pixels: with ``mse`` and equal weights the latent soon says nothing,
    hence the small weight that families with a prior bring along, and ``loss.weights.prior``.

    Source: Kingma and Welling, "Auto-Encoding Variational Bayes", appendix B; the floor is that of Kingma et al.,
    "Improved Variational Inference with Inverse Autoregressive Flow" (free bits), for all the latent together.

    Attributes:
        free_nats: What an image may cost at no gain: below it the divergence counts as this much.
    """

    roles: ClassVar[tuple[str, ...]] = ("prior",)

    free_nats: float = 0.0

    def __post_init__(self) -> None:
        if self.free_nats < 0:
            raise ValueError(f"free_nats must be at least 0, got {self.free_nats}")

    def build(self, context: LossContext) -> LossFunction:  # noqa: ARG002 - the protocol's
        """Return the mean over the batch of latents given by mean and logvar, (N, D) both."""

        def kl(outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:  # noqa: ARG001 - the protocol's
            mean, logvar = outputs["mean"].float(), outputs["logvar"].float()
            # exp(v) - 1 - v with both in one: exact near 0, where the difference of two like numbers is not
            nats = (mean.square() + torch.expm1(logvar) - logvar).sum(dim=1) / 2
            return nats.clamp_min(self.free_nats).mean()

        return kl

"""A latent that is a normal distribution, and the noise that autoencoders are trained with."""

from __future__ import annotations

import torch
from torch import Tensor

# standard deviations from 3e-7 to 2e4: no training that goes well comes near either end, and exp() stays finite
LOG_VARIANCE_RANGE = (-30.0, 20.0)


def distribution(mean: Tensor, logvar: Tensor) -> tuple[Tensor, Tensor]:
    """Return means and log-variances in float32, the latter held in [-30, 20].

    Outside of that range the log-variance gets no gradient.
    """
    return mean.float(), logvar.float().clamp(*LOG_VARIANCE_RANGE)


def sample_normal(mean: Tensor, logvar: Tensor) -> Tensor:
    """Draw from normal distributions, one number each, with torch's default generator; differentiable in both."""
    return mean + torch.exp(logvar / 2) * torch.randn_like(mean)


def add_noise(images: Tensor, deviation: float) -> Tensor:
    """Return images with normal noise of this standard deviation, in units of intensity; not clipped to [0, 1]."""
    return images + deviation * torch.randn_like(images) if deviation > 0 else images


def check_noise(deviation: float) -> None:
    """Raise ValueError unless ``input_noise`` can be a standard deviation."""
    if deviation < 0:
        raise ValueError(f"input_noise must be at least 0, got {deviation}")

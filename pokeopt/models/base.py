"""What every model family is: settings that build a network for images of one shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class ImageShape:
    """Shape of one image: C channels, H rows, W columns."""

    channels: int
    height: int
    width: int

    @property
    def numel(self) -> int:
        """Numbers in one image, C * H * W."""
        return self.channels * self.height * self.width


class Model(Protocol):
    """One model family with its settings; registered in ``MODELS``."""

    def build(self, image: ImageShape, n_classes: int) -> nn.Module:
        """Return a network for standardised images (N, C, H, W) with fresh weights from torch's default generator.

        The network returns logits (N, n_classes), or a mapping of named outputs in which they are called ``logits``.
        """
        ...


class StandardisedModel(nn.Module):
    """A network with the statistics of its training images: what is trained, saved and exported.

    Args:
        network: Takes images with mean 0 and standard deviation 1 in each channel.
        mean: (C,) means of the training images' intensity in [0, 1].
        std: (C,) standard deviations of the same; no zero.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean.reshape(1, -1, 1, 1).float())
        self.register_buffer("std", std.reshape(1, -1, 1, 1).float())

    def forward(self, images: Tensor) -> Tensor | Mapping[str, Tensor]:
        """Return the network's outputs for images (N, C, H, W): bytes, or floats in [0, 1]."""
        if images.dtype == torch.uint8:
            # one pass out of the bytes and one in place: the affine is folded on C numbers, not on all pixels
            standardised = (images * (1 / (255 * self.std))).sub_(self.mean / self.std)
        else:
            standardised = (images - self.mean) / self.std
        outputs: Tensor | Mapping[str, Tensor] = self.network(standardised)
        return outputs


def named_outputs(outputs: Tensor | Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Return a network's outputs by name; a bare tensor is its logits."""
    return {"logits": outputs} if isinstance(outputs, Tensor) else outputs


def has_convolutions(module: nn.Module) -> bool:
    """Whether a network convolves images: then channels-last memory is the faster layout, on CPU and GPU."""
    return any(isinstance(part, nn.Conv2d | nn.ConvTranspose2d) for part in module.modules())

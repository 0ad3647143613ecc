"""What every model family is: settings that build a network for images of one shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class ImageShape:
    """Shape of one image: C channels, H rows, W columns.

    Attributes:
        condition: Channels of a condition (a mask, say) that follow the image's own in what a network takes.
    """

    channels: int
    height: int
    width: int
    condition: int = 0

    @property
    def numel(self) -> int:
        """Numbers in one image, C * H * W."""
        return self.channels * self.height * self.width


class Model(Protocol):
    """One model family with its settings; registered in ``MODELS``.

    Only ``build`` is asked of a family; ``traits_of`` says what is assumed of one that declares nothing else:

    - ``task``: ``classification``, ``reconstruction`` (of the image itself) or ``translation`` (to another image).
    - ``roles``: the roles of the loss terms that its outputs serve. A role in it without a term is allowed, except
      classification, whose head would not be trained.
    - ``terms`` and ``term_weights``: the loss of a file that names none, role to component, and role to weight.
    - ``statistics``: (means, standard deviations) of the intensity that images are standardised with, one number a
      channel or one for all; None takes those of the training images.
    - ``features_key``: names what the features of a network of which only the head is ever trained are computed with
      (backbone, weights and the like); None where training or the seed changes them.

    And the network that it builds may have:

    - ``parameter_groups()``: list of (factor of the learning rate, parameters) that are ever trained; without it, all
      that require a gradient, with factor 1.
    - ``begin_epoch(epoch)``: called before the training of each epoch, from 1; what it sets follows from the epoch
      alone, so that a training can be continued in the middle.
    - ``features(images)``: (N, F) of standardised images, where nothing before the head is ever trained; ``forward``
      then takes such features, (N, F), in place of images. None or missing where something is.
    - ``decode(latent)``: images (N, C, H, W) of latents (N, D), of a network with a latent.
    - ``partitions``: sizes of the parts of its latent, which sum to D.
    """

    def build(self, image: ImageShape, n_classes: int) -> nn.Module:
        """Return a network for standardised images (N, C, H, W) with fresh weights from torch's default generator.

        The network returns logits (N, n_classes), or a mapping of named outputs:

        - ``logits``: (N, n_classes).
        - ``image``: (N, C, H, W), the intensity of the image that is made, about [0, 1].
        - ``latent``: (N, D), what a linear probe reads.
        - ``mean``, ``logvar``: (N, D), of the latent's normal distribution.

        Where ``image.condition`` is not 0, it takes (N, C + condition, H, W).
        """
        ...


@dataclass(frozen=True)
class Traits:
    """What a model family with its settings is, see ``Model``."""

    task: str
    roles: tuple[str, ...]
    statistics: tuple[tuple[float, ...], tuple[float, ...]] | None


def traits_of(model: Model) -> Traits:
    """Return what a family declares, and the defaults of a classifier for what it does not."""
    return Traits(
        task=getattr(model, "task", "classification"),
        roles=tuple(getattr(model, "roles", ("classification",))),
        statistics=getattr(model, "statistics", None),
    )


class StandardisedModel(nn.Module):
    """A network with the statistics of its training images: what is trained, saved and exported.

    Args:
        network: Takes images with mean 0 and standard deviation 1 in each channel.
        mean: (C,) means of the training images' intensity in [0, 1].
        std: (C,) standard deviations of the same; no zero.
    """

    network: Any  # an nn.Module that may have the further methods which Model names
    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean.reshape(1, -1, 1, 1).float())
        self.register_buffer("std", std.reshape(1, -1, 1, 1).float())

    def forward(self, images: Tensor) -> Tensor | Mapping[str, Tensor]:
        """Return the network's outputs for images (N, C, H, W): bytes, or floats in [0, 1]; or for features (N, F)."""
        outputs: Tensor | Mapping[str, Tensor] = self.network(
            images if images.ndim == 2 else self.standardised(images)
        )
        return outputs

    def standardised(self, images: Tensor) -> Tensor:
        """Return images (N, C, H, W), bytes or floats in [0, 1], as the network wants them."""
        if images.dtype == torch.uint8:
            # one pass out of the bytes and one in place: the affine is folded on C numbers, not on all pixels
            return (images * (1 / (255 * self.std))).sub_(self.mean / self.std)
        return (images - self.mean) / self.std


def named_outputs(outputs: Tensor | Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Return a network's outputs by name; a bare tensor is its logits."""
    return {"logits": outputs} if isinstance(outputs, Tensor) else outputs


def has_convolutions(module: nn.Module) -> bool:
    """Whether a network convolves images: then channels-last memory is the faster layout, on CPU and GPU."""
    return any(isinstance(part, nn.Conv2d | nn.ConvTranspose2d) for part in module.modules())

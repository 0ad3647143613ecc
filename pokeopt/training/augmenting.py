"""From the bytes of a batch to what a network is given and what it should make: divided, augmented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from pokeopt.losses.base import Batch, intensity

Augmentation = Any  # see pokeopt.data.augment: what it is called with depends on its kind


@dataclass(frozen=True)
class Layers:
    """How the channels of a stored image are divided.

    Attributes:
        image: Channels of the image itself.
        condition: Channels of the condition after it.
        target: Channels of the image to be made after that.
    """

    image: int
    condition: int = 0
    target: int = 0

    @property
    def given(self) -> int:
        """Channels that a network is given."""
        return self.image + self.condition


def kind_of(augmentation: Augmentation) -> str:
    """Return what an augmentation changes: ``geometry``, ``colour``, ``corruption`` or ``labels``."""
    return str(getattr(augmentation, "kind", "colour"))


def divided(stack: Tensor, labels: Tensor, layers: Layers, task: str) -> Batch:
    """Return a batch of stored images (N, C, H, W), bytes or floats in [0, 1]; or of features (N, F)."""
    if task == "classification":
        return Batch(stack, labels)
    if task == "reconstruction":
        return Batch(stack, labels, target=stack)
    return Batch(stack[:, : layers.given], labels, target=stack[:, layers.given :])


def augmented(
    batch: Batch,
    augmentations: Sequence[Augmentation],
    generator: torch.Generator,
    layers: Layers,
    task: str,
    n_classes: int,
) -> Batch:
    """Return a batch of stored images augmented and divided.

    What moves pixels moves the image, its condition and its target alike; what changes colours changes the image, and
    in a reconstruction what should be made, too; noise changes the image alone, and so comes last.

    Args:
        batch: Images as they are stored, bytes, and their labels.
        augmentations: In order.
        generator: Where their draws come from.
        layers: How the channels are divided.
        task: Of the network.
        n_classes: K.
    """
    stack, shares = intensity(batch.images), None
    corruptions = [augment for augment in augmentations if kind_of(augment) == "corruption"]
    for augment in (one for one in augmentations if one not in corruptions):
        kind = kind_of(augment)
        if kind == "labels":
            shares = functional.one_hot(batch.labels, n_classes).float() if shares is None else shares
            stack, shares = augment(stack, shares, generator)
        elif kind == "geometry" or stack.shape[1] == layers.image:
            stack = augment(stack, generator)
        else:
            stack = torch.cat([augment(stack[:, : layers.image], generator), stack[:, layers.image :]], dim=1)
    made = divided(stack, batch.labels, layers, task)
    images = made.images
    for corrupt in corruptions:
        images = torch.cat([corrupt(images[:, : layers.image], generator), images[:, layers.image :]], dim=1)
    return Batch(images, batch.labels, made.target, shares)

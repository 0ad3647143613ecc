"""The smallest networks that are still of their family, for laws that hold for all of them."""

from __future__ import annotations

from typing import Any

import torch

from pokeopt.losses.base import Batch, LossContext
from pokeopt.losses.combine import CombinedLoss, build_loss
from pokeopt.models.base import ImageShape, Model
from pokeopt.registry import MODELS
from pokeopt.spec.fitting import default_loss, task_of

SMALL: dict[str, dict[str, Any]] = {
    "mlp": {"depth": 1, "width": [16]},
    "cnn": {"depth": 2, "channels": [4, 8]},
    "transfer": {"backbone": "resnet18", "weights": "none", "trainable": [4]},
    "autoencoder": {"depth": 2, "channels": [8, 8], "bottleneck": 256},
    "pvae": {"partitions": [3, 2]},
    "unet": {"depth": 3, "base": 4},
}
FAMILIES = list(SMALL)
MAKING = [name for name in FAMILIES if task_of(name) != "classification"]


def small_model(name: str) -> Model:
    """Return a family with its small settings."""
    model: Model = MODELS.make({name: SMALL[name]})
    return model


def default_loss_of(name: str, n_classes: int) -> CombinedLoss:
    """Return the loss of a file that names none."""
    loss = default_loss({"family": name, **SMALL[name]})
    return build_loss(loss, LossContext(torch.ones(n_classes, dtype=torch.int64), n_classes))


def shape_for(name: str, channels: int = 3, height: int = 32, width: int = 32) -> ImageShape:
    """Return the shape of an image, with a condition where the family takes one."""
    return ImageShape(channels, height, width, 3 if task_of(name) == "translation" else 0)


def batch_for(name: str, n: int, shape: ImageShape, n_classes: int) -> Batch:
    """Return images in [0, 1], always the same, with labels and with a target where one is made."""
    generator = torch.Generator().manual_seed(0)
    given = shape.channels + shape.condition
    images = torch.rand(n, given, shape.height, shape.width, generator=generator)
    target = None if task_of(name) == "classification" else images[:, : shape.channels]
    return Batch(images, torch.arange(n) % n_classes, target)

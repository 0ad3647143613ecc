"""The multi-layer perceptron: every pixel is an input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from torch import nn

from pokeopt.models.base import ImageShape
from pokeopt.registry import MODELS, per_layer

Activation = Literal["relu", "gelu", "silu", "leaky_relu", "elu", "tanh", "sigmoid", "none"]

ACTIVATIONS: dict[Activation, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "none": nn.Identity,
}


@MODELS.register("mlp")
@dataclass(frozen=True)
class MLP:
    """Hidden layers (linear, batch norm, activation, dropout), then a linear head.

    Attributes:
        depth: Hidden layers.
        width: Units of each hidden layer.
        activation: Non-linearity of the hidden layers; ``none`` makes the whole network linear.
        dropout: Share of hidden units that are silenced in training, in [0, 1).
        batch_norm: Normalise each hidden unit over the batch.
    """

    depth: int = 2
    width: tuple[int, ...] = per_layer("depth", (256, 128))
    activation: Activation = "relu"
    dropout: float = 0.2
    batch_norm: bool = True

    def __post_init__(self) -> None:
        if self.depth < 0:
            raise ValueError(f"depth must be at least 0, got {self.depth}")
        if len(self.width) != self.depth:
            raise ValueError(f"width needs one value a layer: depth {self.depth}, width {list(self.width)}")
        if any(units < 1 for units in self.width):
            raise ValueError(f"width must be at least 1, got {list(self.width)}")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {self.activation!r}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")

    def build(self, image: ImageShape, n_classes: int) -> nn.Module:
        """Return a module from images (N, C, H, W) to logits (N, n_classes)."""
        layers: list[nn.Module] = [nn.Flatten()]
        for n_in, n_out in pairwise((image.numel, *self.width)):
            # batch norm subtracts the mean, so that a bias before it would never be trained
            layers.append(nn.Linear(n_in, n_out, bias=not self.batch_norm))
            if self.batch_norm:
                layers.append(nn.BatchNorm1d(n_out))
            layers += [ACTIVATIONS[self.activation](), nn.Dropout(self.dropout)]
        return nn.Sequential(*layers, nn.Linear((image.numel, *self.width)[-1], n_classes))

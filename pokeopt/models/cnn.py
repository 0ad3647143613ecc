"""The convolutional network: stages that look for patterns wherever they are, each at half the size of the last."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from pokeopt.models.base import ImageShape
from pokeopt.models.mlp import ACTIVATIONS, Activation
from pokeopt.registry import MODELS, per_layer

Head = Literal["flatten", "pool"]


@MODELS.register("cnn")
@dataclass(frozen=True)
class CNN:
    """Stages of convolution, batch norm, activation and 2 x 2 max pooling, then a linear head.

    A stage pools only while both sides of its maps are 2 px or more, so that images may be smaller than 2 ** depth px;
    what an odd side leaves over is cut.

    Source: document 001, task 2.

    Attributes:
        depth: Stages.
        channels: Feature maps of each stage.
        kernel: Side of the convolutions, odd.
        convs_per_stage: Convolutions of a stage, each with batch norm and activation.
        residual: Add a stage's input to the output of its convolutions, before the last activation; a 1 x 1 convolution
            fits its channels where they differ.
        head: ``flatten`` gives the head every pixel of the last maps, ``pool`` their means, so that it does not know
            where on the image something was.
        hidden: Units of a hidden layer in the head; 0 has none.
        dropout: Share of the numbers before the last layer that are silenced in training, in [0, 1).
        activation: Non-linearity of every layer but the last; ``none`` leaves max pooling as the only one.
        batch_norm: Normalise each feature map, and each hidden unit, over the batch.
    """

    depth: int = 4
    channels: tuple[int, ...] = per_layer("depth", (16, 32, 64, 128))
    kernel: int = 3
    convs_per_stage: int = 1
    residual: bool = False
    head: Head = "flatten"
    hidden: int = 0
    dropout: float = 0.0
    activation: Activation = "relu"
    batch_norm: bool = True

    def __post_init__(self) -> None:
        for name, low in (("depth", 0), ("convs_per_stage", 1), ("hidden", 0)):
            if getattr(self, name) < low:
                raise ValueError(f"{name} must be at least {low}, got {getattr(self, name)}")
        if len(self.channels) != self.depth:
            raise ValueError(
                f"channels needs one value a stage: depth {self.depth}, channels {list(self.channels)}"
            )
        if any(maps < 1 for maps in self.channels):
            raise ValueError(f"channels must be at least 1, got {list(self.channels)}")
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd and at least 1, got {self.kernel}")
        if self.head not in ("flatten", "pool"):
            raise ValueError(f"head must be flatten or pool, got {self.head!r}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {self.activation!r}")

    def build(self, image: ImageShape, n_classes: int) -> nn.Module:
        """Return a module from images (N, C, H, W) to logits (N, n_classes)."""
        height, width = image.height, image.width
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise((image.channels, *self.channels)):
            pools = min(height, width) >= 2
            # the largest of four is the same before a rising function as after it, which then has a quarter to do
            is_late = pools and self.activation in ("relu", "leaky_relu")
            activation = ACTIVATIONS[self.activation]()
            layers.append(self._stage(n_in, n_out, nn.Identity() if is_late else activation))
            if pools:
                layers.append(nn.Sequential(nn.MaxPool2d(2), activation) if is_late else nn.MaxPool2d(2))
                height, width = height // 2, width // 2
        if self.head == "pool":
            layers.append(nn.AdaptiveAvgPool2d(1))
            height = width = 1
        layers.append(nn.Flatten())
        n_units = (image.channels, *self.channels)[-1] * height * width
        if self.hidden:
            layers.append(nn.Linear(n_units, self.hidden, bias=not self.batch_norm))
            if self.batch_norm:
                layers.append(nn.BatchNorm1d(self.hidden))
            layers.append(ACTIVATIONS[self.activation]())
            n_units = self.hidden
        return nn.Sequential(*layers, nn.Dropout(self.dropout), nn.Linear(n_units, n_classes))

    def _stage(self, n_in: int, n_out: int, last: nn.Module) -> nn.Module:
        """Return a stage that ends with ``last``, from images (N, n_in, H, W) to maps (N, n_out, H, W)."""
        act = ACTIVATIONS[self.activation]
        convolutions = self._convolve(n_in, n_out, self.kernel)
        for _ in range(self.convs_per_stage - 1):
            convolutions += [act(), *self._convolve(n_out, n_out, self.kernel)]
        if not self.residual:
            return nn.Sequential(*convolutions, last)
        shortcut = self._convolve(n_in, n_out, 1) if n_in != n_out else []
        return Residual(nn.Sequential(*convolutions), nn.Sequential(*shortcut), last)

    def _convolve(self, n_in: int, n_out: int, kernel: int) -> list[nn.Module]:
        # batch norm subtracts the mean, so that a bias before it would never be trained
        convolution = nn.Conv2d(n_in, n_out, kernel, padding=kernel // 2, bias=not self.batch_norm)
        return [convolution, nn.BatchNorm2d(n_out)] if self.batch_norm else [convolution]


class Residual(nn.Module):
    """activation(branch(x) + shortcut(x)).

    Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
    """

    def __init__(self, branch: nn.Module, shortcut: nn.Module, activation: nn.Module) -> None:
        super().__init__()
        self.branch, self.shortcut, self.activation = branch, shortcut, activation

    def forward(self, images: Tensor) -> Tensor:
        """Return maps (N, n_out, H, W) of images (N, n_in, H, W)."""
        out: Tensor = self.activation(self.branch(images) + self.shortcut(images))
        return out

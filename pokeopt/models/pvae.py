"""The partition VAE: an autoencoder whose latent is made of parts that share nothing behind the encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from pokeopt.models.base import ImageShape
from pokeopt.models.blocks import Output, check_output, to_intensity
from pokeopt.models.latent import add_noise, check_noise, distribution, sample_normal
from pokeopt.models.mlp import ACTIVATIONS, Activation
from pokeopt.registry import MODELS, per_layer

Nets = Literal["separate", "tied", "frozen", "published"]
NETS: tuple[Nets, ...] = ("separate", "tied", "frozen", "published")


@MODELS.register("pvae")
@dataclass(frozen=True)
class PVAE:
    """A variational autoencoder with a mean net and a log-variance net of its own for each partition of its latent.

    Convolutions and one linear layer lead to the latent's units; the decoder makes a smaller image and enlarges it.
    Images enter as intensities in [0, 1]. In training the latent is sampled, in evaluation it is the mean.
    Log-variances are held in [-30, 20]. With ``partition_layers: 0`` it is a plain VAE.

    Source: Sheriff and Pai, "PVAE", sections 3 and 8. As published: ``activation: relu``, ``nets: published``,
    ``decoder_activation: none``, ``decoder_channels: [1]``, ``output: linear``.

    Attributes:
        depth: Convolutional layers of the encoder.
        channels: Channels of each of them.
        kernel: Side of their windows, and of the decoder's; odd. Each is followed by the activation and max-pooling,
            and is "valid", without padding, while that leaves 2 px a side; smaller maps are padded, those of 1 px not
            pooled.
        activation: Of all convolutions. With ``relu``, as published, the encoder's few maps may fall silent for good.
        partitions: Units of each part of the latent; their sum is D.
        partition_layers: Linear layers of each mean net and each log-variance net, as wide as the partition. 0: no such
            nets, one linear layer from the encoder to all means and one to all log-variances; ``partitions`` then
            only names units.
        partition_activation: Between those layers. ``none``, as published, makes each net one linear map.
        nets: ``separate`` nets for means and log-variances, as the paper's text has them. ``tied``: one net gives both,
            so that they are equal. ``frozen``: separate, but never trained. ``published``: tied and frozen, what the
            paper's code does by appending to both lists the same layers, and keeping them where no optimizer sees them.
        decoder_width: Units of the decoder's linear layers before the one that draws the small map, of C channels.
        decoder_activation: Between those layers.
        decoder_channels: Channels of the decoder's pairs of a transposed and a plain convolution.
        downsampling: Rows and columns of the image for each one that is decoded; enlarged by the nearest neighbour.
        output: ``sigmoid`` holds the image in (0, 1); ``linear`` does not.
        input_noise: Standard deviation of the noise on the images in training, in units of intensity.
    """

    task: ClassVar[str] = "reconstruction"
    roles: ClassVar[tuple[str, ...]] = ("reconstruction", "prior")
    terms: ClassVar[Mapping[str, str]] = {"reconstruction": "mse", "prior": "kl"}
    # the divergence is a sum over the latent, the squared error a mean over all numbers of the image: with pixels that
    # stray by s, the bound on the likelihood weighs the sum by 2 s^2 / (C * H * W), and s = 0.2 at 28x28 in gray
    term_weights: ClassVar[Mapping[str, float]] = {"prior": 1e-4}
    statistics: ClassVar[tuple[tuple[float, ...], tuple[float, ...]]] = ((0.0,), (1.0,))

    depth: int = 2
    channels: tuple[int, ...] = per_layer("depth", (32, 8))
    kernel: int = 5
    activation: Activation = "leaky_relu"
    partitions: tuple[int, ...] = (4, 3, 3)
    partition_layers: int = 2
    partition_activation: Activation = "none"
    nets: Nets = "separate"
    decoder_width: tuple[int, ...] = (100, 100)
    decoder_activation: Activation = "relu"
    decoder_channels: tuple[int, ...] = (8,)
    downsampling: int = 2
    output: Output = "sigmoid"
    input_noise: float = 0.01

    def __post_init__(self) -> None:
        if self.depth < 0:
            raise ValueError(f"depth must be at least 0, got {self.depth}")
        if len(self.channels) != self.depth:
            got = f"depth {self.depth}, channels {list(self.channels)}"
            raise ValueError(f"channels needs one value a layer: {got}")
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, got {self.kernel}")
        if not self.partitions:
            raise ValueError("partitions must name at least one, got []")
        for name in ("channels", "partitions", "decoder_width", "decoder_channels"):
            values = list(getattr(self, name))
            if any(value < 1 for value in values):
                raise ValueError(f"{name} must be at least 1, got {values}")
        if self.partition_layers < 0:
            raise ValueError(f"partition_layers must be at least 0, got {self.partition_layers}")
        for name in ("activation", "partition_activation", "decoder_activation"):
            if getattr(self, name) not in ACTIVATIONS:
                known = ", ".join(ACTIVATIONS)
                raise ValueError(f"{name} must be one of {known}, got {getattr(self, name)!r}")
        if self.nets not in NETS:
            raise ValueError(f"nets must be one of {', '.join(NETS)}, got {self.nets!r}")
        if self.downsampling < 1:
            raise ValueError(f"downsampling must be at least 1, got {self.downsampling}")
        check_output(self.output)
        check_noise(self.input_noise)

    def build(self, image: ImageShape, n_classes: int) -> nn.Module:  # noqa: ARG002 - the protocol's
        """Return a module from intensities (N, C, H, W) to ``image``, ``mean``, ``logvar`` and ``latent``."""
        return PVAENetwork(self, image)


class PVAENetwork(nn.Module):
    """What ``PVAE`` builds.

    Args:
        model: The settings.
        image: Shape of the images.

    Attributes:
        partitions: Units of each part of the latent.
        latent_size: D, their sum.
    """

    def __init__(self, model: PVAE, image: ImageShape) -> None:
        super().__init__()
        self.partitions, self.latent_size = model.partitions, sum(model.partitions)
        self.size, self.output, self.input_noise = (
            (image.height, image.width),
            model.output,
            model.input_noise,
        )
        convolutions, n_features = encoder_layers(model, image)
        self.encoder = nn.Sequential(*convolutions, nn.Flatten())
        if model.partition_layers > 0:
            self.encoder.append(nn.Linear(n_features, self.latent_size))
            self.inputs = model.partitions
        else:
            self.inputs = (n_features,)
        self.means = self._nets(model)
        self.logvars = None if model.nets in ("tied", "published") else self._nets(model)
        self.decoder = nn.Sequential(*decoder_layers(model, image))

    def forward(self, images: Tensor) -> Mapping[str, Tensor]:
        """Return the outputs for intensities (N, C, H, W); ``latent`` is the mean, (N, D)."""
        if self.training:
            images = add_noise(images, self.input_noise)
        parts = self.encoder(images).split(self.inputs, dim=1)
        mean = torch.cat([net(part) for net, part in zip(self.means, parts, strict=True)], dim=1)
        logvars = self.means if self.logvars is None else self.logvars
        logvar = torch.cat([net(part) for net, part in zip(logvars, parts, strict=True)], dim=1)
        mean, logvar = distribution(mean, logvar)
        latent = sample_normal(mean, logvar) if self.training else mean
        return {"image": self.decode(latent), "mean": mean, "logvar": logvar, "latent": mean}

    def decode(self, latent: Tensor) -> Tensor:
        """Return the images (N, C, H, W) of latents (N, D)."""
        small = to_intensity(self.decoder(latent), self.output)
        return functional.interpolate(small, size=self.size, mode="nearest-exact")

    def _nets(self, model: PVAE) -> nn.ModuleList:
        """Return a net for each partition; one linear layer for them all in a plain VAE."""
        if model.partition_layers == 0:
            return nn.ModuleList([nn.Linear(self.inputs[0], self.latent_size)])
        nets = nn.ModuleList()
        for units in model.partitions:
            net = nn.Sequential(nn.Linear(units, units))
            for _ in range(model.partition_layers - 1):
                net.extend([ACTIVATIONS[model.partition_activation](), nn.Linear(units, units)])
            nets.append(net)
        # part of the state, since they shape the outputs all the same
        return nets.requires_grad_(model.nets not in ("frozen", "published"))


def encoder_layers(model: PVAE, image: ImageShape) -> tuple[list[nn.Module], int]:
    """Return the encoder's convolutional layers and the numbers that come out of them."""
    layers: list[nn.Module] = []
    rows, columns, n_in = image.height, image.width, image.channels
    for n_out in model.channels:
        lost = model.kernel - 1
        if min(rows, columns) - lost < 2:
            lost = 0
        layers.append(nn.Conv2d(n_in, n_out, model.kernel, padding=0 if lost else model.kernel // 2))
        layers.append(ACTIVATIONS[model.activation]())
        rows, columns, n_in = rows - lost, columns - lost, n_out
        if min(rows, columns) > 1:
            layers.append(nn.MaxPool2d(2))
            rows, columns = rows // 2, columns // 2
    return layers, rows * columns * n_in


def decoder_layers(model: PVAE, image: ImageShape) -> list[nn.Module]:
    """Return the layers from latents (N, D) to small images (N, C, ceil(H / f), ceil(W / f))."""
    rows, columns = -(-image.height // model.downsampling), -(-image.width // model.downsampling)
    layers: list[nn.Module] = []
    n_in = sum(model.partitions)
    for units in model.decoder_width:
        layers += [nn.Linear(n_in, units), ACTIVATIONS[model.decoder_activation]()]
        n_in = units
    layers.append(nn.Linear(n_in, image.channels * rows * columns))
    layers.append(nn.Unflatten(1, (image.channels, rows, columns)))
    n_in = image.channels
    for n_out in model.decoder_channels:
        # the first grows each side by kernel - 1, the second takes it back
        layers += [nn.ConvTranspose2d(n_in, n_out, model.kernel), ACTIVATIONS[model.activation]()]
        layers += [nn.Conv2d(n_out, n_out, model.kernel), ACTIVATIONS[model.activation]()]
        n_in = n_out
    return [*layers, nn.Conv2d(n_in, image.channels, kernel_size=1)]

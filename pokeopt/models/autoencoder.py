"""The convolutional autoencoder: an image through a bottleneck and back, with a classifier on the bottleneck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from pokeopt.models.base import ImageShape
from pokeopt.models.blocks import ResidualBlock, conv_block, to_intensity
from pokeopt.models.latent import add_noise, check_noise, distribution, sample_normal
from pokeopt.registry import MODELS, per_layer

# The divergence is a sum over the latent, the squared error a mean over all numbers of the image. With pixels that
# stray by s, the bound on the likelihood weighs the sum by 2 s^2 / (C * H * W): here s = 0.25 at 64x64 in colour.
PRIOR_WEIGHT = 1e-5


@MODELS.register("autoencoder")
@dataclass(frozen=True)
class Autoencoder:
    """Strided convolutions to a bottleneck, transposed ones back to the image, and a classifier on the bottleneck.

    Images enter as intensities in [0, 1]. A side of n px becomes ceil(n / 2) in each stage, and the decoder pads its
    output so that every size comes back as it was.

    Source: NYU Shanghai autoencoder report, "Model Introduction"; from 128x128 pixels to 8192 numbers.

    Attributes:
        depth: Stages of the encoder (3x3 convolution with stride 2, batch norm, ReLU); the decoder has as many.
        channels: Channels of each stage.
        residual: Follow each stage of the deeper half by a residual block, in encoder and decoder.
        bottleneck: Numbers of the latent. It is a map of ceil(side / 2^depth) cells a side, with as many channels as
            come nearest to this size, at least 1: exact where the cells divide it, as 8192 at 128x128 (8x8x128).
        head: Classify by the average of the latent map and one linear layer.
        variational: Learn a mean and a log-variance for each number of the latent; what is decoded and classified is
            sampled in training, and the mean in evaluation. Log-variances are held in [-30, 20].
        input_noise: Standard deviation of the noise on the images in training, in units of intensity.
    """

    task: ClassVar[str] = "reconstruction"
    statistics: ClassVar[tuple[tuple[float, ...], tuple[float, ...]]] = ((0.0,), (1.0,))

    depth: int = 4
    channels: tuple[int, ...] = per_layer("depth", (32, 64, 128, 256))
    residual: bool = True
    bottleneck: int = 8192
    head: bool = True
    variational: bool = False
    input_noise: float = 0.0

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise ValueError(f"depth must be at least 1, got {self.depth}")
        if len(self.channels) != self.depth:
            got = f"depth {self.depth}, channels {list(self.channels)}"
            raise ValueError(f"channels needs one value a layer: {got}")
        if any(n_channels < 1 for n_channels in self.channels):
            raise ValueError(f"channels must be at least 1, got {list(self.channels)}")
        if self.bottleneck < 1:
            raise ValueError(f"bottleneck must be at least 1, got {self.bottleneck}")
        check_noise(self.input_noise)

    @property
    def terms(self) -> Mapping[str, str]:
        """The loss of a file that names none."""
        classification = {"classification": "cross_entropy"} if self.head else {}
        prior = {"prior": "kl"} if self.variational else {}
        return {"reconstruction": "mse", **classification, **prior}

    @property
    def term_weights(self) -> Mapping[str, float]:
        """The weights of a file that names no terms; why so small a one is said at ``PRIOR_WEIGHT``."""
        return {"prior": PRIOR_WEIGHT} if self.variational else {}

    @property
    def roles(self) -> tuple[str, ...]:
        """What its outputs serve: those of its terms."""
        return tuple(self.terms)

    def build(self, image: ImageShape, n_classes: int) -> nn.Module:
        """Return a module from intensities (N, C, H, W) to a mapping of outputs."""
        return AutoencoderNetwork(self, image, n_classes)


class AutoencoderNetwork(nn.Module):
    """What ``Autoencoder`` builds.

    Args:
        model: The settings.
        image: Shape of the images.
        n_classes: K.

    Attributes:
        latent_shape: (channels, rows, columns) of the latent map.
        latent_size: D, the numbers in it.
    """

    def __init__(self, model: Autoencoder, image: ImageShape, n_classes: int) -> None:
        super().__init__()
        self.input_noise = model.input_noise
        sizes = [(image.height, image.width)]
        for _ in range(model.depth):
            sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
        rows, columns = sizes[-1]
        n_latent = max(1, round(model.bottleneck / (rows * columns)))
        self.latent_shape = (n_latent, rows, columns)
        self.latent_size = n_latent * rows * columns

        widths = (image.channels, *model.channels)
        down: list[nn.Module] = []
        up: list[nn.Module] = [conv_1x1_block(n_latent, widths[-1])]
        for stage in range(model.depth):
            down.append(conv_block(widths[stage], widths[stage + 1], stride=2))
            if model.residual and stage >= model.depth // 2:
                down.append(ResidualBlock(widths[stage + 1]))
        for stage in reversed(range(model.depth)):
            if model.residual and stage >= model.depth // 2:
                up.append(ResidualBlock(widths[stage + 1]))
            up += transposed_block(widths[stage + 1], widths[stage], sizes[stage], is_last=stage == 0)
        self.encoder, self.decoder = nn.Sequential(*down), nn.Sequential(*up)
        # for the decoder alone it would never be trained: its batch norm subtracts the mean
        has_bias = model.head or model.variational
        self.mean = nn.Conv2d(widths[-1], n_latent, kernel_size=1, bias=has_bias)
        self.logvar = nn.Conv2d(widths[-1], n_latent, kernel_size=1) if model.variational else None
        self.head = nn.Linear(n_latent, n_classes) if model.head else None

    def forward(self, images: Tensor) -> Mapping[str, Tensor]:
        """Return the outputs for intensities (N, C, H, W); ``latent`` is what was decoded, (N, D)."""
        if self.training:
            images = add_noise(images, self.input_noise)
        maps = self.encoder(images)
        latent = self.mean(maps).float()
        outputs = {}
        if self.logvar is not None:
            mean, logvar = distribution(latent, self.logvar(maps))
            outputs = {"mean": mean.flatten(1), "logvar": logvar.flatten(1)}
            latent = sample_normal(mean, logvar) if self.training else mean
        outputs |= {"image": to_intensity(self.decoder(latent), "sigmoid"), "latent": latent.flatten(1)}
        if self.head is not None:
            outputs["logits"] = self.head(latent.mean((2, 3)))
        return outputs

    def decode(self, latent: Tensor) -> Tensor:
        """Return the images (N, C, H, W) of latents (N, D)."""
        return to_intensity(self.decoder(latent.reshape(-1, *self.latent_shape)), "sigmoid")


def conv_1x1_block(n_in: int, n_out: int) -> nn.Sequential:
    """Return a 1x1 convolution, batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, kernel_size=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)
    )


def transposed_block(n_in: int, n_out: int, size: tuple[int, int], *, is_last: bool) -> list[nn.Module]:
    """Return a transposed convolution from half a size (rounded up) to the size, with batch norm and ReLU but at last.

    Args:
        n_in: Channels that come in.
        n_out: Channels that go out.
        size: (H, W) that go out.
        is_last: Whether its output is the image itself.
    """
    # n cells become 2n - 1 without padding of the output, 2n with it
    padding = (1 - size[0] % 2, 1 - size[1] % 2)
    convolution = nn.ConvTranspose2d(
        n_in, n_out, kernel_size=3, stride=2, padding=1, output_padding=padding, bias=is_last
    )
    return [convolution] if is_last else [convolution, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]

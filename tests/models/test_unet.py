"""The UNet's own settings."""

from typing import Any

import pytest
import torch
from torch import nn

from pokeopt.errors import ShapeError, SpecError
from pokeopt.models.base import ImageShape
from pokeopt.models.unet import UNet, UNetNetwork
from pokeopt.registry import MODELS

PAIRS = ImageShape(3, 24, 24, condition=3)
SMALL: dict[str, Any] = {"depth": 3, "base": 4, "max_channels": 16}


def build(shape: ImageShape = PAIRS, **settings: Any) -> UNetNetwork:
    torch.manual_seed(0)
    network = UNet(**{**SMALL, **settings}).build(shape, 1)
    assert isinstance(network, UNetNetwork)
    return network


def first_convolution(network: nn.Module) -> nn.Conv2d:
    return next(part for part in network.modules() if isinstance(part, nn.Conv2d))


@pytest.mark.parametrize(
    ("channels", "condition", "mask_channels", "expected"),
    [
        (3, 3, 3, 6),
        (3, 3, 1, 4),
        (3, 0, 3, 3),
        (3, 0, 1, 3),
        (1, 3, 3, 4),
        (4, 3, 1, 5),
        (3, 1, 3, 4),
        (3, 1, 1, 4),
    ],
)
def test_the_input_is_image_and_mask(
    channels: int, condition: int, mask_channels: int, expected: int
) -> None:
    """6 channels for RGB and RGB; a mask reduced to one adds one, and no mask none."""
    shape = ImageShape(channels, 24, 24, condition)
    network = build(shape, mask_channels=mask_channels).eval()
    assert first_convolution(network).in_channels == expected
    outputs = network(torch.rand(1, channels + condition, 24, 24))
    assert set(outputs) == {"image"}
    assert outputs["image"].shape == (1, channels, 24, 24)


def test_a_condition_that_is_no_mask_is_refused() -> None:
    with pytest.raises(ShapeError, match="2 channels"):
        build(ImageShape(3, 24, 24, condition=2))


def seen_mask(code: str, mask: torch.Tensor) -> torch.Tensor:
    """Return what the first convolution sees of an RGB mask (3, H, W) in one channel."""
    network = build(mask_channels=1, mask_code=code).eval()
    seen: list[torch.Tensor] = []
    first_convolution(network).register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    network(torch.cat([torch.full((3, 24, 24), 0.5), mask])[None])
    assert torch.equal(seen[0][0, :3], torch.full((3, 24, 24), 0.5))
    return seen[0][0, 3]


def test_one_channel_says_brightness_or_presence() -> None:
    """Luma tells colours apart, binary only where there is one."""
    mask = torch.zeros(3, 24, 24)
    mask[0, :8], mask[2, 8:16] = 1.0, 1.0  # red, blue, nothing
    luma, binary = seen_mask("luma", mask), seen_mask("binary", mask)
    assert luma[0, 0] == pytest.approx(0.299)
    assert luma[8, 0] == pytest.approx(0.114)
    assert binary[0, 0] == binary[8, 0] == 1
    assert luma[16, 0] == binary[16, 0] == 0


def test_the_mask_decides_the_image() -> None:
    """A network that was given another mask makes another image."""
    network = build().eval()
    images = torch.rand(1, 6, 24, 24)
    other = torch.cat([images[:, :3], 1 - images[:, 3:]], dim=1)
    assert not torch.equal(network(images)["image"], network(other)["image"])


def test_skips_carry_what_the_bottleneck_cannot() -> None:
    """Without them the way up has fewer parameters, and a dead bottleneck ends the image."""
    with_skips, without = build(), build(skips=False)
    n_params = [sum(p.numel() for p in network.parameters()) for network in (with_skips, without)]
    assert n_params[0] > n_params[1]
    images = torch.rand(1, 6, 24, 24), torch.rand(1, 6, 24, 24)
    for network, differs in ((with_skips, True), (without, False)):
        network.bottleneck.register_forward_hook(lambda *seen: torch.zeros_like(seen[-1]))
        made = [network.eval()(one)["image"] for one in images]
        assert torch.equal(made[0], made[1]) != differs


@pytest.mark.parametrize("depth", [1, 3, 4, 5])
def test_channels_double_down_to_the_bottleneck_and_come_back(depth: int) -> None:
    """Up to max_channels."""
    with torch.device("meta"):
        network = build(ImageShape(3, 64, 64, 3), depth=depth, base=8, max_channels=64)
    expected = [min(8 * 2**level, 64) for level in range(depth + 1)]
    down = [first_convolution(level).out_channels for level in (*network.down, network.bottleneck)]
    up = [first_convolution(level).out_channels for level in network.up]
    assert down == expected
    assert up == expected[-2::-1]


@pytest.mark.parametrize("size", [(24, 24), (45, 31), (33, 47), (3, 50)], ids=str)
def test_the_frame_is_cut_off_where_it_was_put_on(size: tuple[int, int]) -> None:
    """A network whose convolutions copy their input returns the image, not a neighbour's pixels."""
    network = build(ImageShape(3, *size), output="linear").eval()
    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.dirac_(part.weight)
    nn.init.zeros_(network.last.bias)  # type: ignore[arg-type]
    images = torch.rand(2, 3, *size)
    torch.testing.assert_close(network(images)["image"], images, rtol=0, atol=1e-4)


def test_outputs() -> None:
    """A sigmoid stays between 0 and 1, however large the numbers; a linear output does not."""
    images = torch.rand(2, 6, 24, 24)
    for output, bounded in (("sigmoid", True), ("linear", False)):
        network = build(output=output).eval()
        nn.init.constant_(network.last.weight, 50.0)
        made = network(images)["image"]
        assert bool(((made >= 0) & (made <= 1)).all()) == bounded


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"depth": 0}, "depth"),
        ({"base": 0}, "base"),
        ({"max_channels": 16}, "max_channels"),
        ({"output": "softmax"}, "output"),
        ({"mask_channels": 2}, "mask_channels"),
        ({"mask_code": "gray"}, "mask_code"),
    ],
)
def test_impossible_settings_are_named(settings: dict[str, Any], named: str) -> None:
    """Each is one SpecError that begins with the setting's name."""
    with pytest.raises(SpecError) as caught:
        MODELS.make({"unet": settings})
    assert caught.value.what.split(" ")[0] == named

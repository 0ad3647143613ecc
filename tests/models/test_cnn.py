"""The CNN's own settings."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from pokeopt.errors import SpecError
from pokeopt.models.base import ImageShape
from pokeopt.models.cnn import CNN
from pokeopt.models.mlp import ACTIVATIONS, Activation
from pokeopt.registry import MODELS

SHAPE = ImageShape(3, 16, 16)
VARIANTS: list[dict[str, Any]] = [
    {},
    {"depth": 2, "channels": (4, 8)},
    {"depth": 2, "channels": (4, 4), "convs_per_stage": 2, "residual": True},
    {"depth": 1, "channels": (4,), "residual": True, "batch_norm": False, "activation": "gelu"},
    {"depth": 2, "channels": (4, 8), "head": "pool", "hidden": 6, "dropout": 0.3, "kernel": 5},
    {"depth": 0, "channels": (), "hidden": 5},
]


def images(n: int, shape: ImageShape = SHAPE) -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    return torch.rand(n, shape.channels, shape.height, shape.width, generator=draw)


def n_params(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_layers_follow_the_settings() -> None:
    """Two stages on 16 x 16: 3x3 convolutions without bias, batch norm, and a head on 8 maps of 4 x 4."""
    model = CNN(depth=2, channels=(4, 8)).build(SHAPE, 5)
    stages = (3 * 4 * 9 + 2 * 4) + (4 * 8 * 9 + 2 * 8)
    assert n_params(model) == stages + (8 * 4 * 4 * 5 + 5)


def test_a_pooled_head_does_not_grow_with_the_image() -> None:
    spec = CNN(depth=2, channels=(4, 8), head="pool")
    sizes = {n_params(spec.build(ImageShape(3, side, side), 5)) for side in (16, 32)}
    assert sizes == {3 * 4 * 9 + 8 + 4 * 8 * 9 + 16 + 8 * 5 + 5}


def test_a_residual_stage_projects_only_where_channels_change() -> None:
    """3 -> 4 needs a 1x1 convolution with its batch norm, 4 -> 4 does not."""
    plain = CNN(depth=2, channels=(4, 4)).build(SHAPE, 5)
    residual = CNN(depth=2, channels=(4, 4), residual=True).build(SHAPE, 5)
    assert n_params(residual) - n_params(plain) == 3 * 4 + 2 * 4


def test_a_residual_stage_adds_its_input() -> None:
    """With a branch of zeros, a stage without a change of channels is activation and pooling alone."""
    model = CNN(depth=1, channels=(3,), residual=True, batch_norm=False).build(SHAPE, 5)
    assert isinstance(model, nn.Sequential)
    stage, x = model[:2], images(2) - 0.5
    for parameter in stage.parameters():
        nn.init.zeros_(parameter)
    torch.testing.assert_close(stage(x), functional.max_pool2d(x.relu(), 2))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_and_pooling_come_to_the_same_in_either_order(activation: Activation) -> None:
    """Where pooling comes first, to save work, values and gradients are those of the documents' order."""
    model = CNN(depth=1, channels=(4,), activation=activation).build(SHAPE, 5)
    assert isinstance(model, nn.Sequential)
    stage = model[0]
    assert isinstance(stage, nn.Sequential)
    normalised = stage[:2](images(4))
    found, wanted = normalised.detach().requires_grad_(), normalised.detach().requires_grad_()
    act = ACTIVATIONS[activation]()
    ours, plain = model[1](stage[2:](found)), functional.max_pool2d(act(wanted), 2)
    assert torch.equal(ours, plain)
    weights = torch.linspace(-1, 1, ours.numel()).reshape(ours.shape)
    gradients = [
        torch.autograd.grad((out * weights).sum(), at)[0] for out, at in ((ours, found), (plain, wanted))
    ]
    assert torch.equal(*gradients)


@pytest.mark.parametrize("settings", VARIANTS)
@pytest.mark.parametrize("shape", [SHAPE, ImageShape(1, 17, 9), ImageShape(4, 3, 5), ImageShape(3, 1, 1)])
def test_any_size_and_number_of_channels(settings: dict[str, Any], shape: ImageShape) -> None:
    """Maps are pooled only while they can be, down to an image of one pixel."""
    model = CNN(**settings).build(shape, 5)
    assert model.train()(images(4, shape)).shape == (4, 5)
    assert model.eval()(images(1, shape)).shape == (1, 5)


@pytest.mark.parametrize("settings", VARIANTS)
def test_the_gradient_reaches_every_parameter(settings: dict[str, Any]) -> None:
    """A parameter without a gradient is dead weight; a bias before batch norm is one."""
    torch.manual_seed(0)
    model = CNN(**settings).build(SHAPE, 5).train()
    model(images(16)).square().sum().backward()
    dead = [key for key, p in model.named_parameters() if p.grad is None or float(p.grad.abs().max()) < 1e-6]
    assert dead == []


def test_a_pooled_head_does_not_see_where_something_is() -> None:
    """An image rolled by a multiple of the pooling gives the same maps, elsewhere; only their border differs."""
    torch.manual_seed(0)
    model = CNN(depth=1, channels=(4,), head="pool", batch_norm=False).build(SHAPE, 5).eval()
    spot = torch.zeros(1, 3, 16, 16)
    spot[..., 4:7, 4:7] = 1.0
    torch.testing.assert_close(model(spot.roll((4, 4), (2, 3))), model(spot))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"depth": 3}, "channels"),
        ({"depth": -1}, "depth"),
        ({"channels": [16, 32, 64, 0]}, "channels"),
        ({"kernel": 4}, "kernel"),
        ({"convs_per_stage": 0}, "convs_per_stage"),
        ({"hidden": -1}, "hidden"),
        ({"head": "attention"}, "head"),
        ({"dropout": 1.0}, "dropout"),
        ({"activation": "rellu"}, "activation"),
    ],
)
def test_impossible_settings_are_named(settings: dict[str, Any], named: str) -> None:
    """Each is one SpecError that begins with the setting."""
    with pytest.raises(SpecError) as error:
        MODELS.make({"cnn": settings})
    assert error.value.what.startswith(named)

"""The MLP's own settings."""

from typing import Any

import pytest
import torch

from pokeopt.errors import SpecError
from pokeopt.models.base import ImageShape
from pokeopt.models.mlp import MLP
from pokeopt.registry import MODELS

SHAPE = ImageShape(3, 8, 8)


def test_layers_follow_the_settings() -> None:
    """192-16-8-5 without batch norm has these weights and biases."""
    model = MLP(depth=2, width=(16, 8), batch_norm=False).build(SHAPE, 5)
    assert sum(p.numel() for p in model.parameters()) == (192 * 16 + 16) + (16 * 8 + 8) + (8 * 5 + 5)


def test_no_hidden_layer_is_a_linear_classifier() -> None:
    """Depth 0 leaves the head alone."""
    model = MLP(depth=0, width=()).build(SHAPE, 5)
    assert sum(p.numel() for p in model.parameters()) == 192 * 5 + 5


def test_without_activation_the_network_is_linear() -> None:
    """f(a) + f(b) = f(a + b) + f(0)."""
    model = MLP(activation="none", batch_norm=False).build(SHAPE, 5).eval()
    a, b = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(model(a) + model(b), model(a + b) + model(torch.zeros_like(a)))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"depth": 3}, "width"),
        ({"depth": -1}, "depth"),
        ({"width": [256, 0]}, "width"),
        ({"dropout": 1.0}, "dropout"),
        ({"activation": "rellu"}, "activation"),
        ({"widht": [1]}, "widht"),
    ],
)
def test_impossible_settings_are_named(settings: dict[str, Any], named: str) -> None:
    """Each is one SpecError that names the setting."""
    with pytest.raises(SpecError, match=named):
        MODELS.make({"mlp": settings})

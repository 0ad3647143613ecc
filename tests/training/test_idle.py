"""Layers in a plain list are seen; so is a cut graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pokeopt.training.idle import unregistered, without_gradient


class Hidden(nn.Module):
    """Two layers, the second in a plain list, as the PVAE's published code keeps its partitions."""

    def __init__(self, kind: type) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.rest = kind([nn.Linear(3, 2)])

    def forward(self, x: Tensor) -> Tensor:
        return sum((layer(self.first(x)) for layer in self.rest), torch.zeros(()))


def test_a_plain_list_hides_its_layers() -> None:
    for kind in (list, tuple):
        hidden = Hidden(kind)
        assert unregistered(hidden, list(hidden.parameters())) == ["rest.0.weight", "rest.0.bias"]
    sound = Hidden(nn.ModuleList)
    assert unregistered(sound, list(sound.parameters())) == []


def test_what_the_optimizer_was_not_given_is_found_and_what_is_frozen_is_not() -> None:
    module = Hidden(nn.ModuleList)
    assert unregistered(module, list(module.first.parameters())) == ["rest.0.weight", "rest.0.bias"]
    module.rest.requires_grad_(False)
    assert unregistered(module, list(module.first.parameters())) == []


def test_a_cut_graph_leaves_no_gradient() -> None:
    module = Hidden(nn.ModuleList)
    known = list(module.parameters())
    assert without_gradient(module, known) == [], "before the first batch nobody knows"
    module(torch.ones(4, 3)).square().sum().backward()
    assert without_gradient(module, known) == []
    module.zero_grad()
    sum(layer(module.first(torch.ones(4, 3)).detach()) for layer in module.rest).square().sum().backward()
    assert without_gradient(module, known) == ["first.weight", "first.bias"]


def test_a_gradient_of_zero_is_none() -> None:
    module = Hidden(nn.ModuleList)
    (0 * module(torch.ones(4, 3)).sum()).backward()
    assert len(without_gradient(module, list(module.parameters()))) == 4


def test_a_layer_that_waits_for_its_turn_is_not_named() -> None:
    """Gradual unfreezing gives the optimizer every layer from the start."""
    module = Hidden(nn.ModuleList)
    module.first.requires_grad_(False)
    module(torch.ones(4, 3)).square().sum().backward()
    assert without_gradient(module, list(module.parameters())) == []

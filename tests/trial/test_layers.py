"""The layers of a network: all of its parameters and operations are in them, each once."""

from __future__ import annotations

import pytest

from pokeopt.models.base import ImageShape, traits_of
from pokeopt.registry import MODELS
from pokeopt.trial.measure import measure_layers, measure_model

FAMILIES = [name for name in MODELS.names() if name != "transfer"]  # it may ask for a download


@pytest.mark.parametrize("name", FAMILIES)
def test_the_layers_hold_the_whole_network(name: str) -> None:
    model = MODELS.get(name)()
    image = ImageShape(3, 32, 32, 3 if traits_of(model).task == "translation" else 0)
    network = model.build(image, n_classes=9)
    for weights in list(network.parameters())[:1]:
        weights.requires_grad_(False)
    layers, size = measure_layers(network, image), measure_model(network, image)
    assert sum(layer["n_params"] for layer in layers) == size.n_params
    assert sum(layer["flops"] for layer in layers) == size.flops
    assert len({layer["name"] for layer in layers}) == len(layers)
    first = next(layer for layer in layers if layer["n_params"])
    assert first["n_trained"] < first["n_params"]
    assert not network._forward_hooks

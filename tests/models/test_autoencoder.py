"""The autoencoder's own settings."""

from typing import Any

import pytest
import torch
from torch import nn

from pokeopt.errors import SpecError
from pokeopt.models.autoencoder import Autoencoder, AutoencoderNetwork
from pokeopt.models.base import ImageShape
from pokeopt.models.blocks import ResidualBlock
from pokeopt.registry import MODELS

SHAPE = ImageShape(3, 32, 32)
SMALL: dict[str, Any] = {"depth": 3, "channels": (4, 8, 8), "bottleneck": 64}


def meta(model: Autoencoder, shape: ImageShape, n_classes: int = 170) -> AutoencoderNetwork:
    with torch.device("meta"):
        network = model.build(shape, n_classes)
    assert isinstance(network, AutoencoderNetwork)
    return network


def build(**settings: Any) -> AutoencoderNetwork:
    torch.manual_seed(0)
    network = Autoencoder(**settings).build(SHAPE, 5)
    assert isinstance(network, AutoencoderNetwork)
    return network


def test_the_document_has_8192_numbers_between_image_and_image() -> None:
    """128x128 pixels, 4 stages: 8x8 cells of 128 channels, and 170 classes read off their average."""
    network = meta(Autoencoder(), ImageShape(3, 128, 128))
    assert network.latent_shape == (128, 8, 8)
    assert network.latent_size == 8192
    outputs = network.eval()(torch.zeros(1, 3, 128, 128, device="meta"))
    assert outputs["latent"].shape == (1, 8192)
    assert outputs["logits"].shape == (1, 170)
    assert network.head is not None
    assert network.head.in_features == 128


@pytest.mark.parametrize(
    ("bottleneck", "size", "expected"),
    [
        (2048, (64, 64), (128, 4, 4)),
        (100, (64, 64), (6, 4, 4)),
        (1, (64, 64), (1, 4, 4)),
        (60, (33, 47), (7, 3, 3)),
    ],
)
def test_the_bottleneck_is_as_near_as_whole_channels_come(
    bottleneck: int, size: tuple[int, int], expected: tuple[int, int, int]
) -> None:
    """Exact where the cells divide it, at least one channel, and the size that is said is the one that is."""
    network = meta(Autoencoder(bottleneck=bottleneck), ImageShape(3, *size))
    assert network.latent_shape == expected
    outputs = network.eval()(torch.zeros(1, 3, *size, device="meta"))
    assert outputs["latent"].shape == (1, network.latent_size)


@pytest.mark.parametrize(("depth", "expected"), [(1, 1), (2, 1), (3, 2), (4, 2)])
def test_residual_blocks_stand_in_the_deeper_half(depth: int, expected: int) -> None:
    """In the encoder as in the decoder; without them nothing else changes."""
    channels = (4, 8, 12, 16)[:depth]
    network = meta(Autoencoder(depth=depth, channels=channels), ImageShape(3, 64, 64))
    for half in (network.encoder, network.decoder):
        blocks = [part for part in half if isinstance(part, ResidualBlock)]
        assert len(blocks) == expected
    without = meta(Autoencoder(depth=depth, channels=channels, residual=False), ImageShape(3, 64, 64))
    assert len(without.encoder) == len(network.encoder) - expected
    assert len(without.decoder) == len(network.decoder) - expected


def test_the_roles_follow_the_settings() -> None:
    """A role that the outputs do not serve has no term; the prior's is small against the sum that it is."""
    assert Autoencoder().terms == {"reconstruction": "mse", "classification": "cross_entropy"}
    assert Autoencoder(head=False).roles == ("reconstruction",)
    assert Autoencoder(head=False, variational=True).terms == {"reconstruction": "mse", "prior": "kl"}
    assert Autoencoder(variational=True).roles == ("reconstruction", "classification", "prior")
    assert dict(Autoencoder().term_weights) == {}
    assert 0 < Autoencoder(variational=True).term_weights["prior"] < 1e-3


def test_the_head_reads_the_average_of_the_latent_map() -> None:
    """Global average pooling, then one linear layer: the probe's latent is all that the head knows."""
    network = build(**SMALL).eval()
    outputs = network(torch.rand(2, 3, 32, 32))
    pooled = outputs["latent"].reshape(2, *network.latent_shape).mean((2, 3))
    assert network.head is not None
    torch.testing.assert_close(network.head(pooled), outputs["logits"])


def test_what_is_decoded_in_training_has_the_distribution_that_is_said() -> None:
    """Mean and log-variance of many draws are those of the outputs."""
    network = build(**SMALL, variational=True)
    assert network.logvar is not None
    assert network.logvar.bias is not None
    nn.init.constant_(network.logvar.bias, -2.0)
    images = torch.rand(1, 3, 32, 32).expand(300, -1, -1, -1)
    outputs = network.train()(images)
    z = (outputs["latent"] - outputs["mean"]) / torch.exp(outputs["logvar"] / 2)
    assert float(z.detach().mean()) == pytest.approx(0, abs=0.02)
    assert float(z.detach().std()) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"depth": 0, "channels": []}, "depth"),
        ({"depth": 2}, "channels"),
        ({"channels": [8, 8, 8, 0]}, "channels"),
        ({"bottleneck": 0}, "bottleneck"),
        ({"input_noise": -0.1}, "input_noise"),
        ({"chanels": [1]}, "chanels"),
    ],
)
def test_impossible_settings_are_named(settings: dict[str, Any], named: str) -> None:
    """Each is one SpecError that begins with the setting's name."""
    with pytest.raises(SpecError) as caught:
        MODELS.make({"autoencoder": settings})
    assert named in caught.value.what.split(" ")[0] or f"'{named}'" in caught.value.what

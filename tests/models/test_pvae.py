"""The partition VAE's own settings."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pokeopt.errors import SpecError
from pokeopt.models.base import ImageShape
from pokeopt.models.pvae import PVAE, PVAENetwork, encoder_layers
from pokeopt.registry import MODELS

GRAY = ImageShape(1, 28, 28)


def build(shape: ImageShape = GRAY, **settings: Any) -> PVAENetwork:
    torch.manual_seed(0)
    network = PVAE(**settings).build(shape, 10)
    assert isinstance(network, PVAENetwork)
    return network


def images(n: int = 2, seed: int = 0) -> Tensor:
    return torch.rand(n, 1, 28, 28, generator=torch.Generator().manual_seed(seed))


def test_the_document_has_the_layers_that_it_says() -> None:
    """28x28: valid 5x5 windows and pooling leave 4x4 maps of 8 channels; as published, the rest is this."""
    settings: dict[str, Any] = {"activation": "relu", "decoder_activation": "none", "output": "linear"}
    network = build(nets="published", decoder_channels=(1,), **settings)
    encoder = (25 * 32 + 32) + (25 * 32 * 8 + 8) + (128 * 10 + 10)
    partitions = 2 * (4 * 4 + 4) + 2 * 2 * (3 * 3 + 3)
    decoder = (10 * 100 + 100) + (100 * 100 + 100) + (100 * 196 + 196) + 2 * (25 + 1) + (1 + 1)
    assert sum(p.numel() for p in network.parameters()) == encoder + partitions + decoder
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    assert trained == encoder + decoder


@pytest.mark.parametrize("partitions", [(4, 3, 3), (10,), (1,) * 10, (5, 5, 4, 3, 2, 1)], ids=str)
@pytest.mark.parametrize("partition_layers", [0, 1, 2, 3])
def test_partitions_sum_to_the_latent(partitions: tuple[int, ...], partition_layers: int) -> None:
    """Whatever they are."""
    network = build(partitions=partitions, partition_layers=partition_layers).eval()
    assert network.partitions == partitions
    assert network.latent_size == sum(partitions)
    outputs = network(images())
    assert outputs["latent"].shape == outputs["mean"].shape == outputs["logvar"].shape == (2, sum(partitions))


@pytest.mark.parametrize("nets", ["separate", "tied", "frozen", "published"])
def test_partitions_share_nothing_behind_the_encoder(nets: str) -> None:
    """A unit of the encoder's last layer moves means and log-variances of its own partition alone."""
    network = build(partitions=(4, 3, 3), nets=nets).eval()
    last = list(network.encoder)[-1]
    assert isinstance(last, nn.Linear)
    before = network(images())
    with torch.no_grad():
        last.bias[4] += 1.0  # the first unit of the second partition
    after = network(images())
    for name in ("mean", "logvar"):
        moved = (after[name] - before[name]).abs().sum(0) > 1e-6
        assert moved.tolist() == [False] * 4 + [True] * 3 + [False] * 3


@pytest.mark.parametrize("partition_layers", [0, 1, 2])
def test_tied_nets_make_mean_and_log_variance_equal(partition_layers: int) -> None:
    """As the published code does; separate nets do not, and have as many weights again."""
    size = {}
    for nets, equal in (("separate", False), ("tied", True), ("frozen", False), ("published", True)):
        network = build(nets=nets, partition_layers=partition_layers).eval()
        outputs = network(images())
        assert torch.equal(outputs["mean"], outputs["logvar"]) == equal
        size[nets] = sum(p.numel() for p in network.parameters())
    assert size["separate"] == size["frozen"] > size["tied"] == size["published"]


@pytest.mark.parametrize("nets", ["separate", "tied", "frozen", "published"])
def test_frozen_nets_stay_as_they_were_built(nets: str) -> None:
    """A step of training moves the rest; the state holds them all the same."""
    network = build(nets=nets).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=1.0)
    outputs = network(images(8))
    sum(value.square().sum() for value in outputs.values()).backward()
    optimizer.step()
    after = network.state_dict()
    in_nets = [key for key in after if key.startswith(("means", "logvars"))]
    assert in_nets
    moved = [not torch.equal(before[key], after[key]) for key in in_nets]
    assert all(moved) if nets in ("separate", "tied") else not any(moved)
    assert not torch.equal(before["decoder.0.weight"], after["decoder.0.weight"])


def test_without_nets_it_is_a_plain_vae() -> None:
    """One linear layer to all means and one to all log-variances; the partitions are names."""
    plain = [build(partitions=p, partition_layers=0) for p in ((10,), (4, 3, 3))]
    assert list(plain[0].state_dict()) == list(plain[1].state_dict())
    torch.testing.assert_close(plain[0].eval()(images()), plain[1].eval()(images()))
    assert sum(p.numel() for net in plain[0].means for p in net.parameters()) == 128 * 10 + 10


def test_a_net_without_activation_is_one_linear_map() -> None:
    """f(a) + f(b) = f(a + b) + f(0); with an activation it is not."""
    a, b = torch.randn(5, 4), torch.randn(5, 4)
    for activation, linear in (("none", True), ("tanh", False)):
        net = build(partition_layers=3, partition_activation=activation).means[0]
        left, right = net(a) + net(b), net(a + b) + net(torch.zeros_like(a))
        assert torch.allclose(left, right, atol=1e-5) == linear


@pytest.mark.parametrize(("downsampling", "cells"), [(1, 28), (2, 14), (3, 10), (40, 1)])
def test_the_image_is_decoded_small_and_enlarged(downsampling: int, cells: int) -> None:
    """Neighbours of one cell have one intensity."""
    network = build(downsampling=downsampling).eval()
    made = network(images(1))["image"][0, 0]
    assert made.shape == (28, 28)
    rows = (torch.arange(28) + 0.5).mul(cells / 28).long()
    firsts = torch.tensor([int((rows == row).nonzero()[0]) for row in range(cells)])
    small = made[firsts][:, firsts]
    torch.testing.assert_close(small[rows][:, rows], made, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("size", "cells"),
    [((28, 28), (4, 4)), ((16, 16), (1, 1)), ((5, 5), (1, 1)), ((1, 1), (1, 1)), ((64, 20), (13, 2))],
    ids=str,
)
def test_small_images_are_padded(size: tuple[int, int], cells: tuple[int, int]) -> None:
    """No map is convolved or pooled away, and the layer behind knows what comes out."""
    layers, n_features = encoder_layers(PVAE(), ImageShape(3, *size))
    maps = nn.Sequential(*layers)(torch.rand(1, 3, *size))
    assert maps.shape == (1, 8, *cells)
    assert maps.numel() == n_features


def test_log_variances_cannot_overflow() -> None:
    """A network that was driven far out still draws finite numbers."""
    network = build(partition_layers=0).train()
    assert network.logvars is not None
    for value in (1e4, -1e4):
        bias = network.logvars[0].bias
        assert isinstance(bias, Tensor)
        nn.init.constant_(bias, value)
        outputs = network(images(4))
        assert outputs["logvar"].exp().isfinite().all()
        assert outputs["image"].isfinite().all()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"depth": -1}, "depth"),
        ({"depth": 3}, "channels"),
        ({"channels": [32, 0]}, "channels"),
        ({"kernel": 4}, "kernel"),
        ({"activation": "rellu"}, "activation"),
        ({"partitions": []}, "partitions"),
        ({"partitions": [4, 0]}, "partitions"),
        ({"partition_layers": -1}, "partition_layers"),
        ({"partition_activation": "rellu"}, "partition_activation"),
        ({"nets": "shared"}, "nets"),
        ({"decoder_width": [0]}, "decoder_width"),
        ({"decoder_activation": "rellu"}, "decoder_activation"),
        ({"decoder_channels": [0]}, "decoder_channels"),
        ({"downsampling": 0}, "downsampling"),
        ({"output": "tanh"}, "output"),
        ({"input_noise": -1.0}, "input_noise"),
    ],
)
def test_impossible_settings_are_named(settings: dict[str, Any], named: str) -> None:
    """Each is one SpecError that begins with the setting's name."""
    with pytest.raises(SpecError) as caught:
        MODELS.make({"pvae": settings})
    assert caught.value.what.split(" ")[0] == named

"""The transfer family: what is frozen, what is trained and when, and what the head is given."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from pokeopt.errors import SpecError
from pokeopt.models.base import ImageShape, StandardisedModel, traits_of
from pokeopt.models.transfer import FrozenNetwork, Transfer, TransferNetwork
from pokeopt.registry import MODELS

SHAPE = ImageShape(3, 40, 40)
N_CLASSES = 5
SMALL = "resnet18"  # quickly built, and an image's signal reaches its end even with random weights
TRAINABLE = [(), (4,), (3, 4), (1, 3), (0, 1, 2, 3, 4)]


def make(shape: ImageShape = SHAPE, **settings: Any) -> TransferNetwork:
    """Return a small network with weights of seed 0."""
    torch.manual_seed(0)
    spec: Transfer = MODELS.make(
        {"transfer": {"backbone": SMALL, "weights": "none", "head_width": 16} | settings}
    )
    return spec.build(shape, N_CLASSES)


def images(n: int, shape: ImageShape = SHAPE) -> Tensor:
    draw = torch.Generator().manual_seed(0)
    return torch.randn(n, shape.channels, shape.height, shape.width, generator=draw)


def train_epoch(network: TransferNetwork, epoch: int, n_steps: int = 2) -> None:
    """Take steps as the training loop does."""
    groups = [{"params": p, "lr": 0.01 * factor} for factor, p in network.parameter_groups()]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.1)
    network.begin_epoch(epoch)
    network.train()
    for _ in range(n_steps):
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(network(images(6)), torch.arange(6) % N_CLASSES).backward()
        optimizer.step()


def changed_stages(network: TransferNetwork, before: dict[str, Tensor]) -> set[int]:
    """Return the stages of which any weight or statistic differs from ``before``."""
    after = network.backbone.state_dict()
    return {network.stages.of(key) for key in after if not torch.equal(after[key], before[key])}


@pytest.mark.parametrize("trainable", TRAINABLE)
def test_training_changes_the_listed_stages_and_nothing_else(trainable: tuple[int, ...]) -> None:
    """Neither weights, nor batch norm's statistics, nor by weight decay."""
    network = make(trainable=list(trainable))
    before, head = copy.deepcopy(network.backbone.state_dict()), copy.deepcopy(network.head.state_dict())
    train_epoch(network, 1)
    assert changed_stages(network, before) == set(trainable)
    assert all(not torch.equal(network.head.state_dict()[key], head[key]) for key in head)


@pytest.mark.parametrize("trainable", TRAINABLE)
def test_the_gradient_reaches_what_is_trained_and_only_that(trainable: tuple[int, ...]) -> None:
    network = make(trainable=list(trainable), head_dropout=0.0).train()
    network(images(8)).square().sum().backward()
    for name, parameter in network.backbone.named_parameters():
        has_gradient = parameter.grad is not None and bool(parameter.grad.any())
        assert has_gradient == (network.stages.of(name) in trainable), name


@pytest.mark.parametrize("name", [SMALL, "efficientnet_b0"])
@pytest.mark.parametrize("trainable", TRAINABLE)
def test_what_is_frozen_stays_in_evaluation_mode(trainable: tuple[int, ...], name: str) -> None:
    """Through every switch of the whole network to training and back; batch norm and stochastic depth."""
    network = make(trainable=list(trainable), backbone=name)
    for mode in (True, False, True):
        network.train(mode)
        for stage, names in enumerate(network.stages.modules):
            parts = [part for name in names for part in network.backbone.get_submodule(name).modules()]
            assert {part.training for part in parts} == {mode and stage in trainable}
        assert network.head.training == mode


def test_two_groups_with_their_rates() -> None:
    """Together they hold each trained parameter once."""
    network = make(backbone_rate=0.03)
    (slow, backbone), (fast, head) = network.parameter_groups()
    assert (slow, fast) == (0.03, 1.0)
    assert {id(p) for p in (*backbone, *head)} == {id(p) for p in network.parameters() if p.requires_grad}
    assert {id(p) for p in head} == {id(p) for p in network.head.parameters()}
    assert [factor for factor, _ in make(trainable=[]).parameter_groups()] == [1.0]


def test_stages_are_unfrozen_from_the_last_to_the_first() -> None:
    """Every second epoch one more; their parameters are the optimizer's from the start."""
    network = make(trainable=[2, 3, 4], unfreeze_every=2)
    group = {id(p) for p in network.parameter_groups()[0][1]}
    seen = []
    for epoch in range(1, 10):
        network.begin_epoch(epoch)
        trained = [name for name, p in network.backbone.named_parameters() if p.requires_grad]
        seen.append({network.stages.of(name) for name in trained})
        assert {id(p) for p in network.backbone.parameters() if p.requires_grad} <= group
    assert seen == [set(), set(), {4}, {4}, {3, 4}, {3, 4}, {2, 3, 4}, {2, 3, 4}, {2, 3, 4}]
    assert {id(p) for p in network.parameter_groups()[0][1]} == group


def test_some_stages_may_be_trained_from_the_start() -> None:
    """The documents trained 3 and 4, and then tried to add 2 and 1."""
    network = make(trainable=[1, 2, 3, 4], unfreeze_every=2, unfreeze_from=[3, 4])
    seen = []
    for epoch in range(1, 7):
        network.begin_epoch(epoch)
        seen.append(set(network.trained))
    assert seen == [{3, 4}, {3, 4}, {2, 3, 4}, {2, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 4}]


def test_what_is_not_yet_unfrozen_is_not_trained() -> None:
    network = make(trainable=[3, 4], unfreeze_every=1)
    for epoch, expected in ((1, set()), (2, {4}), (3, {3, 4})):
        before = copy.deepcopy(network.backbone.state_dict())
        train_epoch(network, epoch)
        assert changed_stages(network, before) == expected


@pytest.mark.parametrize("settings", [{"unfreeze_every": 3, "trainable": [1, 2, 3, 4]}, {}])
def test_an_epoch_depends_on_its_number_alone(settings: dict[str, Any]) -> None:
    """A training that is continued at epoch 7 is where one without a break is."""
    whole, resumed = make(**settings).train(), make(**settings).train()
    for epoch in range(1, 8):
        whole.begin_epoch(epoch)
    resumed.begin_epoch(7)
    assert [p.requires_grad for p in whole.parameters()] == [p.requires_grad for p in resumed.parameters()]
    assert [part.training for part in whole.modules()] == [part.training for part in resumed.modules()]


def test_features_give_what_images_give() -> None:
    """So they can be computed once, in place of the images."""
    network = make(trainable=[]).train()
    assert isinstance(network, FrozenNetwork)
    features = network.features(images(4))
    assert features.shape == (4, 512)
    assert not features.requires_grad
    network.eval()
    logits = network(images(4)).detach()
    assert float(logits.std(dim=0).min()) > 1e-3, "images differ, and so must what is said of them"
    torch.testing.assert_close(network(network.features(images(4))).detach(), logits)
    torch.testing.assert_close(network.features(images(4)), features)


@pytest.mark.parametrize("settings", [{}, {"unfreeze_every": 100}])
def test_a_backbone_that_is_ever_trained_has_no_features(settings: dict[str, Any]) -> None:
    """Even where its turn is far away: features that were computed once would be wrong by then."""
    assert not hasattr(make(**settings), "features")


@pytest.mark.parametrize(
    "name", ["resnet18", "squeezenet1_1", "efficientnet_lite0", "densenet121", "mobilenet_v3_small"]
)
@pytest.mark.parametrize("shape", [ImageShape(1, 33, 47), ImageShape(4, 35, 35)])
def test_odd_sizes_and_any_number_of_channels(name: str, shape: ImageShape) -> None:
    network = make(shape, backbone=name).eval()
    assert network(images(2, shape)).shape == (2, N_CLASSES)
    torch.testing.assert_close(network(images(2, shape))[:1], network(images(2, shape)[:1]))


def test_gray_is_repeated_and_alpha_is_dropped() -> None:
    network, rgb = make().eval(), images(2)
    gray = rgb[:, :1]
    assert not torch.allclose(network(gray), network(rgb), atol=1e-3)
    torch.testing.assert_close(network(gray), network(gray.repeat(1, 3, 1, 1)))
    torch.testing.assert_close(network(torch.cat([rgb, torch.rand_like(gray)], dim=1)), network(rgb))


@pytest.mark.parametrize("shape", [ImageShape(5, 40, 40), ImageShape(3, 40, 40, condition=1)])
def test_other_channels_are_refused(shape: ImageShape) -> None:
    with pytest.raises(SpecError, match="gray, RGB or RGBA"):
        make(shape)


@pytest.mark.parametrize("side", [24, 40, 56])
def test_images_are_resized_bilinearly(side: int) -> None:
    """A bright image stays as bright, and one that has the size is left alone."""
    network = make(input_size=40).eval()
    seen = []
    network.backbone.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    for image in (torch.full((1, 3, side, side), 0.7), images(1)):
        network(image)
    torch.testing.assert_close(seen[0], torch.full((1, 3, 40, 40), 0.7))
    torch.testing.assert_close(seen[1], images(1), rtol=0, atol=0)


def test_the_head_follows_its_settings() -> None:
    """512 features, 16 hidden units; or a linear layer alone."""
    hidden, linear = make().head, make(head_width=0).head
    assert sum(p.numel() for p in hidden.parameters()) == 512 * 16 + 16 + 16 * 5 + 5
    assert sum(p.numel() for p in linear.parameters()) == 512 * 5 + 5
    assert [part.p for part in make(head_dropout=0.3).head.modules() if isinstance(part, nn.Dropout)] == [0.3]


def test_weights_follow_from_the_seed_and_the_file(tmp_path: Path) -> None:
    """The head is drawn; a backbone with weights of a file is the same under every seed."""
    path = tmp_path / "weights.pth"
    torch.save(make().backbone.state_dict(), path)
    spec, states = Transfer(backbone=SMALL, weights=str(path)), []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        states.append(spec.build(SHAPE, N_CLASSES).state_dict())
    torch.testing.assert_close(states[0], states[1], rtol=0, atol=0)
    differs = {key for key in states[0] if not torch.equal(states[0][key], states[2][key])}
    assert differs == {key for key in states[0] if key.startswith("head.")}


def test_features_are_kept_apart_by_all_that_they_follow_from(tmp_path: Path) -> None:
    """Backbone, weights (by what a file holds, not by its name) and size; trained or drawn ones have no key."""
    path = tmp_path / "weights.pth"

    def key(**settings: Any) -> str | None:
        return Transfer(**{"backbone": SMALL, "weights": str(path), "trainable": ()} | settings).features_key

    path.write_bytes(b"one")
    keys = {key(), key(input_size=64), key(backbone="resnet34"), key(weights="DEFAULT")}
    copied = tmp_path / "copied.pth"
    copied.write_bytes(b"one")
    assert key(weights=str(copied), head_width=0) in keys
    path.write_bytes(b"two")
    assert len({*keys, key()}) == 5
    assert None not in keys
    assert key(trainable=(4,)) is key(weights="none") is None


def test_statistics_of_the_backbone_reach_the_images() -> None:
    """Bytes of gray and RGB images are standardised as the backbone is used to."""
    spec = Transfer(backbone=SMALL, weights="none")
    statistics = traits_of(spec).statistics
    assert statistics is not None
    means, stds = (torch.tensor(numbers) for numbers in statistics)
    model = StandardisedModel(make(), means, stds).eval()
    gray = torch.randint(0, 256, (2, 1, 40, 40), dtype=torch.uint8)
    scores, expected = model(gray), model(gray.repeat(1, 3, 1, 1))
    assert isinstance(scores, Tensor)
    assert isinstance(expected, Tensor)
    torch.testing.assert_close(scores, expected)


def test_sizes_are_known_without_weights() -> None:
    """On device meta the published weights of a network are not asked for."""
    spec = Transfer(backbone="vit_b_16", weights="DEFAULT", trainable=(4,))
    with torch.device("meta"):
        network = spec.build(SHAPE, N_CLASSES).eval()
        assert network(torch.zeros(1, 3, 40, 40)).shape == (1, N_CLASSES)
    assert sum(p.numel() for p in network.backbone.parameters()) == 86_567_656 - (768 * 1000 + 1000)


def test_a_network_can_be_copied() -> None:
    """The copy has stages of its own."""
    network = make()
    twin = copy.deepcopy(network)
    before = copy.deepcopy(network.state_dict())
    train_epoch(twin, 1)
    torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)
    assert twin.trained == {3, 4}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"backbone": "resnet81"}, "backbone"),
        ({"weights": "no/such/file.pth"}, "weights"),
        ({"weights": "IMAGENET1K_V9"}, "weights"),
        ({"head_width": -1}, "head_width"),
        ({"head_dropout": 1.0}, "head_dropout"),
        ({"trainable": [5]}, "trainable"),
        ({"trainable": [4, 4]}, "trainable"),
        ({"unfreeze_every": 0}, "unfreeze_every"),
        ({"unfreeze_every": 2, "unfreeze_from": [2]}, "unfreeze_from"),
        ({"unfreeze_from": [4]}, "unfreeze_from"),
        ({"backbone_rate": 0.0}, "backbone_rate"),
        ({"input_size": 0}, "input_size"),
    ],
)
def test_impossible_settings_are_named(settings: dict[str, Any], named: str) -> None:
    """Each is one SpecError that begins with the setting."""
    with pytest.raises(SpecError) as error:
        MODELS.make({"transfer": {"weights": "none"} | settings})
    assert error.value.what.startswith(named)


def test_a_misspelt_backbone_is_guessed() -> None:
    with pytest.raises(SpecError, match="did you mean 'resnet18'"):
        MODELS.make({"transfer": {"backbone": "resnet-18", "weights": "none"}})

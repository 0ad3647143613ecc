"""Laws of every model family."""

import pytest
import torch

from pokeopt.models.base import ImageShape, StandardisedModel, has_convolutions, named_outputs
from pokeopt.registry import MODELS

SHAPE = ImageShape(channels=3, height=32, width=32)
N_CLASSES = 9


def images(n: int, shape: ImageShape = SHAPE) -> torch.Tensor:
    return torch.rand(
        n, shape.channels, shape.height, shape.width, generator=torch.Generator().manual_seed(0)
    )


@pytest.mark.parametrize("name", MODELS.names())
def test_state_dict_holds_the_whole_model(name: str) -> None:
    """A layer kept in a plain list is neither trained nor saved."""
    spec = MODELS.get(name)()
    torch.manual_seed(1)
    trained = spec.build(SHAPE, N_CLASSES)
    trained(images(8))  # batch norm has seen something
    torch.manual_seed(2)
    resumed = spec.build(SHAPE, N_CLASSES)
    resumed.load_state_dict(trained.state_dict())
    expected, restored = (named_outputs(model.eval()(images(2))) for model in (trained, resumed))
    torch.testing.assert_close(restored, expected)


@pytest.mark.parametrize("name", MODELS.names())
def test_evaluation_is_deterministic_and_one_image_is_enough(name: str) -> None:
    """Each image is judged alone: neither dropout nor the rest of the batch has a say."""
    model = MODELS.get(name)().build(SHAPE, N_CLASSES).eval()
    batch = images(4)
    together = named_outputs(model(batch))["logits"]
    assert together.shape == (4, N_CLASSES)
    torch.testing.assert_close(named_outputs(model(batch))["logits"], together, rtol=0, atol=0)
    torch.testing.assert_close(named_outputs(model(batch[:1]))["logits"], together[:1])


@pytest.mark.parametrize("name", MODELS.names())
@pytest.mark.parametrize("shape", [ImageShape(1, 33, 47), ImageShape(4, 31, 31)])
def test_odd_sizes_and_any_number_of_channels(name: str, shape: ImageShape) -> None:
    """Sizes that no power of two divides, and gray or RGBA images."""
    model = MODELS.get(name)().build(shape, N_CLASSES).eval()
    assert named_outputs(model(images(2, shape)))["logits"].shape == (2, N_CLASSES)


@pytest.mark.parametrize("name", MODELS.names())
def test_the_gradient_reaches_every_parameter(name: str) -> None:
    """A parameter without a gradient is dead weight; a bias before batch norm is one."""
    torch.manual_seed(0)
    model = MODELS.get(name)().build(SHAPE, N_CLASSES).train()
    named_outputs(model(images(16)))["logits"].square().sum().backward()
    dead = [key for key, p in model.named_parameters() if p.grad is None or float(p.grad.abs().max()) < 1e-6]
    assert dead == []


@pytest.mark.parametrize("name", MODELS.names())
def test_initial_weights_follow_from_the_seed(name: str) -> None:
    """Two builds under one seed agree; another seed differs."""
    spec = MODELS.get(name)()
    states = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        states.append(spec.build(SHAPE, N_CLASSES).state_dict())
    same = [torch.equal(states[0][key], states[1][key]) for key in states[0]]
    other = [torch.equal(states[0][key], states[2][key]) for key in states[0]]
    assert all(same)
    assert not all(other)


def test_bytes_and_intensities_are_standardised_alike() -> None:
    """The folded affine of training and the readable one of an exported model are the same function."""
    mean, std = torch.tensor([0.2, 0.5, 0.7]), torch.tensor([0.1, 0.3, 1.0])
    model = StandardisedModel(torch.nn.Identity(), mean, std)
    as_bytes = torch.randint(0, 256, (4, 3, 5, 6), dtype=torch.uint8)
    expected = (as_bytes / 255 - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
    torch.testing.assert_close(model(as_bytes), expected)
    torch.testing.assert_close(model(as_bytes / 255), expected)


def test_the_statistics_travel_with_the_weights() -> None:
    """A model loaded elsewhere needs nothing but its state dict."""
    network = torch.nn.Identity()
    saved = StandardisedModel(network, torch.tensor([0.3]), torch.tensor([0.2])).state_dict()
    loaded = StandardisedModel(network, torch.tensor([0.0]), torch.tensor([1.0]))
    loaded.load_state_dict(saved)
    as_bytes = torch.full((1, 1, 1, 1), 255, dtype=torch.uint8)
    assert loaded(as_bytes / 255).item() == pytest.approx(3.5)
    assert loaded(as_bytes).item() == pytest.approx(3.5)


def test_has_convolutions() -> None:
    """It decides the memory layout."""
    assert has_convolutions(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)))
    assert not has_convolutions(torch.nn.Sequential(torch.nn.Linear(3, 4)))

"""Laws of every model family."""

import pytest
import torch

from pokeopt.models.base import StandardisedModel, has_convolutions, named_outputs, traits_of
from pokeopt.registry import MODELS
from tests.families import FAMILIES, SMALL, batch_for, default_loss_of, shape_for, small_model

N_CLASSES = 9
RESULT = {"classification": "logits", "reconstruction": "image", "translation": "image"}


def test_every_family_is_held_to_the_laws() -> None:
    """A new one belongs into SMALL."""
    own = [name for name in MODELS.names() if MODELS.get(name).__module__.startswith("pokeopt.models")]
    assert sorted(own) == sorted(SMALL)


@pytest.mark.parametrize("name", FAMILIES)
def test_state_dict_holds_the_whole_model(name: str) -> None:
    """A layer kept in a plain list is neither trained nor saved."""
    shape = shape_for(name)
    batch = batch_for(name, 8, shape, N_CLASSES)
    torch.manual_seed(1)
    trained = small_model(name).build(shape, N_CLASSES)
    trained(batch.images)  # batch norm has seen something
    torch.manual_seed(2)
    resumed = small_model(name).build(shape, N_CLASSES)
    resumed.load_state_dict(trained.state_dict())
    with torch.no_grad():
        expected, restored = (named_outputs(model.eval()(batch.images)) for model in (trained, resumed))
    torch.testing.assert_close(restored, expected)


@pytest.mark.parametrize("name", FAMILIES)
def test_evaluation_is_deterministic_and_one_image_is_enough(name: str) -> None:
    """Each image is judged alone: neither dropout, nor sampling, nor the rest of the batch has a say."""
    shape = shape_for(name)
    model = small_model(name).build(shape, N_CLASSES).eval()
    images = batch_for(name, 4, shape, N_CLASSES).images
    with torch.no_grad():
        together = named_outputs(model(images))
        for key, value in named_outputs(model(images)).items():
            torch.testing.assert_close(value, together[key], rtol=0, atol=0)
        for key, value in named_outputs(model(images[:1])).items():
            torch.testing.assert_close(value, together[key][:1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(("channels", "height", "width"), [(1, 33, 47), (4, 31, 31)])
def test_odd_sizes_and_any_number_of_channels(name: str, channels: int, height: int, width: int) -> None:
    """Sizes that no power of two divides, and gray or RGBA images."""
    shape = shape_for(name, channels, height, width)
    model = small_model(name).build(shape, N_CLASSES).eval()
    with torch.no_grad():
        outputs = named_outputs(model(batch_for(name, 2, shape, N_CLASSES).images))
    sizes = {"logits": (2, N_CLASSES), "image": (2, channels, height, width)}
    result = RESULT[traits_of(small_model(name)).task]
    assert outputs[result].shape == sizes[result]


@pytest.mark.parametrize("name", FAMILIES)
def test_the_gradient_reaches_every_parameter(name: str) -> None:
    """A parameter without a gradient is dead weight; a bias before batch norm is one."""
    torch.manual_seed(0)
    shape = shape_for(name)
    batch = batch_for(name, 16, shape, N_CLASSES)
    model = small_model(name).build(shape, N_CLASSES).train()
    default_loss_of(name, N_CLASSES)(named_outputs(model(batch.images)), batch).backward()
    trained = [(key, p) for key, p in model.named_parameters() if p.requires_grad]
    dead = [key for key, p in trained if p.grad is None or float(p.grad.abs().max()) < 1e-8]
    assert trained
    assert dead == []


@pytest.mark.parametrize("name", FAMILIES)
def test_initial_weights_follow_from_the_seed(name: str) -> None:
    """Two builds under one seed agree; another seed differs."""
    states = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        states.append(small_model(name).build(shape_for(name), N_CLASSES).state_dict())
    same = [torch.equal(states[0][key], states[1][key]) for key in states[0]]
    other = [torch.equal(states[0][key], states[2][key]) for key in states[0]]
    assert all(same)
    assert not all(other)


@pytest.mark.parametrize("name", FAMILIES)
def test_it_is_trained_in_mixed_precision(name: str) -> None:
    """Half of the bits where the products are, and a finite loss in full."""
    torch.manual_seed(0)
    shape = shape_for(name)
    batch = batch_for(name, 4, shape, N_CLASSES)
    model = small_model(name).build(shape, N_CLASSES).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = default_loss_of(name, N_CLASSES)(named_outputs(model(batch.images)), batch)
    loss.backward()
    assert loss.dtype == torch.float32
    assert torch.isfinite(loss)


@pytest.mark.parametrize("name", FAMILIES)
def test_its_outputs_serve_its_roles(name: str) -> None:
    """Each role that it declares finds its outputs; with a latent distribution comes its latent."""
    model = small_model(name)
    shape = shape_for(name)
    with torch.no_grad():
        outputs = named_outputs(
            model.build(shape, N_CLASSES).eval()(batch_for(name, 2, shape, N_CLASSES).images)
        )
    needed = {
        "classification": {"logits"},
        "reconstruction": {"image"},
        "prior": {"mean", "logvar", "latent"},
    }
    for role in traits_of(model).roles:
        assert needed[role] <= set(outputs)


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

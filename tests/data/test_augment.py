"""Laws of every augmentation: a draw for each image, the same for a generator, shape and range kept."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from pokeopt.errors import SpecError
from pokeopt.registry import AUGMENTATIONS

NAMES = AUGMENTATIONS.names()
NEUTRAL: dict[str, dict[str, float]] = {
    "color_jitter": {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0},
    "horizontal_flip": {"probability": 0.0},
    "noise": {"std": 0.0},
    "rotate": {"degrees": 0.0},
    "shift": {"fraction": 0.0},
}


def batch(n_images: int = 24, channels: int = 3, height: int = 12, width: int = 10) -> Tensor:
    """Return images that are all the same, so that a difference between them is one of the draws."""
    image = torch.rand((channels, height, width), generator=torch.Generator().manual_seed(3))
    return image.repeat(n_images, 1, 1, 1)


def apply(component: Any, images: Tensor, seed: int = 0) -> Tensor:
    out: Tensor = AUGMENTATIONS.make(component)(images, torch.Generator(images.device).manual_seed(seed))
    return out


def test_the_documents_augmentations_are_there() -> None:
    assert {"color_jitter", "horizontal_flip", "noise", "rotate", "shift"} <= set(NAMES)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("name", NAMES)
def test_shape_and_range_are_kept(name: str, channels: int) -> None:
    images = batch(channels=channels)
    images[0], images[1] = 0.0, 1.0  # nothing leaves the range at its ends
    out = apply(name, images)
    assert (out.shape, out.dtype, out.device) == (images.shape, images.dtype, images.device)
    assert out.min() >= 0
    assert out.max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_each_image_has_a_draw_of_its_own(name: str) -> None:
    out = apply(name, batch())
    n_distinct = len(torch.unique(out.flatten(1), dim=0))
    assert n_distinct == 2 if name == "horizontal_flip" else n_distinct > 12


@pytest.mark.parametrize("name", NAMES)
def test_a_generator_decides_all(name: str) -> None:
    torch.testing.assert_close(apply(name, batch(), seed=5), apply(name, batch(), seed=5), rtol=0, atol=0)
    assert not torch.equal(apply(name, batch(), seed=5), apply(name, batch(), seed=6))


@pytest.mark.parametrize("name", NAMES)
def test_the_input_is_left_alone(name: str) -> None:
    images = batch()
    kept = images.clone()
    apply(name, images)
    torch.testing.assert_close(images, kept, rtol=0, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_may_be_one_image(name: str) -> None:
    assert apply(name, batch(1)).shape == (1, 3, 12, 10)


@pytest.mark.parametrize("name", NEUTRAL)
def test_no_strength_is_no_change(name: str) -> None:
    torch.testing.assert_close(apply({name: NEUTRAL[name]}, batch()), batch(), rtol=0, atol=1e-5)


def test_flip_mirrors_about_half() -> None:
    images = batch(400)
    out = apply("horizontal_flip", images)
    flipped = (out == images.flip(-1)).all(dim=(1, 2, 3))
    assert ((out == images).all(dim=(1, 2, 3)) | flipped).all()
    assert 140 < int(flipped.sum()) < 260


def test_a_turn_leaves_the_middle_where_it_is() -> None:
    images = batch(64, height=9, width=9)
    out = apply({"rotate": {"degrees": 180.0}}, images)
    torch.testing.assert_close(out[..., 4, 4], images[..., 4, 4], rtol=0, atol=1e-5)


def test_a_turn_keeps_distances_in_a_wide_image() -> None:
    """An angle in squeezed coordinates would stretch what it turns."""
    images = torch.zeros(100, 1, 31, 61)
    images[..., 15, 36:39] = 1.0  # a bar that points right, 7 pixels from the middle
    out = apply({"rotate": {"degrees": 180.0}}, images)
    y, x = torch.meshgrid(torch.arange(31.0) - 15, torch.arange(61.0) - 30, indexing="ij")
    weight = out.sum(dim=(1, 2, 3))
    place = torch.stack([(out[:, 0] * axis).sum(dim=(1, 2)) / weight for axis in (y, x)])
    torch.testing.assert_close(place.norm(dim=0), torch.full((100,), 7.0), rtol=0, atol=0.3)
    assert place[0].std() > 2


def test_a_shift_moves_the_whole_picture() -> None:
    images = torch.zeros(50, 1, 21, 21)
    images[..., 10, 10] = 1.0
    out = apply({"shift": {"fraction": 0.25}}, images)
    weight = out.sum(dim=(1, 2, 3))
    torch.testing.assert_close(weight, torch.ones(50), rtol=0, atol=1e-4)
    rows = (out.sum(dim=(1, 3)) * torch.arange(21)).sum(dim=1)
    columns = (out.sum(dim=(1, 2)) * torch.arange(21)).sum(dim=1)
    for place in (rows, columns):
        assert (place - 10).abs().max() <= 0.25 * 21 + 1e-3
        assert place.std() > 1
    assert torch.corrcoef(torch.stack([rows, columns]))[0, 1].abs() < 0.5  # the two draws are not one


def test_jitter_leaves_alpha_alone() -> None:
    images = batch(channels=4)
    torch.testing.assert_close(apply("color_jitter", images)[:, 3], images[:, 3], rtol=0, atol=0)


@pytest.mark.parametrize(
    "component",
    [
        {"horizontal_flip": {"probability": 1.5}},
        {"rotate": {"degrees": -1.0}},
        {"shift": {"fraction": 1.0}},
        {"noise": {"std": -0.1}},
        {"color_jitter": {"contrast": 2.0}},
    ],
)
def test_settings_out_of_range_are_refused(component: dict[str, dict[str, float]]) -> None:
    ((_, settings),) = component.items()
    with pytest.raises(SpecError, match=f"{next(iter(settings))} must be"):
        AUGMENTATIONS.make(component)


@pytest.mark.gpu
@pytest.mark.parametrize("name", NAMES)
def test_on_cuda(name: str) -> None:
    images = batch().cuda()
    assert apply(name, images).device == images.device
    on_cpu = AUGMENTATIONS.make(name)(images, torch.Generator().manual_seed(0))  # draws from a CPU generator
    torch.testing.assert_close(on_cpu.cpu(), apply(name, batch()), rtol=0, atol=1e-5)

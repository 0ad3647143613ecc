"""Laws of every augmentation: a draw for each image, the same for a generator, shape and range kept."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from pokeopt.data.augment.affine import affine_matrices
from pokeopt.data.augment.draws import transform
from pokeopt.errors import SpecError
from pokeopt.registry import AUGMENTATIONS

KINDS = {name: AUGMENTATIONS.get(name).kind for name in AUGMENTATIONS.names()}
NAMES = [name for name, kind in KINDS.items() if kind != "labels"]  # those have a test file of their own
MOVING = [name for name, kind in KINDS.items() if kind == "geometry"]
N_CHANNELS = [(name, channels) for name in NAMES for channels in (1, 3, 4)]
N_CHANNELS += [(name, 9) for name in MOVING]  # an input, its condition and its target
NEUTRAL: dict[str, dict[str, float]] = {
    "affine": {"degrees": 0.0, "translate": 0.0, "scale": 0.0, "shear": 0.0},
    "color_jitter": {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0},
    "horizontal_flip": {"probability": 0.0},
    "noise": {"std": 0.0},
    "rand_augment": {"n_ops": 0},
    "random_crop": {"padding_fraction": 0.0},
    "rotate": {"degrees": 0.0},
    "scale": {"amount": 0.0},
    "shift": {"fraction": 0.0},
    "vertical_flip": {"probability": 0.0},
}


def batch(n_images: int = 24, channels: int = 3, height: int = 12, width: int = 10) -> Tensor:
    """Return images that are all the same, so that a difference between them is one of the draws."""
    image = torch.rand((channels, height, width), generator=torch.Generator().manual_seed(3))
    image = (image * 255).round() / 255  # as decoded images are
    return image.repeat(n_images, 1, 1, 1)


def apply(component: Any, images: Tensor, seed: int = 0) -> Tensor:
    out: Tensor = AUGMENTATIONS.make(component)(images, torch.Generator(images.device).manual_seed(seed))
    return out


def test_the_documents_augmentations_are_there() -> None:
    assert set(KINDS.values()) == {"geometry", "colour", "corruption", "labels"}
    assert {"affine", "color_jitter", "horizontal_flip", "noise", "rotate", "scale", "shift"} <= set(NAMES)


@pytest.mark.parametrize(("name", "channels"), N_CHANNELS)
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
    if name.endswith("flip"):
        assert n_distinct == 2
    else:
        assert n_distinct > (6 if name == "random_crop" else 12)  # it has nine places in so small an image


@pytest.mark.parametrize("name", MOVING)
def test_all_channels_move_alike(name: str) -> None:
    """What is stacked moves as it would alone, and no value comes from another channel."""
    images = batch(channels=3)
    out = apply(name, torch.cat([images, images, torch.zeros_like(images)], dim=1))
    assert not torch.equal(out[:, :3], images)
    torch.testing.assert_close(out[:, :3], apply(name, images), rtol=0, atol=0)
    torch.testing.assert_close(out[:, 3:6], out[:, :3], rtol=0, atol=0)
    assert not out[:, 6:].any()


@pytest.mark.parametrize("name", NAMES)
def test_a_generator_decides_all(name: str) -> None:
    torch.testing.assert_close(apply(name, batch(), seed=5), apply(name, batch(), seed=5), rtol=0, atol=0)
    assert not torch.equal(apply(name, batch(), seed=5), apply(name, batch(), seed=6))


@pytest.mark.parametrize("name", NAMES)
def test_the_default_generator_is_left_alone(name: str) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    out = apply(name, batch())
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)
    torch.manual_seed(2)  # nor does it matter what its state is
    torch.testing.assert_close(apply(name, batch()), out, rtol=0, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_the_input_is_left_alone(name: str) -> None:
    images = batch()
    kept = images.clone()
    apply(name, images)
    torch.testing.assert_close(images, kept, rtol=0, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_may_be_one_image(name: str) -> None:
    assert apply(name, batch(1)).shape == (1, 3, 12, 10)


@pytest.mark.parametrize("name", NAMES)
def test_no_strength_is_no_change(name: str) -> None:
    torch.testing.assert_close(apply({name: NEUTRAL[name]}, batch()), batch(), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("name", "axis"), [("horizontal_flip", -1), ("vertical_flip", -2)])
def test_flip_mirrors_about_half(name: str, axis: int) -> None:
    images = batch(400)
    out = apply(name, images)
    flipped = (out == images.flip(axis)).all(dim=(1, 2, 3))
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


def test_a_crop_moves_by_whole_pixels_and_repeats_the_border() -> None:
    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(16.0), indexing="ij")
    images = torch.stack([y, x]).repeat(200, 1, 1, 1) / 16
    out = (apply({"random_crop": {"padding_fraction": 0.25}}, images) * 16).long()
    seen = set()
    for image in out:
        down, right = int(image[0, 4, 8]) - 4, int(image[1, 4, 8]) - 8
        torch.testing.assert_close(image[0], (y.long() + down).clamp(0, 7), rtol=0, atol=0)
        torch.testing.assert_close(image[1], (x.long() + right).clamp(0, 15), rtol=0, atol=0)
        seen.add((down, right))
    assert {down for down, _ in seen} == set(range(-2, 3))  # a quarter of the height and of the width
    assert {right for _, right in seen} == set(range(-4, 5))


def test_scaling_keeps_the_middle_and_the_proportions() -> None:
    """The spread of a blot grows by the factor, across as much as down."""
    y, x = torch.meshgrid(torch.arange(31.0) - 15, torch.arange(61.0) - 30, indexing="ij")
    blot = torch.exp(-(y**2 + x**2) / 18)
    out = apply({"scale": {"amount": 0.3}}, blot.repeat(100, 1, 1, 1))[:, 0]
    weight = out.sum(dim=(1, 2))
    for axis in (y, x):
        torch.testing.assert_close((out * axis).sum(dim=(1, 2)) / weight, torch.zeros(100), rtol=0, atol=0.01)
    down, across = (((out * axis**2).sum(dim=(1, 2)) / weight).sqrt() / 3 for axis in (y, x))
    torch.testing.assert_close(down, across, rtol=0, atol=0.01)
    assert down.min() == pytest.approx(0.7, abs=0.03)
    assert down.max() == pytest.approx(1.3, abs=0.03)


@pytest.mark.parametrize("size", [(31, 31), (31, 61), (61, 31)])
@pytest.mark.parametrize(
    ("angle", "factor", "shear", "move"),
    [
        (30.0, 1.0, 0.0, (0, 0)),
        (0.0, 1.2, 0.0, (0, 0)),
        (0.0, 1.0, 20.0, (0, 0)),
        (0.0, 1.0, 0.0, (3, -5)),
        (-40.0, 0.8, -15.0, (-4, 2)),
    ],
)
def test_affine_maps_are_torchvisions(
    angle: float, factor: float, shear: float, move: tuple[int, int], size: tuple[int, int]
) -> None:
    """Where the border is black, it does not matter whether it is repeated."""
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2.functional import affine

    height, width = size
    images = torch.zeros(1, 2, height, width)
    middle = images[..., height // 2 - 6 : height // 2 + 5, width // 2 - 7 : width // 2 + 6]
    middle += torch.rand(middle.shape, generator=torch.Generator().manual_seed(4))
    matrices = affine_matrices(
        torch.tensor([angle]).deg2rad(),
        torch.tensor([factor]),
        torch.tensor([shear]).deg2rad(),
        torch.tensor([[move[0] / width, move[1] / height]]),
        width / height,
    )
    expected = affine(
        images,
        angle=angle,
        translate=list(move),
        scale=factor,
        shear=[shear, 0.0],
        interpolation=InterpolationMode.BILINEAR,
    )
    torch.testing.assert_close(transform(images, matrices), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("setting", NEUTRAL["affine"])
def test_each_setting_of_affine_does_something(setting: str) -> None:
    images = batch()
    out = apply({"affine": NEUTRAL["affine"] | {setting: 0.4}}, images)
    assert (out != images).any(dim=3).any(dim=2).any(dim=1).sum() > 12


@pytest.mark.parametrize("name", ["color_jitter", "rand_augment"])
def test_colour_leaves_alpha_alone(name: str) -> None:
    images = batch(channels=4)
    out = apply(name, images)
    assert not torch.equal(out[:, :3], images[:, :3])
    torch.testing.assert_close(out[:, 3], images[:, 3], rtol=0, atol=0)


def test_magnitude_and_operations_count() -> None:
    """The stronger and the more, the farther from the image as it was."""
    images = batch(60)

    def change(**settings: int) -> float:
        return float((apply({"rand_augment": settings}, images) - images).abs().mean())

    assert 0 < change(n_ops=1) < change(n_ops=4)
    assert change(magnitude=2) < change(magnitude=30)


@pytest.mark.parametrize(
    "component",
    [
        {"horizontal_flip": {"probability": 1.5}},
        {"rotate": {"degrees": -1.0}},
        {"shift": {"fraction": 1.0}},
        {"noise": {"std": -0.1}},
        {"color_jitter": {"contrast": 2.0}},
        {"vertical_flip": {"probability": -0.1}},
        {"scale": {"amount": 1.0}},
        {"random_crop": {"padding_fraction": -0.5}},
        {"affine": {"degrees": 181.0}},
        {"affine": {"translate": 1.0}},
        {"affine": {"scale": 1.0}},
        {"affine": {"shear": 90.0}},
        {"rand_augment": {"n_ops": -1}},
        {"rand_augment": {"magnitude": 31}},
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
    # a rounded value may fall to either side, and so may the nearest pixel
    differs = (on_cpu.cpu() - apply(name, batch())).abs() > (1.5 / 255 if name == "rand_augment" else 1e-5)
    assert differs.float().mean() <= (0.01 if name == "rand_augment" else 0)

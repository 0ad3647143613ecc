"""The outline is found among dark specks, and nothing is found where there is none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from pokeopt.data.drawing import (
    compose,
    draw_creature,
    make_species,
    noise_background,
    random_offset,
    random_pose,
)
from pokeopt.data.outline import bounding_box, find_outline
from pokeopt.errors import SpecError
from pokeopt.registry import PREPROCESSING

Image = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]


def made(kind: str, n_images: int) -> list[tuple[Image, Box]]:
    """Return creatures on backgrounds, each with its true bounding box."""
    species, pairs = make_species(3), []
    for number in range(n_images):
        rng = np.random.default_rng([3, number])
        creature = draw_creature(species[number % len(species)], random_pose(rng), int(rng.integers(30, 55)))
        top, left = (random_offset(rng, inner_px, 64) for inner_px in creature.shape[:2])
        box = bounding_box(creature[..., 3] > 0)
        assert box is not None
        truth = (top + box[0], top + box[1], left + box[2], left + box[3])
        pairs.append((compose(creature, noise_background(kind, rng, 64, 64), top, left), truth))
    return pairs


def overlap(first: Box, second: Box) -> float:
    """Return intersection over union of two boxes."""
    height = max(0, min(first[1], second[1]) - max(first[0], second[0]))
    width = max(0, min(first[3], second[3]) - max(first[2], second[2]))
    areas = [(box[1] - box[0]) * (box[3] - box[2]) for box in (first, second)]
    return height * width / (sum(areas) - height * width)


@pytest.mark.parametrize(
    ("kind", "least"), [("uniform", 0.95), ("grey", 0.95), ("tinted", 0.85), ("dark", 0.4)]
)
def test_the_box_is_that_of_the_creature(kind: str, least: float) -> None:
    found = [(bounding_box(find_outline(image)), truth) for image, truth in made(kind, 60)]
    good = [box is not None and overlap(box, truth) > 0.9 for box, truth in found]
    assert np.mean(good) >= least  # a dark background costs some, as in the documents


def test_light_and_clear_images_have_no_outline() -> None:
    light = np.full((20, 20, 4), 255, np.uint8)
    assert not find_outline(light).any()
    light[3, 4] = light[12, 12] = (0, 0, 0, 255)  # specks
    assert not find_outline(light).any()
    assert not find_outline(np.zeros((20, 20, 4), np.uint8)).any()
    assert bounding_box(find_outline(light)) is None


def test_crop_leaves_five_per_cent_around() -> None:
    image = np.full((100, 100, 4), 255, np.uint8)
    image[20:60, 30:31, :3] = image[20:60, 69:70, :3] = image[20:21, 30:70, :3] = image[59:60, 30:70, :3] = 0
    image[0, 99, :3] = 0
    cropped = PREPROCESSING.make("silhouette_crop")(image, {})
    np.testing.assert_array_equal(cropped, image[18:62, 28:72])
    assert PREPROCESSING.make({"silhouette_crop": {"padding": 0.0}})(image, {}).shape == (40, 40, 4)


def test_crop_stays_inside_the_image() -> None:
    image = np.full((10, 12, 4), 255, np.uint8)
    image[[0, -1], :, :3] = image[:, [0, -1], :3] = 0
    assert PREPROCESSING.make({"silhouette_crop": {"padding": 0.5}})(image, {}).shape == (10, 12, 4)


def test_crop_keeps_the_whole_image_where_nothing_is_dark() -> None:
    image = np.random.default_rng(0).integers(60, 256, (9, 7, 4), dtype=np.uint8)
    np.testing.assert_array_equal(PREPROCESSING.make("silhouette_crop")(image, {}), image)


@pytest.mark.parametrize("settings", [{"padding": -0.1}, {"padding": 2.0}, {"dark": 300}, {"gap_px": 0}])
def test_settings_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(SpecError, match=next(iter(settings))):
        PREPROCESSING.make({"silhouette_crop": settings})

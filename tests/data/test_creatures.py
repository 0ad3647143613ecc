"""Creatures: the documents' counts, the same for a seed, each image on its own, outlined and off-centre."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from pokeopt.data import SourceTable
from pokeopt.data.drawing import (
    BACKGROUNDS,
    CLASS_COUNTS,
    SPECIES_COUNTS,
    VERSION,
    Pose,
    compose,
    draw_creature,
    make_species,
    noise_background,
    random_offset,
    random_pose,
)
from pokeopt.data.drawing.draw import OUTLINE
from pokeopt.errors import SpecError
from pokeopt.registry import SOURCES

# Of images 0 to 19 of seed 0, by version: a change of the drawing must raise VERSION, or caches would go stale.
FIRST_IMAGES = {2: "a378fb573b5396c8"}


@pytest.fixture(scope="module")
def creatures() -> SourceTable:
    """Return the creatures of seed 0."""
    table: SourceTable = SOURCES.make("creatures").read(Path("unused"))
    return table


def test_counts_are_those_of_the_documents(creatures: SourceTable) -> None:
    counts = dict(zip(creatures.classes, np.bincount(creatures.labels).tolist(), strict=True))
    assert counts == CLASS_COUNTS
    assert sum(counts.values()) == 3600
    assert len(set(creatures.ids.tolist())) == 3600


def test_each_species_has_one_type_and_its_share_of_images(creatures: SourceTable) -> None:
    assert creatures.groups is not None
    names, counts = np.unique(creatures.groups, return_counts=True)
    assert len(names) == sum(SPECIES_COUNTS.values()) == 124
    assert counts.min() >= 24
    assert counts.max() <= 42
    for name in names:
        assert len(np.unique(creatures.labels[creatures.groups == name])) == 1


def test_images_are_opaque_squares(creatures: SourceTable) -> None:
    for row in range(0, 3600, 400):
        image = creatures.open(row)
        assert (image.size, image.mode) == ((64, 64), "RGBA")
        assert np.asarray(image)[..., 3].min() == 255


def test_an_image_depends_on_seed_and_row_alone(creatures: SourceTable) -> None:
    again, other = (SOURCES.make({"creatures": {"seed": seed}}).read(Path("unused")) for seed in (0, 1))
    assert again.content_hash == creatures.content_hash != other.content_hash
    for row in (3000, 7):
        assert again.open(row).tobytes() == creatures.open(row).tobytes()
        assert other.open(row).tobytes() != creatures.open(row).tobytes()


def test_the_drawing_changes_with_its_version_only(creatures: SourceTable) -> None:
    digest = hashlib.sha256(b"".join(creatures.open(row).tobytes() for row in range(20))).hexdigest()[:16]
    assert FIRST_IMAGES.get(VERSION) == digest


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(SpecError, match="seed must be at least 0, got -1"):
        SOURCES.make({"creatures": {"seed": -1}})


def test_a_creature_has_the_asked_size_and_a_dark_edge() -> None:
    rng = np.random.default_rng(0)
    for species in make_species(0)[::12]:
        creature = draw_creature(species, random_pose(rng), 40)
        assert 37 <= max(creature.shape[:2]) <= 40
        assert set(np.unique(creature[..., 3])) <= {0, 255}
        inside = np.pad(creature[..., 3] > 0, 1)
        surrounded = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
        edge = (creature[..., 3] > 0) & ~surrounded
        assert (creature[edge][:, :3] == OUTLINE).all()


def test_species_differ_and_poses_show() -> None:
    first, second = make_species(0)[:2]
    still = draw_creature(first, Pose(), 40)
    assert still.tobytes() != draw_creature(second, Pose(), 40).tobytes()
    assert still.tobytes() != draw_creature(first, Pose(turn_deg=30), 40).tobytes()
    np.testing.assert_array_equal(still, draw_creature(first, Pose(), 40))


def test_a_species_does_not_depend_on_how_many_there_are() -> None:
    few = make_species(5, {"Rock": 2})
    many = [species for species in make_species(5) if species.type == "Rock"]
    for one, same in zip(few, many, strict=False):
        assert one.palette == same.palette
        assert one.name == same.name
        for part, twin in zip(one.parts, same.parts, strict=True):
            np.testing.assert_array_equal(part.points, twin.points)


@pytest.mark.parametrize("kind", BACKGROUNDS)
def test_backgrounds_are_noise_of_their_seed(kind: str) -> None:
    first, same, other = (noise_background(kind, np.random.default_rng(seed), 5, 9) for seed in (1, 1, 2))
    assert first.shape == (5, 9, 3)
    assert first.dtype == np.uint8
    assert len(np.unique(first)) > 5
    np.testing.assert_array_equal(first, same)
    assert first.tobytes() != other.tobytes()


def test_compose_keeps_the_background_where_the_creature_is_clear() -> None:
    creature = np.zeros((2, 2, 4), np.uint8)
    creature[0, 0] = (1, 2, 3, 255)
    background = np.full((4, 5, 3), 9, np.uint8)
    image = compose(creature, background, top=1, left=2)
    assert image[1, 2].tolist() == [1, 2, 3, 255]
    assert (image[..., 3] == 255).all()
    assert np.count_nonzero((image[..., :3] != 9).any(axis=2)) == 1


def test_offsets_reach_both_ends() -> None:
    rng = np.random.default_rng(0)
    assert {random_offset(rng, 6, 8) for _ in range(60)} == {0, 1, 2}
    assert random_offset(rng, 8, 8) == 0

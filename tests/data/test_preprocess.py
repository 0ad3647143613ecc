"""Laws of every preprocessing step, and what the documents' chain does to a drawn creature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pokeopt.data import load_data
from pokeopt.data.images import apply_steps
from pokeopt.data.outline import bounding_box, find_outline
from pokeopt.errors import DataError
from pokeopt.registry import PREPROCESSING, SOURCES

NAMES = PREPROCESSING.names()
CHAIN = ["fix_border", "threshold", "closing", "mask", "centre"]
BEFORE = {"mask": ["closing"]}  # what a step cannot do without

Image = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def creature() -> Image:
    """Return a creature whose background is light enough for its outline to be found."""
    table = SOURCES.make("creatures").read(Path("unused"))
    row = int(np.flatnonzero(table.columns["background"] == "grey")[0])
    return np.array(table.open(row))


def run(image: Image, *components: Any) -> Image:
    return apply_steps(image, [PREPROCESSING.make(component) for component in components], "image")


def test_the_documents_steps_are_there() -> None:
    assert {"silhouette_crop", *CHAIN} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_rgba_image_comes_out_and_the_input_is_left_alone(name: str, creature: Image) -> None:
    kept = creature.copy()
    out = run(creature, *BEFORE.get(name, []), name)
    assert out.dtype == np.uint8
    assert out.ndim == 3
    assert out.shape[2] == 4
    np.testing.assert_array_equal(creature, kept)
    np.testing.assert_array_equal(out, run(creature, *BEFORE.get(name, []), name))


@pytest.mark.parametrize("shape", [(1, 1), (2, 31), (40, 17)])
@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("name", NAMES)
def test_any_size_and_a_plain_image_pass(name: str, value: int, shape: tuple[int, int]) -> None:
    image = np.full((*shape, 4), value, np.uint8)
    image[..., 3] = 255
    assert run(image, *BEFORE.get(name, []), name).size


@pytest.mark.parametrize("name", ["silhouette_crop", "fix_border", "centre"])
def test_without_an_outline_the_image_stays(name: str) -> None:
    image = np.full((9, 7, 4), 200, np.uint8)
    np.testing.assert_array_equal(run(image, name), image)


def test_the_whole_chain_leaves_an_image_without_outline_as_it_was() -> None:
    image = np.full((30, 20, 4), 200, np.uint8)
    np.testing.assert_array_equal(run(image, *CHAIN), image)


def test_fix_border_blackens_the_outline_and_nothing_else(creature: Image) -> None:
    fixed, outline = run(creature, "fix_border"), find_outline(creature)
    assert (fixed[outline][:, :3] == 0).all()
    np.testing.assert_array_equal(fixed[~outline], creature[~outline])


def test_threshold_is_the_outline_in_black_on_white(creature: Image) -> None:
    drawn, outline = run(creature, "fix_border", "threshold"), find_outline(creature)
    np.testing.assert_array_equal(drawn[..., 0] == 0, outline)
    assert set(np.unique(drawn[..., :3])) == {0, 255}


def test_closing_fills_the_outline(creature: Image) -> None:
    outline = find_outline(creature)
    sizes = []
    for iterations in (1, 5, 9):
        mask = (
            run(creature, "fix_border", "threshold", {"closing": {"iterations": iterations}})[..., 0] == 255
        )
        assert mask[outline].all()
        assert bounding_box(mask) == bounding_box(outline)
        sizes.append(int(mask.sum()))
    assert sizes == sorted(sizes)
    assert sizes[-1] > 2 * int(outline.sum())


def test_mask_keeps_the_original_inside_and_black_outside(creature: Image) -> None:
    mask = run(creature, *CHAIN[:3])[..., 0] == 255
    masked = run(creature, *CHAIN[:4])
    np.testing.assert_array_equal(masked[mask], creature[mask])
    assert (masked[~mask] == (0, 0, 0, 255)).all()


def test_centre_moves_the_box_to_the_middle(creature: Image) -> None:
    masked, centred = run(creature, *CHAIN[:4]), run(creature, *CHAIN)
    box = bounding_box(np.asarray(centred[..., :3].max(axis=2) > 0))
    assert box is not None
    top, bottom, left, right = box
    height, width = centred.shape[:2]
    assert abs(top - (height - bottom)) <= 3  # the outermost outline pixels may be black themselves
    assert abs(left - (width - right)) <= 3
    assert sorted(centred[..., 1].ravel()) == sorted(masked[..., 1].ravel())


def test_the_mask_fits_after_a_crop(creature: Image) -> None:
    cropped = run(creature, "silhouette_crop")
    assert run(creature, "silhouette_crop", *CHAIN).shape == cropped.shape


def test_mask_without_a_mask_is_refused(creature: Image) -> None:
    with pytest.raises(DataError, match="put closing before mask"):
        run(creature, "mask")


def test_steps_are_part_of_the_cache(tmp_path: Path) -> None:
    section = {"source": "creatures", "limit": 60, "image_size": 16}
    raw, crop = (load_data(section | {"preprocess": steps}, tmp_path) for steps in ([], ["silhouette_crop"]))
    np.testing.assert_array_equal(raw.ids, crop.ids)
    assert raw.split_hash == crop.split_hash
    assert np.abs(raw.images.astype(int) - crop.images).mean() > 5
    external = load_data(
        section | {"preprocess": ["silhouette_crop"]},
        tmp_path,
        external={"uncropped": {"of": "test", "preprocess": []}},
    ).external["uncropped"]
    np.testing.assert_array_equal(external.images, raw.images[raw.test])

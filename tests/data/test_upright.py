"""An image is read as a viewer shows it, whoever reads it, and its values as its file says."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps

from pokeopt.data import load_data
from pokeopt.data.cache import Recipe, cached_images
from pokeopt.data.describe import describe
from pokeopt.data.images import ORIENTATION, to_rgba, to_square, upright
from pokeopt.data.oddities import oddities
from pokeopt.data.sources.base import ImageFiles
from pokeopt.errors import DataError
from tests.data.conftest import make_table, write_image

LIGHT = Path(__file__).parents[2] / "docs" / "light_inference.py"
COUNTS = {"a": 12, "b": 12}


def save_turned(path: Path, orientation: int, seed: int = 0, size: tuple[int, int] = (9, 7)) -> None:
    """Write a lossless noise image with an EXIF orientation; 0 writes none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    exif = Image.Exif()
    if orientation:
        exif[ORIENTATION] = orientation
    Image.fromarray(pixels).save(path, exif=exif)


def write_classes(folder: Path, orientation: int = 0) -> dict[str, Any]:
    for name, count in COUNTS.items():
        for number in range(count):
            save_turned(folder / name / f"{number:02}.png", orientation, ord(name) * 100 + number)
    return {"source": "folder", "path": str(folder), "image_size": 8, "channels": "rgb"}


def write_values(folder: Path, pixels: npt.NDArray[np.generic], suffix: str = "tif") -> dict[str, Any]:
    """Write classes of copies of an array that differ in one pixel's place."""
    for name, count in COUNTS.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            moved = np.roll(pixels, number + 12 * (name == "b"))
            Image.fromarray(moved).save(folder / name / f"{number:02}.{suffix}")
    return {"source": "folder", "path": str(folder), "image_size": 8, "channels": "rgb"}


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(9))
def test_an_image_is_as_a_viewer_shows_it(tmp_path: Path, orientation: int, suffix: str) -> None:
    """In a data set, and in a script that has nothing of pokeopt; nothing turns it twice."""
    path = tmp_path / f"image.{suffix}"
    save_turned(path, orientation)
    with Image.open(path) as opened:
        expected = to_rgba(ImageOps.exif_transpose(opened))
    read = ImageFiles((str(path),))(0)
    np.testing.assert_array_equal(to_rgba(read), expected)
    assert upright(read) is read
    light = importlib.util.spec_from_file_location("light", LIGHT)
    assert light is not None
    assert light.loader is not None
    module = importlib.util.module_from_spec(light)
    light.loader.exec_module(module)
    card = {"preprocess": [], "image_size": 6, "channels": "rgb"}
    np.testing.assert_array_equal(module.read(path, card), to_square(expected, 6, "rgb"))


def test_broken_exif_turns_nothing(tmp_path: Path) -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    Image.fromarray(pixels).save(tmp_path / "image.png", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff")
    np.testing.assert_array_equal(to_rgba(ImageFiles((str(tmp_path / "image.png"),))(0))[..., :3], pixels)


def test_turned_images_are_told_and_are_another_set(tmp_path: Path) -> None:
    """The files alone do not say how they are read: the digest of a set of turned images is its own."""
    data, cache = write_classes(tmp_path / "turned", 6), tmp_path / "cache"
    turned = load_data(data, cache)
    assert turned.sizes.tolist() == [[7, 9]] * 24
    assert turned.turned.all()
    assert "24 images are turned as the EXIF orientation says" in " ".join(oddities(turned))
    assert describe(data, cache).notes[-1] in oddities(turned)
    table = make_table([2, 2])
    plain = cached_images(table, np.arange(4), Recipe(4, "rgb", ()), cache)
    assert not plain.turned.any()


def test_images_without_orientation_keep_their_digest(tmp_path: Path) -> None:
    """A study that is stored goes on: the digest is what it was before images were turned."""
    from pokeopt.data.dataset import _data_hash, make_recipe, read_source

    data = write_classes(tmp_path / "images")
    loaded, table = load_data(data, tmp_path / "cache"), read_source(data, tmp_path)
    rows, recipe = np.arange(24), make_recipe(data)
    assert loaded.data_hash == _data_hash(table, rows, recipe, is_turned=False)
    assert loaded.data_hash != _data_hash(table, rows, recipe, is_turned=True)
    assert oddities(loaded) == ()


def test_floats_are_shares_of_white(tmp_path: Path) -> None:
    """Pillow would clip them: all of an image in [0, 1] would be black."""
    shares = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    assert to_rgba(Image.fromarray(shares))[..., 0].ravel().tolist() == list(range(256))
    for wrong in (shares * 65535, shares - 0.5, np.full((2, 2), np.nan, np.float32)):
        data = write_values(tmp_path / f"{wrong.max()}", wrong)
        with pytest.raises(DataError, match=r"cannot be decoded: .*floats outside \[0, 1\]"):
            load_data(data, tmp_path / "cache")


@pytest.mark.parametrize("most", [1, 255, 65536, 2**31 - 1])
def test_32_bits_of_no_known_range_are_refused(tmp_path: Path, most: int) -> None:
    pixels = np.zeros((8, 8), np.int32)
    pixels[2, 3] = most
    with pytest.raises(DataError, match=f"32-bit numbers, 0 to {most}, of no known range"):
        load_data(write_values(tmp_path / "images", pixels), tmp_path / "cache")


def test_whole_numbers_of_16_bits_are_divided_by_257() -> None:
    wide = np.array([[0, 256, 257, 65535]])
    for pixels in (wide.astype(np.uint16), wide.astype(np.int32)):
        assert to_rgba(Image.fromarray(pixels))[0, :, 0].tolist() == [0, 0, 1, 255]


def test_nearly_black_images_are_told(tmp_path: Path) -> None:
    """12 bits stored as 16 are at most 15 of 255; masks of class numbers are 0 and 1."""
    twelve = np.zeros((8, 8), np.uint16)
    twelve[0, :2] = 4095
    dark = load_data(write_values(tmp_path / "twelve", twelve), tmp_path / "cache")
    (line,) = oddities(dark)
    assert "24 images of mode I;16 are nearly black, at most 15 of 255" in line
    white = load_data(write_values(tmp_path / "white", np.full((8, 8), 255, np.uint8)), tmp_path / "cache")
    assert "have one value in all pixels, 255 of 255" in " ".join(oddities(white))


def test_outputs_that_are_nearly_black_are_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (24, 8, 8, 3), dtype=np.uint8)
    path = tmp_path / "pairs.npz"
    np.savez(path, images=images, target=rng.integers(0, 2, (24, 8, 8), dtype=np.uint8))
    data = {"source": "npz", "path": str(path), "target": "target", "image_size": 8, "channels": "gray"}
    (line,) = oddities(load_data(data, tmp_path / "cache"))
    assert "24 outputs are nearly black, at most 1 of 255" in line


def test_what_is_clear_is_not_dark(tmp_path: Path) -> None:
    """A black drawing on a clear ground is seen on white."""
    drawing = np.zeros((8, 8, 4), np.uint8)
    drawing[0, 0, 3] = 255
    pixels = write_values(tmp_path / "images", drawing, "png")
    assert not [line for line in oddities(load_data(pixels, tmp_path / "cache")) if "black" in line]


def test_one_image_of_two_classes_is_told(tmp_path: Path) -> None:
    """Copies of one class may be counted elsewhere; of two, one label is wrong."""
    data = write_classes(tmp_path / "images")
    shutil.copy(tmp_path / "images" / "a" / "00.png", tmp_path / "images" / "a" / "copy.png")
    loaded = load_data(data, tmp_path / "cache")
    assert loaded.contradictions == ()
    shutil.copy(tmp_path / "images" / "a" / "00.png", tmp_path / "images" / "b" / "copy.png")
    loaded = load_data(data, tmp_path / "cache")
    assert loaded.contradictions == (("a/00.png", "b/copy.png"),)
    line = next(one for one in oddities(loaded) if "class" in one)
    assert line.startswith("1 image equals one of another class (a/00.png = b/copy.png)")
    assert line in describe(data, tmp_path / "cache").notes


def test_copies_in_an_external_set_are_told(tmp_path: Path) -> None:
    """What was trained or chosen on is no external test; the test part in another preparation is meant to be one."""
    data = {**write_classes(tmp_path / "images"), "preprocess": []}
    write_image(tmp_path / "other" / "a" / "0.png", 5)
    write_image(tmp_path / "other" / "b" / "0.png", 6)
    there = {key: value for key, value in data.items() if key != "path"}
    external = {
        "same": dict(data),
        "twin": {"of": "test", "preprocess": ["silhouette_crop"]},
        "other": {**there, "path": str(tmp_path / "other")},
    }
    loaded = load_data(data, tmp_path / "cache", external=external)
    assert {pair[1].partition("/")[0] for pair in loaded.duplicates_across_splits} == {"same"}
    assert len(loaded.duplicates_across_splits) == len(loaded.train) + len(loaded.val)
    assert all(f"same/{one}" == other for one, other in loaded.duplicates_across_splits)

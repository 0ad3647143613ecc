"""Images are decoded once, rightly, whoever asks; and a data set is what its files say."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pokeopt.data import load_data
from pokeopt.data.cache import Recipe, cached_images
from pokeopt.data.images import apply_steps, to_rgba, to_square
from pokeopt.errors import DataError
from tests.data.conftest import make_table, write_image

BUILD = """
import sys, time
from pathlib import Path
from pokeopt.data import load_data
while time.time() < float(sys.argv[2]):
    time.sleep(0.01)
data = load_data({"source": "digits", "image_size": 12, "channels": "gray", "limit": 200}, Path(sys.argv[1]))
print(data.data_hash, data.split_hash, int(data.images.sum(dtype="int64")))
"""


def section(folder: Path, **settings: Any) -> dict[str, Any]:
    return {
        "source": "csv",
        "images": str(folder / "images"),
        "labels": str(folder / "labels.csv"),
        "image_size": 8,
        "split": {"train": 0.5, "val": 0.25, "test": 0.25},
        **settings,
    }


def test_several_processes_build_one_cache(tmp_path: Path) -> None:
    import time

    cache = tmp_path / "cache"
    command = [sys.executable, "-c", BUILD, str(cache), str(time.time() + 2)]
    runs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    ends = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], ends
    assert len({out for out, _ in ends}) == 1
    assert len([path for path in (cache / "images").iterdir() if path.is_dir()]) == 1


def test_the_second_call_decodes_nothing(tmp_path: Path) -> None:
    table, rows = make_table([5, 5]), np.arange(10)
    recipe = Recipe(4, "rgb", ())
    first = cached_images(table, rows, recipe, tmp_path)

    def refuse(row: int) -> Image.Image:
        raise AssertionError(row)

    second = cached_images(dataclasses.replace(table, open=refuse), rows, recipe, tmp_path)
    assert isinstance(second.pixels, np.memmap)
    np.testing.assert_array_equal(first.pixels, second.pixels)
    assert first.pixels.shape == (10, 3, 4, 4)
    assert first.modes.tolist() == ["RGB"] * 10
    assert first.sizes.tolist() == [[4, 4]] * 10


def test_what_a_killed_process_left_is_no_cache(tmp_path: Path) -> None:
    table, rows, recipe = make_table([5, 5]), np.arange(10), Recipe(4, "rgb", ())
    cached_images(table, rows, recipe, tmp_path)
    (folder,) = (path for path in (tmp_path / "images").iterdir() if path.is_dir())
    draft = folder.rename(folder.with_name(f"{folder.name}.abc.draft"))
    (draft / "pixels.npy").write_bytes(b"half")
    assert cached_images(table, rows, recipe, tmp_path).pixels.shape == (10, 3, 4, 4)
    assert not draft.exists()


@pytest.mark.parametrize(
    ("channels", "expected"), [("rgb", [255] * 3), ("gray", [255]), ("rgba", [9, 9, 9, 0])]
)
def test_transparency_is_white_unless_it_is_kept(channels: str, expected: list[int]) -> None:
    clear = np.full((3, 5, 4), (9, 9, 9, 0), np.uint8)
    pixels = to_square(clear, 3 if channels == "rgba" else 2, channels)
    assert pixels.dtype == np.uint8
    if channels == "rgba":  # what is clear has no colour once it is resized
        assert pixels.shape == (4, 3, 3)
        assert not pixels[3].any()
    else:
        np.testing.assert_array_equal(pixels, np.array(expected)[:, None, None].repeat(2, 1).repeat(2, 2))


def test_a_wide_image_is_squeezed_not_cropped() -> None:
    wide = np.zeros((4, 12, 4), np.uint8)
    wide[..., 3] = 255
    wide[:, 6:, 0] = 255
    pixels = to_square(wide, 4, "rgb")
    assert pixels[0, :, 0].max() == 0
    assert pixels[0, :, -1].min() == 255


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_becomes_rgba(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.full((2, 3), 65535, np.uint16))
    else:
        image = Image.new("RGB", (3, 2), "white").convert(mode)
    np.testing.assert_array_equal(to_rgba(image), np.full((2, 3, 4), 255))


def test_a_step_that_loses_the_image_is_named() -> None:
    def crop(image: np.ndarray[Any, np.dtype[np.uint8]], state: dict[str, Any]) -> Any:
        return image[:0]

    with pytest.raises(DataError, match=r"photo\.png: the preprocessing step .* returns uint8 \(0, 3, 4\)"):
        apply_steps(np.zeros((2, 3, 4), np.uint8), [crop], "photo.png")


def test_external_sets_share_the_classes_of_training(labelled: Path) -> None:
    (labelled / "one.csv").write_text("Id,label\n003,fire\n001,fire\n", encoding="utf-8")
    entry = section(labelled, labels=str(labelled / "one.csv"))
    data = load_data(
        section(labelled), labelled / "home" / "cache", external={"same": {"of": "test"}, "one": entry}
    )
    assert data.classes == ("fire", "water")
    np.testing.assert_array_equal(data.external["same"].images, data.images[data.test])
    np.testing.assert_array_equal(data.external["same"].ids, data.ids[data.test])
    assert data.external["one"].labels.tolist() == [0, 0]
    assert data.external["one"].ids.tolist() == ["003", "001"]


def test_a_class_unknown_to_training_is_refused(labelled: Path) -> None:
    (labelled / "other.csv").write_text("Id,label\n003,ice\n", encoding="utf-8")
    entry = section(labelled, labels=str(labelled / "other.csv"))
    with pytest.raises(DataError, match=r"external\.other: class 'ice' is unknown to training"):
        load_data(section(labelled), labelled / "cache", external={"other": entry})


def test_identical_images_in_two_parts_are_named(labelled: Path) -> None:
    cache = labelled / "cache"
    before = load_data(section(labelled), cache)
    assert before.duplicates_across_splits == ()
    learnt, tested = str(before.ids[before.train[0]]), str(before.ids[before.test[0]])
    with Image.open(labelled / "images" / f"{learnt}.png") as image:
        image.save(labelled / "images" / f"{tested}.png", compress_level=0)  # other bytes, the same pixels
    after = load_data(section(labelled), cache)
    assert after.duplicates_across_splits == ((learnt, tested),)
    assert after.data_hash != before.data_hash
    assert after.split_hash == before.split_hash


def test_a_changed_file_is_noticed_and_a_touched_one_is_not(labelled: Path) -> None:
    cache, image = labelled / "cache", labelled / "images" / "004.png"
    os.utime(image, (1e9, 1e9))
    first = load_data(section(labelled), cache)
    os.utime(image, (1.1e9, 1.1e9))
    assert load_data(section(labelled), cache).data_hash == first.data_hash
    write_image(image, seed=99)
    assert load_data(section(labelled), cache).data_hash != first.data_hash


@pytest.mark.parametrize("change", [{"image_size": 9}, {"channels": "gray"}, {"limit": 10}])
def test_the_digest_covers_how_images_are_prepared(labelled: Path, change: dict[str, Any]) -> None:
    plain = load_data(section(labelled), labelled / "cache")
    other = load_data(section(labelled, **change), labelled / "cache")
    assert plain.data_hash != other.data_hash

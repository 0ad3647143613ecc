"""A source as plain files: the same pixels, in a new folder, or nothing at all."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pokeopt.data.exporting import export_images
from pokeopt.data.images import to_rgba
from pokeopt.data.sources.csv import Csv
from pokeopt.errors import DataError
from tests.data.conftest import make_table


def noise(mode: str) -> Image.Image:
    """Return a noise image of a mode."""
    rng = np.random.default_rng(0)
    if mode in ("F", "I", "I;16"):
        kind = {"F": np.float32, "I": np.int32, "I;16": np.uint16}[mode]
        return Image.fromarray((rng.random((5, 4)) * (1 if mode == "F" else 65535)).astype(kind))
    return Image.fromarray(rng.integers(0, 256, (5, 4, 3), dtype=np.uint8)).convert(mode)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I", "F", "CMYK", "YCbCr", "HSV"]
)
def test_every_mode_comes_back(tmp_path: Path, mode: str) -> None:
    """PNG has no CMYK and no floats; what is read of the copy is what is read of the original."""
    image = noise(mode)
    assert image.mode == mode
    table = dataclasses.replace(make_table([1, 1]), open=lambda _: image)
    export_images(table, tmp_path / "made")
    back = Csv(images=str(tmp_path / "made" / "images"), labels=str(tmp_path / "made" / "labels.csv")).read(
        tmp_path
    )
    np.testing.assert_array_equal(to_rgba(back.open(0)), to_rgba(image))


@pytest.mark.parametrize("is_there", [True, False])
def test_a_broken_image_leaves_nothing(tmp_path: Path, is_there: bool) -> None:
    """So that the next try, in the same folder, is a first one; a killed one leaves a draft that is no hindrance."""

    def broken(row: int) -> Image.Image:
        if row == 3:
            return Image.new("F", (3, 3), 7.0)
        return noise("RGB")

    folder, table = tmp_path / "made", make_table([2, 2])
    if is_there:
        folder.mkdir()
    with pytest.raises(DataError, match=r"image-3: the image cannot be decoded: .*floats outside \[0, 1\]"):
        export_images(dataclasses.replace(table, open=broken), folder)
    assert folder.exists() == is_there
    (folder / ".draft.abc").mkdir(parents=True)
    assert export_images(table, folder) == 4
    assert sorted(path.name for path in folder.iterdir()) == ["images", "labels.csv"]
    with pytest.raises(DataError, match="it is there and not empty"):
        export_images(table, folder)


@pytest.mark.parametrize(
    ("name", "called"), [("labels", "made"), ("Train", "made"), ("leaderboard", "leaderboard")]
)
def test_a_set_is_called_by_what_tells_it_from_others(tmp_path: Path, name: str, called: str) -> None:
    """Every folder that ``data make`` writes has a table ``labels``: their reports and scores would share a name."""
    export_images(make_table([2, 2]), tmp_path / "made")
    table = (tmp_path / "made" / "labels.csv").rename(tmp_path / "made" / f"{name}.csv")
    assert Csv(images=str(tmp_path / "made" / "images"), labels=str(table)).read(tmp_path).name == called

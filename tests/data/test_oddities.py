"""Oddities of a data set are told in one line that names an image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from pokeopt.data import load_data
from pokeopt.data.oddities import oddities

SPLIT = {"train": 0.7, "val": 0.15, "test": 0.15, "by": "class", "seed": 0}


def folder_of_noise(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    for label in "ab":
        (folder / label).mkdir(parents=True)
        for i in range(20):
            pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{label}{i}.png")
    return folder


def lines_of(folder: Path, home: Path) -> tuple[str, ...]:
    data = {"source": "folder", "path": str(folder), "image_size": 8, "channels": "rgb", "split": SPLIT}
    return oddities(load_data({**data, "preprocess": [], "limit": None}, home / "cache"))


def test_nothing_odd_says_nothing(tmp_path: Path) -> None:
    assert lines_of(folder_of_noise(tmp_path / "images"), tmp_path) == ()


def test_mixed_sizes_and_modes_name_the_first_odd_image(tmp_path: Path) -> None:
    folder = folder_of_noise(tmp_path / "images")
    Image.new("L", (9, 7), 3).save(folder / "b" / "b4.png")
    size, mode = lines_of(folder, tmp_path)
    assert "b4" in size
    assert "9x7" in size
    assert "39 of 40 images have 8x8" in size
    assert "mode is L" in mode


def test_an_image_in_two_parts_is_named(tmp_path: Path) -> None:
    folder = folder_of_noise(tmp_path / "images")
    pixels = Image.open(folder / "a" / "a0.png")
    for i in range(1, 20):
        pixels.save(folder / "a" / f"a{i}.png")
    (line,) = lines_of(folder, tmp_path)
    assert "the same image as" in line

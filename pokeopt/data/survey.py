"""A first look at a folder of the user's own: how its images are labelled, how many, how large, of what kind."""

from __future__ import annotations

import csv
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pokeopt.data.images import to_rgba
from pokeopt.data.outline import bounding_box, find_outline
from pokeopt.data.split import SplitRule, draw_split
from pokeopt.errors import DataError

if TYPE_CHECKING:
    from pokeopt.data.sources.base import SourceTable

MOST_OPENED = 120  # images, spread over the folder: enough to know sizes and kinds
MOST_ROWS_TRIED = 50  # of a table, to learn which column names the images
LABEL_NAMES = ("label", "labels", "class", "category", "target", "type", "species", "y")
BACKGROUND_SHARE = 0.85  # of the image's area: a smaller box leaves something to cut away


@dataclass(frozen=True)
class Survey:
    """What was seen.

    Attributes:
        folder: What was looked at.
        source: The ``data:`` keys that read it, paths absolute.
        counts: Images of each class, in the order of the labels.
        given: The parts that the folder itself makes: train, val, test; empty where it makes none.
        size_px: Median of the images' longer side.
        smallest_px: Of the images that were opened; so is ``largest_px``. Of the longer side.
        modes: Pillow's mode to how many of the opened images have it.
        is_gray: No opened image has a colour.
        has_alpha: Some opened image is transparent somewhere.
        outlined: Share of the opened images whose dark outline leaves background to cut away.
    """

    folder: Path
    source: Mapping[str, str]
    counts: Mapping[str, int]
    given: tuple[str, ...]
    size_px: int
    smallest_px: int
    largest_px: int
    modes: Mapping[str, int]
    is_gray: bool
    has_alpha: bool
    outlined: float

    @property
    def n_images(self) -> int:
        """All images of all classes."""
        return sum(self.counts.values())

    @property
    def imbalance(self) -> float:
        """Images of the largest class for each of the smallest."""
        return max(self.counts.values()) / max(1, min(self.counts.values()))


def survey(folder: Path | str, rule: SplitRule) -> Survey:
    """Look at a folder of images with their labels.

    A table of labels beside the images counts first, then class folders, with ``train``, ``val`` and ``test`` around
    them where they are.

    Args:
        folder: Holds class folders, or a table and its images.
        rule: How its images are to be divided, to learn now whether they can be.

    Raises:
        DataError: If there is nothing that a network could learn classes from, naming what is amiss.
    """
    root = Path(folder).absolute()
    if not root.is_dir():
        raise DataError(str(folder), "there is no such folder", "name the folder that holds your images")
    source = _table_source(root) or {"source": "folder", "path": str(_class_root(root))}
    table = _read(source)
    counts = {name: int((table.labels == k).sum()) for k, name in enumerate(table.classes)}
    if len(counts) < 2:
        what = f"all {len(table.ids)} images are of one class, '{table.classes[0]}'"
        raise DataError(str(folder), what, "add a folder of images for each further class")
    draw_split(table, np.arange(len(table.ids)), rule)
    given = (
        () if table.given is None else tuple(part for part in ("train", "val", "test") if part in table.given)
    )
    return Survey(folder=root, source=source, counts=counts, given=given, **_looks(table))


def _read(source: Mapping[str, str]) -> SourceTable:
    from pokeopt.registry import SOURCES

    settings = {key: value for key, value in source.items() if key != "source"}
    reader = SOURCES.get(source["source"])(**settings)
    with tempfile.TemporaryDirectory() as home:  # where digests are kept, which nobody needs yet
        table: SourceTable = reader.read(Path(home))
    return table


def _class_root(root: Path) -> Path:
    """Return the folder of the class folders: one that holds nothing but another folder of folders is stepped into."""
    inside = [path for path in root.iterdir() if not path.name.startswith(".")]
    if len(inside) == 1 and inside[0].is_dir() and any(path.is_dir() for path in inside[0].iterdir()):
        return _class_root(inside[0])
    return root


def _table_source(root: Path) -> dict[str, str] | None:
    """Return the settings of a table in this folder whose rows name images in it or beside it; None without one."""
    for path in sorted(root.glob("*.csv")):
        rows = _first_rows(path)
        if not rows:
            continue
        for images in _image_folders(root):
            names = {name for file in images.iterdir() for name in (file.name, file.stem)}
            found = [key for key in rows[0] if all(row.get(key) in names for row in rows)]
            if found and (label := _label_column(rows, found[0])):
                return {
                    "source": "csv",
                    "images": str(images),
                    "labels": str(path),
                    "id": found[0],
                    "label": label,
                }
    return None


def _first_rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = [row for _, row in zip(range(MOST_ROWS_TRIED), reader, strict=False)]
    except (OSError, UnicodeError, csv.Error):
        return []
    plain = [{str(key).strip(): str(value).strip() for key, value in row.items() if key} for row in rows]
    return [row for row in plain if any(row.values())]


def _image_folders(root: Path) -> Iterator[Path]:
    """Yield the folders that may hold a table's images: this one and those in it."""
    yield root
    yield from sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def _label_column(rows: list[dict[str, str]], id_column: str) -> str | None:
    """Return the column of the classes: by its name, else the first of several values that repeat."""
    others = [key for key in rows[0] if key != id_column]
    for name in LABEL_NAMES:
        for key in others:
            if key.lower().rstrip("0123456789") == name:
                return key
    return next((key for key in others if 1 < len({row.get(key) for row in rows}) < len(rows)), None)


def _looks(table: SourceTable) -> dict[str, Any]:
    """Return what opening some of the images shows."""
    n = len(table.ids)
    rows = np.unique(np.linspace(0, n - 1, min(n, MOST_OPENED)).astype(int))
    sides, modes, coloured, clear, outlined = [], Counter[str](), 0, 0, 0
    for row in rows:
        image = table.open(int(row))
        sides.append(max(image.size))
        modes[image.mode] += 1
        pixels = to_rgba(_small(image))
        coloured += bool((pixels[..., :3].max(axis=2) != pixels[..., :3].min(axis=2)).any())
        clear += bool((pixels[..., 3] < 255).any())
        outlined += _has_room(pixels)
    return {
        "size_px": int(np.median(sides)),
        "smallest_px": min(sides),
        "largest_px": max(sides),
        "modes": dict(modes.most_common()),
        "is_gray": coloured == 0,
        "has_alpha": clear > 0,
        "outlined": outlined / len(rows),
    }


def _small(image: Image.Image, most_px: int = 256) -> Image.Image:
    """Return an image no larger than is needed to see what kind it is."""
    if max(image.size) > most_px:
        image = image.copy()
        image.thumbnail((most_px, most_px))
    return image


def _has_room(pixels: npt.NDArray[np.uint8]) -> bool:
    """Return whether a dark outline is there, with background around it."""
    box = bounding_box(find_outline(pixels))
    if box is None:
        return False
    top, bottom, left, right = box
    height, width = pixels.shape[:2]
    return bool((bottom - top) * (right - left) < BACKGROUND_SHARE * height * width)

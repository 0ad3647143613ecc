"""A first look at a folder of the user's own: how its images are labelled, how many, how large, of what kind."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pokeopt.data.dataset import read_source
from pokeopt.data.images import to_rgba
from pokeopt.data.label_tables import AmbiguousTableError, search_tables
from pokeopt.data.outline import bounding_box, find_outline
from pokeopt.data.sources.base import PARTS, find_images, part_of
from pokeopt.data.sources.folder import folders_in, holds_classes, holds_pairs, loose_images
from pokeopt.data.split import SplitRule, draw_split
from pokeopt.errors import DataError

if TYPE_CHECKING:
    from pokeopt.data.sources.base import SourceTable

MOST_OPENED = 120  # images, spread over the folder: enough to know sizes and kinds
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
        labelled_by: Where the classes are from: which table and columns, or which folders.
        notes: What was not used, and what else a reader should know, one line each.
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
    labelled_by: str = ""
    notes: tuple[str, ...] = ()

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
    root = _step_in(root)
    if holds_pairs(root):
        what = "its folders inputs and outputs hold pairs, no classes"
        raise DataError(str(folder), what, "write a file with source: pairs and model: {family: unet}")
    source, notes = _source(root)
    table = _read(source)
    counts = {name: int((table.labels == k).sum()) for k, name in enumerate(table.classes)}
    if len(counts) < 2:
        what = f"all {len(table.ids)} images are of one class, '{table.classes[0]}'"
        mend = "add a folder of images for each further class"
        if "label" in source:
            what, mend = f"{what}, in the column '{source['label']}'", "call the column of the classes label"
        raise DataError(source.get("labels", str(folder)), what, mend)
    draw_split(table, np.arange(len(table.ids)), rule)
    return Survey(
        folder=root,
        source=source,
        counts=counts,
        given=() if table.given is None else tuple(part for part in PARTS if part in table.given),
        labelled_by=_labelled_by(source, root),
        notes=(*table.notes, *notes),
        **_looks(table),
    )


def _read(source: Mapping[str, str]) -> SourceTable:
    with tempfile.TemporaryDirectory() as home:  # where digests are kept, which nobody needs yet
        return read_source(source, Path(home))


def _step_in(root: Path) -> Path:
    """Return the folder that holds the set: one with nothing but another folder of folders is stepped into."""
    inside = folders_in(root)
    is_shell = len(inside) == 1 and not loose_images(root) and not list(root.glob("*.[cC][sS][vV]"))
    if is_shell and (folders_in(inside[0]) or list(inside[0].glob("*.[cC][sS][vV]"))):
        return _step_in(inside[0])
    return root


def _source(root: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the settings that read a folder, and a sentence on each table that is not used.

    Raises:
        DataError: If a table is there that cannot be used, and the folders are no classes.
    """
    found = search_tables(root)
    by_folders = {"source": "folder", "path": str(root)}
    folders = folders_in(root)
    if any(part_of(folder.name) == "train" and holds_classes(folder) for folder in folders):
        unread = (
            (f"{found.best.path.name} is not used: the folders give classes and parts.",)
            if found.best
            else ()
        )
        return by_folders, (*unread, *found.passed)
    names = {re.sub(r"\d+", "", folder.name) for folder in folders}
    are_classes = len(folders) > 1 and not loose_images(root) and (len(names) > 1 or names == {""})
    best = found.best
    if best is not None and (best.is_certain or not are_classes):
        own = {"images": str(best.images), "labels": str(best.path), "id": best.id, "label": best.label}
        return {"source": "csv", **own}, found.passed
    if best is not None:
        return by_folders, (f"{best.path.name} is not used: the folders give the classes.", *found.passed)
    if isinstance(found.fault, AmbiguousTableError):
        raise found.fault
    if found.fault is not None and not are_classes and find_images(root)[0]:
        raise found.fault
    return by_folders, found.passed


def _labelled_by(source: Mapping[str, str], root: Path) -> str:
    """Return where the classes are from, in words."""
    if source["source"] == "folder":
        return f"the class folders of {Path(source['path']).name}"
    images, labels = Path(source["images"]), Path(source["labels"])
    place = f"in {images.relative_to(root)}"
    if images == root:
        place = "beside it" if loose_images(root) else "in the folders beside it"
    return f"{labels.name}, column {source['label']}; images {place}, by the column {source['id']}"


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

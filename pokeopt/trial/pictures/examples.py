"""Some images of each class as they were found."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import PurePath

from pokeopt.trial.pictures.layout import sheet
from pokeopt.trial.pictures.tiles import Bytes

EACH = 6  # images of a class
MOST_CLASSES = 12
MOST_LETTERS = 12  # of an image's name below it


def draw_examples(
    examples: Mapping[str, Mapping[str, Bytes]], n_classes: int, n_images: int
) -> dict[str, bytes]:
    """Return the sheet ``examples.png``: a row a class, the images that it is given; none where there is no image.

    Args:
        examples: Class to id to image, RGBA (H, W, 4), as they were found; classes in the order of the rows.
        n_classes: Classes that there are, shown or not.
        n_images: Training images that there are.
    """
    stems = {id_: PurePath(id_).stem or id_ for images in examples.values() for id_ in images}
    if not stems:
        return {}
    start = os.path.commonprefix(list(stems.values())) if len(stems) > 1 else ""  # noqa: RUF071 - letters, not folders
    start = start.rstrip("0123456789")  # numbers stay whole
    description = f"Training images as they were found, drawn by chance with a fixed seed, of {n_images}."
    if n_classes > len(examples):
        description += f" The {len(examples)} largest of {n_classes} classes, the largest first."
    description += f" Below each its name, after “{start}”." if start else " Below each its name."
    content = sheet(
        [list(images.values()) for images in examples.values()],
        list(examples),
        tile_labels=[[_short(stems[id_][len(start) :]) for id_ in images] for images in examples.values()],
        title="Images as they were found",
        description=description,
        question="What do the images of each class look like?",
    )
    return {"examples.png": content}


def _short(name: str) -> str:
    """Return a name that fits below an image, shortened in the middle."""
    if len(name) <= MOST_LETTERS:
        return name
    half = (MOST_LETTERS - 1) // 2
    return f"{name[:half]}…{name[-half:]}"

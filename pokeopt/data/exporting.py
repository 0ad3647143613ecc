"""A source as plain files: a folder of PNG images and a table of labels, which the ``csv`` source reads again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pokeopt.data.sources.base import SourceTable
from pokeopt.data.split import choose_limited
from pokeopt.errors import DataError

IMAGES, LABELS = "images", "labels.csv"


def export_images(table: SourceTable, folder: Path, limit: int | None = None, seed: int = 0) -> int:
    """Write a source's images to ``folder/images`` and their labels to ``folder/labels.csv``.

    The table has the columns ``Id`` (the file's stem) and ``label``, ``group`` where the source has groups, ``part``
    where it has parts, and the source's own columns.

    Args:
        table: What to write.
        folder: Where to; it must be new or empty.
        limit: So many images, stratified by class; None writes all.
        seed: Draws them.

    Returns:
        The number of images written.

    Raises:
        DataError: If the folder holds something, or an image is broken.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(str(folder), "it is there and not empty", "give another folder with -o")
    rows = choose_limited(table, limit, seed)
    names = [_file_stem(str(name)) for name in table.ids[rows]]
    if len(set(names)) < len(names):
        raise DataError(table.name, "two images would get one file name", "rename one of them in the source")
    (folder / IMAGES).mkdir(parents=True, exist_ok=True)
    for name, row in zip(names, rows.tolist(), strict=True):
        table.open(row).save(folder / IMAGES / f"{name}.png")
    columns = {"Id": names, "label": np.array(table.classes)[table.labels[rows]].tolist()}
    if table.groups is not None:
        columns["group"] = table.groups[rows].tolist()
    if table.given is not None:
        columns["part"] = table.given[rows].tolist()
    own = {str(key): table.columns[key].iloc[rows].tolist() for key in table.columns.columns}
    columns |= {key: values for key, values in own.items() if key not in columns}
    pd.DataFrame(columns).to_csv(folder / LABELS, index=False)
    return len(rows)


def _file_stem(name: str) -> str:
    """Return a name that no file system reads as a folder."""
    return name.replace("/", "__").replace("\\", "__")

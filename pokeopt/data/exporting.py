"""A source as plain files: folders of PNG images and a table of labels, which ``csv`` or ``pairs`` read again."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from pokeopt.data.images import to_rgba
from pokeopt.data.sources.base import SourceTable
from pokeopt.data.split import Rows, choose_limited
from pokeopt.errors import DataError

IMAGES, LABELS = "images", "labels.csv"
PAIRS = ("inputs", "conditions", "outputs")
PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
DRAFT = ".draft."


def export_images(table: SourceTable, folder: Path, limit: int | None = None, seed: int = 0) -> int:
    """Write a source's images to ``folder/images`` and their labels to ``folder/labels.csv``.

    Of pairs, inputs, conditions and outputs each get a folder of their own. The table has the columns ``Id`` (``id``
    beside pairs; the file's stem) and ``label``, ``group`` where the source has groups, ``part``
    where it has parts, and the source's own columns. If an image cannot be written, nothing is left.

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
    is_new = not folder.exists()
    if not is_new and (not folder.is_dir() or any(not _is_draft(path) for path in folder.iterdir())):
        raise DataError(str(folder), "it is there and not empty", "give another folder with -o")
    rows = choose_limited(table, limit, seed)
    names = [_file_stem(str(name)) for name in table.ids[rows]]
    if len(set(names)) < len(names):
        raise DataError(table.name, "two images would get one file name", "rename one of them in the source")
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in filter(_is_draft, list(folder.iterdir())):  # of a killed process
        shutil.rmtree(leftover, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=folder))
    try:
        _write(draft, table, rows, names)
        for path in sorted(draft.iterdir(), key=lambda path: path.name == LABELS):  # the table last
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if is_new and not any(folder.iterdir()):
            folder.rmdir()
    return len(rows)


def _write(folder: Path, table: SourceTable, rows: Rows, names: Sequence[str]) -> None:
    folders = (IMAGES,) if table.open_pair is None else PAIRS
    for part in folders:
        (folder / part).mkdir()
    for name, row in zip(names, rows.tolist(), strict=True):
        images = (table.open(row),) if table.open_pair is None else table.open_pair(row)
        for part, image in zip(folders, images, strict=True):
            _as_png(image, str(table.ids[row])).save(folder / part / f"{name}.png")
    columns = {
        "Id" if table.open_pair is None else "id": names,
        "label": np.array(table.classes)[table.labels[rows]].tolist(),
    }
    if table.groups is not None:
        columns["group"] = table.groups[rows].tolist()
    if table.given is not None:
        columns["part"] = table.given[rows].tolist()
    own = {str(key): _plain(table.columns[key].iloc[rows]) for key in table.columns.columns}
    columns |= {key: values for key, values in own.items() if key not in columns}
    pd.DataFrame(columns).to_csv(folder / LABELS, index=False)


def _as_png(image: Image.Image, name: str) -> Image.Image:
    """Return an image of a mode that PNG has, of the same pixels as ``to_rgba`` reads them."""
    if image.mode in PNG_MODES:
        return image
    try:
        return Image.fromarray(to_rgba(image))
    except (OSError, ValueError) as error:
        what = f"the image cannot be decoded: {(str(error).splitlines() or [''])[0]}"
        raise DataError(name, what, "replace it or leave it out") from error


def _is_draft(path: Path) -> bool:
    return path.name.startswith(DRAFT)


def _plain(column: pd.Series[Any]) -> list[Any]:
    """Return a column's values; yes-or-no ones in the words that ``pairs`` reads."""
    return [str(value).lower() for value in column] if column.dtype == bool else column.tolist()


def _file_stem(name: str) -> str:
    """Return a name that no file system reads as a folder."""
    return name.replace("/", "__").replace("\\", "__")

"""Which table of a folder labels its images, and by which columns: the guess that ``init`` makes and names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pokeopt.data.sources.base import part_of
from pokeopt.data.sources.csv import ImageIndex, header_is_row, list_files, read_table
from pokeopt.data.sources.folder import folders_in
from pokeopt.errors import DataError

LABEL_NAMES = ("label", "labels", "class", "category", "target", "type", "species", "y")
NO_LABELS = {"split", "part", "fold", "set", "subset", "usage", "dataset"}  # columns that divide images
IMAGE_FOLDERS = ("images", "image", "imgs", "img")
MOST_TRIED = 50  # rows, spread over a table: where none of them names an image, no row is looked at
MEND_NAMES = "write the images' names into a column Id"


class AmbiguousTableError(DataError):
    """A table of labels names images that several folders have."""


@dataclass(frozen=True)
class LabelTable:
    """A table whose rows name images.

    Attributes:
        path: The table.
        images: The folder of the images; some of them may lie below.
        id: Column of the names.
        label: Column of the classes.
        n_found: Distinct names whose image is there.
        is_certain: Whether the column of the classes is called so, or the images all lie in one folder.
    """

    path: Path
    images: Path
    id: str
    label: str
    n_found: int
    is_certain: bool


@dataclass(frozen=True)
class TableSearch:
    """What was found: the best table, why others were not taken, and the fault of the first that cannot be."""

    best: LabelTable | None
    passed: tuple[str, ...]
    fault: DataError | None


def search_tables(root: Path) -> TableSearch:
    """Look at all ``.csv`` files of a folder; an example of a submission is none, one of test images comes last."""
    fitting: list[LabelTable] = []
    faults: dict[Path, DataError] = {}
    passed: dict[Path, str] = {}
    tables = sorted(path for path in list_files(root) if path.suffix.lower() == ".csv")
    for path in tables:
        if "submission" in path.stem.lower():
            passed[path] = "it is an example of a submission"
            continue
        try:
            fitting.append(_fit(path, root))
        except DataError as error:
            faults[path] = error
            passed[path] = error.what
    fitting.sort(key=lambda one: (part_of(_words(one.path.stem)[0]) == "test", -one.n_found))
    for one in fitting[1:]:
        passed[one.path] = f"{fitting[0].path.name} is"
    return TableSearch(
        best=fitting[0] if fitting else None,
        passed=tuple(f"{path.name} is not used: {why}." for path, why in sorted(passed.items())),
        fault=next((one for one in faults.values() if isinstance(one, AmbiguousTableError)), None)
        or next(iter(faults.values()), None),
    )


def _fit(path: Path, root: Path) -> LabelTable:
    """Return how a table fits the images of a folder.

    Raises:
        DataError: If it does not, saying why.
    """
    rows = read_table(path)
    counts = {folder: _named(rows, folder, below=False) for folder in (root, *folders_in(root))}
    best = max((n for n, _ in counts.values()), default=0)
    below = _named(rows, root, below=True) if 2 * best < len(rows) else (0, "")
    is_direct = below[0] <= best
    if is_direct:
        images = _choose(path, rows, [folder for folder, (n, _) in counts.items() if n and 2 * n >= best])
        n_found, id_column = counts[images] if images else (0, "")
    else:
        images, (n_found, id_column) = root, below
    if images is None or not n_found:
        first = next(iter(rows.iloc[0]))
        what = f"no column names images of {root.name}; the first row starts with '{first}'"
        raise DataError(str(path), what, MEND_NAMES)
    if 2 * n_found < len(rows):
        what = f"only {n_found} of {len(rows)} rows name an image of {root.name}, by the column '{id_column}'"
        raise DataError(str(path), what, f"add the images, or {MEND_NAMES}")
    if named := header_is_row([str(name) for name in rows.columns], images):
        what = f"the table has no header: its first line names the image '{named}'"
        raise DataError(f"{path}:1", what, "write Id,label above it")
    label, is_called_so = _label_column(rows, id_column, path)
    return LabelTable(path, images, id_column, label, n_found, is_certain=is_direct or is_called_so)


def _named(rows: pd.DataFrame, folder: Path, *, below: bool) -> tuple[int, str]:
    """Return how many distinct images of a folder a column names, and which column: the one that names most."""
    index, best = ImageIndex(folder), (0, "")
    for column in map(str, rows.columns):
        few = rows[column].iloc[np.linspace(0, len(rows) - 1, min(len(rows), MOST_TRIED)).astype(int)]
        if not any(name and index.find(name, below=below) for name in few):
            continue
        names = [name for name in set(rows[column]) if name]
        n = sum(len(index.find(name, below=below)) == 1 for name in names)
        best = max(best, (n, column), key=lambda one: one[0])
    return best


def _choose(table: Path, rows: pd.DataFrame, folders: Sequence[Path]) -> Path | None:
    """Return the folder that a table means: the one that fits, or of several the one whose name goes with the table's.

    Raises:
        DataError: If several do equally well.
    """
    if len(folders) < 2:
        return folders[0] if folders else None
    words = _words(table.stem)
    parts = {part_of(word) for word in words} - {None}
    by_name = {folder: folder.name.lower() for folder in folders}
    for named in (
        [folder for folder, name in by_name.items() if name in words or table.stem.lower().startswith(name)],
        [folder for folder, name in by_name.items() if part_of(name) in parts],
        [folder for folder, name in by_name.items() if name in IMAGE_FOLDERS],
    ):
        if len(named) == 1:
            return named[0]
    listed = ", ".join(folder.name for folder in folders)
    what = f"the images that it names are in {len(folders)} folders: {listed}"
    error = AmbiguousTableError if _called_label(map(str, rows.columns)) else DataError
    raise error(str(table), what, "call the table like the folder that it is for: train.csv, train/")


def _label_column(rows: pd.DataFrame, id_column: str, path: Path) -> tuple[str, bool]:
    """Return the column of the classes, and whether it is called so: else it is the first whose values repeat.

    Raises:
        DataError: If there is none, or one column for each class.
    """
    others = [
        str(name) for name in rows.columns if name != id_column and not NO_LABELS & set(_words(str(name)))
    ]
    if called := _called_label(others):
        return called, True
    flags = [column for column in others if set(rows[column]) <= {"0", "1", "0.0", "1.0"}]
    if len(flags) > 1:
        what = f"it has a column of 0 and 1 for each of {', '.join(flags[:4])}{', ...' if len(flags) > 4 else ''}"
        raise DataError(str(path), what, "one column of class names is needed: call it label")
    for column in others:
        if 1 < rows[column].nunique() < len(rows):
            return column, False
    what = "it names images, and no column of it looks like their classes"
    raise DataError(str(path), what, "call the column of the classes label")


def _called_label(columns: Iterable[str]) -> str | None:
    """Return the column that is called label or the like, else the first with such a word in its name."""
    names = list(columns)
    exact = (one for name in LABEL_NAMES for one in names if one.lower().rstrip("0123456789") == name)
    return next(exact, None) or next((one for one in names if set(LABEL_NAMES) & set(_words(one))), None)


def _words(text: str) -> list[str]:
    """Return the words of a name in lower case.

    >>> _words("trainLabels"), _words("Finding Labels")
    (['train', 'labels'], ['finding', 'labels'])
    """
    return [word.lower() for word in re.findall(r"[A-Z]*[a-z]+|[A-Z]+|[^\W\da-zA-Z_]+|\d+", text)] or [
        text.lower()
    ]

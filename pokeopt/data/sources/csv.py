"""A folder of images and a table of their labels, as Kaggle gives them."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from pokeopt.data.sources.base import ImageFiles, SourceTable, class_names, table_digest
from pokeopt.data.sources.digests import file_digests
from pokeopt.errors import DataError
from pokeopt.registry import SOURCES, PathText, nearest


@SOURCES.register("csv")
@dataclass(frozen=True)
class Csv:
    """Images named by the rows of a table.

    Attributes:
        images: Folder of the images, named ``<id>`` with any suffix.
        labels: Table with a header, separated by commas.
        id: Column of the images' names.
        label: Column of their classes.
        group: Column of what belongs together, if there is one.
    """

    task: ClassVar[str] = "classification"

    images: PathText
    labels: PathText
    id: str = "Id"
    label: str = "label"
    group: str | None = None

    def read(self, home: Path) -> SourceTable:
        """List the images in the order of the table."""
        rows = _read_table(Path(self.labels))
        for column in (self.id, self.label, *([] if self.group is None else [self.group])):
            if column not in rows.columns:
                what = f"there is no column '{column}'"
                raise DataError(self.labels, what, nearest(column, [str(name) for name in rows.columns]))
        self._check(rows)
        ids, labels = list(rows[self.id]), list(rows[self.label])
        paths = self._find(rows[self.id])
        classes = class_names(labels)
        number = {name: position for position, name in enumerate(classes)}
        groups = None if self.group is None else np.array(rows[self.group], dtype=np.str_)
        others = [str(name) for name in rows.columns if name not in (self.id, self.label)]
        columns = rows[others].reset_index(drop=True)
        values = [value for name in others for value in (name, *columns[name])]
        return SourceTable(
            name=Path(self.labels).stem,
            ids=np.array(ids),
            classes=classes,
            labels=np.array([number[label] for label in labels], dtype=np.int64),
            open=ImageFiles(tuple(str(path) for path in paths)),
            content_hash=table_digest(ids, labels, groups, values, file_digests(paths, home)),
            groups=groups,
            columns=columns,
        )

    def _check(self, rows: pd.DataFrame) -> None:
        """Every row has a name, its own, and a label."""
        seen: dict[str, int] = {}
        for line, name, label in zip(rows.index, rows[self.id], rows[self.label], strict=True):
            where = f"{self.labels}:{line}"
            if not name:
                raise DataError(where, f"the row has no '{self.id}'", "name its image or remove the row")
            if not label:
                what = f"image '{name}' has no '{self.label}'"
                raise DataError(where, what, "label it or remove the row")
            if name in seen:
                what = f"image '{name}' is already in line {seen[name]}"
                raise DataError(where, what, "keep one of the two rows")
            seen[name] = line

    def _find(self, ids: pd.Series[str]) -> list[Path]:
        """Return the file of each id: of that very name, or of that name and a suffix."""
        folder = Path(self.images)
        if not folder.is_dir():
            raise DataError(self.images, "there is no such folder", "check data.images")
        files: dict[Path, tuple[set[str], dict[str, list[str]]]] = {}
        found = []
        for line, name in ids.items():
            path = folder / name
            if path.parent not in files:
                files[path.parent] = _list_files(path.parent)
            names, by_stem = files[path.parent]
            candidates = [path.name] if path.name in names else by_stem.get(path.name, [])
            if not candidates:
                what = f"the image '{name}' of {Path(self.labels).name}:{line} is missing"
                raise DataError(str(path), what, "add the file or remove the row")
            if len(candidates) > 1:
                what = f"image '{name}' may be {' or '.join(sorted(candidates))}"
                raise DataError(str(path.parent), what, "remove one, or write the suffix into the table")
            found.append(path.parent / candidates[0])
        return found


def _read_table(path: Path) -> pd.DataFrame:
    """Read a table as text, by line: '007' stays '007' and 'NA' is a label."""
    if not path.is_file():
        raise DataError(str(path), "there is no such table", "check data.labels")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a row longer than the header
            rows = pd.read_csv(
                path,
                dtype=str,
                keep_default_na=False,
                encoding="utf-8-sig",
                skip_blank_lines=False,  # so that lines can be counted
                index_col=False,
            )
    except (pd.errors.ParserWarning, ValueError, OSError) as error:  # pandas' own errors are ValueErrors
        what = f"the table cannot be read: {(str(error).splitlines() or [''])[0]}"
        raise DataError(str(path), what, "save it as comma-separated UTF-8 with a header") from error
    rows = rows.fillna("").map(str.strip)
    rows.columns = pd.Index([str(name).strip() for name in rows.columns])
    rows.index = pd.RangeIndex(2, len(rows) + 2)
    rows = rows.loc[(rows != "").any(axis="columns")]
    if not len(rows):
        raise DataError(str(path), "the table has no rows", "list the images and their labels")
    return rows


def _list_files(folder: Path) -> tuple[set[str], dict[str, list[str]]]:
    names: set[str] = set()
    by_stem: dict[str, list[str]] = {}
    if folder.is_dir():
        with os.scandir(folder) as entries:
            names = {entry.name for entry in entries if entry.is_file() and not entry.name.startswith(".")}
    for name in names:
        by_stem.setdefault(Path(name).stem, []).append(name)
    return names, by_stem

"""A folder of images and a table of their labels, as Kaggle gives them."""

from __future__ import annotations

import os
import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from pokeopt.data.sources.base import (
    PARTS,
    ImageFiles,
    SourceTable,
    class_names,
    find_images,
    given_parts,
    image_suffixes,
    is_hidden,
    part_of,
    table_digest,
)
from pokeopt.data.sources.digests import file_digests
from pokeopt.errors import DataError
from pokeopt.registry import SOURCES, PathText, nearest

PART_COLUMNS = ("part", "split")  # in any case; taken for the parts if that is what their values are
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}  # that some programs write in place of commas
MOST_LINES = 20  # of one fault that are named
NO_NAMES = (
    "labels",
    "label",
    "train",
    "train_labels",
    "trainlabels",
    "data",
)  # of a set: many have one called so


@SOURCES.register("csv")
@dataclass(frozen=True)
class Csv:
    """Images named by the rows of a table.

    Attributes:
        images: Folder of the images, named ``<id>`` with any suffix; one that is not in it may lie in a folder below.
        labels: Table with a header, separated by commas.
        id: Column of the images' names.
        label: Column of their classes.
        group: Column of what belongs together, if there is one.
        part: Column of the parts, whose values are ``train``, ``val`` (``valid``, ``validation``, ``dev``) and
            ``test``. Without it, a column ``part`` or ``split`` with no other values counts.
    """

    task: ClassVar[str] = "classification"

    images: PathText
    labels: PathText
    id: str = "Id"
    label: str = "label"
    group: str | None = None
    part: str | None = None

    def read(self, home: Path) -> SourceTable:
        """List the images in the order of the table."""
        rows = read_table(Path(self.labels))
        for column in filter(None, (self.id, self.label, self.group, self.part)):
            if column not in rows.columns:
                self._refuse_column(column, [str(name) for name in rows.columns])
        self._check(rows)
        ids, labels = list(rows[self.id]), list(rows[self.label])
        paths, left_out = self._find(rows[self.id])
        given, note = self._parts(rows)
        classes = class_names(labels)
        number = {name: position for position, name in enumerate(classes)}
        groups = None if self.group is None else np.array(rows[self.group], dtype=np.str_)
        others = [str(name) for name in rows.columns if name not in (self.id, self.label)]
        columns = rows[others].reset_index(drop=True)
        values = [value for name in others for value in (name, *columns[name])]
        return SourceTable(
            name=_name_of(Path(self.labels)),
            ids=np.array(ids),
            classes=classes,
            labels=np.array([number[label] for label in labels], dtype=np.int64),
            open=ImageFiles(tuple(str(path) for path in paths)),
            content_hash=table_digest(ids, labels, groups, values, file_digests(paths, home)),
            groups=groups,
            columns=columns,
            given=given,
            notes=tuple(filter(None, (left_out, note))),
        )

    def _refuse_column(self, column: str, known: Sequence[str]) -> None:
        if named := header_is_row(known, Path(self.images)):
            what = f"the table has no header: its first line names the image '{named}'"
            raise DataError(f"{self.labels}:1", what, f"write {self.id},{self.label} above it")
        raise DataError(self.labels, f"there is no column '{column}'", nearest(column, known))

    def _check(self, rows: pd.DataFrame) -> None:
        """Every row has a name, its own, a label, and a group where there are groups."""
        seen: dict[str, int] = {}
        faults: list[tuple[int, str, str]] = []
        groups = rows[self.id] if self.group is None else rows[self.group]
        for line, name, label, group in zip(rows.index, rows[self.id], rows[self.label], groups, strict=True):
            if not name:
                faults.append((line, f"the row has no '{self.id}'", "name its image or remove the row"))
            elif not label:
                what = f"image '{name}' has no '{self.label}'"
                faults.append((line, what, "label it or remove the row"))
            elif name in seen:
                what = f"image '{name}' is already in line {seen[name]}"
                faults.append((line, what, "keep one of the two rows"))
            elif not group:
                what = f"image '{name}' has no '{self.group}'"
                faults.append((line, what, "say what it belongs with, or remove the row"))
            seen[name] = line
        if faults:
            (line, what, mend), *more = faults
            raise DataError(f"{self.labels}:{line}", what + _and_lines(line for line, _, _ in more), mend)

    def _find(self, ids: pd.Series[str]) -> tuple[list[Path], str]:
        """Return the file of each id, and a sentence on the images that no id names, empty where there are none.

        A file has that very name, or that name and a suffix; it lies where the id says, or below.
        """
        folder = Path(self.images)
        if not folder.is_dir():
            raise DataError(self.images, "there is no such folder", "check data.images")
        index = ImageIndex(folder)
        found: list[Path] = []
        missing: list[tuple[int, str]] = []
        for line, name in ids.items():
            candidates = index.find(name)
            if len(candidates) > 1:
                options = " or ".join(sorted(str(one.relative_to(folder)) for one in candidates))
                mend = "remove one, or write the table's names as one of these"
                raise DataError(str(folder), f"image '{name}' may be {options}", mend)
            if not candidates:
                missing.append((int(str(line)), name))
            found += candidates
        if missing:
            line, name = missing[0]
            what = f"the image '{name}' of {Path(self.labels).name}:{line} is missing"
            what += _and_lines(line for line, _ in missing[1:])
            raise DataError(str(folder / name), what, "add the file or remove the row")
        return found, _left_out(len(index.seen() - set(found)), folder, Path(self.labels))

    def _parts(self, rows: pd.DataFrame) -> tuple[npt.NDArray[np.str_] | None, str]:
        """Return the part of each row, or None, and a sentence on where they are from, empty where there is none."""
        if self.part is not None:
            for line, word in rows[self.part].items():
                if part_of(word) is None:
                    what = f"'{word}' in the column '{self.part}' is no part"
                    raise DataError(f"{self.labels}:{line}", what, f"use {', '.join(PARTS)}")
            return np.array([part_of(word) for word in rows[self.part]]), _as_given(self.part)
        taken = (self.id, self.label, self.group)
        for column in (c for c in rows.columns if c.lower() in PART_COLUMNS and c not in taken):
            given = given_parts(rows[column])
            if given is not None:
                return given, _as_given(column)
            other = next((word for word in rows[column] if part_of(word) is None), None)
            if other is not None and "train" in map(part_of, rows[column]):
                return (
                    None,
                    f"The parts are drawn: the column '{column}' is not taken, it says '{other}', too.",
                )
        return None, ""


class _Files:
    """Files by name, and by stem: of those the images, or all where none of a stem is one."""

    def __init__(self, paths: Iterable[Path]) -> None:
        suffixes = image_suffixes()
        self.by_name: dict[str, list[Path]] = {}
        self.by_stem: dict[str, list[Path]] = {}
        self.images: set[Path] = set()
        self._others: dict[str, list[Path]] = {}
        for path in paths:
            is_image = path.suffix.lower() in suffixes
            self.by_name.setdefault(_composed(path.name), []).append(path)
            (self.by_stem if is_image else self._others).setdefault(_composed(path.stem), []).append(path)
            if is_image:
                self.images.add(path)

    def called(self, name: str) -> list[Path]:
        """Return the files of that very name, else those of that name and a suffix."""
        name = _composed(name)
        return self.by_name.get(name) or self.by_stem.get(name) or self._others.get(name, [])


def _composed(name: str) -> str:
    """Return a name with each accented letter as one character: a Mac writes files with two."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


class ImageIndex:
    """Images of a folder by the names that a table gives them; a folder is listed when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[Path, _Files] = {}
        self._below: _Files | None = None

    def find(self, name: str, *, below: bool = True) -> list[Path]:
        """Return the files that a name may mean: where it says, else, if ``below``, in a folder under it."""
        path = self.folder / name
        if path.parent not in self._files:
            self._files[path.parent] = _Files(list_files(path.parent))
        found = self._files[path.parent].called(path.name)
        if found or not below or path.parent != self.folder:
            return found
        if self._below is None:
            self._below = _Files(find_images(self.folder)[0])
        return self._below.called(path.name)

    def seen(self) -> set[Path]:
        """Return the images in all folders that were listed."""
        below = [] if self._below is None else [self._below]
        return {path for files in (*self._files.values(), *below) for path in files.images}


def _as_given(column: str) -> str:
    return f"The parts are as the column '{column}' gives them."


def _left_out(n: int, folder: Path, table: Path) -> str:
    """Return a sentence on images that a table does not name; empty where there are none."""
    if not n:
        return ""
    images = "1 image" if n == 1 else f"{n} images"
    return f"{images} in {folder.name} not named in {table.name}, and not used."


def _and_lines(lines: Iterable[int]) -> str:
    """Return how many further lines have the fault, and which."""
    numbers = list(lines)
    if not numbers:
        return ""
    shown = ", ".join(map(str, numbers[: MOST_LINES - 1])) + (", ..." if len(numbers) >= MOST_LINES else "")
    return f" (and {len(numbers)} more, in line{'s' * (len(numbers) > 1)} {shown})"


def header_is_row(header: Iterable[str], folder: Path) -> str | None:
    """Return the word of a header that names an image of a folder: the header then is a row; None where none does."""
    index = ImageIndex(folder)
    suffixes = image_suffixes()
    for name in header:
        if any(path.suffix.lower() in suffixes for path in index.find(name, below=False)):
            return name
    return None


def read_table(path: Path) -> pd.DataFrame:
    """Read a table as text, by line: '007' stays '007' and 'NA' is a label.

    Raises:
        DataError: If it is none, cannot be read, is separated by something else than commas, or has no rows.
    """
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
    header = [str(name) for name in rows.columns]
    if len(header) == 1 and (mark := next((mark for mark in SEPARATORS if mark in header[0]), None)):
        what = f"the table is separated by {SEPARATORS[mark]}"
        raise DataError(str(path), what, "save it as comma-separated UTF-8 with a header")
    rows = rows.fillna("")
    breaks = rows.map(lambda text: text.count("\n")).sum(axis="columns").to_numpy()  # in quotes: no new row
    starts = 2 + "".join(header).count("\n") + np.arange(len(rows)) + np.cumsum(breaks) - breaks
    rows = rows.map(str.strip)
    rows.columns = pd.Index([name.strip() for name in header])
    rows.index = pd.Index(starts)
    rows = rows.loc[(rows != "").any(axis="columns")]
    if not len(rows):
        raise DataError(str(path), "the table has no rows", "list the images and their labels")
    return rows


def list_files(folder: Path) -> list[Path]:
    """Return the files in a folder, without hidden ones; none where there is no such folder."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [folder / entry.name for entry in entries if entry.is_file() and not is_hidden(entry.name)]


def _name_of(table: Path) -> str:
    """Return what a report calls the set: the table, or the folder of one whose name says nothing of its images."""
    return (table.resolve().parent.name or table.stem) if table.stem.lower() in NO_NAMES else table.stem

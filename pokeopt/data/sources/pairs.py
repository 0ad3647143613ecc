"""Pairs of images: an input and a condition, and the output to be made of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image, ImageColor

from pokeopt.data.images import to_rgba
from pokeopt.data.sources.base import ImageFiles, SourceTable, class_names, table_digest
from pokeopt.data.sources.digests import file_digests
from pokeopt.data.sources.pair_rows import PairRow, rows_of_folder, rows_of_index
from pokeopt.errors import DataError
from pokeopt.registry import SOURCES, PathText, nearest

LABEL = "label"
ONE_CLASS = "image"  # of pairs without labels
WORDS = {"true": True, "false": False}


@dataclass(frozen=True)
class _PairFiles:
    """Opens pairs by row.

    Attributes:
        inputs, outputs: A file for each row.
        conditions: A file for each row; empty where there is none.
        colours: A colour for each row; empty where there is none.
    """

    inputs: tuple[str, ...]
    conditions: tuple[str, ...]
    outputs: tuple[str, ...]
    colours: tuple[str, ...]

    def __call__(self, row: int) -> tuple[Image.Image, Image.Image, Image.Image]:
        """Return input, condition and output; DataError if one is broken or they differ in their proportions."""
        given, made = ImageFiles(self.inputs)(row), ImageFiles(self.outputs)(row)
        check_proportions(given, made, self.outputs[row])
        if self.conditions[row]:
            condition = ImageFiles(self.conditions)(row)
            check_proportions(given, condition, self.conditions[row])
        elif self.colours[row]:
            condition = painted(given, self.colours[row])
        else:
            condition = Image.new("RGB", given.size)
        return given, condition, made


@SOURCES.register("pairs")
@dataclass(frozen=True)
class Pairs:
    """Inputs, perhaps conditions, and outputs, for networks that make one image of another.

    A folder holds ``inputs``, ``outputs`` and perhaps ``conditions`` with files of equal stem, and perhaps
    ``labels.csv`` with a column ``id``. A JSON index lists objects ``{"input": FILE, "condition": FILE or COLOUR,
    "output": FILE}``; ``input_polygon``, ``colour`` and ``output_image`` are understood, too. As a condition, a colour
    is the input's drawn, dark pixels in that colour on black. Whatever else is said of a pair becomes a column,
    yes-or-no where all say true or false.

    Attributes:
        path: The folder or the index.
        label: Column of the classes, or a key of the index; pairs without it are all of one class.
    """

    task: ClassVar[str] = "translation"

    path: PathText
    label: str = LABEL

    def read(self, home: Path) -> SourceTable:
        """List the pairs."""
        path = Path(self.path)
        if not path.exists():
            raise DataError(self.path, "there is no such folder or index", "check data.path")
        rows = rows_of_folder(path) if path.is_dir() else rows_of_index(path)
        ids, labels, columns = _ids(rows), self._labels(rows), _columns(rows, self.label)
        classes = class_names(labels)
        number = {name: position for position, name in enumerate(classes)}
        files = _PairFiles(
            inputs=tuple(str(row.input) for row in rows),
            conditions=tuple("" if row.condition is None else str(row.condition) for row in rows),
            outputs=tuple(str(row.output) for row in rows),
            colours=tuple(row.colour for row in rows),
        )
        described = [text for name in columns.columns for text in (str(name), *map(str, columns[name]))]
        return SourceTable(
            name=path.resolve().name if path.is_dir() else f"{path.resolve().parent.name}/{path.name}",
            ids=np.array(ids),
            classes=classes,
            labels=np.array([number[label] for label in labels], dtype=np.int64),
            open=ImageFiles(files.inputs),
            content_hash=table_digest(ids, labels, described, files.colours, *_digests(files, home)),
            groups=_groups(files.inputs, path),
            columns=columns,
            open_pair=files,
        )

    def _labels(self, rows: Sequence[PairRow]) -> list[str]:
        """Return the class of each pair; one for all where none is given."""
        known = [{**row.names, **row.facts} for row in rows]
        if not any(self.label in facts for facts in known):
            if self.label == LABEL:
                return [ONE_CLASS] * len(rows)
            options = {name for facts in known for name in facts}
            raise DataError(self.path, f"no pair has a '{self.label}'", nearest(self.label, options))
        labels = []
        for row, facts in zip(rows, known, strict=True):
            label = facts.get(self.label)
            if label is None or isinstance(label, dict | list) or not str(label).strip():
                raise DataError(row.where, f"the pair has no '{self.label}'", "label it or remove it")
            labels.append(str(label).strip())
        return labels


def painted(drawing: Image.Image, colour: str) -> Image.Image:
    """Return a condition of a drawing's size, RGB: the colour where the drawing is dark, black everywhere else."""
    ground = Image.new("RGBA", drawing.size, "white")
    over = Image.alpha_composite(ground, Image.fromarray(to_rgba(drawing)))
    is_drawn = np.asarray(over.convert("L")) < 128
    pixels: npt.NDArray[np.uint8] = np.zeros((*is_drawn.shape, 3), dtype=np.uint8)
    pixels[is_drawn] = ImageColor.getrgb(colour)[:3]
    return Image.fromarray(pixels)


def check_proportions(given: Image.Image, other: Image.Image, path: str) -> None:
    """Refuse what would be distorted beside its input: more than a pixel of rounding apart.

    Raises:
        DataError: Naming ``path``, the file of ``other``.
    """
    (width, height), (other_width, other_height) = given.size, other.size
    if abs(width * other_height - height * other_width) > max(*given.size, *other.size):
        what = f"{other_width}x{other_height} pixels have other proportions than the input's {width}x{height}"
        raise DataError(path, what, "crop or pad one of the two, or leave the pair out")


def _ids(rows: Sequence[PairRow]) -> list[str]:
    """Return the names of pairs: their own, or their outputs' where those differ, or these with the row's number."""
    names = [row.output.stem if row.id is None else row.id for row in rows]
    if len(set(names)) == len(names) or all(row.id is not None for row in rows):
        return names
    return [f"{number:05d}-{name}" for number, name in enumerate(names, start=1)]


def _groups(inputs: Sequence[str], path: Path) -> npt.NDArray[np.str_] | None:
    """Return the inputs where some serve several pairs: in another colour, a drawing that is trained on is not new."""
    if len(set(inputs)) == len(inputs):
        return None
    root = path if path.is_dir() else path.parent
    return np.array([Path(os.path.relpath(name, root)).as_posix() for name in inputs])


def _columns(rows: Sequence[PairRow], label: str) -> pd.DataFrame:
    """Return what else is known of pairs, as text, or as yes and no."""
    names = dict.fromkeys(name for row in rows for name in row.facts if name != label)
    columns = {name: _column(rows, name) for name in names}
    if any(row.colour for row in rows):
        columns["condition"] = [row.colour or (row.condition.stem if row.condition else "") for row in rows]
    return pd.DataFrame(columns, index=range(len(rows)))


def _column(rows: Sequence[PairRow], name: str) -> Sequence[str] | Sequence[bool]:
    texts = []
    for row in rows:
        value = row.facts.get(name)
        if value is None or isinstance(value, dict | list):
            what = f"the pair has no '{name}'" if value is None else f"'{name}' is not one value"
            raise DataError(row.where, what, "give every pair one value of it, or none at all")
        texts.append(str(value).strip())
    words = {text.lower() for text in texts}
    if not words <= {*WORDS, ""} or words == {""}:
        return texts
    if "" in words:
        what = f"the pair says neither true nor false of '{name}'"
        raise DataError(rows[texts.index("")].where, what, "say one of them")
    return [WORDS[text.lower()] for text in texts]


def _digests(files: _PairFiles, home: Path) -> list[list[str]]:
    """Return a digest for each file, role by role; empty where there is none. A file is read once."""
    roles = (files.inputs, files.conditions, files.outputs)
    distinct = sorted({name for names in roles for name in names if name})
    known = dict(zip(distinct, file_digests([Path(name) for name in distinct], home), strict=True))
    return [[known.get(name, "") for name in names] for names in roles]

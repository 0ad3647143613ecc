"""Rows of pairs: an input, perhaps a condition, and the output to be made of them, from a folder or from an index."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import ImageColor

from pokeopt.data.sources.base import image_suffixes
from pokeopt.errors import DataError
from pokeopt.registry import nearest

# what an index may call them, and the folder beside it that their files may lie in
KEYS = {
    "input": ("input", "input_polygon"),
    "condition": ("condition", "colour"),
    "output": ("output", "output_image"),
}
FOLDERS = {"input": "inputs", "condition": "conditions", "output": "outputs"}
ID = "id"
OWN_KEYS = {ID, *(name for names in KEYS.values() for name in names)}


@dataclass(frozen=True)
class PairRow:
    """One pair.

    Attributes:
        where: Its place, for errors.
        id: Its name; None where the index gives none.
        input: The image to start from.
        output: The image to make of it.
        condition: An image that says how; None where there is none, or where it is a colour.
        colour: A colour that says how; empty where there is none.
        facts: What else is known of it.
        names: What the index calls its images, by key.
    """

    where: str
    id: str | None
    input: Path
    output: Path
    condition: Path | None = None
    colour: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


def rows_of_folder(root: Path) -> list[PairRow]:
    """List the pairs of a folder with ``inputs``, ``outputs`` and perhaps ``conditions``: files of one stem.

    Raises:
        DataError: If a folder, a file or a row of ``labels.csv`` is missing or too many.
    """
    inputs, outputs = _by_stem(root / FOLDERS["input"]), _by_stem(root / FOLDERS["output"])
    has_conditions = (root / FOLDERS["condition"]).is_dir()
    conditions = _by_stem(root / FOLDERS["condition"]) if has_conditions else {}
    indices = sorted(root.glob("*.json"))
    mend = (
        f"name all alike, or set data.path to {indices[0]}" if indices else "name all files of a pair alike"
    )
    for files, others, folder in (
        (inputs, outputs, FOLDERS["output"]),
        (outputs, inputs, FOLDERS["input"]),
        *([(inputs, conditions, FOLDERS["condition"])] if has_conditions else []),
        *([(conditions, inputs, FOLDERS["input"])] if has_conditions else []),
    ):
        if alone := sorted(set(files) - set(others)):
            raise DataError(str(files[alone[0]]), f"{folder} has no file called '{alone[0]}'", mend)
    facts = _read_facts(root / "labels.csv", set(inputs))
    return [
        PairRow(str(path), stem, path, outputs[stem], conditions.get(stem), facts=facts.get(stem, {}))
        for stem, path in sorted(inputs.items())
    ]


def rows_of_index(index: Path) -> list[PairRow]:
    """List the pairs of a JSON list of objects that name files, relative to it or to the folders beside it.

    Raises:
        DataError: If the list cannot be read, or a row lacks an image or names one that is not there.
    """
    mend = 'write a list of {"input": FILE, "condition": FILE or COLOUR, "output": FILE}'
    try:
        entries = json.loads(index.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise DataError(str(index), f"the index cannot be read: {error}".splitlines()[0], mend) from error
    if not isinstance(entries, list) or not entries:
        raise DataError(str(index), "the index is not a list of pairs", mend)
    rows = []
    for number, entry in enumerate(entries, start=1):
        where = f"{index} (row {number})"
        if not isinstance(entry, dict):
            raise DataError(where, "the row is not an object", mend)
        rows.append(_row_of_entry(entry, where, index.parent))
    return rows


def _row_of_entry(entry: dict[str, Any], where: str, folder: Path) -> PairRow:
    given = {key: value for key, value in entry.items() if value not in (None, "")}
    keys = {role: next((key for key in options if key in given), "") for role, options in KEYS.items()}
    for role in ("input", "output"):
        if not keys[role]:
            raise DataError(where, f"the row has no '{role}'", nearest(role, entry))
    names: dict[str, str] = {}
    for key in filter(None, keys.values()):
        if not isinstance(given[key], str):
            raise DataError(where, f"'{key}' is no text: {given[key]!r}", "name a file")
        names[key] = given[key]
    condition = names.get(keys["condition"], "")
    is_colour = _is_colour(condition)
    own = {ID, *names, *(OWN_KEYS - given.keys())}
    return PairRow(
        where=where,
        id=str(given[ID]) if ID in given else None,
        input=_find(names[keys["input"]], "input", where, folder),
        output=_find(names[keys["output"]], "output", where, folder),
        condition=_find(condition, "condition", where, folder) if condition and not is_colour else None,
        colour=condition if is_colour else "",
        facts={key: value for key, value in entry.items() if key not in own},
        names=names,
    )


def _find(name: str, role: str, where: str, folder: Path) -> Path:
    """Return the file of that name beside the index, or in the folder of its role there."""
    for path in (folder / name, folder / FOLDERS[role] / name):
        if path.is_file():
            return path
    mend = "add the file or remove the row"
    if role == "condition":
        mend = "name a file, or a colour as in CSS: red, #ff0000"
    raise DataError(where, f"the {role} '{name}' is missing", mend)


def _is_colour(text: str) -> bool:
    try:
        ImageColor.getrgb(text)
    except ValueError:
        return False
    return True


def _by_stem(folder: Path) -> dict[str, Path]:
    """Return the images of a folder by their names without suffix."""
    if not folder.is_dir():
        mend = f"make the folders {FOLDERS['input']} and {FOLDERS['output']}, or name a JSON index"
        raise DataError(str(folder), "there is no such folder", mend)
    suffixes = image_suffixes()
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in suffixes or path.name.startswith(".") or path.is_dir():
            continue
        if path.stem in found:
            raise DataError(str(path), f"{found[path.stem].name} has the same stem", "remove or rename one")
        found[path.stem] = path
    if not found:
        raise DataError(str(folder), "the folder holds no image", "add images")
    return found


def _read_facts(path: Path, stems: set[str]) -> dict[str, dict[str, str]]:
    """Return the rows of ``labels.csv`` by id; empty without that file."""
    if not path.is_file():
        return {}
    facts: dict[str, dict[str, str]] = {}
    for line, row in _table(path):
        where, name = f"{path}:{line}", row.pop(ID)
        if name in facts:
            raise DataError(where, f"'{name}' has a row already", "keep one of them")
        if name not in stems:
            raise DataError(where, f"there is no input called '{name}'", "add its images or remove the row")
        facts[name] = row
    if missing := sorted(stems - set(facts)):
        raise DataError(str(path), f"there is no row for '{missing[0]}'", "add it, or remove its images")
    return facts


def _table(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, row) of a table with a column of ids."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            if ID not in header:
                raise DataError(str(path), f"there is no column '{ID}'", nearest(ID, header))
            for values in filter(None, reader):
                if len(values) != len(header):
                    what = f"the row has {len(values)} values, the header {len(header)}"
                    raise DataError(f"{path}:{reader.line_num}", what, "give one value a column")
                yield reader.line_num, dict(zip(header, map(str.strip, values), strict=True))
    except (OSError, ValueError, csv.Error) as error:
        mend = "save it as comma-separated UTF-8 with a header"
        raise DataError(str(path), f"the table cannot be read: {error}".splitlines()[0], mend) from error

"""Folders of images that cannot be used, and what the one line about each must say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.data.conftest import write_image

Section = dict[str, Any]
Builder = Callable[[Path], Section]


def _table(folder: Path, n_images: int = 12, group: str | None = None) -> Section:
    """Write images of two classes in turn and their table; return the ``data`` section."""
    lines = ["Id,label"]
    for row in range(n_images):
        write_image(folder / "images" / f"{row:03d}.png", row)
        lines.append(f"{row:03d},{'fire' if row % 2 else 'water'}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    section: Section = {
        "source": "csv",
        "images": str(folder / "images"),
        "labels": str(folder / "labels.csv"),
        "split": {"train": 0.5, "val": 0.25, "test": 0.25},
    }
    return section if group is None else section | {"group": group}


def _edit(folder: Path, old: str, new: str) -> None:
    labels = folder / "labels.csv"
    labels.write_text(labels.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def _broken_image(folder: Path) -> Section:
    section = _table(folder)
    image = folder / "images" / "005.png"
    image.write_bytes(image.read_bytes()[:70])
    return section


def _text_as_image(folder: Path) -> Section:
    section = _table(folder)
    (folder / "images" / "005.png").write_text("no image", encoding="utf-8")
    return section


def _missing_image(folder: Path) -> Section:
    section = _table(folder)
    (folder / "images" / "004.png").unlink()
    return section


def _unlabelled_row(folder: Path) -> Section:
    section = _table(folder)
    _edit(folder, "004,water", "004,")
    return section


def _duplicate_id(folder: Path) -> Section:
    section = _table(folder)
    _edit(folder, "004,water", "003,water")
    return section


def _missing_column(folder: Path) -> Section:
    section = _table(folder)
    _edit(folder, "Id,label", "Id,type")
    return section


def _missing_group(folder: Path) -> Section:
    return _table(folder, group="species")


def _single_image(folder: Path) -> Section:
    section = _table(folder)
    _edit(folder, "004,water", "004,ice")
    return section


def _no_rows(folder: Path) -> Section:
    section = _table(folder)
    (folder / "labels.csv").write_text("Id,label\n", encoding="utf-8")
    return section


def _no_images_folder(folder: Path) -> Section:
    return _table(folder) | {"images": str(folder / "pictures")}


def _unknown_split_column(folder: Path) -> Section:
    return _table(folder) | {"split": {"by": "colour"}}


def _empty_folder(folder: Path) -> Section:
    (folder / "pets").mkdir()
    return {"source": "folder", "path": str(folder / "pets")}


def _empty_class(folder: Path) -> Section:
    for number in range(4):
        write_image(folder / "pets" / "cat" / f"{number}.png", number)
    (folder / "pets" / "dog").mkdir()
    return {"source": "folder", "path": str(folder / "pets")}


def _loose_image(folder: Path) -> Section:
    for number in range(4):
        write_image(folder / "pets" / "cat" / f"{number}.png", number)
    write_image(folder / "pets" / "stray.png", 9)
    return {"source": "folder", "path": str(folder / "pets")}


def _class_only_tested(folder: Path) -> Section:
    for number, place in enumerate(("train/cat", "train/dog", "test/cat", "test/bird")):
        for copy in range(4):
            write_image(folder / "pets" / place / f"{copy}.png", 10 * number + copy)
    return {"source": "folder", "path": str(folder / "pets")}


def _not_imported(folder: Path) -> Section:
    return {"source": "sprites", "name": "pokemon"}


BUILDERS: dict[str, tuple[Builder, str]] = {
    "broken image": (_broken_image, r"005\.png: the image is broken"),
    "text as image": (_text_as_image, r"005\.png: the image is broken"),
    "missing image": (_missing_image, r"004.*is missing"),
    "unlabelled row": (_unlabelled_row, r"labels\.csv:6: image '004' has no 'label'"),
    "duplicate id": (_duplicate_id, r"labels\.csv:6: image '003' is already in line 5"),
    "missing column": (_missing_column, r"labels\.csv: there is no column 'label'"),
    "missing group": (_missing_group, r"labels\.csv: there is no column 'species'"),
    "single image": (_single_image, r"class 'ice' has 1 image"),
    "no rows": (_no_rows, r"labels\.csv: the table has no rows"),
    "no images folder": (_no_images_folder, r"pictures: there is no such folder"),
    "unknown split column": (_unknown_split_column, r"data\.split\.by: .* no column 'colour'"),
    "empty folder": (_empty_folder, r"pets: there are no class folders"),
    "empty class": (_empty_class, r"dog: the class folder holds no image"),
    "loose image": (_loose_image, r"stray\.png: the image lies in no class folder"),
    "class only tested": (_class_only_tested, r"class 'bird' is in test but not in train"),
    "not imported": (_not_imported, r"pokemon: .*not imported"),
}
"""Name to (what writes the folder and returns its ``data`` section, pattern of the error)."""

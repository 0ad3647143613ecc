"""A folder of images for each class, as torchvision's ImageFolder reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from pokeopt.data.sources.base import (
    ImageFiles,
    SourceTable,
    class_names,
    find_images,
    image_suffixes,
    is_hidden,
    part_of,
    passed_over,
    table_digest,
)
from pokeopt.data.sources.digests import file_digests
from pokeopt.data.sources.pair_rows import FOLDERS as PAIR_FOLDERS
from pokeopt.errors import DataError
from pokeopt.registry import SOURCES, PathText


@SOURCES.register("folder")
@dataclass(frozen=True)
class Folder:
    """Images in folders named after their class; ``train``, ``val`` and ``test`` around them are kept as they are.

    The parts may also be called ``training``; ``valid``, ``validation`` or ``dev``; ``testing``; in any case.

    Attributes:
        path: The folder that holds the class folders, or the part folders.
    """

    task: ClassVar[str] = "classification"

    path: PathText

    def read(self, home: Path) -> SourceTable:
        """List the images, sorted by path."""
        root = Path(self.path)
        if not root.is_dir():
            raise DataError(self.path, "there is no such folder", "check data.path")
        folders = folders_in(root)
        if holds_pairs(root):
            what = "its folders inputs and outputs hold pairs, no classes"
            raise DataError(self.path, what, "use source: pairs, with a network that makes images")
        has_parts = _are_parts(root, folders)
        others = Counter[str]()
        parts = {folder: str(part_of(folder.name)) for folder in folders} if has_parts else {root: ""}
        files = [(part, *each) for folder, part in parts.items() for each in _labelled(folder, others)]
        ids = [path.relative_to(root).as_posix() for _, _, path in files]
        labels = [label for _, label, _ in files]
        given = np.array([part for part, _, _ in files]) if has_parts else None
        classes = class_names(labels)
        number = {name: position for position, name in enumerate(classes)}
        paths = [path for _, _, path in files]
        notes = [passed_over(others)] if others else []
        if has_parts:
            notes.append(f"The parts are as the folders {', '.join(f.name for f in folders)} give them.")
        elif len(classes) == 1:
            _check_depth(root, folders[0])
        return SourceTable(
            name=root.resolve().name,
            ids=np.array(ids),
            classes=classes,
            labels=np.array([number[label] for label in labels], dtype=np.int64),
            open=ImageFiles(tuple(str(path) for path in paths)),
            content_hash=table_digest(ids, labels, given, file_digests(paths, home)),
            given=given,
            notes=tuple(notes),
        )


def folders_in(root: Path) -> list[Path]:
    """Return the folders in a folder, sorted, without the hidden ones."""
    return sorted(path for path in root.iterdir() if path.is_dir() and not is_hidden(path.name))


def holds_pairs(root: Path) -> bool:
    """Return whether a folder is one of pairs, as ``source: pairs`` reads it."""
    names = {folder.name for folder in folders_in(root)}
    return {PAIR_FOLDERS["input"], PAIR_FOLDERS["output"]} <= names <= set(PAIR_FOLDERS.values())


def _are_parts(root: Path, folders: Sequence[Path]) -> bool:
    """Return whether the folders are parts, each with its class folders.

    Raises:
        DataError: If some are parts and some are not, which would make classes of the parts.
    """
    parts = {folder: part_of(folder.name) for folder in folders}
    names = {part: [folder.name for folder in folders if parts[folder] == part] for part in parts.values()}
    train = next((folder for folder in folders if parts[folder] == "train"), None)
    if train is None:
        if folders and None not in names and all(holds_classes(folder) for folder in folders):
            what = f"of the parts there are only {', '.join(folder.name for folder in folders)}"
            raise DataError(str(root), what, "add a folder train with its class folders")
        return False
    if None not in names:
        for part, alike in names.items():
            if len(alike) > 1:
                what = f"{' and '.join(alike)} are both the {part} part"
                raise DataError(str(root), what, "keep one of them")
        return True
    if holds_classes(train):
        known = ", ".join(folder.name for folder in folders if parts[folder])
        mend = f"move it out, or rename {train.name} if that is a class"
        raise DataError(str(root), f"'{names[None][0]}' stands beside {known}", mend)
    return False


def holds_classes(folder: Path) -> bool:
    """Return whether there are folders in a folder, and no images beside them."""
    return bool(folders_in(folder)) and not loose_images(folder)


def loose_images(root: Path) -> list[Path]:
    """Return the images that lie in a folder itself, sorted."""
    suffixes = image_suffixes()
    return sorted(
        path
        for path in root.iterdir()
        if path.suffix.lower() in suffixes and not is_hidden(path.name) and path.is_file()
    )


def _labelled(root: Path, others: Counter[str]) -> Iterator[tuple[str, Path]]:
    """Yield (class, file) of every image below a folder of class folders, and count the files that are none."""
    loose = loose_images(root)
    if loose:
        what = f"the image lies in no class folder of {root}"
        raise DataError(str(loose[0]), what, "move it into the folder of its class")
    folders = folders_in(root)
    if not folders:
        raise DataError(str(root), "there are no class folders", "use one folder of images for each class")
    for folder in folders:
        images, passed = find_images(folder)
        others.update(passed)
        if not images:
            what = "the class folder holds no image"
            if passed:
                what += f" that Pillow reads, only {', '.join(sorted(filter(None, passed)))}"
            raise DataError(str(folder), what, "add images or remove the folder")
        for path in images:
            yield folder.name, path


def _check_depth(root: Path, only: Path) -> None:
    """Refuse a single class folder that itself holds class folders: they were meant."""
    inside = [only]
    while len(inside) == 1 and not loose_images(inside[0]):
        inside = folders_in(path := inside[0])
    if len(inside) > 1:
        what = f"all images are of one class, '{only.name}', and lie in {len(inside)} folders of {path.name}"
        raise DataError(str(root), what, f"did you mean data.path: {path}?")

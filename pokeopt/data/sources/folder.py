"""A folder of images for each class, as torchvision's ImageFolder reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from pokeopt.data.sources.base import PARTS, ImageFiles, SourceTable, class_names, table_digest
from pokeopt.data.sources.digests import file_digests
from pokeopt.errors import DataError
from pokeopt.registry import SOURCES, PathText


@SOURCES.register("folder")
@dataclass(frozen=True)
class Folder:
    """Images in folders named after their class; ``train``, ``val`` and ``test`` around them are kept as they are.

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
        folders = _folders(root)
        has_parts = "train" in [folder.name for folder in folders] and all(f.name in PARTS for f in folders)
        parts = folders if has_parts else [root]
        files = [(part.name, label, path) for part in parts for label, path in _labelled(part)]
        ids = [path.relative_to(root).as_posix() for _, _, path in files]
        labels = [label for _, label, _ in files]
        given = np.array([part for part, _, _ in files]) if has_parts else None
        classes = class_names(labels)
        number = {name: position for position, name in enumerate(classes)}
        paths = [path for _, _, path in files]
        return SourceTable(
            name=root.resolve().name,
            ids=np.array(ids),
            classes=classes,
            labels=np.array([number[label] for label in labels], dtype=np.int64),
            open=ImageFiles(tuple(str(path) for path in paths)),
            content_hash=table_digest(ids, labels, given, file_digests(paths, home)),
            given=given,
        )


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def _labelled(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield (class, file) of every image below a folder of class folders."""
    suffixes = Image.registered_extensions()
    loose = sorted(path for path in root.iterdir() if path.is_file() and _is_image(path, suffixes))
    if loose:
        what = f"the image lies in no class folder of {root}"
        raise DataError(str(loose[0]), what, "move it into the folder of its class")
    folders = _folders(root)
    if not folders:
        raise DataError(str(root), "there are no class folders", "use one folder of images for each class")
    for folder in folders:
        images = sorted(path for path in folder.rglob("*") if path.is_file() and _is_image(path, suffixes))
        if not images:
            raise DataError(str(folder), "the class folder holds no image", "add images or remove the folder")
        for path in images:
            yield folder.name, path


def _is_image(path: Path, suffixes: dict[str, str]) -> bool:
    return path.suffix.lower() in suffixes and not path.name.startswith(".")

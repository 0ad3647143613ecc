"""Real Pokemon sprites, as ``pokeopt data import sprites`` composed them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from pokeopt.data.imports.stored import read_stored, stored_folder, stored_images
from pokeopt.data.sources.base import SourceTable, class_names, table_digest
from pokeopt.errors import DataError
from pokeopt.registry import SOURCES


@dataclass(frozen=True)
class _Stored:
    """Opens images of an imported set by row; the file is mapped once a process.

    Attributes:
        folder: Where the set lies.
        rows: (N,) rows in its ``images.npy``.
        content_hash: Digest of the set, so that a new import is a new map.
    """

    folder: str
    rows: npt.NDArray[np.int64]
    content_hash: str

    def __call__(self, row: int) -> Image.Image:
        """Return RGBA, 64x64."""
        return Image.fromarray(_mapped(self.folder, self.content_hash)[self.rows[row]])


@SOURCES.register("sprites")
@dataclass(frozen=True)
class Sprites:
    """Sprites with their primary types, 64x64 RGBA, on noisy backgrounds; species are the groups.

    Attributes:
        name: What the import called the set.
        part: ``main``, ``new_animation`` (same species, an animation that main does not have) or ``new_species``.
    """

    task: ClassVar[str] = "classification"

    name: str = "pokemon"
    part: Literal["main", "new_animation", "new_species"] = "main"

    def read(self, home: Path) -> SourceTable:
        """List the images of the part."""
        folder = stored_folder(home, self.name)
        command = f"pokeopt data import sprites PACKAGE --name {self.name}"
        table, facts = read_stored(folder, command)
        content_hash = str(facts["content_hash"])
        if missing := {"id", "part", "class", "species", "animation", "frame"} - set(table.columns):
            what = f"the imported set has no column '{min(missing)}'"
            raise DataError(str(folder), what, f"import it again: {command}")
        rows = np.flatnonzero(table["part"] == self.part).astype(np.int64)
        own = table.iloc[rows].reset_index(drop=True)
        classes = class_names(own["class"])
        number = {name: position for position, name in enumerate(classes)}
        return SourceTable(
            name=self.name if self.part == "main" else f"{self.name} ({self.part})",
            ids=own["id"].to_numpy(dtype=np.str_),
            classes=classes,
            labels=np.array([number[label] for label in own["class"]], dtype=np.int64),
            open=_Stored(str(folder), rows, content_hash),
            content_hash=table_digest([content_hash, self.part]),
            groups=own["species"].to_numpy(dtype=np.str_),
            columns=own[["species", "animation", "frame"]],
        )


@lru_cache(maxsize=4)
def _mapped(folder: str, content_hash: str) -> npt.NDArray[np.uint8]:  # noqa: ARG001 - part of the key
    return stored_images(Path(folder))

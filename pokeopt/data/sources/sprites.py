"""Real Pokemon sprites, as ``pokeopt data import sprites`` composed them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from pokeopt.data.drawing import SPECIES_COUNTS
from pokeopt.data.drawing.album import Album
from pokeopt.data.drawing.frames import MOST_SCENES, frames
from pokeopt.data.drawing.fusions import WHITE, fusions
from pokeopt.data.drawing.photographs import photographs
from pokeopt.data.drawing.tinted import tinted
from pokeopt.data.imports.cut_outs import FACT, read_cut_outs
from pokeopt.data.imports.sprite_cast import SpriteCast
from pokeopt.data.imports.stored import read_stored, stored_folder, stored_images
from pokeopt.data.sources.albums import table_of
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
    """Imported sprites with their primary types, in five kinds of pictures; species are the groups of most.

    Attributes:
        name: What the import called the set.
        part: ``main``, ``new_animation`` (same species, an animation that main does not have) or ``new_species``.
        kind: ``noise``: on noisy backgrounds, 64x64 RGBA. Of ``main`` alone: ``fusions`` of two species, 128x128 RGBA;
            ``photographs`` in made-up places, 224x224; ``frames`` of ball games, 64x64; ``polygons``: gray sprites to
            be painted in the colour of their outline, 128x128.
        scenes: The number of games, 1 to 6, of the kind ``frames``; the others take no notice of it.
    """

    name: str = "pokemon"
    part: Literal["main", "new_animation", "new_species"] = "main"
    kind: Literal["noise", "fusions", "photographs", "frames", "polygons"] = "noise"
    scenes: int = 4

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.kind != "noise" and self.part != "main":
            raise ValueError(f"kind must be noise for the part {self.part}, got {self.kind}")
        if not 1 <= self.scenes <= MOST_SCENES:
            raise ValueError(f"scenes must be from 1 to {MOST_SCENES}, got {self.scenes}")

    @property
    def task(self) -> str:
        """``translation`` for polygons, else ``classification``."""
        return "translation" if self.kind == "polygons" else "classification"

    def read(self, home: Path) -> SourceTable:
        """List the images of the part, or the pictures of the kind."""
        folder = stored_folder(home, self.name)
        command = f"pokeopt data import sprites PACKAGE --name {self.name}"
        table, facts = read_stored(folder, command)
        if self.kind == "noise":
            return self._on_noise(folder, table, str(facts["content_hash"]), command)
        read_cut_outs(folder, facts, command)
        cast = SpriteCast(str(folder), str(facts[FACT]))
        album = self._album(cast, min(1.0, len(cast.names) / sum(SPECIES_COUNTS.values())))
        return table_of(album, f"{self.name} ({self.kind})", [self.kind, cast.digest])

    def _album(self, cast: SpriteCast, share: float) -> Album:
        """List the pictures of the kind; ``share`` of them where species are missing."""
        if self.kind == "fusions":
            return fusions(cast, 0, share, WHITE)
        if self.kind == "photographs":
            return photographs(cast, 0, share)
        if self.kind == "frames":
            return frames(cast, 0, self.scenes, share)
        return tinted(cast, 0, share)

    def _on_noise(self, folder: Path, table: pd.DataFrame, content_hash: str, command: str) -> SourceTable:
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

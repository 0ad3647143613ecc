"""Made-up creatures: as many, of as many types and as hard as the documents' images, and free of copyright."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from pokeopt.data.drawing import (
    CLASS_COUNTS,
    VERSION,
    compose,
    draw_creature,
    noise_background,
    random_offset,
    random_pose,
)
from pokeopt.data.drawing.album import Album
from pokeopt.data.drawing.creature_cast import CreatureCast, species_of
from pokeopt.data.drawing.frames import MOST_SCENES, frames
from pokeopt.data.drawing.fusions import fusions
from pokeopt.data.drawing.photographs import photographs
from pokeopt.data.drawing.polygons import polygons
from pokeopt.data.sources.albums import table_of
from pokeopt.data.sources.base import SourceTable, table_digest
from pokeopt.registry import SOURCES

IMAGE_PX = 64
SMALLEST_PX, LARGEST_PX = 30, 54
# One background in eight or so is dark enough for an outline to drown in it, as in the documents.
BACKGROUND_SHARES = {"uniform": 0.70, "grey": 0.06, "tinted": 0.12, "dark": 0.12}


@dataclass(frozen=True)
class _Drawing:
    """Draws an image when it is asked for; each depends on the seed and its row alone."""

    seed: int
    species: npt.NDArray[np.int64]
    backgrounds: npt.NDArray[np.str_]

    def __call__(self, row: int) -> Image.Image:
        """Return RGBA, 64x64, opaque."""
        rng = np.random.default_rng([self.seed, 1, row])
        size_px = int(rng.integers(SMALLEST_PX, LARGEST_PX + 1))
        creature = draw_creature(species_of(self.seed)[self.species[row]], random_pose(rng), size_px)
        background = noise_background(str(self.backgrounds[row]), rng, IMAGE_PX, IMAGE_PX)
        top, left = (random_offset(rng, inner_px, IMAGE_PX) for inner_px in creature.shape[:2])
        return Image.fromarray(compose(creature, background, top, left))


@SOURCES.register("creatures")
@dataclass(frozen=True)
class Creatures:
    """Creatures of nine types and 124 species, made up and drawn on the spot, in five kinds of pictures.

    Attributes:
        seed: Draws the species, their poses and their places; another seed has other species.
        kind: ``noise``: 3600 creatures on noisy backgrounds, 64x64 RGBA. ``fusions``: 2430 of two species each, of 81
            pairs of types, 128x128 RGBA. ``photographs``: 1200 in made-up places, 224x224, classes as skewed as in
            document 001. ``frames``: 1000 of ball games, 64x64, as in document 003. ``polygons``: 1200 outlined
            shapes to be painted, 128x128, as in document 004.
        scenes: The number of games, 1 to 6, of the kind ``frames``; the others take no notice of it.
    """

    seed: int = 0
    kind: Literal["noise", "fusions", "photographs", "frames", "polygons"] = "noise"
    scenes: int = 4

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.seed < 0:
            raise ValueError(f"seed must be at least 0, got {self.seed}")
        if not 1 <= self.scenes <= MOST_SCENES:
            raise ValueError(f"scenes must be from 1 to {MOST_SCENES}, got {self.scenes}")

    @property
    def task(self) -> str:
        """``translation`` for polygons, else ``classification``."""
        return "translation" if self.kind == "polygons" else "classification"

    def read(self, home: Path) -> SourceTable:  # noqa: ARG002 - they are made on the spot
        """List the pictures; a class's are dealt to its species in turn."""
        name = "creatures" if self.seed == 0 else f"creatures of seed {self.seed}"
        if self.kind == "noise":
            return self._on_noise(name)
        return table_of(self._album(), f"{name} ({self.kind})", [str(VERSION), self.kind, str(self.seed)])

    def _album(self) -> Album:
        cast = CreatureCast(self.seed)
        if self.kind == "fusions":
            return fusions(cast, self.seed)
        if self.kind == "photographs":
            return photographs(cast, self.seed)
        if self.kind == "frames":
            return frames(cast, self.seed, self.scenes)
        return polygons(self.seed)

    def _on_noise(self, name: str) -> SourceTable:
        catalogue = species_of(self.seed)
        classes = tuple(sorted(CLASS_COUNTS))
        rows = [
            (kind, member)
            for kind in classes
            for members in [[k for k, species in enumerate(catalogue) if species.type == kind]]
            for member in (members[turn % len(members)] for turn in range(CLASS_COUNTS[kind]))
        ]
        rng = np.random.default_rng([self.seed, 0])
        order = rng.permutation(len(rows))  # so that neither the row nor the id tells the class
        types = [rows[row][0] for row in order]
        species = np.array([rows[row][1] for row in order], dtype=np.int64)
        kinds, shares = list(BACKGROUND_SHARES), list(BACKGROUND_SHARES.values())
        backgrounds = rng.choice(kinds, size=len(rows), p=shares).astype(np.str_)
        names = np.array([catalogue[number].name for number in species])
        ids = np.array([f"creature-{row:04d}" for row in range(len(rows))])
        return SourceTable(
            name=name,
            ids=ids,
            classes=classes,
            labels=np.array([classes.index(kind) for kind in types], dtype=np.int64),
            open=_Drawing(self.seed, species, backgrounds),
            content_hash=table_digest([str(VERSION), str(self.seed)], ids, types, names),
            groups=names,
            columns=pd.DataFrame({"species": names, "background": backgrounds}),
        )

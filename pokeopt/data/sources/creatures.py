"""Made-up creatures: as many, of as many types and as hard as the documents' images, and free of copyright."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from pokeopt.data.drawing import (
    CLASS_COUNTS,
    VERSION,
    Species,
    compose,
    draw_creature,
    make_species,
    noise_background,
    random_offset,
    random_pose,
)
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
        creature = draw_creature(_species(self.seed)[self.species[row]], random_pose(rng), size_px)
        background = noise_background(str(self.backgrounds[row]), rng, IMAGE_PX, IMAGE_PX)
        top, left = (random_offset(rng, inner_px, IMAGE_PX) for inner_px in creature.shape[:2])
        return Image.fromarray(compose(creature, background, top, left))


@SOURCES.register("creatures")
@dataclass(frozen=True)
class Creatures:
    """3600 creatures of nine types and 124 species, 64x64 RGBA, on noisy backgrounds.

    Attributes:
        seed: Draws the species, their poses and their backgrounds; another seed has other species.
    """

    task: ClassVar[str] = "classification"

    seed: int = 0

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.seed < 0:
            raise ValueError(f"seed must be at least 0, got {self.seed}")

    def read(self, home: Path) -> SourceTable:  # noqa: ARG002 - they are made on the spot
        """List the creatures; the types' images are dealt to their species in turn."""
        catalogue = _species(self.seed)
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
            name="creatures" if self.seed == 0 else f"creatures of seed {self.seed}",
            ids=ids,
            classes=classes,
            labels=np.array([classes.index(kind) for kind in types], dtype=np.int64),
            open=_Drawing(self.seed, species, backgrounds),
            content_hash=table_digest([str(VERSION), str(self.seed)], ids, types, names),
            groups=names,
            columns=pd.DataFrame({"species": names, "background": backgrounds}),
        )


@cache
def _species(seed: int) -> tuple[Species, ...]:
    return make_species(seed)

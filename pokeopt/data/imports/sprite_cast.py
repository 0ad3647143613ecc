"""Imported sprites as a cast."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from pokeopt.data.drawing.cast import CutOut
from pokeopt.data.drawing.joined import joined
from pokeopt.data.imports.cut_outs import open_cut_outs
from pokeopt.data.imports.types import LAST_OF_GEN_I

FRONT, BACK = ("front", "front_shiny"), ("back", "back_shiny")
SHINY = 0.2  # share of pictures in the rarer colours
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SpriteCast:
    """The Gen-I species of an imported set.

    Attributes:
        folder: Where the set lies.
        digest: Of its cut-outs, so that a new import is a new cast.
    """

    folder: str
    digest: str

    @property
    def names(self) -> tuple[str, ...]:
        """(M,) species, as three digits."""
        return tuple(name for name, _ in _members(self.folder, self.digest))

    @property
    def types(self) -> tuple[str, ...]:
        """(M,) their primary types."""
        return tuple(kind for _, kind in _members(self.folder, self.digest))

    def cut_out(
        self, member: int, rng: np.random.Generator, size_px: int, *, from_behind: bool = False
    ) -> CutOut:
        """Return a random frame of a species, in its own size."""
        del size_px  # a sprite has one size
        rows = _frames(self.folder, self.digest)[member][BACK if from_behind else FRONT]
        own = rows[int(rng.random() < SHINY)]
        return open_cut_outs(self.folder, self.digest).cut_out(int(own[int(rng.integers(len(own)))]))

    def fusion(self, head: int, body: int, rng: np.random.Generator, size_px: int) -> CutOut:
        """Return the upper part of a sprite joined to the lower part of another."""
        return joined(self.cut_out(head, rng, size_px), self.cut_out(body, rng, size_px))


@lru_cache(maxsize=4)
def _members(folder: str, digest: str) -> tuple[tuple[str, str], ...]:
    index = open_cut_outs(folder, digest).index
    pairs = sorted(set(zip(index["species"].tolist(), index["class"].tolist(), strict=True)))
    return tuple(pair for pair in pairs if int(pair[0]) <= LAST_OF_GEN_I)


@lru_cache(maxsize=4)
def _frames(folder: str, digest: str) -> tuple[dict[tuple[str, str], tuple[Rows, Rows]], ...]:
    """Return, of each member, side to (usual, shiny) rows; what a species lacks is made up for by what it has."""
    index = open_cut_outs(folder, digest).index
    species, animation = index["species"].to_numpy(), index["animation"].to_numpy()
    found = []
    for name, _ in _members(folder, digest):
        everything = np.flatnonzero(species == name)
        sides = {}
        for side, other in ((FRONT, BACK), (BACK, FRONT)):
            kept = [everything[animation[everything] == which] for which in (*side, *other)]
            usual = next(rows for rows in (kept[0], kept[1], kept[2], kept[3]) if len(rows))
            sides[side] = (usual, kept[1] if len(kept[1]) else usual)
        found.append(sides)
    return tuple(found)

"""The made-up creatures as a cast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from pokeopt.data.drawing.cast import CutOut
from pokeopt.data.drawing.draw import draw_creature
from pokeopt.data.drawing.fused import fused_species
from pokeopt.data.drawing.species import N_EYE_PARTS, Species, make_species, random_pose


@dataclass(frozen=True)
class CreatureCast:
    """The 124 species of a seed.

    Attributes:
        seed: Draws them.
    """

    seed: int

    @property
    def names(self) -> tuple[str, ...]:
        """(124,) names, each once."""
        return tuple(species.name for species in species_of(self.seed))

    @property
    def types(self) -> tuple[str, ...]:
        """(124,) types."""
        return tuple(species.type for species in species_of(self.seed))

    def cut_out(
        self, member: int, rng: np.random.Generator, size_px: int, *, from_behind: bool = False
    ) -> CutOut:
        """Draw a creature in a random pose; seen from behind, it has no eyes."""
        species = species_of(self.seed)[member]
        if from_behind:
            species = replace(species, parts=species.parts[:-N_EYE_PARTS])
        return draw_creature(species, random_pose(rng), size_px)

    def fusion(self, head: int, body: int, rng: np.random.Generator, size_px: int) -> CutOut:
        """Draw a creature with the head of one and the body of another."""
        catalogue = species_of(self.seed)
        return draw_creature(fused_species(catalogue[head], catalogue[body], rng), random_pose(rng), size_px)


@cache
def species_of(seed: int) -> tuple[Species, ...]:
    """Return the species of a seed, made once a process."""
    return make_species(seed)

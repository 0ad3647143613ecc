"""The generator of made-up creatures: species, poses, drawing, backgrounds."""

from pokeopt.data.drawing.backgrounds import BACKGROUNDS, noise_background
from pokeopt.data.drawing.compose import compose, random_offset
from pokeopt.data.drawing.draw import draw_creature
from pokeopt.data.drawing.species import (
    CLASS_COUNTS,
    SPECIES_COUNTS,
    Pose,
    Species,
    make_species,
    random_pose,
)

VERSION = 2  # raise it when a creature of the same seed would come out otherwise

__all__ = [
    "BACKGROUNDS",
    "CLASS_COUNTS",
    "SPECIES_COUNTS",
    "VERSION",
    "Pose",
    "Species",
    "compose",
    "draw_creature",
    "make_species",
    "noise_background",
    "random_offset",
    "random_pose",
]

"""Species of made-up creatures: a body plan and a palette each, and the poses in which one is drawn.

A species knows nothing of image size, background or task: the same one can be drawn small on noise, large on a
photograph, or joined with another.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

N_EYE_PARTS = 4  # the last parts of a head
Points = npt.NDArray[np.float64]
Colour = tuple[int, int, int]

# The class counts of both source documents, and how many Gen-I species have each primary type (124 in all).
CLASS_COUNTS = {
    "Water": 674,
    "Normal": 606,
    "Poison": 467,
    "Fire": 381,
    "Bug": 374,
    "Grass": 299,
    "Fighting": 291,
    "Rock": 264,
    "Ground": 244,
}
SPECIES_COUNTS = {
    "Water": 28,
    "Normal": 22,
    "Poison": 14,
    "Fire": 12,
    "Bug": 12,
    "Grass": 12,
    "Fighting": 7,
    "Rock": 9,
    "Ground": 8,
}

# Hue (turns), its spread, and saturation of each type: a tendency only. Water is mostly blue, Normal is anything pale.
_PALETTES = {
    "Water": (0.58, 0.07, 0.65),
    "Normal": (0.09, 0.30, 0.30),
    "Poison": (0.78, 0.09, 0.50),
    "Fire": (0.05, 0.05, 0.80),
    "Bug": (0.24, 0.14, 0.65),
    "Grass": (0.36, 0.07, 0.60),
    "Fighting": (0.03, 0.10, 0.40),
    "Rock": (0.11, 0.06, 0.25),
    "Ground": (0.11, 0.05, 0.45),
}
_OFF_PALETTE = 0.35  # share of species whose colours say nothing about their type


@dataclass(frozen=True)
class BodyPart:
    """One filled outline of a creature.

    Attributes:
        points: (P, 2) polygon, x to the right and y down; the whole creature lies about in [-1, 1].
        colour: 0 main, 1 second, 2 accent, 3 dark, 4 white.
        limb: How much the part swings with the pose: 0 for the body, +1 or -1 for limbs, ears and tails.
        hinge: The point about which it swings.
    """

    points: Points
    colour: int
    limb: float = 0.0
    hinge: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Species:
    """A body plan and a palette, of one type.

    Attributes:
        name: Its name.
        type: Its type.
        parts: What is drawn, from back to front.
        palette: Main, second and accent colour.
        n_head: So many of the last parts are its head: ears, the head itself, and last the eyes.
    """

    name: str
    type: str
    parts: tuple[BodyPart, ...]
    palette: tuple[Colour, Colour, Colour]
    n_head: int


@dataclass(frozen=True)
class Pose:
    """How a creature stands in one image.

    Attributes:
        turn_deg: Rotation of the whole.
        stretch: Width over its natural width.
        swing_deg: Swing of its limbs.
        mirrored: Looks the other way.
        shade: Brightness of its colours, around 1.
        hue: Shift of its colours in turns, around 0.
    """

    turn_deg: float = 0.0
    stretch: float = 1.0
    swing_deg: float = 0.0
    mirrored: bool = False
    shade: float = 1.0
    hue: float = 0.0


def make_species(seed: int, counts: dict[str, int] | None = None) -> tuple[Species, ...]:
    """Return the species of a seed, type by type; each depends on the seed, its type and its index alone."""
    wanted = counts or SPECIES_COUNTS
    types = list(_PALETTES)
    return tuple(
        _one_species(np.random.default_rng([seed, types.index(kind), index]), kind, index)
        for kind, count in wanted.items()
        for index in range(count)
    )


def random_pose(rng: np.random.Generator) -> Pose:
    """Draw a pose.

    With these spreads the documents' MLP scores as theirs did: about 0.22 on whole images, 0.90 on cropped ones.
    """
    return Pose(
        turn_deg=float(rng.normal(0, 8)),
        stretch=float(rng.uniform(0.88, 1.12)),
        swing_deg=float(rng.uniform(-28, 28)),
        mirrored=bool(rng.random() < 0.4),
        shade=float(rng.uniform(0.75, 1.15)),
        hue=float(rng.normal(0, 0.02)),
    )


def ellipse(
    centre: tuple[float, float], radii: tuple[float, float], power: float = 2.0, turn_deg: float = 0
) -> Points:
    """Return a superellipse as a polygon of 20 points (power 2: an ellipse; higher: a box; lower: a diamond)."""
    angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    cos, sin = np.cos(angles), np.sin(angles)
    shape = np.stack(
        [np.sign(cos) * np.abs(cos) ** (2 / power), np.sign(sin) * np.abs(sin) ** (2 / power)], axis=1
    )
    placed: Points = rotate(shape * np.asarray(radii), turn_deg) + np.asarray(centre)
    return placed


def rotate(points: Points, degrees: float, hinge: tuple[float, float] = (0.0, 0.0)) -> Points:
    """Turn points (P, 2) about a hinge."""
    angle = np.deg2rad(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned: Points = (points - hinge) @ matrix.T + hinge
    return turned


def _one_species(rng: np.random.Generator, kind: str, index: int) -> Species:
    body_radii = (rng.uniform(0.30, 0.75), rng.uniform(0.30, 0.65))
    body_y = rng.uniform(0.1, 0.35)
    power = rng.choice([1.4, 2.0, 2.0, 3.5])
    parts = [*_tail(rng, body_radii, body_y), *_limbs(rng, body_radii, body_y)]
    parts.append(BodyPart(ellipse((0, body_y), body_radii, power), 0))
    parts += _belly(rng, body_radii, body_y)
    head = _head(rng, body_radii, body_y)
    return Species(
        f"{kind.lower()}-{index:02d}", kind, (*parts, *head), _palette(rng, kind), n_head=len(head)
    )


def _palette(rng: np.random.Generator, kind: str) -> tuple[Colour, Colour, Colour]:
    hue, spread, saturation = _PALETTES[kind]
    if rng.random() < _OFF_PALETTE:
        hue, spread, saturation = rng.random(), 0.0, 0.5
    main = hue + rng.uniform(-spread, spread)
    second = main + rng.choice([-0.12, 0.1, 0.5, 0.0])
    accent = rng.random()
    saturation = float(np.clip(saturation + rng.uniform(-0.15, 0.2), 0.05, 1))
    return (
        _rgb(main, saturation, rng.uniform(0.55, 0.95)),
        _rgb(second, saturation * rng.uniform(0.3, 1.0), rng.uniform(0.75, 1.0)),
        _rgb(accent, 0.7, rng.uniform(0.6, 0.95)),
    )


def _rgb(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def _tail(rng: np.random.Generator, radii: tuple[float, float], body_y: float) -> list[BodyPart]:
    if rng.random() < 0.4:
        return []
    side, length, width = rng.choice([-1, 1]), rng.uniform(0.3, 0.7), rng.uniform(0.08, 0.25)
    hinge = (side * radii[0] * 0.7, body_y)
    tip = rotate(
        np.array([[0, -width], [length, -width * 0.6], [length * 1.15, 0], [0, width]]), rng.uniform(-70, 20)
    )
    return [BodyPart(tip * (side, 1) + hinge, int(rng.choice([0, 1, 2])), side, hinge)]


def _limbs(rng: np.random.Generator, radii: tuple[float, float], body_y: float) -> list[BodyPart]:
    parts = []
    feet, width, length = rng.choice([0, 2, 2, 4]), rng.uniform(0.08, 0.18), rng.uniform(0.15, 0.4)
    colour = int(rng.choice([0, 0, 1, 2]))
    for x in np.linspace(-1, 1, feet):
        hinge = (x * radii[0] * 0.75, body_y + radii[1] * 0.7)
        parts.append(
            BodyPart(ellipse((hinge[0], hinge[1] + length / 2), (width, length)), colour, x * 0.5, hinge)
        )
    if rng.random() < 0.6:  # arms, or wings where they are broad
        width, length, tilt = rng.uniform(0.07, 0.3), rng.uniform(0.2, 0.45), rng.uniform(-60, 60)
        for side in (-1, 1):
            hinge = (side * radii[0] * 0.8, body_y - radii[1] * 0.2)
            arm = ellipse((side * length * 0.8, 0), (length, width), turn_deg=side * tilt)
            parts.append(BodyPart(arm + hinge, colour, side, hinge))
    return parts


def _belly(rng: np.random.Generator, radii: tuple[float, float], body_y: float) -> list[BodyPart]:
    marking = rng.choice(["none", "belly", "stripes", "spots"])
    if marking == "belly":
        return [BodyPart(ellipse((0, body_y + radii[1] * 0.2), (radii[0] * 0.6, radii[1] * 0.6)), 1)]
    if marking == "stripes":
        heights = body_y + radii[1] * np.linspace(-0.5, 0.6, int(rng.integers(2, 4)))
        return [BodyPart(ellipse((0, y), (radii[0] * 0.7, 0.07), 4), 2) for y in heights]
    if marking == "spots":
        centres = rng.uniform(-0.6, 0.6, size=(3, 2)) * radii + (0, body_y)
        return [BodyPart(ellipse((x, y), (0.1, 0.1)), 2) for x, y in centres]
    return []


def _head(rng: np.random.Generator, radii: tuple[float, float], body_y: float) -> list[BodyPart]:
    size, flatness = rng.uniform(0.22, 0.5), rng.uniform(0.75, 1.2)
    x, y = rng.uniform(-0.5, 0.5) * radii[0], body_y - radii[1] - size * rng.uniform(-0.2, 0.5)
    parts = []
    ears, ear_length, ear_width = rng.choice([0, 1, 2, 2]), rng.uniform(0.2, 0.6), rng.uniform(0.06, 0.2)
    colour = int(rng.choice([0, 1, 2]))
    for side in {0: (), 1: (0,), 2: (-1, 1)}[int(ears)]:
        hinge = (x + side * size * 0.6, y - size * flatness * 0.5)
        ear = np.array([[-ear_width, 0], [0, -ear_length], [ear_width, 0]]) + hinge
        parts.append(BodyPart(rotate(ear, side * rng.uniform(10, 45), hinge), colour, side * 0.5, hinge))
    parts.append(
        BodyPart(
            ellipse((x, y), (size, size * flatness), rng.choice([1.6, 2.0, 3.0])), int(rng.choice([0, 0, 1]))
        )
    )
    for side in (-1, 1):
        eye = (x + side * size * 0.45, y - size * 0.1)
        parts.append(BodyPart(ellipse(eye, (size * 0.2, size * 0.25)), 4))
        parts.append(BodyPart(ellipse(eye, (size * 0.08, size * 0.14)), 3))
    return parts

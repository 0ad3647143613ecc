"""The shapes of the painting task, and where they lie on the sheet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pokeopt.data.drawing.species import Points, rotate

SMALLEST_PX = 15.0  # radius of the circle around a shape
SMALLEST_CUT_PX = 22.0  # of one that a border cuts, so that enough is left of it
LARGEST_PX = (42.0, 33.0, 26.0)  # where there are one, two or three


@dataclass(frozen=True)
class Shape:
    """One shape on a sheet.

    Attributes:
        name: A key of ``UNIT_SHAPES``.
        points: (P, 2) corners in pixels, x to the right and y down.
        colour: A key of ``COLOURS``: how it is to be painted.
    """

    name: str
    points: Points
    colour: str


def _regular(corners: int) -> Points:
    angles = np.arange(corners) * 2 * np.pi / corners - np.pi / 2
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _star() -> Points:
    points = _regular(10)
    points[1::2] *= 0.45
    return points


GAP_PX = 3  # between shapes, and to the border
LEAST_PX = 8  # of a second shape at the border, from its middle

# Corners within the unit circle, the origin inside.
UNIT_SHAPES = {
    "triangle": _regular(3),
    "square": _regular(4),
    "circle": _regular(48),
    "diamond": np.array([(0.0, -1.0), (0.52, 0.0), (0.0, 1.0), (-0.52, 0.0)]),
    "pentagon": _regular(5),
    "hexagon": _regular(6),
    "star": _star(),
    "arrow": np.array(
        [(0, -1), (0.75, -0.15), (0.3, -0.15), (0.3, 0.9), (-0.3, 0.9), (-0.3, -0.15), (-0.75, -0.15)]
    ),
}
_INNER = {"triangle": 0.5, "square": 0.7, "circle": 0.99, "diamond": 0.46, "pentagon": 0.8, "hexagon": 0.86,
          "star": 0.4, "arrow": 0.29}  # fmt: skip
"""Radius of a circle about the origin that lies inside the shape of radius 1."""

COLOURS = {
    "red": (214, 40, 44),
    "blue": (40, 84, 206),
    "green": (46, 152, 66),
    "yellow": (244, 212, 44),
    "orange": (244, 134, 30),
    "purple": (130, 56, 170),
    "cyan": (38, 190, 212),
    "magenta": (224, 52, 150),
    "brown": (132, 84, 48),
    "gray": (136, 136, 140),
}


def placed_shapes(
    names: tuple[str, ...],
    colours: tuple[str, ...],
    rng: np.random.Generator,
    side_px: int,
    *,
    at_edge: bool,
    overlapping: bool,
) -> tuple[Shape, ...]:
    """Place shapes on a square sheet, later ones over earlier ones.

    Args:
        names: Of the shapes, in order.
        colours: One for each.
        rng: Draws sizes, turns and places.
        side_px: Side of the sheet.
        at_edge: The first shape is cut by a border of the sheet (and perhaps the second, where it lies over the first);
            else none comes near one.
        overlapping: The second lies over a part of the first; else no two touch.
    """
    spots: list[tuple[float, float, float]] = []
    while len(spots) < len(names):  # a shape that finds no room lets all begin again
        spots = []
        for number, name in enumerate(names):
            spot = None
            for _ in range(60):
                is_cut = number == 0 and at_edge
                smallest = SMALLEST_CUT_PX if is_cut else SMALLEST_PX
                radius = float(rng.uniform(smallest, LARGEST_PX[len(names) - 1]))
                x, y = rng.uniform(radius + GAP_PX, side_px - radius - GAP_PX, 2).tolist()
                if is_cut:
                    x, y = _at_border(x, y, radius * _INNER[name], rng, side_px)
                if number == 1 and overlapping:
                    x, y = _over(spots[0], names[0], radius, name, rng)
                    # beside a shape at the border there may be no room for a whole one
                    margin = LEAST_PX if at_edge else radius + GAP_PX
                    if not (margin <= min(x, y) and max(x, y) <= side_px - margin):
                        continue
                others = spots[1:] if number == 1 and overlapping else spots
                if all(np.hypot(x - u, y - v) > radius + r + GAP_PX for u, v, r in others):
                    spot = (x, y, radius)
                    break
            if spot is None:
                break
            spots.append(spot)
    return tuple(
        Shape(name, rotate(UNIT_SHAPES[name] * radius, float(rng.uniform(0, 360))) + np.array((x, y)), colour)
        for name, colour, (x, y, radius) in zip(names, colours, spots, strict=True)
    )


def _at_border(
    x: float, y: float, inside_px: float, rng: np.random.Generator, side_px: int
) -> tuple[float, float]:
    """Move a place to a border, so that at least half of the shape stays on the sheet."""
    depth = float(rng.uniform(0.1, 0.8)) * inside_px
    return [(depth, y), (side_px - depth, y), (x, depth), (x, side_px - depth)][int(rng.integers(4))]


def _over(
    spot: tuple[float, float, float], name: str, radius: float, own: str, rng: np.random.Generator
) -> tuple[float, float]:
    """Return a place so near to a shape that the two overlap whatever their turns, yet both can be seen."""
    u, v, other = spot
    far = other * _INNER[name] + radius * _INNER[own]
    angle, distance = rng.uniform(0, 2 * np.pi), far * float(rng.uniform(0.8, 0.95))
    return float(u + distance * np.cos(angle)), float(v + distance * np.sin(angle))

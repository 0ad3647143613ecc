"""What a type adds to a made-up creature: a crest on its head, a mark on its body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pokeopt.data.drawing.species import BodyPart, Points, ellipse, rotate

Parts = list[BodyPart]
SIDES = (-1, 1)


@dataclass(frozen=True)
class Box:
    """The middle of a part, and half its width and height."""

    x: float
    y: float
    w: float
    h: float

    @classmethod
    def around(cls, points: Points) -> Box:
        """Return the box around a part."""
        low, high = points.min(axis=0), points.max(axis=0)
        (x, y), (w, h) = ((low + high) / 2).tolist(), ((high - low) / 2).tolist()
        return cls(x, y, w, h)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return a place in the part: (0, 0) its middle, (1, 1) its lower right corner."""
        return self.x + x * self.w, self.y + y * self.h

    def on_rim(self, turn_deg: float, share: float = 0.85) -> tuple[float, float]:
        """Return a place near the rim of an ellipse: 0 above, 90 at the right."""
        angle = np.deg2rad(turn_deg)
        return self.at(share * float(np.sin(angle)), -share * float(np.cos(angle)))


@dataclass(frozen=True)
class Badge:
    """One addition.

    Attributes:
        draw: What is drawn, for the box around the skull or the torso.
        in_front: Over that part, else behind it.
    """

    draw: Callable[[Box], Parts]
    in_front: bool = False


def _piece(
    points: Points, at: tuple[float, float] = (0.0, 0.0), size: float = 1.0, turn: float = 0.0
) -> BodyPart:
    return BodyPart(rotate(points * size, turn) + np.array(at), 2)


def _points(*corners: tuple[float, float]) -> Points:
    return np.array(corners, dtype=np.float64)


# Each stands on (0, 0) and is about 1 high.
_FLAME = _points((-0.4, 0.1), (-0.55, -0.5), (-0.3, -0.45), (-0.25, -1), (0, -0.6), (0.15, -1.3), (0.3, -0.55),
                 (0.5, -0.7), (0.4, 0.1))  # fmt: skip
_LEAF = _points((0, 0), (-0.3, -0.4), (-0.28, -0.8), (0, -1.3), (0.28, -0.8), (0.3, -0.4))
_STONE = _points((-0.6, 0.1), (-0.4, -0.5), (0.1, -0.7), (0.6, -0.3), (0.5, 0.3), (-0.2, 0.4))
_SPIKE = _points((-0.22, 0.1), (0, -1), (0.22, 0.1))
_STALK = _points((-0.05, 0), (-0.05, -1), (0.05, -1), (0.05, 0))
_FIN = _points((-0.7, 0.15), (-0.45, -0.55), (0.1, -0.95), (0.75, -1.0), (0.45, -0.5), (0.55, 0.15))
_FISH_TAIL = _points(
    (-0.15, 0.1), (-0.2, -0.45), (-0.6, -1.1), (0, -0.8), (0.6, -1.1), (0.2, -0.45), (0.15, 0.1)
)


def _antennae(skull: Box) -> Parts:
    parts = []
    for side in SIDES:
        foot = skull.at(0.4 * side, -0.7)
        tip = rotate(_points((0, -0.52)), 25 * side)[0] + np.array(foot)
        parts += [_piece(_STALK, foot, 0.5, 25 * side), BodyPart(ellipse((tip[0], tip[1]), (0.1, 0.1)), 2)]
    return parts


def _headband(skull: Box) -> Parts:
    band = _points(skull.at(-1, -0.62), skull.at(1, -0.62), skull.at(1, -0.25), skull.at(-1, -0.25))
    knot = _points(skull.at(1, -0.5), skull.at(1.6, -0.8), skull.at(1.5, 0.1), skull.at(1, -0.3))
    return [_piece(knot), _piece(band)]


def _belt(torso: Box) -> Parts:
    band = _points(torso.at(-0.97, 0.25), torso.at(0.97, 0.25), torso.at(0.97, 0.52), torso.at(-0.97, 0.52))
    return [_piece(band), BodyPart(ellipse(torso.at(0, 0.38), (0.1, 0.1)), 1)]


def _wings(torso: Box) -> Parts:
    return [
        BodyPart(
            ellipse((torso.x + side * (torso.w + 0.15), torso.y + lift), (0.42, 0.2), turn_deg=side * tilt), 2
        )
        for lift, tilt in ((0.05, 25), (-0.25, -25))
        for side in SIDES
    ]


CRESTS = {
    "Bug": Badge(_antennae),
    "Fighting": Badge(_headband, in_front=True),
    "Fire": Badge(lambda skull: [_piece(_FLAME, skull.at(0, -0.7), 0.9 * skull.w + 0.1)]),
    "Grass": Badge(lambda skull: [_piece(_LEAF, skull.at(0, -0.8), 0.45, turn) for turn in (-40, 40, 0)]),
    "Ground": Badge(lambda skull: [_piece(_SPIKE, skull.at(0.1, -0.75), 0.8, 14)]),
    "Normal": Badge(
        lambda skull: [BodyPart(ellipse(skull.at(0.9 * side, -0.75), (0.2, 0.2)), 2) for side in SIDES]
    ),
    "Poison": Badge(lambda skull: [_piece(_SPIKE, skull.on_rim(t), 0.4, t) for t in (-75, -40, 0, 40, 75)]),
    "Rock": Badge(lambda skull: [_piece(_STONE, skull.at(x, -0.9), 0.32) for x in (-0.7, 0.7, 0.0)]),
    "Water": Badge(lambda skull: [_piece(_FIN, skull.at(0, -0.75), 0.6 * skull.w + 0.2)]),
}
"""Type to what its head wears."""

MARKS = {
    "Bug": Badge(_wings),
    "Fighting": Badge(_belt, in_front=True),
    "Fire": Badge(lambda torso: [_piece(_FLAME, torso.at(0.8, 0.1), 0.6, 55)]),
    "Grass": Badge(lambda torso: [_piece(_LEAF, torso.at(0.7 * side, 0), 0.6, 70 * side) for side in SIDES]),
    "Ground": Badge(
        lambda torso: [_piece(_SPIKE, torso.at(x, 0.3), 0.3) for x in (-0.5, 0.0, 0.5)], in_front=True
    ),
    "Normal": Badge(lambda torso: [BodyPart(ellipse(torso.at(1.1, 0.35), (0.28, 0.2), turn_deg=-25), 2)]),
    "Poison": Badge(
        lambda torso: [_piece(_SPIKE, torso.on_rim(t), 0.36, t) for t in (-110, -80, -50, 50, 80, 110)]
    ),
    "Rock": Badge(
        lambda torso: [
            _piece(_STONE, torso.at(x, y), size)
            for x, y, size in ((-0.35, 0.1, 0.25), (0.4, -0.1, 0.2), (0.15, 0.5, 0.2))
        ],
        in_front=True,
    ),
    "Water": Badge(lambda torso: [_piece(_FISH_TAIL, torso.at(0.75, 0.4), 0.62, 75)]),
}
"""Type to what its body bears."""

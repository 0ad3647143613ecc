"""Made-up places as a camera with a wide lens sees them: sky, ground, and what stands there out of focus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pokeopt.data.drawing.landscape import (
    ground_colour,
    layer,
    out_of_focus,
    ridge,
    shade,
    sky,
    slope,
    stone,
    textured_ground,
    times,
    tree,
)
from pokeopt.data.drawing.laying import Canvas
from pokeopt.data.drawing.texture import cloud


@dataclass(frozen=True)
class Place:
    """A place before a photograph is taken there.

    Attributes:
        image: What is seen, without the light.
        horizon: Row where the ground begins.
    """

    image: Canvas
    horizon: int


def random_place(kind: str, rng: np.random.Generator, side_px: int) -> Place:
    """Draw a place of a kind in ``PLACES``."""
    return PLACES[kind](rng, side_px)


def _meadow(rng: np.random.Generator, side: int) -> Place:
    horizon = int(side * rng.uniform(0.3, 0.55))
    canvas = sky(rng, side, horizon)
    pen, drawn = layer(canvas)
    ridge(pen, rng, side, horizon, rng.uniform(0.05, 0.2), shade(rng, (96, 128, 120), 18))
    ridge(pen, rng, side, horizon, rng.uniform(0.02, 0.08), shade(rng, (70, 112, 66), 18))
    ground_colour(pen, side, horizon, shade(rng, (104, 148, 62), 22))
    for _ in range(int(rng.integers(0, 5))):
        tree(pen, rng, side, horizon)
    for _ in range(int(rng.integers(0, 5))):
        stone(pen, rng, side, horizon, (128, 126, 118))
    canvas = out_of_focus(drawn, rng)
    return Place(textured_ground(canvas, rng, horizon, 0.16), horizon)


def _beach(rng: np.random.Generator, side: int) -> Place:
    horizon = int(side * rng.uniform(0.28, 0.45))
    canvas = sky(rng, side, horizon)
    pen, drawn = layer(canvas)
    shore = horizon + int(side * rng.uniform(0.08, 0.2))
    pen.rectangle((0, horizon, side, shore), fill=shade(rng, (54, 120, 150), 20))
    for _ in range(12):  # waves
        y, x, length = rng.uniform(horizon, shore), rng.uniform(0, side), rng.uniform(0.1, 0.5) * side
        pen.line((x, y, x + length, y), fill=shade(rng, (190, 214, 220), 18), width=1)
    ground_colour(pen, side, shore, shade(rng, (212, 188, 142), 18))
    pen.line((0, shore, side, shore + rng.uniform(-6, 6)), fill=(232, 236, 232), width=3)
    for _ in range(int(rng.integers(0, 6))):
        stone(pen, rng, side, shore, (150, 138, 120))
    canvas = out_of_focus(drawn, rng)
    return Place(textured_ground(canvas, rng, shore, 0.10), shore)


def _forest(rng: np.random.Generator, side: int) -> Place:
    horizon = int(side * rng.uniform(0.45, 0.62))
    base = np.array(shade(rng, (44, 70, 40), 14), np.float32)
    leaves = cloud(rng, side, side, coarsest=5, roughness=0.8)[..., None]
    canvas: Canvas = base * (1 + 0.35 * leaves).astype(np.float32)
    pen, drawn = layer(canvas)
    for _ in range(int(rng.integers(6, 14))):  # light between the leaves
        x, y, radius = rng.uniform(0, side), rng.uniform(0, horizon), rng.uniform(0.01, 0.05) * side
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=shade(rng, (170, 196, 120), 30))
    for depth in np.sort(rng.uniform(0.2, 1, int(rng.integers(4, 9)))):
        x, width = rng.uniform(0, side), side * (0.02 + 0.07 * depth)
        bark = shade(rng, tuple(np.array((66, 54, 42)) * (1.2 - 0.4 * depth)), 10)
        lean, foot = rng.uniform(-10, 10), horizon + 0.12 * side * depth
        pen.polygon([(x + lean, 0), (x + lean + width * 0.8, 0), (x + width, foot), (x, foot)], fill=bark)
    floor = Image.new("RGB", (side, side), shade(rng, (92, 78, 50), 14))
    mask = Image.linear_gradient("L").resize((side, side - horizon)).point(lambda v: min(255, v * 4))
    drawn.paste(floor.crop((0, horizon, side, side)), (0, horizon), mask)
    canvas = out_of_focus(drawn, rng)
    return Place(textured_ground(canvas, rng, horizon, 0.28), horizon)


def _rocks(rng: np.random.Generator, side: int) -> Place:
    horizon = int(side * rng.uniform(0.35, 0.55))
    canvas = sky(rng, side, horizon)
    pen, drawn = layer(canvas)
    for height in (0.3, 0.2, 0.1):
        fill = shade(rng, tuple(np.array((132, 118, 106)) * (1.25 - height)), 14)
        ridge(pen, rng, side, horizon, height * rng.uniform(0.6, 1.3), fill, jagged=True)
    ground_colour(pen, side, horizon, shade(rng, (140, 122, 98), 18))
    for _ in range(int(rng.integers(4, 12))):
        stone(pen, rng, side, horizon, (120, 110, 100))
    canvas = out_of_focus(drawn, rng)
    return Place(textured_ground(canvas, rng, horizon, 0.24), horizon)


def _snow(rng: np.random.Generator, side: int) -> Place:
    horizon = int(side * rng.uniform(0.35, 0.55))
    canvas = sky(rng, side, horizon, overcast=True)
    pen, drawn = layer(canvas)
    ridge(pen, rng, side, horizon, rng.uniform(0.1, 0.3), shade(rng, (168, 180, 196), 10), jagged=True)
    ground_colour(pen, side, horizon, shade(rng, (222, 228, 236), 8))
    for _ in range(int(rng.integers(2, 8))):  # firs
        x, foot = rng.uniform(0, side), horizon + rng.uniform(0, 0.06) * side
        height = rng.uniform(0.12, 0.35) * side
        green = shade(rng, (44, 66, 58), 10)
        for step in range(3):
            low, half = foot - height * 0.25 * step, height * (0.24 - 0.06 * step)
            pen.polygon([(x - half, low), (x, low - height * 0.45), (x + half, low)], fill=green)
    canvas = out_of_focus(drawn, rng)
    return Place(textured_ground(canvas, rng, horizon, 0.06), horizon)


def _room(rng: np.random.Generator, side: int) -> Place:
    horizon = int(side * rng.uniform(0.5, 0.68))
    wall = np.array(shade(rng, (188, 178, 162), 34), np.float32)
    canvas = np.ones((side, side, 3), np.float32) * wall * slope(rng, side, 0.2)
    pen, drawn = layer(canvas)
    for _ in range(int(rng.integers(1, 4))):  # pictures, shelves, a window
        x, y = rng.uniform(0, side), rng.uniform(0, horizon * 0.7)
        width, height = rng.uniform(0.12, 0.4, 2) * side
        pen.rectangle((x, y, x + width, y + height), fill=shade(rng, (120, 96, 72), 40))
        pen.rectangle((x + 4, y + 4, x + width - 4, y + height - 4), fill=shade(rng, (150, 150, 146), 70))
    if rng.random() < 0.6:  # furniture
        x, top = rng.uniform(-0.2, 0.8) * side, horizon - rng.uniform(0.1, 0.35) * side
        box = (x, top, x + rng.uniform(0.2, 0.5) * side, horizon + 0.04 * side)
        pen.rounded_rectangle(box, radius=6, fill=shade(rng, (104, 84, 76), 40))
    floor = shade(rng, (150, 112, 76), 32)
    ground_colour(pen, side, horizon, floor)
    seam = times(floor, 0.8)
    for x in np.arange(-3, 4, rng.uniform(0.2, 0.5)):  # boards run away from the camera
        pen.line((side * (0.5 + 0.4 * x), horizon, side * (0.5 + 1.2 * x), side), fill=seam, width=1)
    pen.rectangle((0, horizon - 5, side, horizon), fill=shade(rng, (214, 208, 198), 20))
    canvas = out_of_focus(drawn, rng)
    return Place(textured_ground(canvas, rng, horizon, 0.05), horizon)


def _street(rng: np.random.Generator, side: int) -> Place:
    horizon = int(side * rng.uniform(0.42, 0.6))
    canvas = sky(rng, side, horizon)
    pen, drawn = layer(canvas)
    x = -rng.uniform(0, 0.2) * side
    while x < side:
        width, top = rng.uniform(0.15, 0.35) * side, horizon - rng.uniform(0.15, 0.6) * side
        front = shade(rng, (150, 128, 112), 36)
        pen.rectangle((x, top, x + width, horizon), fill=front)
        glass = times(front, rng.uniform(0.5, 0.8))
        step = max(8.0, width / int(rng.integers(3, 6)))
        for left in np.arange(x + step * 0.3, x + width - step * 0.6, step):
            for y in np.arange(top + step * 0.4, horizon - step * 0.6, step * 1.2):
                pen.rectangle((left, y, left + step * 0.45, y + step * 0.65), fill=glass)
        x += width
    ground_colour(pen, side, horizon, shade(rng, (104, 104, 106), 14))
    kerb = horizon + 0.1 * side
    pen.polygon(
        [(0, horizon), (side, horizon), (side, kerb), (0, kerb)], fill=shade(rng, (160, 154, 146), 12)
    )
    pen.line((0, kerb, side, kerb), fill=(196, 192, 186), width=2)
    canvas = out_of_focus(drawn, rng)
    return Place(textured_ground(canvas, rng, horizon, 0.09), horizon)


PLACES: dict[str, Callable[[np.random.Generator, int], Place]] = {
    "beach": _beach,
    "forest": _forest,
    "meadow": _meadow,
    "rocks": _rocks,
    "room": _room,
    "snow": _snow,
    "street": _street,
}

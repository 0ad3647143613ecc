"""What stands in a made-up place: sky, hills, ground, trees and stones, as a camera sees them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from pokeopt.data.drawing.laying import Canvas
from pokeopt.data.drawing.texture import cloud

Fill = tuple[int, int, int]


def sky(rng: np.random.Generator, side: int, horizon: int, *, overcast: bool = False) -> Canvas:
    """Draw a sky down to the horizon, paler towards it, with clouds."""
    mood = rng.random()
    high, low = ((82, 138, 206), (188, 214, 232))
    if overcast or mood < 0.25:
        high, low = (150, 162, 176), (206, 210, 214)
    elif mood < 0.4:  # evening
        high, low = (96, 104, 156), (246, 194, 148)
    top, bottom = np.array(shade(rng, high, 12), np.float32), np.array(shade(rng, low, 8), np.float32)
    fall = np.clip(np.arange(side, dtype=np.float32) / max(1, horizon), 0, 1)[:, None, None]
    canvas: Canvas = np.repeat(top * (1 - fall) + bottom * fall, side, axis=1)
    cover = cloud(rng, side, side, coarsest=3, roughness=0.5, stretch=2.0)
    opacity = np.clip((cover - rng.uniform(-0.3, 1.2)) * 0.8, 0, 0.85)[..., None]
    canvas += (np.float32(1.02) * np.maximum(bottom, 225) - canvas) * opacity
    return canvas


def layer(canvas: Canvas) -> tuple[ImageDraw.ImageDraw, Image.Image]:
    """Return a canvas to draw shapes on: (pen, image)."""
    image = Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))
    return ImageDraw.Draw(image), image


def ridge(
    pen: ImageDraw.ImageDraw,
    rng: np.random.Generator,
    side: int,
    horizon: int,
    height: float,
    fill: Fill,
    *,
    jagged: bool = False,
) -> None:
    """Draw hills, or mountains, that rise from the horizon."""
    x = np.linspace(0, side, 60)
    rise = np.zeros(60)
    for octave in range(1, 6 if jagged else 3):
        wave = np.interp(x, np.linspace(0, side, 2**octave + 2), rng.uniform(0, 1, 2**octave + 2))
        rise += wave / 2**octave
    if not jagged:
        rise = np.convolve(np.pad(rise, 4, mode="edge"), np.full(9, 1 / 9), mode="valid")
    crest = horizon - rise * height * side
    pen.polygon([(0, horizon + 2), *zip(x, crest, strict=True), (side, horizon + 2)], fill=fill)


def ground_colour(pen: ImageDraw.ImageDraw, side: int, top: int, fill: Fill) -> None:
    """Fill the ground: hazy and pale far away, full near the camera."""
    rows = np.linspace(0, 1, side - top + 1)
    for step, near in enumerate(rows):
        colour = tuple(round(c * (0.55 + 0.45 * near**0.5) + 190 * 0.25 * (1 - near**0.5)) for c in fill)
        pen.line((0, top + step, side, top + step), fill=(colour[0], colour[1], colour[2]))


def tree(pen: ImageDraw.ImageDraw, rng: np.random.Generator, side: int, horizon: int) -> None:
    """Draw a tree at the horizon, lit from above."""
    x, size = rng.uniform(0, side), rng.uniform(0.06, 0.2) * side
    foot = horizon + rng.uniform(0, 0.05) * side
    pen.rectangle((x - size * 0.1, foot - size, x + size * 0.1, foot), fill=shade(rng, (80, 62, 46), 10))
    green = np.array(shade(rng, (62, 100, 52), 18))
    for _ in range(14):
        dx, dy = rng.normal(0, 0.38, 2) * size
        radius = size * rng.uniform(0.2, 0.42)
        lit = times(tuple(green), 1.0 - 0.35 * dy / size)  # the top is lit
        y = foot - size * 1.35 + dy
        pen.ellipse((x + dx - radius, y - radius, x + dx + radius, y + radius), fill=lit)


def stone(pen: ImageDraw.ImageDraw, rng: np.random.Generator, side: int, horizon: int, colour: Fill) -> None:
    """Draw a stone on the ground: the nearer, the larger."""
    near = rng.random() ** 2
    x, y = rng.uniform(0, side), horizon + near * (side - horizon)
    width = side * (0.02 + 0.12 * near) * rng.uniform(0.5, 1.3)
    fill = shade(rng, colour, 20)
    corners = [
        (x + width * np.cos(a) * r, y - width * 0.55 * np.sin(a) * r)
        for a, r in zip(np.linspace(0, 2 * np.pi, 9)[:-1], rng.uniform(0.75, 1.1, 8), strict=True)
    ]
    pen.polygon(corners, fill=times(fill, 0.68))
    pen.polygon([(cx - width * 0.06, cy - width * 0.12) for cx, cy in corners], fill=fill)


def out_of_focus(drawn: Image.Image, rng: np.random.Generator) -> Canvas:
    """Blur what is far; the nearest ground stays sharp."""
    half = drawn.reduce(2).filter(
        ImageFilter.GaussianBlur(float(rng.uniform(0.6, 1.75)))
    )  # a quarter of the work
    far: Canvas = np.asarray(half.resize(drawn.size, Image.Resampling.BILINEAR), np.float32)
    near: Canvas = np.asarray(drawn.filter(ImageFilter.SMOOTH), np.float32)
    depth = np.clip(np.linspace(-1.2, 1.0, len(far), dtype=np.float32), 0, 1)[:, None, None]
    return far + (near - far) * depth


def textured_ground(canvas: Canvas, rng: np.random.Generator, horizon: int, contrast: float) -> Canvas:
    """Give the ground a grain that is finer and flatter the farther it lies."""
    side, depth = canvas.shape[1], canvas.shape[0] - horizon
    plane = cloud(rng, 3 * side // 2, side, coarsest=6, roughness=0.85)
    rows = np.arange(1, depth + 1, dtype=np.float32) / depth
    near = 1 - (1 / (0.15 + rows) - 1 / 1.15) / (1 / 0.15 - 1 / 1.15)  # as perspective packs the plane's rows
    grain = plane[((len(plane) - 1) * near).astype(int)]
    strength = contrast * (0.35 + 0.65 * rows)[:, None]
    canvas[horizon:] *= (1 + strength * np.clip(grain, -2.5, 2.5))[..., None]
    return canvas


def slope(rng: np.random.Generator, side: int, amount: float) -> npt.NDArray[np.float32]:
    """Return (side, side, 1): brightness that rises evenly in a random direction, 1 in the middle."""
    angle = rng.uniform(0, 2 * np.pi)
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    slope = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]
    light: npt.NDArray[np.float32] = (1 + amount * slope).astype(np.float32)[..., None]
    return light


def shade(rng: np.random.Generator, colour: tuple[float, ...], spread: float) -> Fill:
    """Return a colour like the given one: brighter or darker, and a little of another hue."""
    values = np.array(colour) + rng.normal(0, spread) + rng.normal(0, spread / 4, 3)
    red, green, blue = np.clip(values, 0, 255).astype(int).tolist()
    return red, green, blue


def times(colour: tuple[float, ...], factor: float) -> Fill:
    """Return a colour so many times as bright."""
    red, green, blue = np.clip(np.array(colour) * factor, 0, 255).astype(int).tolist()
    return red, green, blue

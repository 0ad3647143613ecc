"""Photographs: one creature in a made-up place, 224x224, in the shares of document 001's third task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image, ImageFilter

from pokeopt.data.drawing.album import Album, deal, labels_of, scaled_counts
from pokeopt.data.drawing.cast import Cast, CutOut
from pokeopt.data.drawing.laying import Canvas, finished, lay, scaled
from pokeopt.data.drawing.scenery import PLACES, random_place

VERSION = 1
IMAGE_PX = 224
SMALLEST_PX, LARGEST_PX = 79, 179  # 35 to 80 % of the side
# 1200 images; 21.1 % Water down to 5.0 % Fighting, as in document 001.
COUNTS = {
    "Water": 253,
    "Normal": 223,
    "Fire": 140,
    "Bug": 135,
    "Grass": 130,
    "Rock": 100,
    "Ground": 93,
    "Poison": 66,
    "Fighting": 60,
}


@dataclass(frozen=True)
class _Light:
    """What falls on everything: where it comes from, -1 left to 1 right, its colour, and how soft it is."""

    side: float
    colour: npt.NDArray[np.float32]
    softness: float


@dataclass(frozen=True)
class _Photographs:
    """Takes photographs; each depends on the cast, the seed and its row alone."""

    cast: Cast
    seed: int
    members: npt.NDArray[np.int64]
    places: npt.NDArray[np.str_]

    def __call__(self, row: int) -> Image.Image:
        """Return RGB, 224x224."""
        rng = np.random.default_rng([self.seed, 11, 1, row])
        place = random_place(str(self.places[row]), rng, IMAGE_PX)
        canvas = place.image
        light = _random_light(rng)
        size_px = int(rng.integers(SMALLEST_PX, LARGEST_PX + 1))
        creature = scaled(self.cast.cut_out(int(self.members[row]), rng, size_px), size_px)
        height, width = creature.shape[:2]
        left = int(rng.integers(-width // 12, IMAGE_PX - width + width // 12 + 1))
        # feet on the ground; a large creature stands nearer
        near = 0.35 * (size_px - SMALLEST_PX) / (LARGEST_PX - SMALLEST_PX) + rng.uniform(0.25, 0.6)
        foot = min(IMAGE_PX - 3, max(height + 2, round(place.horizon + near * (IMAGE_PX - place.horizon))))
        _cast_shadow(canvas, creature, foot, left, light)
        surroundings = canvas[max(0, foot - height) : foot, max(0, left) : left + width].mean(axis=(0, 1))
        lay(canvas, _lit(creature, light, surroundings), foot - height, left)
        canvas *= light.colour
        return Image.fromarray(_taken(canvas, rng))


def photographs(cast: Cast, seed: int, share: float = 1.0) -> Album:
    """List photographs: 1200 in nine classes, each class dealt to its creatures in turn.

    Args:
        cast: Who is photographed.
        seed: Draws places, poses and light.
        share: Of the 1200, where the cast is not complete; a class with fewer than three images is left out.
    """
    rng = np.random.default_rng([seed, 11, 0])
    classes, members = deal(cast.types, scaled_counts(COUNTS, share), rng)
    names = np.array(cast.names)[members]
    places = rng.choice(sorted(PLACES), size=len(members))
    return Album(
        version=VERSION,
        noun="photograph",
        classes=classes,
        labels=labels_of([cast.types[member] for member in members], classes),
        groups=names,
        columns=pd.DataFrame({"species": names, "place": places}),
        open=_Photographs(cast, seed, members, places.astype(np.str_)),
    )


def _random_light(rng: np.random.Generator) -> _Light:
    warmth, exposure = rng.normal(0, 0.07), rng.uniform(0.78, 1.15)
    colour = exposure * np.array([1 + warmth, 1.0, 1 - warmth])
    return _Light(float(rng.uniform(-1, 1)), colour.astype(np.float32), float(rng.uniform(0.3, 1)))


def _cast_shadow(canvas: Canvas, creature: CutOut, foot: int, left: int, light: _Light) -> None:
    """Darken the ground: the creature's shape, flattened and leaning away from the light, and a spot under its feet."""
    height, width = creature.shape[:2]
    flat = max(2, round(height * 0.22))
    reach = round(-light.side * width * 0.5)
    pad = 14
    shape = Image.fromarray(creature[..., 3]).resize((width, flat))
    lean = reach / flat
    board = Image.new("L", (width + 2 * (abs(reach) + pad), flat + 2 * pad))
    board.paste(shape, (abs(reach) + pad, pad))
    # row y moves by lean * (rows above the feet)
    board = board.transform(
        board.size,
        Image.Transform.AFFINE,
        (1, lean, -lean * (flat + pad), 0, 1, 0),
        Image.Resampling.BILINEAR,
    )
    board = board.filter(ImageFilter.GaussianBlur(1.5 + 3 * light.softness))
    shadow = np.zeros((*np.asarray(board).shape, 4), np.float32)
    shadow[..., 3] = np.asarray(board, np.float32) * (0.55 - 0.25 * light.softness)
    lay(canvas, shadow, foot - flat - pad + 1, left - abs(reach) - pad)
    y, x = np.mgrid[-1:1:24j, -1 : 1 : complex(0, width)]
    spot = np.zeros((24, width, 4), np.float32)
    spot[..., 3] = 120 * np.clip(1 - x**2 / 0.5 - y**2, 0, 1)
    lay(canvas, spot, foot - 13, left)


def _lit(creature: CutOut, light: _Light, surroundings: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Shade a flat cut-out as if it were round, and let it take a little of the colour around it."""
    lit = creature.astype(np.float32)
    height, width = creature.shape[:2]
    radius = max(height, width) / 14
    alpha = Image.fromarray(creature[..., 3])
    small = alpha.resize((max(1, width // 4), max(1, height // 4)), Image.Resampling.BOX)
    round_ = small.filter(ImageFilter.GaussianBlur(radius / 4)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    slope_y, slope_x = np.gradient(np.asarray(round_, np.float32) / 255)
    shade = (slope_y - 0.7 * light.side * slope_x) * radius  # lit from above and from its side
    lit[..., :3] *= np.clip(1 + 1.1 * shade, 0.55, 1.45)[..., None]
    lit[..., :3] += (surroundings - lit[..., :3]) * 0.10
    return lit


def _taken(canvas: Canvas, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Take the photograph: darker corners, a touch of blur, and the noise of the sensor."""
    axis = np.linspace(-1, 1, IMAGE_PX, dtype=np.float32)
    canvas *= (1 - rng.uniform(0, 0.16) * (axis[:, None] ** 2 + axis**2))[..., None].astype(np.float32)
    soft = Image.fromarray(finished(canvas)).filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 0.9))))
    noise = rng.standard_normal(canvas.shape, dtype=np.float32) * np.float32(rng.uniform(1.5, 6))
    return finished(np.asarray(soft, np.float32) + noise)

"""Painting by colour with creatures: a gray creature and its outline in a colour -> the creature in that colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image, ImageFilter

from pokeopt.data.drawing.album import Album, Pair, deal, labels_of, scaled_counts
from pokeopt.data.drawing.cast import Cast, CutOut
from pokeopt.data.drawing.laying import Canvas, finished, lay, scaled
from pokeopt.data.drawing.paper import paper
from pokeopt.data.drawing.photographs import COUNTS
from pokeopt.data.drawing.polygons import EDGE, IMAGE_PX, RARE
from pokeopt.data.drawing.shapes import COLOURS

VERSION = 1
TWO = 0.2  # share of sheets with two creatures, the second over a part of the first
ALONE_PX, TOGETHER_PX = (58, 104), (46, 72)  # longer side of a creature
MARGIN_PX = 3
OVERLAP_SHARE = 0.08  # of the smaller of two that overlap
LUMA = np.array((0.299, 0.587, 0.114), np.float32)


@dataclass(frozen=True)
class _Sheets:
    """Draws the input of a row, or all three images; each depends on the cast, the seed and the plan alone."""

    cast: Cast
    seed: int
    members: npt.NDArray[np.int64]
    colours: tuple[tuple[str, ...], ...]
    edge: npt.NDArray[np.bool_]

    def __call__(self, row: int) -> Image.Image:
        """Return the input: RGB, 128x128."""
        return self.pair(row)[0]

    def pair(self, row: int) -> Pair:
        """Return (input, condition, output), RGB, 128x128."""
        rng = np.random.default_rng([self.seed, 14, 1, row])
        plain = paper(rng, IMAGE_PX)
        painted, condition = plain.copy(), np.zeros_like(plain)
        colours = self.colours[row]
        low_px, high_px = ALONE_PX if len(colours) == 1 else TOGETHER_PX
        taken = np.zeros((IMAGE_PX, IMAGE_PX), bool)
        for member, colour in zip(self.members[row].tolist(), colours, strict=False):
            size_px = int(rng.integers(low_px, high_px + 1))
            creature = scaled(self.cast.cut_out(member, rng, 2 * size_px), size_px)
            if taken.any():
                top, left = _over(creature, taken, rng)
            else:
                top, left = _place(creature, rng, at_edge=bool(self.edge[row]))
            taken |= _covered(creature, top, left)
            _paint(plain, painted, condition, creature, top, left, COLOURS[colour], rng)
        one, two, three = (Image.fromarray(finished(canvas)) for canvas in (plain, condition, painted))
        return one, two, three


def tinted(cast: Cast, seed: int, share: float = 1.0) -> Album:
    """List sheets of one or two creatures: 1200, of classes named by the type of the rarest on each.

    Args:
        cast: Who is painted.
        seed: Draws who, where and in which colours.
        share: Of the 1200, where the cast is not complete; a class with fewer than three images is left out.

    Returns:
        Columns are ``edge`` (a creature is cut by a border), ``overlap`` (one lies over another), ``rare`` (the class
        has a share below 8 %) and ``colour``. Groups are the creatures.
    """
    rng = np.random.default_rng([seed, 14, 0])
    counts = scaled_counts(COUNTS, share)
    classes, members = deal(cast.types, counts, rng)
    by_share = [kind for kind in COUNTS if kind in classes]
    types = [cast.types[member] for member in members]
    others = []
    for kind in types:
        commoner = set(by_share[: by_share.index(kind) + 1])
        others.append(int(rng.choice([k for k, own in enumerate(cast.types) if own in commoner])))
    two = rng.random(len(types)) < TWO
    colours = [tuple(rng.choice(list(COLOURS), 1 + int(several), replace=False).tolist()) for several in two]
    edge = rng.random(len(types)) < EDGE
    rare = [kind for kind, count in COUNTS.items() if count < RARE * sum(COUNTS.values())]
    names = np.array(cast.names)
    groups = [
        f"{names[one]}+{names[other]}" if several else str(names[one])
        for one, other, several in zip(members, others, two, strict=True)
    ]
    sheets = _Sheets(
        cast, seed, np.stack([members, np.array(others, dtype=np.int64)], axis=1), tuple(colours), edge
    )
    return Album(
        version=VERSION,
        noun="sheet",
        classes=classes,
        labels=labels_of(types, classes),
        groups=np.array(groups, dtype=np.str_),
        columns=pd.DataFrame(
            {
                "edge": edge,
                "overlap": two,
                "rare": np.isin(types, rare),
                "colour": ["+".join(chosen) for chosen in colours],
            }
        ),
        open=sheets,
        open_pair=sheets.pair,
    )


def _place(creature: CutOut, rng: np.random.Generator, *, at_edge: bool) -> tuple[int, int]:
    """Return (top, left): somewhere inside, or over a border, which cuts off an eighth to two fifths."""
    sides = np.array(creature.shape[:2])
    corner = rng.uniform(MARGIN_PX, np.maximum(MARGIN_PX + 1, IMAGE_PX - sides - MARGIN_PX))
    if at_edge:
        axis = int(rng.integers(2))
        beyond = sides[axis] * rng.uniform(0.12, 0.4)
        corner[axis] = -beyond if rng.random() < 0.5 else IMAGE_PX - sides[axis] + beyond
    return int(corner[0]), int(corner[1])


def _over(creature: CutOut, taken: npt.NDArray[np.bool_], rng: np.random.Generator) -> tuple[int, int]:
    """Return (top, left): beside what is there, towards the middle of the sheet, and as near as overlaps enough."""
    sides = np.array(creature.shape[:2])
    middle = np.argwhere(taken).mean(axis=0)
    away = IMAGE_PX / 2 - middle + rng.normal(0, 8, 2)
    away /= max(1e-6, float(np.hypot(*away)))
    top, left = 0, 0
    for distance in np.linspace(0.9, 0.0, 10) * sides.max():
        corner = middle + away * distance - sides / 2
        corner = np.clip(corner, MARGIN_PX, np.maximum(MARGIN_PX, IMAGE_PX - sides - MARGIN_PX))
        top, left = int(corner[0]), int(corner[1])
        own = _covered(creature, top, left)
        if np.count_nonzero(own & taken) > OVERLAP_SHARE * min(own.sum(), taken.sum()):
            break
    return top, left


def _covered(creature: CutOut, top: int, left: int) -> npt.NDArray[np.bool_]:
    """Return which pixels of the sheet a creature covers."""
    canvas = np.zeros((IMAGE_PX, IMAGE_PX, 3), np.float32)
    shape = np.full(creature.shape, 255, np.uint8)
    shape[..., 3] = creature[..., 3]
    lay(canvas, shape, top, left)
    covered: npt.NDArray[np.bool_] = canvas[..., 0] > 127
    return covered


def _paint(
    plain: Canvas,
    painted: Canvas,
    condition: Canvas,
    creature: CutOut,
    top: int,
    left: int,
    colour: tuple[int, int, int],
    rng: np.random.Generator,
) -> None:
    """Lay a creature on all three: gray, as an outline in its colour, and in its colour by its own light and shade."""
    pixels, opacity = creature[..., :3].astype(np.float32), creature[..., 3:].astype(np.float32)
    light = pixels @ LUMA
    bright = max(1.0, float(np.percentile(light[creature[..., 3] > 127], 85)))
    shade = np.clip(light / bright, 0, 1.35)[..., None]  # 1 is the full colour, above it shines
    gray = np.repeat(np.minimum(255, 14 + 205 * shade), 3, axis=2)
    lay(plain, np.dstack([gray, opacity]), top, left)
    paint = np.clip(np.array(colour) + rng.normal(0, 6, 3), 0, 255).astype(np.float32)
    tinted = paint * np.minimum(shade, 1) + (255 - paint) * np.maximum(shade - 1, 0)
    lay(painted, np.dstack([tinted, opacity]), top, left)
    mask = Image.fromarray(np.pad(creature[..., 3], 3)).point(lambda value: 255 if value > 127 else 0)
    line = np.asarray(mask.filter(ImageFilter.MaxFilter(3)), np.int16) - np.asarray(
        mask.filter(ImageFilter.MinFilter(3))
    )
    inside = np.zeros((*line.shape, 4), np.uint8)
    inside[..., 3] = np.asarray(mask)
    lay(condition, inside, top - 3, left - 3)  # what it covers of the creature below is gone
    inside[..., :3], inside[..., 3] = colour, line
    lay(condition, inside, top - 3, left - 3)

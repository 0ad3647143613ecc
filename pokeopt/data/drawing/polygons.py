"""Painting by colour, document 004's task: outlined shapes and the colours wanted for them -> the shapes, painted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image, ImageDraw

from pokeopt.data.drawing.album import FEWEST, Album, Pair, labels_of
from pokeopt.data.drawing.laying import finished
from pokeopt.data.drawing.paper import paper, shading
from pokeopt.data.drawing.shapes import COLOURS, Shape, placed_shapes

VERSION = 1
IMAGE_PX = 128
FINE = 3  # shapes are drawn so many times larger, then reduced: smooth edges
LINE_PX, CONDITION_PX = 2.0, 2.7
INK = (38, 34, 40)
# Images by their rarest shape: 30 % down to 3 %.
COUNTS = {
    "triangle": 360,
    "square": 240,
    "circle": 180,
    "diamond": 132,
    "pentagon": 108,
    "hexagon": 84,
    "star": 60,
    "arrow": 36,
}
RARE = 0.08  # a class with a smaller share is rare
EDGE, OVERLAP = (
    0.22,
    0.5,
)  # shares of sheets with a shape at the border; of those with several, with two that overlap
HOW_MANY = (0.35, 0.40, 0.25)  # shares of sheets with 1, 2 and 3 shapes


@dataclass(frozen=True)
class _Sheets:
    """Draws the input of a row, or all three images; each depends on the seed, the row and the plan alone."""

    seed: int
    names: tuple[tuple[str, ...], ...]
    colours: tuple[tuple[str, ...], ...]
    edge: npt.NDArray[np.bool_]
    overlap: npt.NDArray[np.bool_]

    def __call__(self, row: int) -> Image.Image:
        """Return the input: RGB, 128x128."""
        return self.pair(row)[0]

    def pair(self, row: int) -> Pair:
        """Return (input, condition, output), RGB, 128x128."""
        rng = np.random.default_rng([self.seed, 13, 1, row])
        shapes = placed_shapes(
            self.names[row],
            self.colours[row],
            rng,
            IMAGE_PX,
            at_edge=bool(self.edge[row]),
            overlapping=bool(self.overlap[row]),
        )
        return draw_pair(shapes, rng)


def polygons(seed: int, share: float = 1.0) -> Album:
    """List sheets of one to three shapes: 1200, of classes named by the rarest shape on each.

    Args:
        seed: Draws shapes, places and colours.
        share: Of the 1200; never fewer than three of each class.

    Returns:
        Columns are ``edge`` (a shape is cut by a border), ``overlap`` (one lies over another), ``rare`` (the class has
        a share below 8 %), ``colour`` and ``shapes``, whose names are joined by ``+``.
    """
    rng = np.random.default_rng([seed, 13, 0])
    by_share = list(COUNTS)
    labels = np.repeat(by_share, [max(FEWEST, round(count * share)) for count in COUNTS.values()])
    labels = labels[rng.permutation(len(labels))]
    names, colours = [], []
    for label in labels.tolist():
        n = int(rng.choice(3, p=HOW_MANY)) + 1
        commoner = by_share[: by_share.index(label) + 1]
        chosen = [label, *rng.choice(commoner, n - 1).tolist()]
        names.append(tuple(chosen[position] for position in rng.permutation(n)))
        colours.append(tuple(rng.choice(list(COLOURS), n, replace=False).tolist()))
    several = np.array([len(chosen) > 1 for chosen in names])
    edge = rng.random(len(labels)) < EDGE
    overlap = several & (rng.random(len(labels)) < OVERLAP)
    rare = [kind for kind, count in COUNTS.items() if count < RARE * sum(COUNTS.values())]
    classes = tuple(sorted(COUNTS))
    colour = ["+".join(chosen) for chosen in colours]
    sheets = _Sheets(seed, tuple(names), tuple(colours), edge, overlap)
    return Album(
        version=VERSION,
        noun="sheet",
        classes=classes,
        labels=labels_of(labels.tolist(), classes),
        groups=None,
        columns=pd.DataFrame(
            {
                "edge": edge,
                "overlap": overlap,
                "rare": np.isin(labels, rare),
                "colour": colour,
                "shapes": ["+".join(chosen) for chosen in names],
            }
        ),
        open=sheets,
        open_pair=sheets.pair,
    )


def draw_pair(shapes: tuple[Shape, ...], rng: np.random.Generator) -> Pair:
    """Draw a sheet of paper with shapes, their outlines in the colours wanted, and the sheet painted.

    Later shapes lie over earlier ones in all three.

    Args:
        shapes: In order.
        rng: Draws paper, shading and the exact colours.

    Returns:
        Input, condition and output; RGB.
    """
    plain = paper(rng, IMAGE_PX)
    painted = plain.copy()
    condition = np.zeros_like(plain)
    for shape in shapes:
        inside, line, broad = _coverage(shape)
        light = shading(rng, IMAGE_PX)
        paint = np.clip(np.array(COLOURS[shape.colour]) + rng.normal(0, 6, 3), 0, 255).astype(np.float32)
        white = np.array((238, 236, 230), np.float32) * light
        for canvas, colour in ((plain, white), (painted, paint * light)):
            canvas[...] += (colour - canvas) * inside
            canvas[...] += (np.array(INK, np.float32) - canvas) * line
        condition *= 1 - inside
        condition += (np.array(COLOURS[shape.colour], np.float32) - condition) * broad
    first, second, third = (Image.fromarray(finished(canvas)) for canvas in (plain, condition, painted))
    return first, second, third


def _coverage(shape: Shape) -> tuple[npt.NDArray[np.float32], ...]:
    """Return how much of each pixel is inside, on the line and on the condition's line, (H, W, 1) each."""
    side = IMAGE_PX * FINE
    corners = [tuple(corner) for corner in ((shape.points + 0.5) * FINE).tolist()]
    covered: list[npt.NDArray[np.float32]] = []
    for width_px in (0.0, LINE_PX, CONDITION_PX):
        mask = Image.new("L", (side, side))
        pen = ImageDraw.Draw(mask)
        if width_px:
            pen.line([*corners, *corners[:2]], fill=255, width=round(width_px * FINE), joint="curve")
        else:
            pen.polygon(corners, fill=255)
        small = mask.reduce(FINE)
        covered.append(np.asarray(small, np.float32)[..., None] / np.float32(255))
    return tuple(covered)

"""Fusions: the head of one creature on the body of another, 128x128, as document 000's autoencoder was given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from pokeopt.data.drawing.album import FEWEST, Album, labels_of
from pokeopt.data.drawing.cast import Cast
from pokeopt.data.drawing.laying import Canvas, finished, lay, scaled

VERSION = 1
IMAGE_PX = 128
SMALLEST_PX, LARGEST_PX = 92, 118
PER_PAIR = 30  # images of each ordered pair of types
PAPERS = ((255, 255, 255), (247, 244, 236), (236, 243, 248), (240, 247, 238))
WHITE = PAPERS[:1]


@dataclass(frozen=True)
class _Fusions:
    """Draws fusions; each depends on the cast, the seed and its row alone."""

    cast: Cast
    seed: int
    heads: npt.NDArray[np.int64]
    bodies: npt.NDArray[np.int64]
    papers: tuple[tuple[int, int, int], ...]

    def __call__(self, row: int) -> Image.Image:
        """Return RGBA, 128x128, opaque."""
        rng = np.random.default_rng([self.seed, 10, 1, row])
        size_px = int(rng.integers(SMALLEST_PX, LARGEST_PX + 1))
        fusion = self.cast.fusion(int(self.heads[row]), int(self.bodies[row]), rng, size_px)
        fusion = scaled(fusion, size_px)
        paper = self.papers[int(rng.integers(len(self.papers)))]
        light = np.linspace(1.0, rng.uniform(0.93, 1.0), IMAGE_PX, dtype=np.float32)[:, None, None]
        canvas: Canvas = np.broadcast_to(np.array(paper, np.float32), (IMAGE_PX, IMAGE_PX, 3)).copy()
        if len(self.papers) > 1:
            canvas *= light
        height, width = fusion.shape[:2]
        lay(canvas, fusion, _about_middle(height, rng), _about_middle(width, rng))
        return Image.fromarray(finished(canvas)).convert("RGBA")


def fusions(
    cast: Cast, seed: int, share: float = 1.0, papers: tuple[tuple[int, int, int], ...] = PAPERS
) -> Album:
    """List fusions: 30 of each ordered pair of types, each of a pair of creatures that no other has until all had one.

    Args:
        cast: Who is fused.
        seed: Draws pairs and poses.
        share: Of the 30, where the cast is not complete; never fewer than three.
        papers: Colours of the ground, one of which is drawn.

    Returns:
        Classes are ``Fire-Water`` (head, body); groups are pairs of creatures.
    """
    types = cast.types
    there = sorted(set(types))
    members = {kind: [k for k, own in enumerate(types) if own == kind] for kind in there}
    rng = np.random.default_rng([seed, 10, 0])
    count = max(FEWEST, round(PER_PAIR * share))
    chosen: list[tuple[int, int]] = []
    for head in there:
        for body in there:
            pairs = [(a, b) for a in members[head] for b in members[body] if a != b]
            pairs = pairs or [
                (members[head][0], members[body][0])
            ]  # a type with one creature, fused with itself
            order = np.resize(rng.permutation(len(pairs)), count)
            chosen += [pairs[position] for position in order]
    dealt = np.array(chosen, dtype=np.int64)[rng.permutation(len(chosen))]
    heads, bodies = dealt[:, 0], dealt[:, 1]
    classes = tuple(f"{head}-{body}" for head in there for body in there)
    names = np.array(cast.names)
    return Album(
        version=VERSION,
        noun="fusion",
        classes=classes,
        labels=labels_of([f"{types[a]}-{types[b]}" for a, b in dealt], classes),
        groups=np.array([f"{names[a]}+{names[b]}" for a, b in dealt]),
        columns=pd.DataFrame({"head": names[heads], "body": names[bodies]}),
        open=_Fusions(cast, seed, heads, bodies, papers),
    )


def _about_middle(inner_px: int, rng: np.random.Generator) -> int:
    """Return where something starts that stands in the middle, give or take three pixels."""
    room = IMAGE_PX - inner_px
    return int(np.clip(room // 2 + rng.integers(-3, 4), 0, room))

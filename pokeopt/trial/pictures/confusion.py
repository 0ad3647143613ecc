"""A confusion matrix as a picture, for pages that show no drawings of ours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from pokeopt.trial.pictures.choosing import PARTS
from pokeopt.trial.pictures.lettering import font, lines_of, spelt
from pokeopt.trial.pictures.png import Words, encode

DENSITY = 2
CELL, NAME, GAP = 30, 90, 6  # pixels of a page
MOST_CLASSES, MOST_COUNTED = 60, 20
INK, WHITE, DARK = (0, 0, 0), (255, 255, 255), (0, 90, 160)


def draw_confusion(
    probabilities: npt.NDArray[np.floating],
    truth: npt.NDArray[np.int64],
    classes: Sequence[str],
    part: str = "test",
) -> dict[str, bytes]:
    """Return ``confusion.png``: rows are true classes, columns predictions; none above 60 classes.

    Args:
        probabilities: (N, K), of one network.
        truth: (N,) class indices.
        classes: K names.
        part: Where the images are from.
    """
    k = len(classes)
    if k > MOST_CLASSES or not len(truth):
        return {}
    counts = np.zeros((k, k), np.int64)
    np.add.at(counts, (truth, probabilities.argmax(axis=1)), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cell, start = CELL * DENSITY, (NAME + GAP) * DENSITY
    picture = Image.new("RGB", (start + k * cell, start + k * cell), WHITE)
    draw = ImageDraw.Draw(picture)
    for i, name in enumerate(classes):
        _name(picture, spelt(name, f"class {i}"), start + i * cell)
        for j in range(k):
            corner = (start + j * cell, start + i * cell)
            shade = tuple(round(w + (d - w) * shares[i, j]) for w, d in zip(WHITE, DARK, strict=True))
            draw.rectangle((*corner, corner[0] + cell - 3, corner[1] + cell - 3), fill=shade)
            if counts[i, j] and k <= MOST_COUNTED:
                middle = (corner[0] + cell // 2 - 1, corner[1] + cell // 2 - 1)
                ink = WHITE if shares[i, j] > 0.5 else INK
                draw.text(middle, str(counts[i, j]), fill=ink, font=font(DENSITY), anchor="mm")
    right = int(np.trace(counts))
    description = (
        f"{right} of {len(truth)} {PARTS.get(part, part)} images are named rightly. Rows are true classes, columns "
        "predictions; the shade is the share of the row, the number the count."
    )
    words = Words("Confusion matrix", description, "Which classes are taken for which?")
    return {"confusion.png": encode(picture, DENSITY, words)}


def _name(picture: Image.Image, name: str, at: int) -> None:
    """Write a class's name to the left of its row, and upwards over its column."""
    width, height = NAME * DENSITY, CELL * DENSITY
    label = Image.new("RGB", (width, height), WHITE)
    line = lines_of(name, width, DENSITY)[0]
    ImageDraw.Draw(label).text((width, height // 2), line, fill=INK, font=font(DENSITY), anchor="rm")
    picture.paste(label, (0, at))
    upright = Image.new("RGB", (width, height), WHITE)
    ImageDraw.Draw(upright).text((0, height // 2), line, fill=INK, font=font(DENSITY), anchor="lm")
    picture.paste(upright.rotate(90, expand=True), (at, 0))

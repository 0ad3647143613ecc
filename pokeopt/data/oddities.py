"""What a reader should know of a data set before trusting a score on it, one line each."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from pokeopt.data.dataset import Dataset

DARK = 255 // 16  # of 8 bits: what 12-bit numbers in 16-bit files come to at most
LEAST = 2  # images: a single dark one may be dark
MOST_NAMED = 3


def oddities(dataset: Dataset) -> tuple[str, ...]:
    """Return a line for mixed sizes, for mixed modes and for equal images across parts, each naming an image.

    None of them stops a study: images are resized and converted, and an equal image is a fact to report.
    """
    lines = []
    sizes = [f"{width}x{height}" for width, height in dataset.sizes.tolist()]
    for what, values in (("size", sizes), ("mode", [str(mode) for mode in dataset.modes])):
        counts = Counter(values)
        if len(counts) == 1:
            continue
        usual, n = counts.most_common(1)[0]
        odd = next(i for i, value in enumerate(values) if value != usual)
        rest = f"{n} of {len(values)} images have {usual}"
        lines.append(f"{dataset.ids[odd]}: its {what} is {values[odd]}, {rest}; all are made alike")
    if dataset.duplicates_across_splits:
        left, right = dataset.duplicates_across_splits[0]
        more = len(dataset.duplicates_across_splits) - 1
        others = f", and {more} more pairs" if more else ""
        lines.append(
            f"{left}: the same image as {right}, in another part of the split{others}; scores may flatter"
        )
    return (*lines, *strange_images(dataset))


def strange_images(dataset: Dataset) -> tuple[str, ...]:
    """Return a line each for images that are nearly black or all one value, that were turned, that have two classes.

    They are read as their files say, and the files may say it wrongly: masks of class numbers, 12 bits stored as 16.
    """
    lines = []
    for mode in dict.fromkeys(dataset.modes.tolist()):
        lines += _values(f"images of mode {mode}", dataset.levels[dataset.modes == mode, 0])
    if dataset.levels.shape[1] > 1:
        lines += _values("outputs", dataset.levels[:, 1])
    if n_turned := int(dataset.turned.sum()):
        verb = "image is" if n_turned == 1 else "images are"
        lines.append(f"{n_turned} {verb} turned as the EXIF orientation says, as a viewer shows them.")
    if pairs := dataset.contradictions:
        shown = ", ".join(f"{one} = {other}" for one, other in pairs[:MOST_NAMED])
        more = ", ..." if len(pairs) > MOST_NAMED else ""
        have = "image equals one" if len(pairs) == 1 else "images equal one"
        lines.append(f"{len(pairs)} {have} of another class ({shown}{more}): one of the two labels is wrong.")
    return tuple(lines)


def _values(what: str, levels: npt.NDArray[np.uint8]) -> list[str]:
    """Say where no image (N, 2) has a value worth the name."""
    if len(levels) < LEAST:
        return []
    lowest, highest = int(levels[:, 0].min()), int(levels[:, 1].max())
    if lowest == highest:
        return [
            f"The {len(levels)} {what} have one value in all pixels, {highest} of 255: they show nothing."
        ]
    if highest <= DARK:
        scale = "scale the values to the whole range"
        return [f"The {len(levels)} {what} are nearly black, at most {highest} of 255: {scale}."]
    return []

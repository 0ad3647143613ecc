"""Identical images: in another part they are no test of what was learnt; with another label one of them is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def across_parts(
    pixel_hashes: npt.NDArray[np.str_],
    ids: npt.NDArray[np.str_],
    parts: Sequence[npt.NDArray[np.int64]],
) -> tuple[tuple[str, str], ...]:
    """Find images that also lie in another part.

    Args:
        pixel_hashes: (N,) digests of the decoded originals.
        ids: (N,) names.
        parts: Rows of each part, first the one whose images the others must not hold.

    Returns:
        Pairs (image of the earlier part, the same image in a later part), each later image once.
    """
    first_seen: dict[str, tuple[int, str]] = {}
    pairs = []
    for number, part in enumerate(parts):
        for row in part.tolist():
            name = str(ids[row])
            earliest, twin = first_seen.setdefault(str(pixel_hashes[row]), (number, name))
            if earliest != number:
                pairs.append((twin, name))
    return tuple(pairs)


def of_two_classes(
    pixel_hashes: npt.NDArray[np.str_], ids: npt.NDArray[np.str_], labels: npt.NDArray[np.int64]
) -> tuple[tuple[str, str], ...]:
    """Find identical images that have different labels.

    Args:
        pixel_hashes: (N,) digests of the decoded originals.
        ids: (N,) names.
        labels: (N,) classes.

    Returns:
        Pairs (first image, a later one that equals it and has another label).
    """
    first_seen: dict[str, tuple[int, str]] = {}
    pairs = []
    for digest, name, label in zip(pixel_hashes.tolist(), ids.tolist(), labels.tolist(), strict=True):
        first, twin = first_seen.setdefault(digest, (label, name))
        if first != label:
            pairs.append((twin, name))
    return tuple(pairs)

"""What a network makes of an input and its condition: some by chance, and the worst."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from pokeopt.trial.pictures.choosing import PARTS, random_rows, worst_rows
from pokeopt.trial.pictures.comparisons import Comparison, error_text
from pokeopt.trial.pictures.tiles import Pixels


def draw_translations(
    inputs: Pixels,
    conditions: Pixels | None,
    wanted: Pixels,
    made: Pixels,
    slices: Mapping[str, npt.NDArray[np.bool_]] | None = None,
    n: int = 8,
    seed: int = 0,
    part: str = "test",
) -> dict[str, bytes]:
    """Return the sheets ``translations.png`` and, where more images than it shows, ``translations-worst.png``.

    Args:
        inputs: (N, C, H, W), bytes or intensities in [0, 1].
        conditions: (N, 1 or 3, H, W); None where there are none.
        wanted: (N, C, H, W), what should be made.
        made: (N, C, H, W), what was.
        slices: Name to which images (N,) are in it, like ``edge``, ``rare``, ``overlap``.
        n: Images a sheet.
        seed: Draws those of the first.
        part: Where the images are from.
    """
    if not len(inputs):
        return {}
    given = {"input": inputs} | ({} if conditions is None else {"condition": conditions})
    compared = Comparison(given, wanted, made, slices or {})
    part = PARTS.get(part, part)
    n_images, mean = len(inputs), compared.errors.mean()
    shown = min(n, n_images)
    sheets = {
        "translations.png": compared.drawn(
            random_rows(n_images, n, seed),
            title=f"What is made of random {part} images",
            description=f"{shown} of the {n_images} {part} images looked at, drawn by chance (seed {seed}). "
            f"The mean MSE of these {n_images} is {error_text(mean)}{_by_slice(compared)}.",
            question="What is made of an image?",
        )
    }
    if n_images > n:
        worst = worst_rows(compared.errors, n)
        sheets["translations-worst.png"] = compared.drawn(
            worst,
            title=f"The worst that is made of {part} images",
            description=f"The {shown} with the largest error of the {n_images} {part} images looked at, the largest "
            f"first; the mean is {error_text(mean)}{_shares(compared, worst)}.",
            question="Of which images is the worst made?",
        )
    return sheets


def _by_slice(compared: Comparison) -> str:
    """Return the error of every slice that has an image."""
    errors = [
        f"{name} {error_text(compared.errors[members].mean())} ({members.sum()} images)"
        for name, members in compared.slices.items()
        if members.any()
    ]
    return f"; by slice: {', '.join(errors)}" if errors else ""


def _shares(compared: Comparison, worst: npt.NDArray[np.int64]) -> str:
    """Return how many of the worst are in a slice, beside how many there are at all."""
    shares = [
        f"{members[worst].sum()} of these {len(worst)} are {name}, of all {members.mean():.0%}".replace(
            "%", " %"
        )
        for name, members in compared.slices.items()
    ]
    return f". Named below the columns: {'; '.join(shares)}" if shares else ""

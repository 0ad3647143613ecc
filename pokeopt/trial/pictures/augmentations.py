"""What augmentation makes of training images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pokeopt.trial.pictures.layout import sheet
from pokeopt.trial.pictures.tiles import Pixels, as_intensity


def draw_augmentations(originals: Pixels, draws: Pixels, names: Sequence[str]) -> dict[str, bytes]:
    """Return the sheet ``augmentations.png``: a row an image, first as it is stored, then as it was drawn.

    Args:
        originals: (M, C, H, W), bytes or intensities in [0, 1].
        draws: (M, D, C, H, W), likewise.
        names: Of the augmentations; without one there is no sheet.
    """
    if not names or not len(originals):
        return {}
    change = np.abs(as_intensity(draws) - as_intensity(originals)[:, None]).mean()
    description = (
        f"Each row is one training image: as it is stored, then {draws.shape[1]} draws of "
        f"{' → '.join(names)}. A draw differs from its original by {change:.2f} in mean absolute intensity "
        "(0 is equal, 1 is black against white). What cannot be recognised here cannot be learnt from."
    )
    content = sheet(
        [[original, *drawn] for original, drawn in zip(originals, draws, strict=True)],
        column_labels=["stored", *(f"draw {number}" for number in range(1, draws.shape[1] + 1))],
        title="Augmented training images",
        description=description,
        question="What does augmentation make of a training image?",
    )
    return {"augmentations.png": content}

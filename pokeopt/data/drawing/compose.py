"""Put a creature on a background."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def random_offset(rng: np.random.Generator, inner_px: int, outer_px: int) -> int:
    """Draw where something of ``inner_px`` starts within ``outer_px``, so that it stays inside."""
    return int(rng.integers(0, outer_px - inner_px + 1))


def compose(
    creature: npt.NDArray[np.uint8], background: npt.NDArray[np.uint8], top: int, left: int
) -> npt.NDArray[np.uint8]:
    """Lay a creature on a background.

    Args:
        creature: RGBA, (h, w, 4); its alpha is 0 or 255.
        background: RGB, (H, W, 3), at least as large.
        top: Row of the creature's first row.
        left: Column of its first column.

    Returns:
        RGBA, (H, W, 4), opaque everywhere.
    """
    height, width = creature.shape[:2]
    image = np.dstack([background, np.full(background.shape[:2], 255, np.uint8)])
    window = image[top : top + height, left : left + width]
    window[...] = np.where(creature[..., 3:] > 0, creature, window)
    window[..., 3] = 255
    return image

"""Where the dark outline of a creature runs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Mask = npt.NDArray[np.bool_]

DARK = 32  # brightest channel of an outline pixel: sprites draw theirs in 0 to 16, a resized one a little lighter
GAP_PX = 2  # an outline is drawn lighter where light falls: dark pixels this near still belong together
FEWEST_PX = 4  # fewer dark pixels than this are noise
FEWEST_SHARE = 0.05  # so are fewer than this share of the largest group
SPECK_PX = 12  # an image whose largest group is smaller has no outline


def find_outline(image: npt.NDArray[np.uint8], dark: int = DARK, gap_px: int = GAP_PX) -> Mask:
    """Return the dark pixels that lie in groups, as outlines do; those of noise lie apart.

    Args:
        image: RGBA, (H, W, 4).
        dark: Brightest channel of a dark pixel, 0 to 255.
        gap_px: Largest distance, in pixels, between two of a group; 1 is touching, corners included.

    Returns:
        (H, W); nothing is True where there is no outline.
    """
    candidates = (image[..., :3].max(axis=2) <= dark) & (image[..., 3] > 127)
    joined = candidates if gap_px == 1 else ndimage.maximum_filter(candidates, size=gap_px, mode="constant")
    group, n_groups = ndimage.label(joined, structure=np.ones((3, 3)))
    sizes = np.bincount(group[candidates], minlength=n_groups + 1)
    sizes[0] = 0
    largest = int(sizes.max())
    if largest < SPECK_PX:
        return np.zeros_like(candidates)
    kept = sizes >= max(FEWEST_PX, FEWEST_SHARE * largest)
    return np.asarray(candidates & kept[group], dtype=np.bool_)


def bounding_box(mask: Mask) -> tuple[int, int, int, int] | None:
    """Return (top, bottom, left, right) of what is True, ends excluded; None if nothing is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1

"""Cut an image to the creature's dark outline, so that the background is gone and every creature is as large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pokeopt.data.outline import DARK, GAP_PX, bounding_box, find_outline
from pokeopt.registry import PREPROCESSING


@PREPROCESSING.register("silhouette_crop")
@dataclass(frozen=True)
class SilhouetteCrop:
    """Cut to the bounding box of the dark outline; the whole image where none is found.

    Attributes:
        padding: Room left on each side, as a share of the box.
        dark: Brightest channel of an outline pixel, 0 to 255.
        gap_px: Largest gap within an outline, in pixels.

    Source: Team Rocket, task 1 (bounding box of the black silhouette, 5 % padding).
    """

    padding: float = 0.05
    dark: int = DARK
    gap_px: int = GAP_PX

    def __post_init__(self) -> None:
        """Check the settings."""
        if not 0 <= self.padding <= 1:
            raise ValueError(f"padding must be in [0, 1], got {self.padding}")
        if not 0 <= self.dark <= 255:
            raise ValueError(f"dark must be in [0, 255], got {self.dark}")
        if self.gap_px < 1:
            raise ValueError(f"gap_px must be at least 1, got {self.gap_px}")

    def __call__(self, image: npt.NDArray[np.uint8], state: dict[str, Any]) -> npt.NDArray[np.uint8]:
        """Return the part of the image (H, W, 4) around its outline; its shape is that of the creature."""
        box = bounding_box(find_outline(image, self.dark, self.gap_px))
        state.clear()  # masks of the uncut image no longer fit
        if box is None:
            return image
        top, bottom, left, right = box
        down, across = round(self.padding * (bottom - top)), round(self.padding * (right - left))
        return image[max(0, top - down) : bottom + down, max(0, left - across) : right + across].copy()

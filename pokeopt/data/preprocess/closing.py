"""Fill the inside of the outline, which gives the creature's mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pokeopt.data.outline import find_outline
from pokeopt.registry import PREPROCESSING


@PREPROCESSING.register("closing")
@dataclass(frozen=True)
class Closing:
    """Dilate the outline ``iterations`` times, then erode it as often: gaps up to twice that many pixels are filled.

    More iterations keep background between limbs, fewer leave holes in a large creature.

    Source: Team LLMH, "Remove the background", third step (9 and 10 iterations).
    """

    iterations: int = 9

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"iterations must be at least 1, got {self.iterations}")

    def __call__(self, image: npt.NDArray[np.uint8], state: dict[str, Any]) -> npt.NDArray[np.uint8]:
        """Return the mask, white on black, (H, W, 4)."""
        state.setdefault("original", image)
        outline = state.get("outline")
        if outline is None:
            outline = find_outline(image)
        padded = np.pad(outline, self.iterations)  # the frame of the image is no wall to dilate against
        closed = ndimage.binary_closing(padded, np.ones((3, 3)), iterations=self.iterations)
        inside = slice(self.iterations, -self.iterations)
        state["mask"] = closed[inside, inside]
        drawn = np.zeros_like(image)
        drawn[..., 3] = 255
        drawn[state["mask"], :3] = 255
        return drawn

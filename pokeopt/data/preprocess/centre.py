"""Move the creature to the middle of the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pokeopt.data.outline import bounding_box, find_outline
from pokeopt.registry import PREPROCESSING


@PREPROCESSING.register("centre")
@dataclass(frozen=True)
class Centre:
    """Move the bounding rectangle of the mask (or of the outline) to the middle; what is uncovered is black.

    Source: Team LLMH, "Centering the Pokemon".
    """

    def __call__(self, image: npt.NDArray[np.uint8], state: dict[str, Any]) -> npt.NDArray[np.uint8]:
        """Return the moved image, (H, W, 4), of the same shape."""
        mask = state["mask"] if "mask" in state else find_outline(image)
        box = bounding_box(mask)
        if box is None:
            return image
        top, bottom, left, right = box
        height, width = image.shape[:2]
        down, across = (height - top - bottom) // 2, (width - left - right) // 2
        moved = np.zeros_like(image)
        moved[..., 3] = 255
        moved[_target(down, height), _target(across, width)] = image[
            _source(down, height), _source(across, width)
        ]
        state.clear()  # masks of the unmoved image no longer fit
        return moved


def _target(shift: int, size: int) -> slice:
    return slice(max(shift, 0), min(size, size + shift))


def _source(shift: int, size: int) -> slice:
    return slice(max(-shift, 0), min(size, size - shift))

"""Make the outline black and everything else white."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pokeopt.data.outline import find_outline
from pokeopt.registry import PREPROCESSING


@PREPROCESSING.register("threshold")
@dataclass(frozen=True)
class Threshold:
    """Make the outline black and everything else white.

    Source: Team LLMH, "Remove the background", second step.
    """

    def __call__(self, image: npt.NDArray[np.uint8], state: dict[str, Any]) -> npt.NDArray[np.uint8]:
        """Return the outline, black on white, (H, W, 4); it is the one that ``fix_border`` found, where that ran."""
        state.setdefault("original", image)
        outline = state.setdefault("outline", find_outline(image))
        drawn = np.full_like(image, 255)
        drawn[outline, :3] = 0
        return drawn

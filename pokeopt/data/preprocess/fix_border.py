"""Make every pixel of the dark outline exactly black."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pokeopt.data.outline import DARK, GAP_PX, find_outline
from pokeopt.registry import PREPROCESSING


@PREPROCESSING.register("fix_border")
@dataclass(frozen=True)
class FixBorder:
    """Make every pixel of the dark outline exactly black; nothing changes where there is none.

    Attributes:
        dark: Brightest channel of an outline pixel, 0 to 255.

    Source: Team LLMH, "Remove the background", first step.
    """

    dark: int = DARK

    def __post_init__(self) -> None:
        if not 0 <= self.dark <= 255:
            raise ValueError(f"dark must be in [0, 255], got {self.dark}")

    def __call__(self, image: npt.NDArray[np.uint8], state: dict[str, Any]) -> npt.NDArray[np.uint8]:
        """Return the image (H, W, 4); the steps that follow find the image as it came in ``state``."""
        state["original"] = image
        state["outline"] = find_outline(image, self.dark, GAP_PX)
        fixed = image.copy()
        fixed[state["outline"], :3] = 0
        return fixed

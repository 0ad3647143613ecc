"""Keep the original image where the mask is, black elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pokeopt.registry import PREPROCESSING


@PREPROCESSING.register("mask")
@dataclass(frozen=True)
class Mask:
    """Keep the original image where the mask is, black elsewhere; without an outline the image stays as it was.

    Source: Team LLMH, "Remove the background", last step (original AND mask).
    """

    def __call__(self, image: npt.NDArray[np.uint8], state: dict[str, Any]) -> npt.NDArray[np.uint8]:
        """Return the masked original, (H, W, 4).

        Raises:
            ValueError: If no step before it made a mask.
        """
        if "mask" not in state:
            raise ValueError("there is no mask yet: put closing before mask")
        original: npt.NDArray[np.uint8] = state.get("original", image)
        if not state["mask"].any():
            return original
        masked = np.where(state["mask"][..., None], original, 0).astype(np.uint8)
        masked[..., 3] = 255
        return masked

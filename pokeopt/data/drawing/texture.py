"""Textures of natural look: as much contrast at every scale, so the spectrum falls as 1/f."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image


def cloud(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    coarsest: int = 3,
    roughness: float = 0.6,
    stretch: float = 1.0,
) -> npt.NDArray[np.float32]:
    """Draw a texture as a sum of smooth noises, each twice as fine as the one before.

    Args:
        rng: Draws it.
        height: In pixels.
        width: In pixels.
        coarsest: Patches of the coarsest noise along a side.
        roughness: Contrast of each finer noise over that of the one before; 1 is sand, 0.4 is fog.
        stretch: Width of a patch over its height.

    Returns:
        (height, width), mean 0, standard deviation 1.
    """
    total = np.zeros((height, width), np.float32)
    patches, weight = float(coarsest), 1.0
    while patches <= max(height, width):
        rows = min(height, max(2, round(patches * height / max(height, width))))
        columns = min(width, max(2, round(patches * width / max(height, width) / stretch)))
        noise = Image.fromarray(rng.standard_normal((rows, columns), dtype=np.float32))
        total += np.float32(weight) * np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC))
        patches, weight = patches * 2, weight * roughness
    total -= total.mean()
    return total / max(float(total.std()), 1e-6)

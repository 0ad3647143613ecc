"""One sprite on a background of noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from pokeopt.data.drawing import compose, noise_background, random_offset
from pokeopt.data.drawing.cast import CutOut
from pokeopt.data.imports.cut_outs import FrameKey
from pokeopt.data.imports.package import ANIMATIONS

IMAGE_PX = 64
# Left by a sprite that has to be shrunk, on both sides together.
SMALLEST_MARGIN_PX, LARGEST_MARGIN_PX = 2, 12


def on_noise(sprite: CutOut, key: FrameKey, seed: int) -> npt.NDArray[np.uint8]:
    """Shrink a sprite if it is too large, and lay it somewhere on noise.

    Args:
        sprite: RGBA, (h, w, 4), cut to what is drawn.
        key: Which frame it is; the image depends on it and the seed alone.
        seed: Draws its size, the noise and the place.

    Returns:
        RGBA, (64, 64, 4), opaque.
    """
    rng = np.random.default_rng([seed, 3, key.species, list(ANIMATIONS).index(key.animation), key.frame])
    longest_px = IMAGE_PX - int(rng.integers(SMALLEST_MARGIN_PX, LARGEST_MARGIN_PX + 1))
    if max(sprite.shape) > longest_px:
        scale = longest_px / max(sprite.shape)
        height, width = (max(1, round(side * scale)) for side in sprite.shape[:2])
        # nearest neighbours: outlines stay dark, alpha stays hard
        sprite = np.asarray(Image.fromarray(sprite).resize((width, height), Image.Resampling.NEAREST))
    background = noise_background("uniform", rng, IMAGE_PX, IMAGE_PX)
    top, left = (random_offset(rng, inner_px, IMAGE_PX) for inner_px in sprite.shape[:2])
    return compose(sprite, background, top, left)

"""Sheets of drawing paper, and the light on them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pokeopt.data.drawing.laying import Canvas
from pokeopt.data.drawing.texture import cloud

Shading = npt.NDArray[np.float32]


def paper(rng: np.random.Generator, side_px: int) -> Canvas:
    """Draw pale paper: a tint, fibres, and light from one side."""
    tint = rng.uniform((222, 218, 206), (246, 242, 236)).astype(np.float32)
    fibres = cloud(rng, side_px, side_px, coarsest=8, roughness=0.9)[..., None]
    sheet: Canvas = tint * (shading(rng, side_px, 0.05) + np.float32(0.015) * fibres)
    return sheet


def shading(rng: np.random.Generator, side_px: int, amount: float = 0.16) -> Shading:
    """Draw light that falls off across a sheet, with the grain of a crayon; (side, side, 1), about 1."""
    angle = rng.uniform(0, 2 * np.pi)
    axis = np.linspace(-1, 1, side_px, dtype=np.float32)
    slope = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]
    grain = cloud(rng, side_px, side_px, coarsest=10, roughness=0.8)
    light = 1 - 0.3 * amount + amount * (0.8 * slope + 0.22 * grain)
    clipped: Shading = np.clip(light, 0.6, 1.08).astype(np.float32)[..., None]
    return clipped

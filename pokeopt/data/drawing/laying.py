"""Scale cut-outs smoothly, and lay them on a canvas of light."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from pokeopt.data.drawing.cast import CutOut

Canvas = npt.NDArray[np.float32]
"""(H, W, 3), red, green and blue from 0 to 255; may leave that range until it is finished."""


def scaled(cut_out: CutOut, size_px: int) -> CutOut:
    """Return a cut-out whose longer side is ``size_px``, its edges smoothed; alpha may then be anything."""
    height, width = cut_out.shape[:2]
    factor = size_px / max(height, width)
    new = (max(1, round(width * factor)), max(1, round(height * factor)))
    if new == (width, height):
        return cut_out
    return np.asarray(Image.fromarray(cut_out).resize(new, Image.Resampling.BICUBIC))


def lay(canvas: Canvas, cut_out: npt.NDArray[np.generic], top: int, left: int) -> None:
    """Lay RGBA (h, w, 4), 0 to 255, on a canvas; what lies outside it is cut off."""
    height, width = canvas.shape[:2]
    low_y, low_x = max(0, -top), max(0, -left)
    high_y, high_x = min(cut_out.shape[0], height - top), min(cut_out.shape[1], width - left)
    if low_y >= high_y or low_x >= high_x:
        return
    piece = cut_out[low_y:high_y, low_x:high_x].astype(np.float32)
    window = canvas[top + low_y : top + high_y, left + low_x : left + high_x]
    opacity = piece[..., 3:] / np.float32(255)
    window += (piece[..., :3] - window) * opacity


def finished(canvas: Canvas) -> npt.NDArray[np.uint8]:
    """Return a canvas as bytes, (H, W, 3)."""
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)

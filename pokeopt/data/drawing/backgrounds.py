"""Backgrounds of noise, one draw a pixel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Background = npt.NDArray[np.uint8]


def _uniform(rng: np.random.Generator, height: int, width: int) -> Background:
    return rng.integers(0, 256, size=(height, width, 3), dtype=np.uint8)


def _grey(rng: np.random.Generator, height: int, width: int) -> Background:
    return np.repeat(rng.integers(48, 256, size=(height, width, 1), dtype=np.uint8), 3, axis=2)


def _tinted(rng: np.random.Generator, height: int, width: int) -> Background:
    """Noise around one colour, which may be a dark one."""
    colour, spread = rng.uniform(30, 225, size=3), rng.uniform(25, 70)
    noise = rng.normal(0, 1, size=(height, width, 3)).astype(np.float32)
    return np.clip(colour + spread * noise, 0, 255).astype(np.uint8)


def _dark(rng: np.random.Generator, height: int, width: int) -> Background:
    return rng.integers(0, 120, size=(height, width, 3), dtype=np.uint8)


BACKGROUNDS: dict[str, Callable[[np.random.Generator, int, int], Background]] = {
    "uniform": _uniform,
    "grey": _grey,
    "tinted": _tinted,
    "dark": _dark,
}


def noise_background(kind: str, rng: np.random.Generator, height: int, width: int) -> Background:
    """Draw a background of one kind.

    Args:
        kind: A key of ``BACKGROUNDS``: uniform (each channel of each pixel in 0..255), grey, tinted (around a colour
            of its own), dark (0..119, where dark outlines drown).
        rng: Where the noise comes from.
        height: In pixels.
        width: In pixels.

    Returns:
        RGB, (height, width, 3), uint8.
    """
    return BACKGROUNDS[kind](rng, height, width)

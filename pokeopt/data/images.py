"""From one image as it was found to the square, channels-first bytes that a network sees."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from pokeopt.errors import DataError

Bytes = npt.NDArray[np.uint8]
N_CHANNELS = {"rgb": 3, "rgba": 4, "gray": 1}


class Step(Protocol):
    """A preprocessing step; ``state`` is handed from step to step of one image."""

    def __call__(self, image: Bytes, state: dict[str, Any]) -> Bytes:
        """Change an RGBA image (H, W, 4), in its own size."""
        ...


def to_rgba(image: Image.Image) -> Bytes:
    """Return an image of any mode as RGBA, uint8 (H, W, 4)."""
    if image.mode.startswith("I"):  # 16 bits a pixel, which Pillow would clip at 255
        wide = np.asarray(image).astype(np.int64)
        image = Image.fromarray((wide.clip(0, 65535) // 257).astype(np.uint8))
    return np.array(image.convert("RGBA"))


def apply_steps(image: Bytes, steps: Sequence[Step], where: str) -> Bytes:
    """Run preprocessing steps on one RGBA image, (H, W, 4).

    Args:
        image: The image in its own size.
        steps: What to do, in order.
        where: Its name, for the error.

    Raises:
        DataError: If a step fails or leaves no image.
    """
    state: dict[str, Any] = {}
    for step in steps:
        name = type(step).__name__
        try:
            image = step(image, state)
        except (ValueError, IndexError, KeyError, TypeError, ArithmeticError) as error:
            what = f"the preprocessing step {name} fails: {type(error).__name__}: {error}".splitlines()[0]
            raise DataError(where, what, "change data.preprocess, or leave the image out") from error
        if image.ndim != 3 or image.shape[2] != 4 or image.dtype != np.uint8 or not image.size:
            what = f"the preprocessing step {name} returns {image.dtype} {image.shape}, not uint8 (H, W, 4)"
            raise DataError(where, what, "change data.preprocess, or mend the step")
    return image


def to_square(image: Bytes, size_px: int, channels: str, ground: str = "white") -> Bytes:
    """Resize an RGBA image to a square without cropping.

    Args:
        image: (H, W, 4).
        size_px: Height and width of the result.
        channels: ``rgb``, ``gray`` (both on the ground where the image is transparent) or ``rgba``.
        ground: A colour by its name.

    Returns:
        (C, size_px, size_px), uint8.
    """
    picture = Image.fromarray(image)
    if channels != "rgba":
        under = Image.new("RGBA", picture.size, ground)
        picture = Image.alpha_composite(under, picture).convert("RGB" if channels == "rgb" else "L")
    if picture.size != (size_px, size_px):
        picture = picture.resize((size_px, size_px), Image.Resampling.BILINEAR)
    pixels = np.asarray(picture)
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def pixel_hash(image: Bytes) -> str:
    """Return a digest of an image's pixels and shape: equal images have equal digests, whatever their files."""
    digest = hashlib.blake2b(repr(image.shape).encode(), digest_size=16)
    digest.update(image.tobytes())
    return digest.hexdigest()

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
ORIENTATION = 0x0112  # EXIF's tag: how the camera was held
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
TURNED = "pokeopt:turned"  # in the ``info`` of an image that ``upright`` has turned


class Step(Protocol):
    """A preprocessing step; ``state`` is handed from step to step of one image."""

    def __call__(self, image: Bytes, state: dict[str, Any]) -> Bytes:
        """Change an RGBA image (H, W, 4), in its own size."""
        ...


def upright(image: Image.Image) -> Image.Image:
    """Return a decoded image as a viewer shows it, turned as its EXIF orientation says; without one, itself."""
    try:
        turn = TURNS.get(image.getexif().get(ORIENTATION, 1))
    except (
        Exception
    ):  # whatever Pillow raises of broken EXIF: the pixels are good, and how they lie is unknown
        turn = None
    if turn is None:
        return image
    turned = image.transpose(turn)
    for key in ("exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp"):  # else it would be turned again
        turned.info.pop(key, None)
    turned.info[TURNED] = True
    return turned


def to_rgba(image: Image.Image) -> Bytes:
    """Return an image of any mode as RGBA, uint8 (H, W, 4).

    16 bits a pixel, whole numbers up to 65535, are divided by 257; floats in [0, 1] are multiplied by 255.

    Raises:
        ValueError: If the numbers of a pixel are of no known range, or the mode has no colours.
    """
    if image.mode.startswith("I"):  # which Pillow would clip at 255
        wide = np.asarray(image).astype(np.int64)
        if image.mode == "I":
            _check_wide(int(wide.min()), int(wide.max()))
        image = Image.fromarray((wide.clip(0, 65535) // 257).astype(np.uint8))
    elif image.mode == "F":
        image = Image.fromarray(_bytes_of_floats(np.asarray(image)))
    return np.array(image.convert("RGBA"))


def _check_wide(least: int, most: int) -> None:
    """Refuse 32 bits a pixel that are no 16: up to 255 they are bytes or a dark image, and nothing says which."""
    if least < 0 or 0 < most <= 255 or most > 65535:
        numbers = f"{least} to {most}".replace("-", "\N{MINUS SIGN}")
        mend = "save it with 8 bits (0 to 255) or 16 bits (0 to 65535) a pixel"
        raise ValueError(f"its pixels are 32-bit numbers, {numbers}, of no known range: {mend}")


def _bytes_of_floats(pixels: npt.NDArray[np.float32]) -> Bytes:
    if not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 1):
        raise ValueError("its pixels are floats outside [0, 1]: divide them by the largest possible value")
    return np.round(pixels * 255).astype(np.uint8)


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

"""From arrays to tiles: any image becomes an RGB picture of a size at which single pixels can be seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

Bytes: TypeAlias = npt.NDArray[np.uint8]
Pixels: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.floating[Any]]
CHANNELS = (1, 3, 4)  # gray, RGB, RGBA


def as_bytes(images: Pixels) -> Bytes:
    """Return intensities in [0, 1] as bytes, those outside cut off; bytes as they are. Any shape.

    >>> as_bytes(np.array([-0.5, 0.5, 2.0])).tolist()
    [0, 128, 255]
    """
    if images.dtype == np.uint8:
        return images.astype(np.uint8, copy=False)
    rounded: Bytes = (np.clip(np.nan_to_num(images), 0, 1) * 255 + 0.5).astype(np.uint8)
    return rounded


def as_intensity(images: Pixels) -> npt.NDArray[np.float32]:
    """Return bytes as intensities in [0, 1]; floats as they are, those outside included. Any shape."""
    scale = 255 if images.dtype == np.uint8 else 1
    intensity: npt.NDArray[np.float32] = images.astype(np.float32) / np.float32(scale)
    return intensity


def as_picture(image: Pixels) -> Image.Image:
    """Return one image as an RGB picture, on white where it is transparent.

    Args:
        image: (C, H, W), (H, W, C) or (H, W), with 1, 3 or 4 channels; (C, H, W) where both would do.

    Raises:
        ValueError: If its shape is none of these, or it has no pixel.
    """
    pixels = as_bytes(image)
    if pixels.ndim == 2:
        pixels = pixels[None]
    if pixels.ndim == 3 and pixels.shape[0] in CHANNELS:
        pixels = pixels.transpose(1, 2, 0)
    if pixels.ndim != 3 or pixels.shape[2] not in CHANNELS or not pixels.size:
        raise ValueError(f"image must be (C, H, W) or (H, W, C) with 1, 3 or 4 channels, got {image.shape}")
    if pixels.shape[2] == 4:
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3))))


def enlargement(pictures: Iterable[Image.Image], tile_px: int) -> int:
    """Return the whole number by which the small pictures of a row are enlarged: the most that all of them can be.

    One number for all, so that a picture cut out of another is seen to be smaller.
    """
    small = [max(picture.size) for picture in pictures if max(picture.size) <= tile_px]
    return tile_px // max(small) if small else 1


def fitted(picture: Image.Image, tile_px: int, density: int, factor: int) -> Image.Image:
    """Return a picture in the size in which a sheet shows it.

    A small one is enlarged by a whole number, so that each of its pixels is a square; a large one is reduced until
    its longer side fits.

    Args:
        picture: In its own size.
        tile_px: Longest side that a tile may have on a page.
        density: Pixels of the sheet for each of a page.
        factor: How much a small one is enlarged on a page.
    """
    longer = max(picture.size)
    whole = factor * density if longer <= tile_px else tile_px * density // longer
    if whole:
        size = (picture.width * whole, picture.height * whole)
        return picture if whole == 1 else picture.resize(size, Image.Resampling.NEAREST)
    share = tile_px * density / longer
    size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
    return picture.resize(size, Image.Resampling.LANCZOS)

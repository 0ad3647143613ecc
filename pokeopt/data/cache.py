"""Decode once: images as memory-mapped bytes on disk, which every process shares."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock
from PIL import Image

from pokeopt.data.images import N_CHANNELS, Bytes, Step, apply_steps, pixel_hash, to_rgba, to_square
from pokeopt.data.sources.base import SourceTable
from pokeopt.errors import DataError, StoreError
from pokeopt.registry import PREPROCESSING, Component

VERSION = 1  # raise it when the bytes of an image would come out otherwise
CHUNK = 256  # images decoded before they are written: bounds the memory


@dataclass(frozen=True)
class Recipe:
    """How images are turned into bytes.

    Attributes:
        size_px: Height and width.
        channels: ``rgb``, ``rgba`` or ``gray``.
        preprocess: Steps on the original image, in order.
    """

    size_px: int
    channels: str
    preprocess: tuple[Component, ...]

    def describe(self) -> list[Any]:
        """Return JSON values that name the recipe."""
        return [self.size_px, self.channels, list(self.preprocess)]


@dataclass(frozen=True)
class CachedImages:
    """Images as a network sees them, and what was found when they were decoded.

    Attributes:
        pixels: uint8 (N, C, H, W), memory-mapped, read-only.
        sizes: (N, 2) int64, width and height of the originals in pixels.
        modes: (N,) Pillow's mode of the originals.
        pixel_hashes: (N,) digests of the decoded originals.
    """

    pixels: Bytes
    sizes: npt.NDArray[np.int64]
    modes: npt.NDArray[np.str_]
    pixel_hashes: npt.NDArray[np.str_]


def cached_images(
    table: SourceTable, rows: npt.NDArray[np.int64], recipe: Recipe, cache_dir: Path
) -> CachedImages:
    """Return rows of a source in a recipe's form, decoding them if no process has done so before.

    Several processes may ask at once: one decodes, the others wait; a killed one leaves nothing half done.

    Raises:
        DataError: If an image cannot be decoded.
        StoreError: If the cache cannot be written.
    """
    steps = [PREPROCESSING.make(component) for component in recipe.preprocess]
    folder = cache_dir / "images" / _key(table, rows, recipe, steps)
    if not folder.is_dir():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock"):
                if not folder.is_dir():
                    _build(folder, table, rows, recipe, steps)
        except OSError as error:
            what = f"the image cache cannot be written: {error.strerror or error}"
            raise StoreError(str(cache_dir), what, "free some space or use another --home") from error
    pixels = np.load(folder / "pixels.npy", mmap_mode="r")
    with np.load(folder / "facts.npz") as facts:
        return CachedImages(pixels, facts["sizes"], facts["modes"], facts["pixel_hashes"])


def _key(table: SourceTable, rows: npt.NDArray[np.int64], recipe: Recipe, steps: Sequence[Step]) -> str:
    named = [VERSION, table.content_hash, recipe.describe(), [_code(step) for step in steps]]
    digest = hashlib.sha256(json.dumps(named, sort_keys=True).encode())
    digest.update(rows.tobytes())
    return digest.hexdigest()[:32]


def _code(step: Step) -> str:
    """Return a digest of the file that defines a step: a user's own may change while its settings stay."""
    file = inspect.getsourcefile(type(step) if not inspect.isfunction(step) else step)
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else ""


def _decoded(
    table: SourceTable, recipe: Recipe, steps: Sequence[Step], row: int
) -> tuple[Bytes, tuple[int, int], str, str]:
    """Return a row's bytes (C, H, W), and of its original the size, the mode and the digest of the pixels.

    The channels of a pair's condition and output follow those of its input; its digest is that of all three, since one
    input that is asked for in two colours is no duplicate.
    """
    image, original, others = _open(table, row)
    prepared = apply_steps(original, steps, str(table.ids[row]))
    square = to_square(prepared, recipe.size_px, recipe.channels)
    if others is None:
        return square, image.size, image.mode, pixel_hash(original)
    condition, target = others
    layers = (
        square,
        to_square(condition, recipe.size_px, "rgb", ground="black"),
        to_square(target, recipe.size_px, recipe.channels),
    )
    digest = "".join(pixel_hash(one) for one in (original, condition, target))
    return np.concatenate(layers), image.size, image.mode, digest


def _build(
    folder: Path, table: SourceTable, rows: npt.NDArray[np.int64], recipe: Recipe, steps: Sequence[Step]
) -> None:
    decode = partial(_decoded, table, recipe, steps)
    for leftover in folder.parent.glob(
        f"{folder.name}.*.draft"
    ):  # of a killed process: this one holds the lock
        shutil.rmtree(leftover, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=".draft", dir=folder.parent))
    try:
        found: list[tuple[tuple[int, int], str, str]] = []
        n_channels = sum(channels_of(recipe.channels, is_paired=table.open_pair is not None))
        shape = (len(rows), n_channels, recipe.size_px, recipe.size_px)
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        n_threads = min(8, os.cpu_count() or 1)
        with (draft / "pixels.npy").open("wb") as file, ThreadPoolExecutor(n_threads) as pool:
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, len(rows), CHUNK):
                for pixels, size, mode, pixels_digest in pool.map(
                    decode, rows[start : start + CHUNK].tolist()
                ):
                    file.write(pixels.tobytes())  # not through a map: a full disk would kill the process
                    found.append((size, mode, pixels_digest))
        sizes, modes, hashes = zip(*found, strict=True)
        np.savez(
            draft / "facts.npz",
            sizes=np.array(sizes, dtype=np.int64),
            modes=np.array(modes),
            pixel_hashes=np.array(hashes),
        )
        os.replace(draft, folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def channels_of(channels: str, *, is_paired: bool) -> tuple[int, int, int]:
    """Return how many channels of a stored image are the image's, its condition's and its target's."""
    own = N_CHANNELS[channels]
    return (own, N_CHANNELS["rgb"], own) if is_paired else (own, 0, 0)


def _open(table: SourceTable, row: int) -> tuple[Image.Image, Bytes, tuple[Bytes, Bytes] | None]:
    """Return an image as it was found and as RGBA, and its condition and target where it is one of a pair.

    Whatever a source raises there is a fault of that image.
    """
    try:
        if table.open_pair is None:
            image = table.open(row)
            return image, to_rgba(image), None
        image, condition, target = table.open_pair(row)
        return image, to_rgba(image), (to_rgba(condition), to_rgba(target))
    except (OSError, ValueError) as error:
        what = f"the image cannot be decoded: {(str(error).splitlines() or [''])[0]}"
        raise DataError(str(table.ids[row]), what, "replace it or leave it out") from error

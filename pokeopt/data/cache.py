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

from pokeopt.data.images import N_CHANNELS, TURNED, Bytes, Step, apply_steps, pixel_hash, to_rgba, to_square
from pokeopt.data.sources.base import SourceTable
from pokeopt.errors import DataError, StoreError
from pokeopt.registry import PREPROCESSING, Component

VERSION = 2  # raise it when the bytes of an image would come out otherwise
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
        turned: (N,) bool, whether the original was turned as its EXIF orientation says.
        levels: (N, R, 2) uint8, the lowest and the highest value of a colour in the original, 0 to 255, where what is
            clear counts as white; R is 1, of pairs 2: of the input and of the output.
    """

    pixels: Bytes
    sizes: npt.NDArray[np.int64]
    modes: npt.NDArray[np.str_]
    pixel_hashes: npt.NDArray[np.str_]
    turned: npt.NDArray[np.bool_]
    levels: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class _Facts:
    """One row of ``CachedImages`` without its pixels."""

    size: tuple[int, int]
    mode: str
    pixel_hash: str
    turned: bool
    levels: tuple[tuple[int, int], ...]


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
        named = ("sizes", "modes", "pixel_hashes", "turned", "levels")
        return CachedImages(pixels, *(facts[name] for name in named))


def _key(table: SourceTable, rows: npt.NDArray[np.int64], recipe: Recipe, steps: Sequence[Step]) -> str:
    named = [VERSION, table.content_hash, recipe.describe(), [_code(step) for step in steps]]
    digest = hashlib.sha256(json.dumps(named, sort_keys=True).encode())
    digest.update(rows.tobytes())
    return digest.hexdigest()[:32]


def _code(step: Step) -> str:
    """Return a digest of the file that defines a step: a user's own may change while its settings stay."""
    file = inspect.getsourcefile(type(step) if not inspect.isfunction(step) else step)
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else ""


def _decoded(table: SourceTable, recipe: Recipe, steps: Sequence[Step], row: int) -> tuple[Bytes, _Facts]:
    """Return a row's bytes (C, H, W), and what is known of its original.

    The channels of a pair's condition and output follow those of its input; its digest is that of all three, since one
    input that is asked for in two colours is no duplicate.
    """
    found, original, others = _open(table, row)
    image = found[0]
    turned = any(bool(one.info.get(TURNED)) for one in found)
    prepared = apply_steps(original, steps, str(table.ids[row]))
    square = to_square(prepared, recipe.size_px, recipe.channels)
    if others is None:
        return square, _Facts(image.size, image.mode, pixel_hash(original), turned, (_levels(original),))
    condition, target = others
    layers = (
        square,
        to_square(condition, recipe.size_px, "rgb", ground="black"),
        to_square(target, recipe.size_px, recipe.channels),
    )
    digest = "".join(pixel_hash(one) for one in (original, condition, target))
    levels = (_levels(original), _levels(target))
    return np.concatenate(layers), _Facts(image.size, image.mode, digest, turned, levels)


def _levels(image: Bytes) -> tuple[int, int]:
    """Return the lowest and the highest value of a colour in an RGBA image (H, W, 4), on white where it is clear."""
    colours, is_seen = image[..., :3], image[..., 3] > 0
    if is_seen.all():
        return int(colours.min()), int(colours.max())
    return int(colours[is_seen].min(initial=255)), 255


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
        found: list[_Facts] = []
        n_channels = sum(channels_of(recipe.channels, is_paired=table.open_pair is not None))
        shape = (len(rows), n_channels, recipe.size_px, recipe.size_px)
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        n_threads = min(8, os.cpu_count() or 1)
        with (draft / "pixels.npy").open("wb") as file, ThreadPoolExecutor(n_threads) as pool:
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, len(rows), CHUNK):
                for pixels, facts in pool.map(decode, rows[start : start + CHUNK].tolist()):
                    file.write(pixels.tobytes())  # not through a map: a full disk would kill the process
                    found.append(facts)
        np.savez(
            draft / "facts.npz",
            sizes=np.array([one.size for one in found], dtype=np.int64),
            modes=np.array([one.mode for one in found]),
            pixel_hashes=np.array([one.pixel_hash for one in found]),
            turned=np.array([one.turned for one in found]),
            levels=np.array([one.levels for one in found], dtype=np.uint8),
        )
        os.replace(draft, folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def channels_of(channels: str, *, is_paired: bool) -> tuple[int, int, int]:
    """Return how many channels of a stored image are the image's, its condition's and its target's."""
    own = N_CHANNELS[channels]
    return (own, N_CHANNELS["rgb"], own) if is_paired else (own, 0, 0)


def _open(table: SourceTable, row: int) -> tuple[tuple[Image.Image, ...], Bytes, tuple[Bytes, Bytes] | None]:
    """Return a row's images as they were found, the first as RGBA, and, of a pair, its condition and target as RGBA.

    Whatever a source raises there is a fault of that image.
    """
    try:
        if table.open_pair is None:
            image = table.open(row)
            return (image,), to_rgba(image), None
        image, condition, target = table.open_pair(row)
        return (image, condition, target), to_rgba(image), (to_rgba(condition), to_rgba(target))
    except (OSError, ValueError) as error:
        what = f"the image cannot be decoded: {(str(error).splitlines() or [''])[0]}"
        raise DataError(str(table.ids[row]), what, "replace it or leave it out") from error

"""Arrays of images in one file of numpy's."""

from __future__ import annotations

import threading
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pokeopt.data.sources.base import PARTS, SourceTable, class_names, table_digest
from pokeopt.data.sources.digests import file_digests
from pokeopt.errors import DataError
from pokeopt.registry import SOURCES, PathText, nearest

ONE_CLASS = "image"  # of pairs without labels
LABELS = "labels"
MEND_IMAGES = "save uint8, or floats in [0, 1], as (N, H, W) or (N, H, W, C) with C 1, 3 or 4"
UNREADABLE = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error)
# by the version of the header; a later one is for tables
READ_HEADER: dict[tuple[int, int], Callable[..., tuple[tuple[int, ...], bool, np.dtype[np.generic]]]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_unpacking = threading.Lock()  # images are decoded by several threads; one unpacks, the others wait


@dataclass(frozen=True)
class _Images:
    """Opens the images of an array by row; the array is unpacked once a process.

    Attributes:
        path: The file.
        array: Its name there.
        digest: Of the file, so that a changed one is unpacked anew.
    """

    path: str
    array: str
    digest: str

    def __call__(self, row: int) -> Image.Image:
        """Return the image of a row; DataError if its values are no intensities."""
        with _unpacking:
            images = _unpacked(self.path, self.array, self.digest)
        image = images[row]
        if image.dtype != np.uint8:
            if not np.isfinite(image).all():
                what = f"the image in row {row} of '{self.array}' has values that are no numbers"
                raise DataError(self.path, what, "replace NaN and infinity, or leave the image out")
            if not (image.min() >= 0 and image.max() <= 1):
                what = f"the image in row {row} of '{self.array}' has values outside [0, 1]"
                raise DataError(self.path, what, "divide by the largest possible value")
            image = np.round(image * 255).astype(np.uint8)
        return Image.fromarray(image[..., 0] if image.shape[2:] == (1,) else image)


@dataclass(frozen=True)
class _Pairs:
    """Opens input, condition and output by row; without conditions they are black."""

    images: _Images
    condition: _Images | None
    target: _Images

    def __call__(self, row: int) -> tuple[Image.Image, Image.Image, Image.Image]:
        """Return the images of a row."""
        given = self.images(row)
        condition = Image.new("RGB", given.size) if self.condition is None else self.condition(row)
        return given, condition, self.target(row)


@SOURCES.register("npz")
@dataclass(frozen=True)
class Npz:
    """Arrays of one file, N rows each, as ``numpy.savez`` writes them.

    Where the file has arrays ``ids``, ``groups`` or ``split`` (train, val or test), they name the images, say which of
    them belong together, and divide them.

    Attributes:
        path: The file.
        images: Name of the images' array, (N, H, W) or (N, H, W, C), uint8 or floats in [0, 1].
        labels: Name of the classes' array, (N,), whole numbers or text; pairs may do without it.
        target: Name of the array of the images to be made of them, if that is the task.
        condition: Name of the array of images that say how; without it they are black.
    """

    path: PathText
    images: str = "images"
    labels: str = LABELS
    target: str | None = None
    condition: str | None = None

    def __post_init__(self) -> None:
        if self.condition is not None and self.target is None:
            raise ValueError("condition must be given with a target, which is to be made of it")

    @property
    def task(self) -> str:
        """``translation`` with a target, ``classification`` without."""
        return "classification" if self.target is None else "translation"

    def read(self, home: Path) -> SourceTable:
        """List the images; arrays of images are not unpacked yet."""
        path = Path(self.path)
        if not path.is_file():
            raise DataError(self.path, "there is no such file", "check data.path")
        digest = file_digests([path], home)[0]
        try:
            with path.open("rb") as opened:  # np.load itself leaves a cut-off file open
                file = np.load(opened)
                if not isinstance(file, np.lib.npyio.NpzFile):
                    raise DataError(self.path, "this is one array, not a file of several", "use numpy.savez")
                return self._read(file, digest)
        except UNREADABLE as error:
            what = f"the file cannot be read: {error}".splitlines()[0]
            raise DataError(self.path, what, "write it with numpy.savez") from error

    def _read(self, file: np.lib.npyio.NpzFile, digest: str) -> SourceTable:
        shapes = {name: self._shape(file, name) for name in self._image_arrays()}
        shape = shapes[self.images]
        for name, other in shapes.items():
            if other[:3] != shape[:3]:
                what = f"'{name}' is {_show(other)}, '{self.images}' is {_show(shape)}"
                raise DataError(self.path, what, "give both as many images, of one size")
        n_images = shape[0]
        has_labels = self.target is None or self.labels != LABELS or LABELS in file
        labels = self._texts(file, self.labels, n_images) if has_labels else np.full(n_images, ONE_CLASS)
        ids = self._texts(file, "ids", n_images) if "ids" in file else None
        groups = self._texts(file, "groups", n_images) if "groups" in file else None
        given = self._texts(file, "split", n_images) if "split" in file else None
        if given is not None and (unknown := sorted(set(given.tolist()) - set(PARTS))):
            what = f"'split' has a part '{unknown[0]}'"
            raise DataError(self.path, what, f"use {', '.join(PARTS)}")
        classes = class_names(labels.tolist())
        number = {name: position for position, name in enumerate(classes)}
        opened = {name: _Images(self.path, name, digest) for name in shapes}
        pairs = None
        if self.target is not None:
            condition = None if self.condition is None else opened[self.condition]
            pairs = _Pairs(opened[self.images], condition, opened[self.target])
        return SourceTable(
            name=Path(self.path).stem,
            ids=np.array([f"image-{row:05d}" for row in range(n_images)]) if ids is None else ids,
            classes=classes,
            labels=np.array([number[label] for label in labels.tolist()], dtype=np.int64),
            open=opened[self.images],
            content_hash=table_digest([digest, self.images, self.target or "", self.condition or ""], labels),
            groups=groups,
            given=given,
            open_pair=pairs,
        )

    def _image_arrays(self) -> list[str]:
        names = [self.images, self.target, self.condition]
        return [name for name in names if name is not None]

    def _shape(self, file: np.lib.npyio.NpzFile, name: str) -> tuple[int, ...]:
        """Return the shape of an array of images from its header."""
        self._check_name(file, name)
        archive: Any = file.zip
        with archive.open(f"{name}.npy") as member:
            shape, _, dtype = READ_HEADER[np.lib.format.read_magic(member)](member)
        is_flat = len(shape) == 3
        has_values = dtype == np.uint8 or dtype.kind == "f"
        if not has_values or not (is_flat or (len(shape) == 4 and shape[3] in (1, 3, 4))) or 0 in shape:
            raise DataError(self.path, f"'{name}' is {dtype} of {_show(shape)}", MEND_IMAGES)
        return shape

    def _texts(self, file: np.lib.npyio.NpzFile, name: str, n_images: int) -> npt.NDArray[np.str_]:
        """Return an array of whole numbers or text, one an image, as text."""
        self._check_name(file, name)
        try:
            array = file[name]
        except ValueError as error:
            what = f"'{name}' holds Python objects"
            raise DataError(self.path, what, "save numbers or text: array.astype(str)") from error
        if array.shape != (n_images,) or array.dtype.kind not in "iuSU":
            what = f"'{name}' is {array.dtype} of {_show(array.shape)}"
            raise DataError(self.path, what, f"give {n_images} whole numbers or texts, one an image")
        return np.array([str(value, "utf-8") if isinstance(value, bytes) else str(value) for value in array])

    def _check_name(self, file: np.lib.npyio.NpzFile, name: str) -> None:
        if name not in file:
            raise DataError(self.path, f"there is no array '{name}'", nearest(name, file.files))


@lru_cache(maxsize=3)
def _unpacked(path: str, array: str, digest: str) -> npt.NDArray[np.generic]:  # noqa: ARG001 - part of the key
    try:
        with Path(path).open("rb") as file:
            images: npt.NDArray[np.generic] = np.load(file)[array]
            return images
    except UNREADABLE as error:
        what = f"'{array}' cannot be read: {error}".splitlines()[0]
        raise DataError(path, what, "write the file with numpy.savez") from error


def _show(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))})"

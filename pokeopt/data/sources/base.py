"""What every source gives: a table of images that are not yet decoded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from pokeopt.data.images import upright
from pokeopt.errors import DataError

PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class SourceTable:
    """All images of a source, by row.

    Attributes:
        name: What the report calls the data set.
        ids: (N,) names of the images, each once.
        classes: Class names, in the order of the labels.
        labels: (N,) int64, indices into ``classes``.
        open: Row to image, of any mode and size; picklable, and may be called from several threads.
        content_hash: Digest of everything above and of the bytes of the images.
        groups: (N,) images that share a value belong together (a species); None where there are none.
        columns: What else is known of each image, N rows.
        given: (N,) ``train``, ``val`` or ``test`` where the source itself divides its images; None where not.
        open_pair: Row to (input, condition, output), images of any mode and size, where the task is to make the output;
            ``open`` then gives the input. The condition is read as RGB, black where it says nothing. None where there
            are no such pairs.
    """

    name: str
    ids: npt.NDArray[np.str_]
    classes: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    open: Callable[[int], Image.Image]
    content_hash: str
    groups: npt.NDArray[np.str_] | None = None
    columns: pd.DataFrame = field(default_factory=pd.DataFrame)
    given: npt.NDArray[np.str_] | None = None
    open_pair: Callable[[int], tuple[Image.Image, Image.Image, Image.Image]] | None = None


class Source(Protocol):
    """A member of SOURCES: a frozen dataclass of settings.

    Attributes:
        task: What its images are for: ``classification`` (images with a class; they can be reconstructed, too) or
            ``translation`` (pairs of an input and an output). A property where it follows from the settings.
    """

    @property
    def task(self) -> str:
        """``classification`` or ``translation``."""
        ...

    def read(self, home: Path) -> SourceTable:
        """List the images without decoding them.

        Args:
            home: Folder of all state; imported data sets lie in ``home / "data"``.

        Raises:
            DataError: If the images or labels cannot be used.
        """
        ...


@dataclass(frozen=True)
class ImageFiles:
    """Opens image files by row."""

    paths: tuple[str, ...]

    def __call__(self, row: int) -> Image.Image:
        """Decode the image of a row; DataError if the file is broken."""
        path = self.paths[row]
        try:
            with Image.open(path) as image:
                image.load()
                return upright(image).copy()
        except (
            OSError,
            ValueError,
            SyntaxError,
            Image.DecompressionBombError,
        ) as error:  # Pillow raises them all
            what = "the image is broken" if Path(path).is_file() else "the image is missing"
            raise DataError(
                path, f"{what}: {_first_line(error)}", "replace the file or leave it out"
            ) from error


def class_names(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct labels, sorted; by value where all are whole numbers.

    >>> class_names(["10", "9", "10"])
    ('9', '10')
    """
    names = set(labels)
    if all(name.isdecimal() for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def table_digest(*parts: Sequence[str] | npt.NDArray[np.str_] | None) -> str:
    """Return one digest of several lists of text, each of which may be missing."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"\x00" if part is None else b"\x01")
        for text in () if part is None else part:
            data = str(text).encode()
            digest.update(len(data).to_bytes(8, "little") + data)
        digest.update(b"\xff" * 8)  # no text is that long: two lists never run into one
    return digest.hexdigest()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__

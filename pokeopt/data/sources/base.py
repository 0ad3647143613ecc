"""What every source gives: a table of images that are not yet decoded."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
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
LINK_MEND = "fetch the file (dvc pull, git annex get) or remove the link"
PART_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


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
        notes: What a reader should know of how they were listed, one line each.
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
    notes: tuple[str, ...] = ()


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


def part_of(word: str) -> str | None:
    """Return the part that a word means, in any case; None where it means none.

    >>> part_of("Valid"), part_of("unlabeled")
    ('val', None)
    """
    return PART_WORDS.get(word.strip().lower())


def given_parts(words: Iterable[str]) -> npt.NDArray[np.str_] | None:
    """Return the parts (N,) that words mean; None unless all mean one, and some of them ``train``."""
    parts = [part_of(word) for word in words]
    return np.array(parts) if None not in parts and "train" in parts else None


def image_suffixes() -> frozenset[str]:
    """Return the suffixes, in lower case, of what Pillow can read; it knows others that it only writes."""
    return frozenset(end for end, kind in Image.registered_extensions().items() if kind in Image.OPEN)


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is none of the user's own: ``.DS_Store``, ``.ipynb_checkpoints``."""
    return name.startswith(".") or name == "__MACOSX"


def find_images(folder: Path) -> tuple[list[Path], Counter[str]]:
    """List the images in a folder and below it; links are followed, hidden files and folders are left out.

    Returns:
        The images, sorted, and how many other files there are of each suffix.

    Raises:
        DataError: If an image is a link to a file that is not there.
    """
    suffixes, found, others = image_suffixes(), [], Counter[str]()
    for root, folders, names in os.walk(folder, followlinks=True):
        real = Path(root).resolve()
        folders[:] = [
            name
            for name in folders
            if not is_hidden(name) and not real.is_relative_to(Path(root, name).resolve())  # a circle
        ]
        for path in (Path(root, name) for name in sorted(names) if not is_hidden(name)):
            if path.suffix.lower() not in suffixes:
                others[path.suffix.lower()] += 1
            elif not path.is_file():
                raise DataError(str(path), "the image is missing: its link leads nowhere", LINK_MEND)
            else:
                found.append(path)
    return sorted(found), others


def passed_over(others: Counter[str]) -> str:
    """Return a sentence on the files that are no images, the most frequent suffixes first.

    >>> passed_over(Counter({".heic": 20, "": 4}))
    '24 files were passed over (.heic 20, without suffix 4).'
    """
    n = others.total()
    ranked = sorted(others.items(), key=lambda item: (-item[1], not item[0], item[0]))
    kinds = ", ".join(f"{suffix or 'without suffix'} {count}" for suffix, count in ranked[:5])
    more = f" and {len(others) - 5} more kinds" if len(others) > 5 else ""
    return f"{n} {'file was' if n == 1 else 'files were'} passed over ({kinds}{more})."


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

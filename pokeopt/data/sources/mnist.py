"""MNIST, and every set that comes as its four files."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from filelock import FileLock
from PIL import Image

from pokeopt.data.sources.base import SourceTable, class_names, table_digest
from pokeopt.data.sources.digests import file_digests
from pokeopt.data.sources.idx_files import read_idx
from pokeopt.errors import DataError
from pokeopt.registry import SOURCES, PathText

PREFIXES = {"train": "train", "test": "t10k"}
NAMES = [f"{prefix}-{kind}" for prefix in PREFIXES.values() for kind in ("images-idx3", "labels-idx1")]
SUBFOLDERS = ("", "raw", "MNIST/raw")  # where torchvision keeps them


@dataclass(frozen=True)
class _Scans:
    """Opens images by row.

    Attributes:
        files: (path, digest) of each file of images; the rows of one follow those of the other.
        counts: Images in each.
    """

    files: tuple[tuple[str, str], ...]
    counts: tuple[int, ...]

    def __call__(self, row: int) -> Image.Image:
        """Return a grey image."""
        part = 0
        while row >= self.counts[part]:
            row, part = row - self.counts[part], part + 1
        return Image.fromarray(np.array(read_idx(*self.files[part], n_axes=3)[row]))


@SOURCES.register("mnist")
@dataclass(frozen=True)
class Mnist:
    """70000 handwritten digits, 28x28 grey, or another set in the same four IDX files, plain or gzipped.

    The files say what is for training and what for the test; the validation part is drawn from training.

    Attributes:
        path: The folder of the files; null is where the download goes.
        download: Whether torchvision may fetch them where ``path`` is null and they are not there yet.
    """

    task: ClassVar[str] = "classification"

    path: PathText | None = None
    download: bool = False

    def read(self, home: Path) -> SourceTable:
        """List the images."""
        folder = home / "data" / "mnist" if self.path is None else Path(self.path)
        if self.path is None and self.download:
            _download(folder)
        paths = [self._find(folder, name) for name in NAMES]
        files = [(str(path), digest) for path, digest in zip(paths, file_digests(paths, home), strict=True)]
        texts: list[str] = []
        counts = []
        for images, answers in (files[:2], files[2:]):
            n_images, labels = len(read_idx(*images, n_axes=3)), read_idx(*answers, n_axes=1)
            if len(labels) != n_images:
                what = f"the file has {len(labels)} labels, {Path(images[0]).name} {n_images} images"
                raise DataError(answers[0], what, "replace the one that is wrong")
            counts.append(n_images)
            texts += [str(label) for label in labels.tolist()]
        classes = class_names(texts)
        number = {name: position for position, name in enumerate(classes)}
        parts = np.repeat(list(PREFIXES), counts)
        ranks = np.concatenate([np.arange(count) for count in counts])
        return SourceTable(
            name="mnist" if self.path is None else folder.resolve().name,
            ids=np.array([f"{part}-{rank:05d}" for part, rank in zip(parts, ranks, strict=True)]),
            classes=classes,
            labels=np.array([number[label] for label in texts], dtype=np.int64),
            open=_Scans((files[0], files[2]), tuple(counts)),
            content_hash=table_digest([digest for _, digest in files]),
            given=parts,
        )

    def _find(self, folder: Path, name: str) -> Path:
        """Return the file of that name, with a dash or a dot before ``idx``, plain or gzipped."""
        for subfolder in SUBFOLDERS:
            for spelling in (name, name.replace("-idx", ".idx")):
                for suffix in ("-ubyte", "-ubyte.gz"):
                    path = folder / subfolder / f"{spelling}{suffix}"
                    if path.is_file():
                        return path
        where, what = str(folder / f"{name}-ubyte"), "the file is missing"
        if self.path is not None:
            raise DataError(where, what, "add it, plain or with .gz, or check data.path")
        raise DataError(where, what, "set data.download to true, or data.path to a folder that has it")


def _download(folder: Path) -> None:
    """Fetch the files into a folder, unless they are there; a cut-off download leaves nothing."""
    names = [f"{name}-ubyte" for name in NAMES]
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if all((folder / name).is_file() for name in names):
            return
        from torchvision.datasets import MNIST

        with tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as draft:
            try:
                with contextlib.redirect_stdout(io.StringIO()):  # only the command line prints
                    MNIST(draft, download=True)
            except (OSError, RuntimeError, ValueError) as error:
                what = f"MNIST cannot be downloaded: {' '.join(str(error).split())}"
                mend = "try again where there is a network, or set data.path to a folder of its four files"
                raise DataError(str(folder), what, mend) from error
            for name in names:
                os.replace(Path(draft) / "MNIST" / "raw" / name, folder / name)

"""scikit-learn's handwritten digits: small, real, and there without a download."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from pokeopt.data.sources.base import SourceTable
from pokeopt.registry import SOURCES

SIZE_PX = 28  # MNIST's, so that the two may take each other's place
INK = 16  # the darkest value in scikit-learn's table


@dataclass(frozen=True)
class _Scans:
    """Opens digits by row; scans are (N, 8, 8), ink from 0 to 16."""

    scans: npt.NDArray[np.uint8]

    def __call__(self, row: int) -> Image.Image:
        """Return a grey image of 28x28, white ink on black as in MNIST."""
        grey = np.round(self.scans[row] * (255 / INK)).astype(np.uint8)
        return Image.fromarray(grey).resize((SIZE_PX, SIZE_PX), Image.Resampling.BILINEAR)


@SOURCES.register("digits")
@dataclass(frozen=True)
class Digits:
    """1797 handwritten digits of ten classes, 8x8 grey, enlarged to 28x28."""

    task: ClassVar[str] = "classification"

    def read(self, home: Path) -> SourceTable:  # noqa: ARG002 - it comes with scikit-learn
        """List the digits."""
        from sklearn.datasets import load_digits

        bunch = load_digits()
        scans, labels = bunch.images.astype(np.uint8), bunch.target.astype(np.int64)
        return SourceTable(
            name="digits",
            ids=np.array([f"digit-{row:04d}" for row in range(len(labels))]),
            classes=tuple(str(digit) for digit in range(10)),
            labels=labels,
            open=_Scans(scans),
            content_hash=hashlib.sha256(scans.tobytes() + labels.tobytes()).hexdigest(),
        )

"""A data source: plain squares in three shades."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from pokeopt.data.sources.base import SourceTable, table_digest
from pokeopt.registry import SOURCES

LEVELS = {"black": 26, "gray": 77, "white": 230}
SIDE_PX = 8


@dataclass(frozen=True)
class _Squares:
    """Draws the square of a row, with a little noise, so that no two are equal."""

    levels: tuple[int, ...]

    def __call__(self, row: int) -> Image.Image:
        """Return a gray image, 8x8."""
        noise = np.random.default_rng(row).integers(-5, 6, (SIDE_PX, SIDE_PX))
        return Image.fromarray((self.levels[row] + noise).astype(np.uint8))


@SOURCES.register("shades")
@dataclass(frozen=True)
class Shades:
    """Squares of one shade each: black, gray or white.

    Attributes:
        per_class: Squares of each shade.
    """

    task: ClassVar[str] = "classification"

    per_class: int = 30

    def __post_init__(self) -> None:
        if self.per_class < 3:
            raise ValueError(f"per_class must be at least 3, got {self.per_class}")

    def read(self, home: Path) -> SourceTable:  # noqa: ARG002 - they are made on the spot
        """List the squares, shade by shade."""
        classes = tuple(LEVELS)
        labels = np.repeat(np.arange(len(classes), dtype=np.int64), self.per_class)
        ids = np.array([f"shade-{row:03d}" for row in range(len(labels))])
        return SourceTable(
            name="shades",
            ids=ids,
            classes=classes,
            labels=labels,
            open=_Squares(tuple(LEVELS[classes[label]] for label in labels)),
            content_hash=table_digest(ids, classes),
        )

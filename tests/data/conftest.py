"""Small image folders on disk, and tables in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pokeopt.data import SourceTable


def write_image(path: Path, seed: int, size: tuple[int, int] = (9, 7), mode: str = "RGB") -> None:
    """Write a noise image of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (size[1], size[0], len(mode)), dtype=np.uint8)
    Image.fromarray(pixels[..., 0] if len(mode) == 1 else pixels).save(path)


def blank(row: int) -> Image.Image:
    """Open a row of a made-up table."""
    return Image.new("RGB", (4, 4), (row % 256, row // 256, 0))


def make_table(
    counts: Sequence[int], *, given: Sequence[str] | None = None, group_size: int | None = None
) -> SourceTable:
    """Make a table of ``counts[k]`` images of class k; groups lie within a class."""
    labels = np.repeat(np.arange(len(counts)), counts)
    groups = None
    if group_size is not None:
        ranks = np.concatenate([np.arange(count) // group_size for count in counts])
        groups = np.array([f"{label}-{rank}" for label, rank in zip(labels, ranks, strict=True)])
    return SourceTable(
        name="made-up",
        ids=np.array([f"image-{row}" for row in range(len(labels))]),
        classes=tuple(f"class-{k}" for k in range(len(counts))),
        labels=labels.astype(np.int64),
        open=blank,
        content_hash="made-up",
        groups=groups,
        given=None if given is None else np.array(given),
    )


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Return a folder with 12 images of two classes and ``labels.csv``."""
    lines = ["Id,label,animal"]
    for row in range(12):
        write_image(tmp_path / "images" / f"{row:03d}.png", row)
        lines.append(f"{row:03d},{'fire' if row % 2 else 'water'},animal-{row // 4}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path

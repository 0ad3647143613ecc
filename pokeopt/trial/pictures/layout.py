"""A sheet: images in rows and columns on white, with labels, as one PNG file that carries its own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from PIL import Image, ImageDraw

from pokeopt.trial.pictures.lettering import LINE_PX, font, lines_of, spelt, width_of
from pokeopt.trial.pictures.png import LARGEST_BYTES, Words, encode
from pokeopt.trial.pictures.tiles import Pixels, as_picture, enlargement, fitted

WIDEST_PX = 648  # of a sheet on a page: the report's column is 672 wide and needs a margin in dark mode
WIDEST_LABEL_PX = 80  # leaves room for eight columns of 64
GAP_PX = 6
DESCENT_PX = 4  # what hangs below the last line
INK, SOFT = (27, 27, 27), (92, 92, 92)
DENSITY = 2  # pixels of a sheet for each of a page, so that letters are sharp on fine screens
SMALLEST_TILE_PX = 8

Tiles: TypeAlias = Sequence[Sequence[Image.Image | None]]
Lines: TypeAlias = Sequence[Sequence[str]]


def sheet(
    rows: Sequence[Sequence[Pixels | None]],
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] | None = None,
    tile_px: int = 64,
    *,
    tile_labels: Sequence[Sequence[str]] = (),
    title: str,
    description: str,
    question: str,
) -> bytes:
    """Return images in rows and columns as a PNG file, at most 1296 pixels wide and, as a rule, below 150 kB.

    Args:
        rows: Images, uint8 or intensities in [0, 1], (C, H, W) or (H, W, C) with 1, 3 or 4 channels; None leaves a
            place empty.
        row_labels: Left of each row.
        column_labels: Above each column.
        tile_px: Longest side of an image on a page; smaller ones are enlarged by a whole number. Where the columns
            or the bytes are too many, it is taken smaller.
        tile_labels: Below each image, row by row.
        title: A few words.
        description: What it shows and how to read it, with the numbers measured.
        question: The sentence that it answers.

    Raises:
        ValueError: If there is no image, or an image of another shape.
    """
    pictures = [[None if image is None else as_picture(image) for image in row] for row in rows]
    if not any(picture for row in pictures for picture in row):
        raise ValueError("rows must hold at least one image")
    labels = _Labels(tuple(row_labels), tuple(column_labels or ()), tuple(map(tuple, tile_labels)))
    words = Words(title, description, question)
    content, density = b"", DENSITY
    while tile_px >= SMALLEST_TILE_PX:
        drawn = _draw(pictures, labels, tile_px, density)
        content = encode(drawn, density, words)
        if len(content) <= LARGEST_BYTES:
            break
        tile_px, density = (tile_px, 1) if density > 1 else (tile_px // 2, 1)
    return content


@dataclass(frozen=True)
class _Labels:
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    tiles: tuple[tuple[str, ...], ...]

    def widest(self, density: int) -> int:
        """Return the width of a column that breaks no line of a label."""
        texts = [*self.columns, *(text for row in self.tiles for text in row)]
        return max((width_of(line, density) for text in texts for line in spelt(text).split("\n")), default=0)


def _draw(pictures: Tiles, labels: _Labels, tile_px: int, density: int) -> Image.Image:
    """Draw a sheet. All lengths are pixels of the sheet, of which a page's has ``density``."""
    gap, line, n_columns = GAP_PX * density, LINE_PX * density, max(len(row) for row in pictures)
    widest_label = WIDEST_LABEL_PX * density
    beside = [lines_of(text, widest_label, density) for text in labels.rows]
    left = max((width_of(text, density) for lines in beside for text in lines), default=0)
    left += 2 * gap if left else 0
    room = (WIDEST_PX * density - left + gap) // n_columns
    tiles = _fit(pictures, max(1, min(tile_px, (room - gap) // density)), density)
    widest = max(tile.width for row in tiles for tile in row if tile)
    pitch = min(room, max(widest, labels.widest(density)) + gap)
    above = [lines_of(text, pitch - gap, density) for text in labels.columns]
    below = [[lines_of(text, pitch - gap, density) for text in row] for row in labels.tiles]
    top = line * _most(above)
    heights = [
        max([line * _most(beside[i : i + 1]), *(tile.height for tile in row if tile)])
        for i, row in enumerate(tiles)
    ]
    under = [_below(lines, line, density) for lines in below] + [0] * (len(tiles) - len(below))
    size = (left + n_columns * pitch - gap, top + sum(heights) + sum(under) + gap * (len(tiles) - 1))
    drawn = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(drawn)
    middles = [left + column * pitch + (pitch - gap) // 2 for column in range(n_columns)]
    for middle, lines in zip(middles, above, strict=False):
        _write(pen, lines, middle, top - line * len(lines), density, "ma")
    y = top
    for i, row in enumerate(tiles):
        for lines in beside[i : i + 1]:
            _write(pen, lines, 0, y + (heights[i] - line * len(lines)) // 2, density, "la")
        for middle, tile in zip(middles, row, strict=False):
            if tile is not None:
                drawn.paste(tile, (middle - tile.width // 2, y + (heights[i] - tile.height) // 2))
        for middle, lines in zip(middles, below[i] if i < len(below) else (), strict=False):
            _write(pen, lines, middle, y + heights[i] + 2 * density, density, "ma")
        y += heights[i] + under[i] + gap
    return drawn


def _fit(pictures: Tiles, tile_px: int, density: int) -> list[list[Image.Image | None]]:
    factors = [enlargement((picture for picture in row if picture), tile_px) for row in pictures]
    return [
        [None if picture is None else fitted(picture, tile_px, density, factor) for picture in row]
        for row, factor in zip(pictures, factors, strict=True)
    ]


def _most(texts: Lines) -> int:
    return max((len(lines) for lines in texts), default=0)


def _below(texts: Lines, line: int, density: int) -> int:
    """Return the height that labels below a row of images take."""
    return line * _most(texts) + DESCENT_PX * density if _most(texts) else 0


def _write(pen: ImageDraw.ImageDraw, lines: Sequence[str], x: int, y: int, density: int, anchor: str) -> None:
    """Write lines, the first in ink, those that follow softer."""
    for i, text in enumerate(lines):
        place = (x, y + i * LINE_PX * density)
        pen.text(place, text, font=font(density), fill=SOFT if i else INK, anchor=anchor)

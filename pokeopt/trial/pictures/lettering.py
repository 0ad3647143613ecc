"""Letters on a sheet: the font that Pillow brings along, lines that fit a width, signs that the font has."""

from __future__ import annotations

import unicodedata
from functools import cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
FONT_PX = 12  # on a page
LINE_PX = 15
MOST_LINES = 3
PLAIN = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{RIGHTWARDS ARROW}": ">",
        "\N{HORIZONTAL ELLIPSIS}": "...",
    }
)


@cache
def font(density: int) -> Font:
    """Return Pillow's own font for a sheet with so many pixels for each of a page."""
    return ImageFont.load_default(FONT_PX * density)


def spelt(text: str, otherwise: str = "?") -> str:
    """Return a text in the letters that the font has, which are ASCII's; ``otherwise`` where none is left.

    >>> spelt("Pokémon × 2"), spelt("水", otherwise="class 3")
    ('Pokemon x 2', 'class 3')
    """
    apart = unicodedata.normalize("NFKD", text.translate(PLAIN))
    kept = "".join(sign for sign in apart if sign.isascii()).strip()
    return kept if kept or not text.strip() else otherwise


def width_of(text: str, density: int) -> int:
    """Return the pixels that one line takes on the sheet."""
    return round(font(density).getlength(text) + 0.5)


def lines_of(text: str, width: int, density: int) -> list[str]:
    """Return a text as lines of at most ``width`` pixels of the sheet; a word that is longer is cut.

    Line breaks of the text are kept. What does not fit into three lines is left out, which dots say.
    """
    lines: list[str] = []
    for paragraph in spelt(text).split("\n") if text else []:
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and width_of(longer, density) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    kept = lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        kept[-1] += "..."
    return [_cut(line, width, density) for line in kept]


def _cut(line: str, width: int, density: int) -> str:
    if width_of(line, density) <= width:
        return line
    short = line.removesuffix("...")
    while short and width_of(f"{short}...", density) > width:
        short = short[:-1]
    return f"{short}..." if short else ""

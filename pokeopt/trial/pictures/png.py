"""A picture as a PNG file that carries its own words, small enough to be kept for every trial."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass, replace

import numpy as np
from PIL import Image, PngImagePlugin

LARGEST_BYTES = 150_000
PAGE_DPI = 96  # a page's pixel is 1/96 inch: viewers and reports learn from the density how large it is meant
COLOURS = (256, 128, 64)
COMPRESSION = 6  # 9 takes ten times as long for a thousandth of the bytes
QUICK, HOPELESS = 1, 1.5  # a quick try that is so much too large tells that a slow one is, too


@dataclass(frozen=True)
class Words:
    """What a picture says of itself.

    Attributes:
        title: A few words.
        description: What it shows and how to read it, with the numbers measured.
        question: The sentence that it answers.
    """

    title: str
    description: str
    question: str


def encode(picture: Image.Image, density: int, words: Words) -> bytes:
    """Return a PNG file; one with many colours gives some of them up, and says so, until it is small enough.

    Args:
        picture: RGB.
        density: Its pixels for each of a page.
        words: They stand in the text chunks Title, Description and Question.

    Returns:
        The file. It is larger than LARGEST_BYTES where even 64 colours are too many.
    """
    plain = _without_colour(picture) or picture
    content = _written(plain, density, words, QUICK)
    if len(content) <= HOPELESS * LARGEST_BYTES:
        content = _written(plain, density, words)
    for colours in COLOURS:
        if len(content) <= LARGEST_BYTES:
            break
        said = replace(words, description=f"{words.description} Shown in {colours} colours.")
        content = _written(_reduced(plain, colours), density, said)
    return content


def _written(picture: Image.Image, density: int, words: Words, compression: int = COMPRESSION) -> bytes:
    chunks = PngImagePlugin.PngInfo()
    for key, text in asdict(words).items():
        chunks.add_itxt(key.capitalize(), text)
    file = io.BytesIO()
    dpi = (PAGE_DPI * density, PAGE_DPI * density)
    picture.save(file, "PNG", pnginfo=chunks, dpi=dpi, compress_level=compression)
    return file.getvalue()


def _reduced(picture: Image.Image, colours: int) -> Image.Image:
    """Return the picture in so many colours, of which white stays white."""
    # the octree takes a tenth of the median cut's time, and is nearer to noise
    reduced = picture.quantize(colours, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    is_white = np.asarray(picture.convert("L")) == 255
    palette = reduced.getpalette()
    if palette is not None and is_white.any():
        ground = int(np.asarray(reduced).reshape(-1)[is_white.argmax()])
        palette[3 * ground : 3 * ground + 3] = (255, 255, 255)
        reduced.putpalette(palette)
    return reduced


def _without_colour(picture: Image.Image) -> Image.Image | None:
    """Return the picture in gray where it has no other colour: a third of the bytes, and none is lost."""
    pixels = np.asarray(picture)
    return Image.fromarray(pixels[..., 0]) if (pixels == pixels[..., :1]).all() else None

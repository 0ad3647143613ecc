"""Frames of sprites cut to what is drawn, kept beside an imported set, so that other pictures can be made of them."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from pokeopt.data.drawing.cast import CutOut
from pokeopt.data.imports.types import primary_types
from pokeopt.errors import DataError

PIXELS, INDEX, FACT = "cut_outs.npy", "cut_outs.csv", "cut_outs"
COLUMNS = ("species", "class", "animation", "frame", "height", "width", "opaque", "start", "end")
WHOLE = 0.6  # a frame that shows less of a creature than this share of the usual shows it coming or going


class FrameKey(NamedTuple):
    """Which frame a cut-out shows."""

    species: int
    animation: str
    frame: int


@dataclass(frozen=True)
class PackedCutOuts:
    """Cut-outs as files.

    Attributes:
        files: File name to bytes.
        digest: Of the pixels and what they show.
    """

    files: dict[str, bytes]
    digest: str


@dataclass(frozen=True)
class StoredCutOuts:
    """The cut-outs of an imported set.

    Attributes:
        index: One row a cut-out, in the order of species, animation, frame.
        places: (N, 4) int64: height and width, and where its compressed pixels begin and end.
        packed: The compressed pixels of all, memory-mapped.
    """

    index: pd.DataFrame
    places: npt.NDArray[np.int64]
    packed: npt.NDArray[np.uint8]

    def cut_out(self, row: int) -> CutOut:
        """Return the pixels of a row of the index."""
        height, width, start, end = self.places[row].tolist()
        pixels = zlib.decompress(self.packed[start:end].tobytes())
        return np.frombuffer(pixels, np.uint8).reshape(height, width, 4)


def cropped(sprite: Image.Image) -> CutOut:
    """Return an RGBA image cut to what is drawn; a creature may be gone for a frame: then nothing is cut."""
    box = sprite.getchannel("A").getbbox()
    return np.array(sprite.crop(box) if box else sprite)


def pack(frames: Mapping[FrameKey, CutOut]) -> PackedCutOuts:
    """Pack the cut-outs that show something; the digest does not depend on how they are compressed."""
    types = primary_types()
    pieces, rows, start, digest = [], [], 0, hashlib.sha256()
    for key, pixels in frames.items():
        opaque = int(np.count_nonzero(pixels[..., 3]))
        if not opaque:
            continue
        raw, (height, width) = pixels.tobytes(), pixels.shape[:2]
        digest.update(raw)
        pieces.append(zlib.compress(raw))
        end = start + len(pieces[-1])
        species, kind = f"{key.species:03d}", types[key.species]
        rows.append((species, kind, key.animation, key.frame, height, width, opaque, start, end))
        start = end
    index = pd.DataFrame(rows, columns=list(COLUMNS))
    digest.update(index.drop(columns=["start", "end"]).to_csv(index=False, lineterminator="\n").encode())
    file = io.BytesIO()
    np.save(file, np.frombuffer(b"".join(pieces), np.uint8))
    text = index.to_csv(index=False, lineterminator="\n").encode()
    return PackedCutOuts({PIXELS: file.getvalue(), INDEX: text}, digest.hexdigest())


def read_cut_outs(folder: Path, facts: Mapping[str, object], import_command: str) -> StoredCutOuts:
    """Return the cut-outs of an imported set.

    Args:
        folder: Where it lies.
        facts: Its facts.
        import_command: How to import it, for the error.

    Raises:
        DataError: If it was imported without them, or they are broken.
    """
    again = f"import it again: {import_command}"
    if not isinstance(facts.get(FACT), str):
        what = f"'{folder.name}' was imported without cut-outs, of which this kind of pictures is made"
        raise DataError(str(folder), what, again)
    try:
        stored = open_cut_outs(str(folder), str(facts[FACT]))
        stored.cut_out(0)
    except (OSError, EOFError, ValueError, KeyError, IndexError, zlib.error) as error:
        what = f"the imported cut-outs are broken: {(str(error).splitlines() or [''])[0]}"
        raise DataError(str(folder), what, again) from error
    return stored


@lru_cache(maxsize=4)
def open_cut_outs(folder: str, digest: str) -> StoredCutOuts:  # noqa: ARG001 - part of the key
    """Map the cut-outs of a folder, once a process; frames that show half a creature are left out."""
    types = {name: "str" if name in ("species", "class", "animation") else "int64" for name in COLUMNS}
    index = pd.read_csv(Path(folder) / INDEX, dtype=types)
    packed: npt.NDArray[np.uint8] = np.load(Path(folder) / PIXELS, mmap_mode="r")
    if index["end"].iloc[-1] != len(packed):  # one of the two was cut off
        raise ValueError(f"{len(packed)} bytes, {index['end'].iloc[-1]} expected")
    usual = index.groupby(["species", "animation"])["opaque"].transform("median")
    whole = index[index["opaque"] >= WHOLE * usual]
    places = whole[["height", "width", "start", "end"]].to_numpy(dtype=np.int64)
    return StoredCutOuts(
        whole[["species", "class", "animation", "frame"]].reset_index(drop=True), places, packed
    )

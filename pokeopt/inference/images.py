"""Image files as a model is given them: decoded, prepared by its steps, resized to its square."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pokeopt.data.images import apply_steps, to_rgba, to_square
from pokeopt.data.sources.base import ImageFiles
from pokeopt.errors import DataError, UserError
from pokeopt.inference.card import Card
from pokeopt.inference.graph import Bytes
from pokeopt.registry import PREPROCESSING, import_plugins, nearest

IS_INTENSITY = "an array is taken as bytes, 0 to 255"
MOST_NAMED = 20  # images that cannot be read


class UnreadableImagesError(UserError):
    """Some images cannot be used.

    Attributes:
        errors: One for each of the first of them.
    """

    def __init__(self, where: str, errors: Sequence[DataError], n_images: int) -> None:
        noun = "image" if n_images == 1 else "images"
        what = f"{len(errors)} of {n_images} {noun} cannot be read"
        super().__init__(where, what, "replace them or take them out; nothing was written")
        self.errors = tuple(errors[:MOST_NAMED])


def list_images(folder: Path) -> list[Path]:
    """Return the images of a folder and those below it, sorted; of a file, itself.

    Raises:
        UserError: If there is none, or two have one stem.
    """
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise UserError(str(folder), "there is no such folder", "give a folder of images")
    suffixes = Image.registered_extensions()
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix.lower() in suffixes and not path.name.startswith(".")
    )
    if not found:
        raise UserError(str(folder), "there is no image in this folder", "give a folder of images")
    stems: dict[str, Path] = {}
    for path in found:
        twin = stems.setdefault(path.stem, path)
        if twin is not path:
            what = f"two images are called '{path.stem}': {twin.name} and {path.relative_to(folder)}"
            raise UserError(str(folder), what, "rename one: the name without suffix is the image's Id")
    return found


def read_files(paths: Sequence[Path], card: Card, where: str, conditions: Path | None = None) -> Bytes:
    """Return image files as a model is given them, (N, C, H, W).

    Args:
        paths: The images.
        card: The model's.
        where: What the error names.
        conditions: Folder of their conditions, files of equal stem; needed where the model takes some.

    Raises:
        UnreadableImagesError: If any cannot be read; all are tried.
        UserError: If conditions are missing, or there are some that the model does not take.
    """
    beside = _conditions_of(paths, card, conditions)
    prepare = partial(_prepared, card, _steps(card))

    def one(path: Path) -> Bytes | DataError:
        try:
            image = ImageFiles((str(path),))(0)
            condition = ImageFiles((str(beside[path]),))(0) if beside else None
            return prepare(image, condition, str(path))
        except DataError as error:
            return error

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        found = list(pool.map(one, paths))
    broken = [item for item in found if isinstance(item, DataError)]
    if broken:
        raise UnreadableImagesError(where, broken, len(paths))
    return np.stack([item for item in found if not isinstance(item, DataError)])


def as_bytes(images: Sequence[Any], card: Card, conditions: Sequence[Any] | None = None) -> Bytes:
    """Return images as a model is given them, (N, C, H, W).

    Args:
        images: Each a path, a Pillow image, or an array (H, W) or (H, W, C) of bytes.
        card: The model's.
        conditions: The same of their conditions, where the model takes some.

    Raises:
        UserError: If one cannot be read.
    """
    if (conditions is not None) != bool(card.condition_channels):
        _refuse_conditions(card)
    steps = _steps(card)
    beside = conditions if conditions is not None else [None] * len(images)
    square = [
        _prepared(card, steps, _opened(image), None if other is None else _opened(other), f"image {i}")
        for i, (image, other) in enumerate(zip(images, beside, strict=True))
    ]
    return np.stack(square) if square else np.zeros((0, *card.input_shape), dtype=np.uint8)


def _steps(card: Card) -> list[Any]:
    there = [path for path in card.plugins if Path(path).is_file()]
    import_plugins(there)
    return [PREPROCESSING.make(component) for component in card.preprocess]


def _prepared(
    card: Card, steps: Sequence[Any], image: Image.Image, condition: Image.Image | None, where: str
) -> Bytes:
    whole = apply_steps(_rgba(image, where), steps, where)
    square = to_square(whole, card.image_size, card.channels)
    if condition is None:
        return square
    other = to_square(_rgba(condition, where), card.image_size, "rgb", ground="black")
    return np.concatenate([square, other])


def _rgba(image: Image.Image, where: str) -> Bytes:
    try:
        return to_rgba(image)
    except (OSError, ValueError) as error:
        raise DataError(where, f"the image cannot be decoded: {error}", "replace it") from error


def _opened(image: Any) -> Image.Image:
    if isinstance(image, str | Path):
        return ImageFiles((str(image),))(0)
    if isinstance(image, Image.Image):
        return image
    array = np.asarray(image)
    if array.dtype != np.uint8:
        mend = "multiply by 255 and round" if array.dtype.kind == "f" else "convert it with astype(np.uint8)"
        raise UserError("images", f"{IS_INTENSITY}, not as {array.dtype}", mend)
    if array.ndim not in (2, 3):
        raise UserError("images", f"an array of shape {array.shape} is no image", "give (H, W) or (H, W, C)")
    return Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array)


def _conditions_of(paths: Sequence[Path], card: Card, folder: Path | None) -> dict[Path, Path]:
    if (folder is not None) != bool(card.condition_channels):
        _refuse_conditions(card)
    if folder is None:
        return {}
    by_stem = {path.stem: path for path in list_images(folder)}
    lacking = next((path for path in paths if path.stem not in by_stem), None)
    if lacking is not None:
        what = f"image '{lacking.stem}' has no condition"
        raise UserError(str(folder), what, nearest(lacking.stem, by_stem))
    return {path: by_stem[path.stem] for path in paths}


def _refuse_conditions(card: Card) -> None:
    if card.condition_channels:
        what = "the model makes an image of an image and a condition"
        raise UserError("--condition", what, "name the folder of the conditions")
    raise UserError("--condition", f"a {card.family} takes no condition", "leave it out")

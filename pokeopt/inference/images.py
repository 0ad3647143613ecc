"""Image files as a model is given them: decoded, prepared by its steps, resized to its square."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pokeopt.data.dataset import no_utf8
from pokeopt.data.images import apply_steps, to_rgba, to_square, upright
from pokeopt.data.sources.base import ImageFiles, find_images
from pokeopt.data.sources.pairs import check_proportions
from pokeopt.errors import DataError, UserError
from pokeopt.inference.card import Card
from pokeopt.inference.graph import Bytes
from pokeopt.registry import PREPROCESSING, import_plugins, nearest

IS_INTENSITY = "an array is taken as bytes, 0 to 255"
SCALE = "scale it to 0 to 255, then astype(np.uint8)"
INTENSITY_MENDS = {  # by the array's type or kind; astype alone keeps the last 8 of 16 bits
    "f": "multiply by 255 and round, then astype(np.uint8)",
    "b": "(array * 255).astype(np.uint8)",
    "uint16": "(array // 257).astype(np.uint8), as 16-bit files are read",
}
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


@dataclass(frozen=True)
class Listed:
    """The images of a folder.

    Attributes:
        files: Id to file, sorted by file.
        others: Suffix to the number of files that are no images.
    """

    files: Mapping[str, Path]
    others: Counter[str]


def list_images(folder: Path) -> Listed:
    """Return the images of a folder and those below it; of a file, itself. What is hidden is left out.

    An image's Id is its name without suffix. Where two images share one, the Id of each is its path in the folder
    without suffix.

    Raises:
        UserError: If there is none, two have one Id even so, or a name is no UTF-8.
    """
    if folder.is_file():
        _check_utf8(folder.name)
        return Listed({folder.stem: folder}, Counter())
    if not folder.is_dir():
        raise UserError(str(folder), "there is no such folder", "give a folder of images")
    found, others = find_images(folder)
    if not found:
        raise UserError(str(folder), "there is no image in this folder", "give a folder of images")
    names = [path.relative_to(folder) for path in found]
    for name in names:
        _check_utf8(str(name))
    ids = [name.stem for name in names]
    if len(set(ids)) < len(ids):
        ids = [name.with_suffix("").as_posix() for name in names]
    seen: dict[str, Path] = {}
    for id_, name in zip(ids, names, strict=True):
        twin = seen.setdefault(id_, name)
        if twin is not name:
            what = f"two images are called '{id_}': {twin.as_posix()} and {name.as_posix()}"
            raise UserError(str(folder), what, "rename one: the name without suffix is the image's Id")
    return Listed(dict(zip(ids, found, strict=True)), others)


def read_files(files: Mapping[str, Path], card: Card, where: str, conditions: Path | None = None) -> Bytes:
    """Return image files as a model is given them, (N, C, H, W).

    Args:
        files: Id to image.
        card: The model's.
        where: What the error names.
        conditions: Folder of their conditions, files of equal Id; needed where the model takes some.

    Raises:
        UnreadableImagesError: If any cannot be read, or has a condition of other proportions; all are tried.
        UserError: If conditions are missing, or there are some that the model does not take.
    """
    beside = _conditions_of(files, card, conditions)
    prepare = partial(_prepared, card, _steps(card))

    def one(id_: str) -> Bytes | DataError:
        try:
            image = ImageFiles((str(files[id_]),))(0)
            if id_ not in beside:
                return prepare(image, None, str(files[id_]))
            condition = ImageFiles((str(beside[id_]),))(0)
            check_proportions(image, condition, str(beside[id_]))
            return prepare(image, condition, str(files[id_]))
        except DataError as error:
            return error

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        found = list(pool.map(one, files))
    broken = [item for item in found if isinstance(item, DataError)]
    if broken:
        raise UnreadableImagesError(where, broken, len(files))
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
    for name, several in (("images", images), ("conditions", conditions)):
        _check_several(name, several)
    steps = _steps(card)
    beside = conditions if conditions is not None else [None] * len(images)
    if len(beside) != len(images):
        what = f"there are {len(beside)} for {len(images)} images"
        raise UserError("conditions", what, "give one condition for each image")
    square = []
    for i, (one, other) in enumerate(zip(images, beside, strict=True)):
        image, condition = _opened(one), None if other is None else _opened(other)
        if condition is not None:
            check_proportions(image, condition, f"condition {i}")
        square.append(_prepared(card, steps, image, condition, f"image {i}"))
    return np.stack(square) if square else np.zeros((0, *card.input_shape), dtype=np.uint8)


def _check_several(name: str, images: Any) -> None:
    """Refuse one image where a list is asked for: the rows of one array would each be taken for an image."""
    shape = getattr(images, "shape", None)
    is_one = shape is not None and (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4)))
    if is_one or isinstance(images, str | bytes | Path | Image.Image):
        called = type(images).__name__ if shape is None else f"an array of shape {_show(shape)}"
        raise UserError(name, f"{called} is one image, and several are asked for", "give a list: [image]")


def _show(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))})"


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
        return upright(image)
    array = np.asarray(image)
    if array.dtype != np.uint8:
        mend = INTENSITY_MENDS.get(array.dtype.name) or INTENSITY_MENDS.get(array.dtype.kind, SCALE)
        raise UserError("images", f"{IS_INTENSITY}, not as {array.dtype}", mend)
    is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 2, 3, 4))
    if not is_image or not array.size:
        what = f"an array of shape {_show(array.shape)} is no image"
        raise UserError("images", what, "give (H, W), or (H, W, C) with C 1, 3 or 4")
    return Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array)


def _conditions_of(files: Mapping[str, Path], card: Card, folder: Path | None) -> Mapping[str, Path]:
    if (folder is not None) != bool(card.condition_channels):
        _refuse_conditions(card)
    if folder is None:
        return {}
    known = list_images(folder).files
    lacking = next((id_ for id_ in files if id_ not in known), None)
    if lacking is not None:
        raise UserError(str(folder), f"image '{lacking}' has no condition", nearest(lacking, known))
    return {id_: known[id_] for id_ in files}


def _check_utf8(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise no_utf8(name) from None


def _refuse_conditions(card: Card) -> None:
    if card.condition_channels:
        what = "the model makes an image of an image and a condition"
        raise UserError("--condition", what, "name the folder of the conditions")
    raise UserError("--condition", f"a {card.family} takes no condition", "leave it out")

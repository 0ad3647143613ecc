"""``predict``: a table of classes as leaderboards take it, or a folder of the images that a model makes."""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from pokeopt.errors import UserError
from pokeopt.inference.card import Card
from pokeopt.inference.graph import Bytes
from pokeopt.inference.images import list_images, read_files
from pokeopt.inference.model import Model

ID, LABEL = "Id", "label"


@dataclass(frozen=True)
class Predicted:
    """What ``predict`` leaves.

    Attributes:
        path: The table, or the folder.
        n: Images.
        counts: Class to how often it was predicted; empty where images were made.
        others: Suffix to the number of files in the folder of images that are none.
    """

    path: Path
    n: int
    counts: dict[str, int]
    others: Counter[str] = field(default_factory=Counter)


def predict_folder(
    model: Model, images: Path, output: Path, *, probabilities: bool = False, conditions: Path | None = None
) -> Predicted:
    """Write what a model says of a folder of images; nothing is written if one of them cannot be read.

    Args:
        model: From a file or a study.
        images: The folder; an image's ``Id`` is its name without suffix, or where two share that, its path there.
        output: A .csv file with ``Id,label``; a folder where the model makes images.
        probabilities: Add a column for each class.
        conditions: Folder of the conditions, files of equal Id, where the model takes some.

    Raises:
        UnreadableImagesError: Naming each of them.
        UserError: If there is no image, or ``output`` does not fit the model.
    """
    makes_images = model.card.task != "classification"
    _check_output(output, model, makes_images, probabilities)
    listed = list_images(images)
    ids = list(listed.files)
    read: dict[tuple[object, ...], Bytes] = {}
    prepared = []
    for card, _ in model.members:
        key = (card.image_size, card.channels, str(card.preprocess))
        if key not in read:
            read[key] = read_files(listed.files, card, str(images), conditions)
        prepared.append(read[key])
    found = model.outputs(prepared)
    if makes_images:
        _write_images(output, ids, found["image"], model.card)
        return Predicted(output, len(ids), {}, listed.others)
    counts = _write_table(output, ids, found["probabilities"], model.classes, probabilities)
    return Predicted(output, len(ids), counts, listed.others)


def _check_output(output: Path, model: Model, makes_images: bool, probabilities: bool) -> None:
    if makes_images and probabilities:
        what = f"a {model.card.family} makes images, not probabilities"
        raise UserError("--probabilities", what, "leave it out")
    if makes_images and (output.suffix.lower() == ".csv" or output.is_file()):
        raise UserError(str(output), f"a {model.card.family} makes images", "name a folder for them")
    if makes_images and output.is_dir() and any(output.iterdir()):
        raise UserError(str(output), "this folder is not empty", "name a new or empty folder")
    if not makes_images and output.is_dir():
        raise UserError(str(output), "this is a folder", "name a file that ends with .csv")


def _write_table(
    output: Path,
    ids: Sequence[str],
    rows: npt.NDArray[np.float32],
    classes: Sequence[str],
    probabilities: bool,
) -> dict[str, int]:
    """Write the table and return class to how often it was predicted, the most frequent first."""
    labels = [classes[label] for label in rows.argmax(axis=1)]
    output.parent.mkdir(parents=True, exist_ok=True)
    draft = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with draft.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow([ID, LABEL, *(classes if probabilities else ())])
            for id_, label, row in zip(ids, labels, rows, strict=True):
                shares = [f"{share:.6g}" for share in row.tolist()] if probabilities else []
                table.writerow([id_, label, *shares])
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)
    return dict(Counter(labels).most_common())


def _write_images(output: Path, ids: Sequence[str], made: npt.NDArray[np.float32], card: Card) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    try:
        for id_, image in zip(ids, made, strict=True):
            pixels = (image.clip(0, 1) * 255).round().astype(np.uint8)
            plane = pixels[0] if card.channels == "gray" else np.ascontiguousarray(pixels.transpose(1, 2, 0))
            file = draft / f"{id_}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(plane).save(file)
        if output.is_dir():
            output.rmdir()  # it is empty
        draft.chmod(0o755)
        draft.replace(output)
    finally:
        shutil.rmtree(draft, ignore_errors=True)

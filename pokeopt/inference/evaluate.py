"""``evaluate``: a model on a labelled set that no study has seen, a leaderboard's, say."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pokeopt.data.cache import CachedImages, Recipe, cached_images
from pokeopt.data.dataset import load_data, read_source
from pokeopt.data.sources.base import PARTS, SourceTable
from pokeopt.data.split import choose_limited
from pokeopt.errors import DataError, PokeoptError, UserError
from pokeopt.inference.card import Card
from pokeopt.inference.graph import Bytes, Outputs
from pokeopt.inference.model import Model
from pokeopt.inference.scoring import Interval, class_intervals, mean_interval
from pokeopt.losses.base import Batch
from pokeopt.metrics import IMAGE_METRICS, score, score_images
from pokeopt.registry import import_plugins, nearest
from pokeopt.store import Store
from pokeopt.store.evaluations import write_evaluation
from pokeopt.training.values import image_values


@dataclass(frozen=True)
class Evaluation:
    """What a model scored on a set.

    Attributes:
        model: What a table calls the model.
        data: The set's name.
        data_hash: Digest of its images and labels.
        n: Its images that were scored.
        n_classes: Classes that it has images of.
        metrics: Name without part to value.
        intervals: Name to the 95 % interval over images, where there is one.
        local: PART/NAME to the same weights' value on parts of the study.
        ids: (N,) names of the images.
        truth: (N,) indices of the model's classes.
        outputs: ``probabilities`` (N, K), or one value an image by name.
        at: When.
        own: Part of the study (train, val, test) to how many of the images lie in it, pixel for pixel; empty where the
            study's images are not at hand. ``some part`` where its parts are not known.
        notes: What a reader should know of the set, one line each.
    """

    model: str
    data: str
    data_hash: str
    n: int
    n_classes: int
    metrics: Mapping[str, float]
    intervals: Mapping[str, Interval]
    local: Mapping[str, float]
    ids: npt.NDArray[np.str_]
    truth: npt.NDArray[np.int64]
    outputs: Outputs
    at: str
    own: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def evaluate(model: Model, data: Mapping[str, Any], cache_dir: Path) -> Evaluation:
    """Score a model on a labelled set, prepared as its training images were.

    Of a set that is divided the test part is scored. Images that the study itself has are counted, where its images are
    at hand.

    Args:
        model: From a file or a study.
        data: The set, as the ``data`` section of a search-space file names it: source and its settings; what it says of
            size, channels and preprocessing is the model's to say.
        cache_dir: Folder of the image cache; its parent is the folder of all state.

    Raises:
        UserError: If the set cannot be read, or has a class that the model does not know.
    """
    _check_section(data)
    table = read_source(data, Path(cache_dir).parent)
    _check_task(table, model.card)
    labels = _labels(table, model.card)
    rows = _rows(table, data.get("limit"))
    found_images = [_images(table, rows, card, cache_dir) for card, _ in model.members]
    stacks = [images.pixels for images in found_images]
    given = [stack[:, : card.input_shape[0]] for stack, (card, _) in zip(stacks, model.members, strict=True)]
    truth, classes = labels[rows], model.classes
    found = model.outputs(given)
    intervals: dict[str, Interval]
    if model.card.task == "classification":
        outputs = {"probabilities": found["probabilities"]}
        metrics = score(truth, found["probabilities"], classes)
        intervals = class_intervals(truth, found["probabilities"].argmax(axis=1), len(classes))
    else:
        outputs = _values(found, stacks[0], model.card, truth)
        slices = {
            str(name): table.columns[name].to_numpy(dtype=bool)[rows]
            for name in table.columns.columns
            if table.columns[name].dtype == bool
        }
        metrics = score_images(outputs, truth, classes, slices)
        intervals = {name: mean_interval(outputs[v]) for name, v in IMAGE_METRICS.items() if name in metrics}
    own = _own_images(found_images[0].pixel_hashes, model.card, Path(cache_dir))
    local = model.card.metrics if len(model.members) == 1 else {}
    return Evaluation(
        model=model.label,
        data=table.name,
        data_hash=_data_hash(table, rows, is_turned=bool(found_images[0].turned.any())),
        n=len(rows),
        n_classes=len(np.unique(truth)),
        metrics=metrics,
        intervals=intervals,
        local={
            name: value for name, value in local.items() if not name.startswith(("train/", "model/", "cost/"))
        },
        ids=table.ids[rows],
        truth=truth,
        outputs=outputs,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        own=own,
        notes=(*table.notes, *_notes(table, len(rows), own), *_condition_notes(stacks[0], model.card)),
    )


def keep_evaluation(store: Store, model: Model, found: Evaluation) -> str:
    """Store an evaluation with the study of its model, for the study's next report; return the study's name."""
    card = model.card
    entry = {
        "model": found.model,
        "trial": card.trial,
        "weights": card.weights if len(model.members) == 1 else "ensemble",
        "data": found.data,
        "data_hash": found.data_hash,
        "n": found.n,
        "at": found.at,
        "metrics": dict(found.metrics),
        "intervals": {name: list(ends) for name, ends in found.intervals.items()},
        "local": dict(found.local),
        "own": dict(found.own),
    }
    buffer = io.BytesIO()
    arrays = {"classes": np.array(model.classes), "ids": found.ids, "truth": found.truth, **found.outputs}
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_evaluation(store, card.study, entry, buffer.getvalue())
    return card.study


def _check_section(data: Mapping[str, Any]) -> None:
    """Refuse from Python what a search-space file would not let pass."""
    mend = "give {'source': 'csv', 'images': DIR, 'labels': FILE}, as the data section of a search-space file"
    if not isinstance(data, Mapping):
        raise UserError("data", f"{type(data).__name__} is no mapping of a source and its settings", mend)
    if not isinstance(data.get("source"), str):
        raise UserError("data", "it names no source", mend)
    limit = data.get("limit")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise UserError("data.limit", f"{limit!r} is no number of images", "give a whole number from 1")


def _check_task(table: SourceTable, card: Card) -> None:
    if bool(card.condition_channels) == (table.open_pair is not None):
        return
    if not card.condition_channels:
        what = "the model takes single images, and this set has pairs"
        raise DataError(table.name, what, "give a set of images with classes")
    what = "the model takes pairs of images, and this set has none"
    raise DataError(table.name, what, "give another set")


def _rows(table: SourceTable, limit: int | None) -> npt.NDArray[np.int64]:
    """Return the rows to score: of a set that is divided those of its test part, and of these a limited number."""
    if table.given is None or "test" not in table.given:
        return choose_limited(table, limit, 0)
    own = np.flatnonzero(table.given == "test")
    return own[choose_limited(replace(table, labels=table.labels[own], given=None), limit, 0)]


def _data_hash(table: SourceTable, rows: npt.NDArray[np.int64], *, is_turned: bool) -> str:
    """Return a digest of the images that are scored; of all images of a set, unturned, the set's own."""
    if len(rows) == len(table.ids) and not is_turned:
        return table.content_hash[:16]
    text = f"{table.content_hash} {'upright' if is_turned else ''}".encode()
    return hashlib.sha256(text + rows.tobytes()).hexdigest()[:16]


def _own_images(hashes: npt.NDArray[np.str_], card: Card, cache_dir: Path) -> dict[str, int]:
    """Return part of the model's study to how many images, by the digests of their pixels, lie in it."""
    try:
        study = load_data(card.config["data"], cache_dir)
    except (PokeoptError, OSError):  # a file of export has come here alone
        return {}
    if study.data_hash != card.data.get("data_hash"):
        return {}
    parts = {part: study.pixel_hashes[getattr(study, part)] for part in PARTS}
    if study.split_hash != card.data.get("split_hash"):  # a confirm study draws parts of its own
        parts = {"some part": study.pixel_hashes}
    return {part: int(np.isin(hashes, known).sum()) for part, known in parts.items()}


def _notes(table: SourceTable, n: int, own: Mapping[str, int]) -> list[str]:
    """Say what part of a divided set is scored, and how many images are the study's own."""
    notes = []
    if table.given is not None and "test" in table.given:
        notes.append(f"The set is divided: its test part is scored, {n} of {len(table.ids)} images.")
    if n_own := sum(own.values()):
        named = ", ".join(f"{part} {count}" for part, count in own.items() if count)
        is_test = n_own == own.get("test")
        says = "they were scored there" if is_test else "what was learnt or chosen on is no test of it"
        notes.append(f"{n_own} of {n} images are the study's own ({named}): {says}.")
    return notes


def _labels(table: SourceTable, card: Card) -> npt.NDArray[np.int64]:
    """Return the labels of a set as indices into the model's classes; where classes do not matter, as they are."""
    if card.task != "classification" and not set(table.classes) <= set(card.classes):
        return np.zeros(len(table.labels), dtype=np.int64)
    unknown = sorted(set(table.classes) - set(card.classes))
    if unknown:
        what = f"class '{unknown[0]}' is unknown to the model"
        raise UserError(table.name, what, nearest(unknown[0], card.classes))
    to_model = np.array([card.classes.index(name) for name in table.classes], dtype=np.int64)
    found: npt.NDArray[np.int64] = to_model[table.labels]
    return found


def _condition_notes(stack: Bytes, card: Card) -> list[str]:
    """Say where a set says nothing of what is to be made; a model may have been trained so, or not."""
    conditions = slice(card.input_shape[0] - card.condition_channels, card.input_shape[0])
    if not card.condition_channels or stack[:, conditions].any():
        return []
    return ["The set has no conditions: the model is given black ones."]


def _images(table: SourceTable, rows: npt.NDArray[np.int64], card: Card, cache_dir: Path) -> CachedImages:
    import_plugins(path for path in card.plugins if Path(path).is_file())
    recipe = Recipe(card.image_size, card.channels, card.preprocess)
    return cached_images(table, rows, recipe, Path(cache_dir))


def _values(found: Outputs, stack: Bytes, card: Card, truth: npt.NDArray[np.int64]) -> Outputs:
    """Return one value an image by name: how far what was made is from what should have been."""
    target = np.array(stack[:, card.input_shape[0] :] if card.condition_channels else stack)
    batch = Batch(torch.from_numpy(target), torch.from_numpy(truth), target=torch.from_numpy(target))
    made = {"image": torch.from_numpy(found["image"])}
    return image_values(made, batch, ("structural_similarity", "sharpness"))

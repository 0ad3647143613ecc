"""``evaluate``: a model on a labelled set that no study has seen, a leaderboard's, say."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pokeopt.data.cache import Recipe, cached_images
from pokeopt.data.dataset import read_source
from pokeopt.data.sources.base import SourceTable
from pokeopt.data.split import choose_limited
from pokeopt.errors import DataError, UserError
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
        n: Its images.
        n_classes: Classes that it has images of.
        metrics: Name without part to value.
        intervals: Name to the 95 % interval over images, where there is one.
        local: PART/NAME to the same weights' value on parts of the study.
        ids: (N,) names of the images.
        truth: (N,) indices of the model's classes.
        outputs: ``probabilities`` (N, K), or one value an image by name.
        at: When.
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


def evaluate(model: Model, data: Mapping[str, Any], cache_dir: Path) -> Evaluation:
    """Score a model on a labelled set, prepared as its training images were.

    Args:
        model: From a file or a study.
        data: The set, as the ``data`` section of a search-space file names it: source and its settings; what it says of
            size, channels and preprocessing is the model's to say.
        cache_dir: Folder of the image cache; its parent is the folder of all state.

    Raises:
        UserError: If the set cannot be read, or has a class that the model does not know.
    """
    table = read_source(data, Path(cache_dir).parent)
    _check_task(table, model.card)
    labels = _labels(table, model.card)
    rows = choose_limited(table, data.get("limit"), 0)
    stacks = [_images(table, rows, card, cache_dir) for card, _ in model.members]
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
    local = model.card.metrics if len(model.members) == 1 else {}
    return Evaluation(
        model=model.label,
        data=table.name,
        data_hash=table.content_hash[:16],
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
    }
    buffer = io.BytesIO()
    arrays = {"classes": np.array(model.classes), "ids": found.ids, "truth": found.truth, **found.outputs}
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_evaluation(store, card.study, entry, buffer.getvalue())
    return card.study


def _check_task(table: SourceTable, card: Card) -> None:
    if bool(card.condition_channels) != (table.open_pair is not None):
        wants = "pairs of images" if card.condition_channels else "single images"
        raise DataError(table.name, f"the model takes {wants}, and this set has none", "give another set")


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


def _images(table: SourceTable, rows: npt.NDArray[np.int64], card: Card, cache_dir: Path) -> Bytes:
    import_plugins(path for path in card.plugins if Path(path).is_file())
    recipe = Recipe(card.image_size, card.channels, card.preprocess)
    return cached_images(table, rows, recipe, Path(cache_dir)).pixels


def _values(found: Outputs, stack: Bytes, card: Card, truth: npt.NDArray[np.int64]) -> Outputs:
    """Return one value an image by name: how far what was made is from what should have been."""
    target = np.array(stack[:, card.input_shape[0] :] if card.condition_channels else stack)
    batch = Batch(torch.from_numpy(target), torch.from_numpy(truth), target=torch.from_numpy(target))
    made = {"image": torch.from_numpy(found["image"])}
    return image_values(made, batch, ("structural_similarity", "sharpness"))

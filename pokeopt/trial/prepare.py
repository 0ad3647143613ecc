"""A task with everything it needs at hand: data, recipe, device, objective."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pokeopt.data import Dataset, load_data
from pokeopt.errors import DataError
from pokeopt.metrics import MetricInfo, find
from pokeopt.models.base import ImageShape, traits_of
from pokeopt.records import TrialTask
from pokeopt.training.augmenting import Layers
from pokeopt.training.batches import PartImages, TrainingData, channel_statistics, fits_on_device
from pokeopt.training.precision import choose_precision
from pokeopt.training.recipe import Recipe, make_recipe
from pokeopt.trial.features import frozen_features


@dataclass(frozen=True)
class Prepared:
    """What a trial works with.

    Attributes:
        task: What was asked for.
        recipe: Its configuration as objects.
        dataset: All images, with their parts.
        features: (M, F) of all its images, where they take the images' place; else None.
        data: The training and validation parts, as batches on the device.
        objective: The metric whose best epoch is kept.
        device: Where to train.
        precision: ``fp32``, ``bf16`` or ``fp16``.
    """

    task: TrialTask
    recipe: Recipe
    dataset: Dataset
    features: npt.NDArray[np.float32] | None
    data: TrainingData
    objective: MetricInfo
    device: torch.device
    precision: str


def prepare(task: TrialTask, device: torch.device) -> Prepared:
    """Load the data of a task and build its recipe.

    Raises:
        SpecError: If the configuration names what does not exist.
        DataError: If the images cannot be used.
    """
    config = task.config
    recipe = make_recipe(config)
    external = config.get("external") or {}
    traits = traits_of(recipe.model)
    dataset = load_data(config["data"], Path(task.cache_dir), external=external, resample=task.resample)
    objective = find(task.objective, task=traits.task, parts=external, classes=dataset.classes)
    layers = Layers(*dataset.channels)
    if (traits.task == "translation") != bool(layers.target):
        what = f"{dataset.name} is no data for {traits.task}"
        raise DataError("data", what, "use another source, or another model")
    precision = choose_precision(recipe.precision, device)
    statistics = (
        _statistics(dataset, layers) if traits.statistics is None else _given(traits.statistics, layers)
    )
    features = None
    if not recipe.augmentation and not layers.target:
        cache = Path(task.cache_dir)
        features = frozen_features(recipe.model, dataset, statistics, cache, device, precision)
    stored = dataset.images if features is None else features
    used = (len(dataset.train) + len(dataset.val)) * stored[0].nbytes
    resident = fits_on_device(used, device, task.memory_fraction)
    train, val = (
        PartImages(stored, dataset.labels, index, device, resident=resident)
        for index in (dataset.train, dataset.val)
    )
    height, width = dataset.images.shape[2:]
    shape = ImageShape(layers.image, height, width, layers.condition)
    slices = dataset.slices(dataset.val)
    data = TrainingData(train, val, shape, dataset.classes, *statistics, layers, slices)
    return Prepared(task, recipe, dataset, features, data, objective, device, precision)


def _given(statistics: tuple[tuple[float, ...], tuple[float, ...]], layers: Layers) -> tuple[Tensor, Tensor]:
    """Return the statistics that a family is used to; an alpha channel beside three colours stays as it is."""
    mean, std = statistics
    if len(mean) == len("rgb") and layers.image == len("rgba"):
        mean, std = (*mean, 0.0), (*std, 1.0)
    return torch.tensor(mean), torch.tensor(std)


_known_statistics: dict[tuple[str, str], tuple[Tensor, Tensor]] = {}


def _statistics(dataset: Dataset, layers: Layers) -> tuple[Tensor, Tensor]:
    """Return the training part's mean and standard deviation; a worker that is used again knows them already."""
    key = (dataset.data_hash, dataset.split_hash)
    if key not in _known_statistics:
        _known_statistics[key] = channel_statistics(dataset.images[:, : layers.given], dataset.train)
    return _known_statistics[key]

"""A task with everything it needs at hand: data, recipe, device, objective."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pokeopt.data import Dataset, load_data
from pokeopt.metrics import MetricInfo, find
from pokeopt.models.base import ImageShape
from pokeopt.records import TrialTask
from pokeopt.registry import SOURCES
from pokeopt.training.batches import PartImages, TrainingData, channel_statistics, fits_on_device
from pokeopt.training.precision import choose_precision
from pokeopt.training.recipe import Recipe, make_recipe


@dataclass(frozen=True)
class Prepared:
    """What a trial works with.

    Attributes:
        task: What was asked for.
        recipe: Its configuration as objects.
        dataset: All images, with their parts.
        data: The training and validation parts, as batches on the device.
        objective: The metric whose best epoch is kept.
        device: Where to train.
        precision: ``fp32``, ``bf16`` or ``fp16``.
    """

    task: TrialTask
    recipe: Recipe
    dataset: Dataset
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
    kind = SOURCES.get(config["data"]["source"]).task
    dataset = load_data(config["data"], Path(task.cache_dir), external=external, resample=task.resample)
    objective = find(task.objective, task=kind, parts=external, classes=dataset.classes)
    _, channels, height, width = dataset.images.shape
    used = (len(dataset.train) + len(dataset.val)) * channels * height * width
    resident = fits_on_device(used, device, task.memory_fraction)
    train, val = (
        PartImages(dataset.images, dataset.labels, index, device, resident=resident)
        for index in (dataset.train, dataset.val)
    )
    mean, std = _statistics(dataset)
    shape = ImageShape(channels, height, width)
    data = TrainingData(train, val, shape, dataset.classes, mean, std)
    precision = choose_precision(recipe.precision, device)
    return Prepared(task, recipe, dataset, data, objective, device, precision)


_known_statistics: dict[tuple[str, str], tuple[Tensor, Tensor]] = {}


def _statistics(dataset: Dataset) -> tuple[Tensor, Tensor]:
    """Return the training part's mean and standard deviation; a worker that is used again knows them already."""
    key = (dataset.data_hash, dataset.split_hash)
    if key not in _known_statistics:
        _known_statistics[key] = channel_statistics(dataset.images, dataset.train)
    return _known_statistics[key]

"""Small images that can be learnt: each class has its own brightness in each channel, under noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from pokeopt.metrics import find
from pokeopt.models.base import ImageShape
from pokeopt.training.batches import PartImages, TrainingData, channel_statistics
from pokeopt.training.loop import Lockstep
from pokeopt.training.recipe import Recipe, make_recipe

CPU = torch.device("cpu")
CLASSES = ("A", "B", "C")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def data() -> TrainingData:
    """90 images for training, 30 for validation, 3x6x6."""
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    centres = rng.integers(60, 200, (3, 3, 1, 1))
    images = np.clip(centres[labels] + rng.normal(0, 60, (120, 3, 6, 6)), 0, 255).astype(np.uint8)
    order = rng.permutation(120)
    train, val = np.sort(order[:90]), np.sort(order[90:])
    mean, std = channel_statistics(images, train)
    parts = [PartImages(images, labels, index, CPU) for index in (train, val)]
    return TrainingData(parts[0], parts[1], ImageShape(3, 6, 6), CLASSES, mean, std)


@pytest.fixture(scope="session")
def recipe() -> Callable[..., Recipe]:
    """Make a recipe; keywords replace settings of ``training``, ``model`` and ``loss`` replace those sections."""

    def make(**settings: Any) -> Recipe:
        model = settings.pop("model", {"family": "mlp", "depth": 2, "width": [16, 8]})
        terms = settings.pop("loss", "cross_entropy")
        training = {
            "epochs": 3,
            "batch_size": 16,
            "sampler": "shuffle",
            "augmentation": [],
            "optimizer": "adam",
            "learning_rate": 1e-2,
            "weight_decay": 0.0,
            "schedule": "constant",
            "early_stopping": "none",
            "keep": "best",
            "precision": "fp32",
            "gradient_clip": None,
        }
        config = {
            "model": model,
            "loss": {"terms": {"classification": terms}},
            "training": training | settings,
        }
        return make_recipe(config)

    return make


@pytest.fixture(scope="session")
def lockstep(data: TrainingData, recipe: Callable[..., Recipe]) -> Callable[..., Lockstep]:
    """Make the loop of some seeds; keywords as for ``recipe``."""

    def make(*seeds: int, objective: str = "val/macro_f1", **settings: Any) -> Lockstep:
        made = recipe(**settings)
        return Lockstep(made, data, seeds or (0,), find(objective, classes=CLASSES), CPU, made.precision)

    return make

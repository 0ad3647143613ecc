"""A resolved configuration as the objects that train it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from pokeopt.errors import SpecError
from pokeopt.models.base import Model
from pokeopt.registry import (
    AUGMENTATIONS,
    IMAGE_SAMPLERS,
    MODELS,
    OPTIMIZERS,
    SCHEDULES,
    STOPPING_RULES,
)
from pokeopt.training.optimizers.base import Optimizer
from pokeopt.training.schedules.base import Schedule
from pokeopt.training.stopping.base import StoppingRule

Augmentation = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True)
class Recipe:
    """What to train and how; the same for every seed.

    Attributes:
        model: Builds the network.
        loss: The ``loss`` section as it stands; its terms are built when the class counts are known.
        epochs: The budget; 0 scores the untrained network.
        batch_size: Images per step.
        sampler: Draws the order of an epoch; see ``pokeopt.data.samplers``.
        augmentation: Applied one after the other to each batch of images in [0, 1].
        optimizer: Builds the optimizer.
        learning_rate: Before the schedule.
        weight_decay: Per step.
        schedule: Multiplies the learning rate, epoch by epoch.
        early_stopping: Looks at the curve after each epoch.
        keep: Which epoch's weights count.
        precision: ``auto``, ``fp32``, ``bf16`` or ``fp16``.
        gradient_clip: Largest norm of the gradient; None does not clip.
    """

    model: Model
    loss: Mapping[str, Any]
    epochs: int
    batch_size: int
    sampler: Any
    augmentation: Sequence[Augmentation]
    optimizer: Optimizer
    learning_rate: float
    weight_decay: float
    schedule: Schedule
    early_stopping: StoppingRule
    keep: Literal["best", "last"]
    precision: str
    gradient_clip: float | None

    def __post_init__(self) -> None:
        at_least = {"epochs": 0, "batch_size": 1, "learning_rate": 0, "weight_decay": 0}
        for key, low in at_least.items():
            if getattr(self, key) < low:
                what = f"{key} must be at least {low}, got {getattr(self, key)}"
                raise SpecError(f"training.{key}", what, "change the setting")
        if self.keep not in ("best", "last"):
            raise SpecError("training.keep", f"'{self.keep}' cannot be kept", "keep best or last")
        if self.gradient_clip is not None and self.gradient_clip <= 0:
            what = f"gradient_clip must be above 0, got {self.gradient_clip}"
            raise SpecError("training.gradient_clip", what, "leave it out to clip nothing")


def make_model(model: Mapping[str, Any]) -> Model:
    """Build the model family of a configuration's ``model`` section: its name under ``family``, settings beside it."""
    settings = {key: value for key, value in model.items() if key != "family"}
    made: Model = MODELS.make({model["family"]: settings})
    return made


def make_recipe(config: Mapping[str, Any]) -> Recipe:
    """Build the recipe of a resolved configuration.

    Raises:
        SpecError: If a component or a setting does not exist or is out of its range.
    """
    training = config["training"]
    return Recipe(
        model=make_model(config["model"]),
        loss=config["loss"],
        epochs=training["epochs"],
        batch_size=training["batch_size"],
        sampler=IMAGE_SAMPLERS.make(training["sampler"]),
        augmentation=tuple(AUGMENTATIONS.make(component) for component in training["augmentation"]),
        optimizer=OPTIMIZERS.make(training["optimizer"]),
        learning_rate=training["learning_rate"],
        weight_decay=training["weight_decay"],
        schedule=SCHEDULES.make(training["schedule"]),
        early_stopping=STOPPING_RULES.make(training["early_stopping"]),
        keep=training["keep"],
        precision=training["precision"],
        gradient_clip=training["gradient_clip"],
    )

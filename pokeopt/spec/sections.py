"""The fixed keys of a search-space file, their types and defaults; the YAML check and the JSON schema read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from pokeopt.registry import (
    AUGMENTATIONS,
    IMAGE_SAMPLERS,
    LOSSES,
    OPTIMIZERS,
    PREPROCESSING,
    PRUNERS,
    SCHEDULES,
    SEARCH_SAMPLERS,
    STOPPING_RULES,
    Component,
)

Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Role = Literal["classification", "reconstruction", "prior"]
Mode = Literal["one-at-a-time", "leave-one-out", "path"]
CheckCode = Literal[
    "PK01", "PK02", "PK03", "PK04", "PK05", "PK06", "PK07", "PK08", "PK09", "PK10",
    "PK11", "PK12", "PK13", "PK14", "PK15", "PK16", "PK17", "PK18", "PK19",
]  # fmt: skip
Steps = tuple[Annotated[Component, PREPROCESSING], ...]

SECTIONS = (
    "name",
    "data",
    "external",
    "model",
    "loss",
    "training",
    "baseline",
    "objective",
    "objectives",
    "constraints",
    "search",
    "ablation",
    "resources",
    "plugins",
    "tracking",
    "mute",
)
SEARCHABLE = ("data.preprocess", "data.image_size", "model", "loss", "training")
RESERVED_PARTS = ("train", "val", "test", "model", "cost")  # no external set is called so


@dataclass(frozen=True)
class Split:
    """How images are divided; the test part is drawn once per data set from the seed.

    Attributes:
        by: ``class`` (stratified), ``group``, or a column of the source: images that share its value stay together.
    """

    train: Share = 0.70
    val: Share = 0.15
    test: Share = 0.15
    by: str = "class"
    seed: Natural = 0

    def __post_init__(self) -> None:
        total = self.train + self.val + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train, val and test must add up to 1, got {total:g}")
        if not self.train or not self.val:
            raise ValueError("train and val must be above 0")


@dataclass(frozen=True)
class Data:
    """The images and the task; the source's own settings stand beside these keys."""

    source: str
    image_size: Count = 64
    channels: Literal["rgb", "rgba", "gray"] = "rgb"
    limit: Count | None = None
    split: Split = field(default_factory=Split)
    preprocess: Steps = ()


@dataclass(frozen=True)
class TestPart:
    """An external set that is the test part, prepared in another way."""

    __test__ = False  # pytest, this is no test

    of: Literal["test"]
    preprocess: Steps | None = None


@dataclass(frozen=True)
class ExternalData:
    """An external set of its own; the source's settings stand beside these keys."""

    source: str
    limit: Count | None = None
    preprocess: Steps | None = None


@dataclass(frozen=True)
class Loss:
    """What is minimised: a term for each role, and how they are combined."""

    terms: dict[Role, Annotated[Component, LOSSES]] = field(
        default_factory=lambda: {"classification": "cross_entropy"}
    )
    combine: Literal["sum", "log_sum", "uncertainty"] = "sum"
    weights: dict[Role, NotNegative] = field(default_factory=dict)


@dataclass(frozen=True)
class Training:
    """How one network is trained."""

    epochs: Natural = 20
    batch_size: Count = 32
    sampler: Annotated[Component, IMAGE_SAMPLERS] = "shuffle"
    augmentation: tuple[Annotated[Component, AUGMENTATIONS], ...] = ()
    optimizer: Annotated[Component, OPTIMIZERS] = "adam"
    learning_rate: Positive = 1e-3
    weight_decay: NotNegative = 0.0
    schedule: Annotated[Component, SCHEDULES] = "constant"
    early_stopping: Annotated[Component, STOPPING_RULES] = "none"
    keep: Literal["best", "last"] = "best"
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    gradient_clip: Positive | None = None


@dataclass(frozen=True)
class Objective:
    """A metric to improve; its direction comes from the metric."""

    metric: str


@dataclass(frozen=True)
class Limits:
    """A constraint: the metric of a feasible trial lies in [min, max]."""

    metric: str
    min: float | None = None
    max: float | None = None

    def __post_init__(self) -> None:
        if self.min is None and self.max is None:
            raise ValueError("a constraint needs min or max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min must not be above max, got {self.min:g} and {self.max:g}")


@dataclass(frozen=True)
class Search:
    """Who proposes configurations, who stops trials, and the budget."""

    sampler: Annotated[Component, SEARCH_SAMPLERS] = "tpe"
    pruner: Annotated[Component, PRUNERS] = "hyperband"
    trials: Count = 24
    seeds: Count = 1
    seed: Natural = 0
    deterministic: bool = False
    prune_on: str | None = None


@dataclass(frozen=True)
class Ablation:
    """The confirm study after the search: baseline, best, and the arms between."""

    mode: Mode = "one-at-a-time"
    seeds: Count | tuple[Natural, ...] = 5
    top: Count | None = 3
    include: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resources:
    """What trials may use; ``auto`` asks the machine. Durations are like ``90s``, ``30m``, ``2h``."""

    workers: Natural | Literal["auto"] = "auto"
    cpus_per_trial: Count | Literal["auto"] = "auto"
    gpus_per_trial: NotNegative | Literal["auto"] = "auto"
    trial_timeout: str | None = "30m"
    hang_timeout: str = "10m"
    checkpoint_gb: Positive = 10.0

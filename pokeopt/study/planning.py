"""What a file asks for, before anything runs: parameters, trials, cells, model sizes, time."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pokeopt.records import TrialState, TrialTask
from pokeopt.registry import import_plugins, split_component
from pokeopt.study.facts import at_its_line, check_classes, check_several_classes
from pokeopt.study.resources import place

if TYPE_CHECKING:
    from pokeopt.data import Dataset
    from pokeopt.spec import Param, Space, StudySpec

N_SIZED = 64  # random configurations whose parameters are counted; building one takes milliseconds
N_TIMED = 3  # the baseline and two random ones
N_BATCHES = 20
STARTING_S = 15.0  # Ray, and workers that import torch, on a small machine
TRIAL_S = 0.5  # to place a trial, score its test part and store it
FORWARD_SHARE = (
    1 / 3
)  # an image is validated by a forward pass; training adds a backward pass of twice its cost
Config = Mapping[str, Any]


@dataclass(frozen=True)
class Axis:
    """One searched parameter: its range, its baseline value, and the conditions under which it exists."""

    path: str
    range: str
    baseline: Any
    when: str


@dataclass(frozen=True)
class Sizes:
    """Trainable and other parameters of the networks: at the baseline, and over random configurations."""

    baseline: int | None
    smallest: int
    median: int
    largest: int


@dataclass(frozen=True)
class Speed:
    """Seconds of one epoch, and where the numbers come from."""

    seconds: tuple[float, ...]
    source: str

    @property
    def mean(self) -> float:
        """The mean of the configurations seen."""
        return statistics.fmean(self.seconds)


@dataclass(frozen=True)
class Plan:
    """What running the file would take.

    Attributes:
        parts: Part of the data to its number of images.
        duplicates: Pairs of equal images that lie in different parts.
        epochs: The most epochs of one trial; pruning and early stopping only make it fewer.
        arms: The most arms that the confirm study can have; which ones is known after the search.
        workers: Trials at a time on this machine.
        speed: None where no trial of this study has run and nothing was timed.
        total_s: Upper estimate of search and confirm study together; None without ``speed``.
    """

    name: str
    path: str
    source: str
    classes: tuple[str, ...]
    parts: Mapping[str, int]
    duplicates: int
    objectives: tuple[str, ...]
    sampler: str
    pruner: str
    trials: int
    seeds: int
    epochs: int
    arms: int
    arm_seeds: int
    workers: int
    axes: tuple[Axis, ...]
    family: str
    sizes: Sizes
    speed: Speed | None
    total_s: float | None

    @property
    def cells(self) -> int:
        """The most (arm, seed) cells of the confirm study."""
        return self.arms * self.arm_seeds

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return dataclasses.asdict(self) | {"cells": self.cells}


def make_plan(
    path: str | Path,
    *,
    sets: Sequence[str] = (),
    storage: str | None = None,
    home: Path,
    measure: bool = False,
) -> Plan:
    """Check a search-space file against its data and say what running it would take.

    Args:
        path: The file.
        sets: ``KEY=VALUE`` changes to it.
        storage: Where earlier trials of the study are looked up.
        home: Folder of the image cache.
        measure: Time about 20 batches of a few configurations instead of looking up earlier trials.

    Raises:
        UserError: If the file or its data cannot be used.
    """
    from pokeopt.data import load_data
    from pokeopt.spec import load_study
    from pokeopt.trial import sizes

    spec = load_study(path, sets)
    import_plugins(spec.plugins)
    baseline = spec.space.baseline() if spec.baseline is not None else None
    drawn = [spec.space.config(values) for values in _draw(spec.space, N_SIZED)]
    start = spec.space.config(start_values(spec))
    with at_its_line(start, lambda _, key: spec.where(key)):
        data = load_data(start["data"], home / "cache", external=start.get("external") or {})
        check_several_classes(start, data.classes)
    named = (*spec.objectives, spec.objective, *(constraint.metric for constraint in spec.constraints))
    check_classes(spec, named, data.classes)
    workers = place(spec.resources).workers
    speed = (
        measure_speed(spec, [start, *drawn][:N_TIMED], data, home)
        if measure
        else earlier_speed(spec.name, storage, home)
    )
    epochs = max(int(config["training"]["epochs"]) for config in (start, *drawn))
    arms, arm_seeds = _confirm(spec)
    networks = spec.search.trials * spec.search.seeds + arms * arm_seeds
    n_params = [sizes(config, len(data.classes)).n_params for config in drawn]
    return Plan(
        name=spec.name,
        path=str(path),
        source=start["data"]["source"],
        classes=data.classes,
        parts={"train": len(data.train), "val": len(data.val), "test": len(data.test)}
        | {name: len(part.labels) for name, part in data.external.items()},
        duplicates=len(data.duplicates_across_splits),
        objectives=spec.objectives,
        sampler=split_component(spec.search.sampler)[0],
        pruner=split_component(spec.search.pruner)[0],
        trials=spec.search.trials,
        seeds=spec.search.seeds,
        epochs=epochs,
        arms=arms,
        arm_seeds=arm_seeds,
        workers=max(workers, 1),
        axes=tuple(_axis(param, baseline or {}) for param in spec.space.params),
        family=str(start["model"]["family"]),
        sizes=Sizes(
            sizes(start, len(data.classes)).n_params if baseline is not None else None,
            min(n_params),
            int(statistics.median(n_params)),
            max(n_params),
        ),
        speed=speed,
        total_s=total_s(speed, epochs, networks, workers, n_studies=2 if arms else 1),
    )


def total_s(speed: Speed | None, epochs: int, networks: int, workers: int, n_studies: int) -> float | None:
    """Return an upper estimate of the seconds that networks take in studies of their own; None without ``speed``."""
    if speed is None:
        return None
    starting_s = STARTING_S * n_studies if workers else 0.0
    return starting_s + networks * (TRIAL_S + epochs * speed.mean) / max(workers, 1)


def start_values(spec: StudySpec) -> dict[str, Any]:
    """Return the baseline's values; values drawn at random where there is no baseline."""
    if spec.baseline is None:
        return _draw(spec.space, 1)[0]
    return spec.space.active(spec.space.baseline())


def _draw(space: Space, n: int) -> list[dict[str, Any]]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [space.suggest(study.ask()) for _ in range(n if space.params else 1)]


def _confirm(spec: StudySpec) -> tuple[int, int]:
    if spec.ablation is None:
        return 0, 0
    keys = {factor.key for factor in spec.space.factors()}
    top = len(keys) if spec.ablation.top is None else spec.ablation.top
    factors = min(len(keys), top + len(keys & set(spec.ablation.include)))
    return factors + 2, len(spec.ablation.seeds)  # baseline and best beside the factors


def _axis(param: Param, baseline: Mapping[str, Any]) -> Axis:
    conditions = []
    for condition in param.when:
        if condition.above is not None:
            conditions.append(f"{condition.path} above {condition.above}")
        else:
            values = " or ".join(str(value) for value in condition.values)
            conditions.append(f"{condition.path} is {values}")
    scale = ", log" if param.log else ""
    return Axis(param.path, f"{param}{scale}", baseline.get(param.path), " and ".join(conditions))


def earlier_speed(name: str, storage: str | None, home: Path) -> Speed | None:
    """Look up how long an epoch took in earlier trials of this study."""
    from pokeopt.store import open_store

    store = open_store(storage, home)
    if store.newest(name) not in store.names():
        return None
    ended = [row for row in store.load(name).counted if row.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    seconds = [float(row.attrs["s_per_epoch"]) for row in ended if row.attrs.get("s_per_epoch")]
    return Speed(tuple(seconds), f"{len(seconds)} earlier trials") if seconds else None


def measure_speed(spec: StudySpec, configs: Sequence[Config], data: Dataset, home: Path) -> Speed:
    """Time training batches of each configuration, and take them for a whole epoch."""
    from pokeopt.trial import time_batches

    n_train, n_val = len(data.train), len(data.val)
    placement = place(spec.resources)
    seconds = []
    for config in configs:
        task = TrialTask(
            config=config,
            seeds=(0,),
            objective=spec.objective,
            cache_dir=str(home / "cache"),
            device=placement.device,
            threads=placement.cpus_per_trial,
            plugins=spec.plugins,
        )
        n_batches = math.ceil(n_train / int(config["training"]["batch_size"]))
        training_s = n_batches * time_batches(task, N_BATCHES)
        seconds.append(training_s * (1 + FORWARD_SHARE * n_val / n_train))
    return Speed(tuple(seconds), f"timed now on {len(configs)} configurations, {N_BATCHES} batches each")

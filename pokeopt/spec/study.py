"""A validated file: what a study is. Frozen; nothing behind this door checks it again."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pokeopt.errors import SpecError
from pokeopt.registry import Component
from pokeopt.spec.nodes import Place, where_in
from pokeopt.spec.space import SECTIONS, Space

Mode = Literal["one-at-a-time", "leave-one-out", "path"]
UNITS_S = {"s": 1, "m": 60, "h": 3600}
NAME = re.compile(r"\w[\w.-]*")
MOST_LETTERS = 180  # files are called after a study, and their names end at 255
OURS = re.compile(r".*(\.ablation|\.e\d+)")


@dataclass(frozen=True)
class SearchSpec:
    """Who proposes, who stops, and the budget.

    Attributes:
        sampler: In its resolved form: a name, or one key with every setting.
        pruner: Likewise.
        trials: Configurations of the study, in total.
        seeds: Networks trained per configuration.
        prune_on: The objective that is pruned on and whose best epoch is kept; None with a single objective.
    """

    sampler: Any
    pruner: Any
    trials: int
    seeds: int
    seed: int
    deterministic: bool
    prune_on: str | None

    @property
    def sampler_name(self) -> str:
        """The sampler without its settings."""
        return _name_of(self.sampler)

    @property
    def pruner_name(self) -> str:
        """The pruner without its settings."""
        return _name_of(self.pruner)


@dataclass(frozen=True)
class AblationSpec:
    """The confirm study after the search.

    Attributes:
        top: Factors that get an arm; None takes all.
        include: Factors that get one anyway.
    """

    mode: Mode
    seeds: tuple[int, ...]
    top: int | None
    include: tuple[str, ...]


@dataclass(frozen=True)
class ResourcesSpec:
    """What trials may use; ``auto`` asks the machine."""

    workers: int | Literal["auto"]
    cpus_per_trial: int | Literal["auto"]
    gpus_per_trial: float | Literal["auto"]
    trial_timeout_s: float | None
    hang_timeout_s: float
    checkpoint_gb: float


@dataclass(frozen=True)
class Constraint:
    """A feasible trial's metric lies in [minimum, maximum]; None leaves an end open."""

    metric: str
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True)
class StudySpec:
    """One study, complete.

    Attributes:
        name: Unique in a storage.
        path: The file it was read from, absolute.
        task: ``classification``, as the source says.
        fixed: The leaves that have one value whatever is drawn, by path.
        space: The searched leaves, and what configuration follows from their values.
        external: External sets by name, as in the file; ``preprocess`` is missing where it is the trial's.
        objectives: Metrics to improve.
        baseline: Key to value (a label where there are labels); None without one.
        plugins: Python files, absolute.
        places: Key to where it was written; empty where the study was not read from a file.
    """

    name: str
    path: str
    task: str
    fixed: Mapping[str, Any]
    space: Space
    external: Mapping[str, Any]
    search: SearchSpec
    objectives: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    ablation: AblationSpec | None
    resources: ResourcesSpec
    baseline: Mapping[str, Any] | None
    plugins: tuple[str, ...]
    tracking: tuple[Component, ...]
    closed: Mapping[str, Any]  # the closed form that all of it was read from; see checker.py
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    @property
    def objective(self) -> str:
        """The metric whose best epoch is kept: the only objective, or the one that is pruned on."""
        return self.search.prune_on or self.objectives[0]

    @property
    def prune_on(self) -> str:
        """The metric that the pruner sees: the objective."""
        return self.objective

    @property
    def max_epochs(self) -> int:
        """The largest number of epochs that a configuration may have."""
        return max(int(epochs) for epochs in self.space.values_of("training.epochs"))

    def where(self, key: str) -> str:
        """Return file, line and key for a message about a key that only the data proved wrong."""
        return where_in(self.places, key)

    def resolved(self) -> dict[str, Any]:
        """Return everything, defaults included, as plain JSON; ``from_resolved`` takes it back."""
        return copy.deepcopy({**self.closed, "name": self.name})

    @classmethod
    def from_resolved(cls, resolved: Mapping[str, Any]) -> StudySpec:
        """Return the study that ``resolved`` describes. No component is looked up, so plugins may be gone.

        Raises:
            SpecError: If leaves contradict each other; ``where`` is the key.
        """
        closed = copy.deepcopy(dict(resolved))
        search, ablation, resources = closed["search"], closed["ablation"], closed["resources"]
        space = Space({section: closed[section] for section in SECTIONS}, closed["baseline"])
        timeout = resources["trial_timeout"]
        objectives = tuple(one["metric"] for one in closed.get("objectives") or [closed["objective"]])
        return cls(
            name=closed["name"],
            path=closed["path"],
            task=closed["task"],
            fixed=space.fixed,
            space=space,
            external=closed["external"],
            search=SearchSpec(**search),
            objectives=objectives,
            constraints=tuple(
                Constraint(one["metric"], one["min"], one["max"]) for one in closed["constraints"]
            ),
            ablation=None if ablation is None else _ablation(ablation),
            resources=ResourcesSpec(
                workers=resources["workers"],
                cpus_per_trial=resources["cpus_per_trial"],
                gpus_per_trial=resources["gpus_per_trial"],
                trial_timeout_s=None if timeout is None else seconds(timeout),
                hang_timeout_s=seconds(resources["hang_timeout"]),
                checkpoint_gb=resources["checkpoint_gb"],
            ),
            baseline=closed["baseline"],
            plugins=tuple(closed["plugins"]),
            tracking=tuple(closed["tracking"]),
            closed=closed,
        )

    def with_name(self, name: str) -> StudySpec:
        """Return the same study under another name."""
        check_name(name, "--name")
        return replace(self, name=name, closed={**self.closed, "name": name})


def seconds(duration: str) -> float:
    """Return a duration in seconds.

    >>> seconds("90s"), seconds("30m"), seconds("1.5h")
    (90.0, 1800.0, 5400.0)

    Raises:
        ValueError: If it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", duration.strip())
    if match is None or not float(match[1]):
        raise ValueError(f"a duration is like 90s, 30m or 2h, got '{duration}'")
    return float(match[1]) * UNITS_S[match[2]]


def check_name(name: str, where: str) -> None:
    """Refuse a name that is no file's, or that a study of ours would have.

    Raises:
        SpecError: With ``where``.
    """
    if not NAME.fullmatch(name):
        raise SpecError(where, f"'{name}' cannot be a study's name", "use letters, digits, '_', '-' and '.'")
    if len(name.encode()) > MOST_LETTERS:
        what = f"the name '{name[:20]}…' has {len(name)} letters"
        raise SpecError(where, what, f"use at most {MOST_LETTERS}")
    if OURS.fullmatch(name):
        what = f"the name '{name}' ends like a study that pokeopt makes (.ablation, .eN)"
        raise SpecError(where, what, "choose another ending")


def _ablation(closed: Mapping[str, Any]) -> AblationSpec:
    seeds = closed["seeds"]
    return AblationSpec(
        mode=closed["mode"],
        seeds=tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds),
        top=closed["top"],
        include=tuple(closed["include"]),
    )


def _name_of(component: Any) -> str:
    return component if isinstance(component, str) else str(next(iter(component)))

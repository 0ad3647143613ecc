"""What a report says, before it has a form: frozen values that JSON can hold."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pokeopt.ablation import Effect, Level


@dataclass(frozen=True)
class ArmSummary:
    """One row of the ablation table.

    Attributes:
        reference: Id of the arm that ``effect`` compares with; None for the baseline.
        scores: Seed to score on the primary metric.
        effect: Arm minus reference.
        p_holm: Its p, adjusted over all comparisons of the study.
        is_settled: The interval excludes zero and the adjusted p is below 0.05: only then a comparative is
            used.
        gain: The mean effect, positive where it is an improvement.
        seeds_needed: Seeds that would settle it, were mean and spread as measured.
        same_as: Id of an earlier arm of the same configuration, whose cells it shares.
        parts: Part (val, test, external sets) to the primary metric's score there.
    """

    id: str
    label: str
    changes: Mapping[str, tuple[Any, Any]]
    reference: str | None
    scores: Mapping[int, float]
    level: Level
    effect: Effect | None = None
    p_holm: float | None = None
    is_settled: bool = False
    gain: float | None = None
    seeds_needed: int | None = None
    same_as: str | None = None
    n_params: float | None = None
    s_per_epoch: float | None = None
    total_s: float | None = None
    parts: Mapping[str, Level] = field(default_factory=dict)


@dataclass(frozen=True)
class ClassEffect:
    """One class or slice: its images on the scored part, and what the best configuration changes for it."""

    name: str
    support: int | None
    effect: Effect


@dataclass(frozen=True)
class Breakdown:
    """A metric that has one value a class, or a slice, on the part of the primary metric.

    Attributes:
        metric: Its name without part, like ``f1``.
        by: ``class`` or ``slice``.
        levels: Arm id to name to level.
    """

    metric: str
    by: str
    entries: tuple[ClassEffect, ...]
    levels: Mapping[str, Mapping[str, Level]]


@dataclass(frozen=True)
class Confusion:
    """Counts of (true class, predicted class), summed over the seeds of one arm."""

    arm_id: str
    label: str
    part: str
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    n_runs: int


@dataclass(frozen=True)
class Hole:
    """A declared cell without a result."""

    arm_id: str
    seed: int
    state: str
    cause: str
    message: str


@dataclass(frozen=True)
class AblationSummary:
    """The confirm study: declared arms with common seeds."""

    study: str
    parent: str | None
    mode: str
    metric: str
    part: str
    direction: str
    seeds: tuple[int, ...]
    resample: str
    arms: tuple[ArmSummary, ...]
    parts: tuple[str, ...]
    breakdowns: tuple[Breakdown, ...]
    confusions: tuple[Confusion, ...]
    holes: tuple[Hole, ...]
    n_cells: int
    n_superseded: int
    states: Mapping[str, int]
    compute_s: float

    @property
    def classes(self) -> tuple[ClassEffect, ...]:
        """The classes, where a metric is known of each."""
        return next((found.entries for found in self.breakdowns if found.by == "class"), ())

    def arm(self, id_: str) -> ArmSummary | None:
        """Return an arm by its id."""
        return next((arm for arm in self.arms if arm.id == id_), None)


@dataclass(frozen=True)
class TrialSummary:
    """One row of the search's table."""

    number: int
    state: str
    cause: str
    rung: int | None
    values: tuple[float, ...]
    params: Mapping[str, Any]
    curve: Mapping[int, float]
    parts: Mapping[str, float]
    best_step: int | None
    epochs_run: int | None
    wall_s: float | None
    n_params: float | None
    is_baseline: bool = False
    is_on_front: bool = False


@dataclass(frozen=True)
class Importance:
    """What a search's trials say about its parameters; the evaluator and the rows that it read are part of
    it.
    """

    evaluator: str
    scores: Mapping[str, float]
    n_complete: int
    n_pruned: int
    n_failed: int


@dataclass(frozen=True)
class SearchSummary:
    """The search study. Exploratory: its trials were chosen, so no effect may be read from them."""

    study: str
    metrics: tuple[str, ...]
    directions: tuple[str, ...]
    sampler: str
    pruner: str
    budget: int | None
    epochs: int | None
    n_seeds: int
    states: Mapping[str, int]
    trials: tuple[TrialSummary, ...]
    best: int | None
    baseline: int | None
    changed: Mapping[str, tuple[Any, Any]]
    parts: tuple[str, ...]
    importance: Importance | None
    compute_s: float

    def trial(self, number: int | None) -> TrialSummary | None:
        """Return a trial by its number."""
        return next((trial for trial in self.trials if trial.number == number), None)


@dataclass(frozen=True)
class DataSummary:
    """The images: where from, how many of which class in which part, how they are prepared."""

    source: str
    settings: Mapping[str, Any]
    parts: tuple[str, ...]
    classes: tuple[str, ...]
    counts: Mapping[str, tuple[int, ...]]
    sizes: Mapping[str, int]
    external: Mapping[str, Any]
    data_hashes: tuple[str, ...]
    split_hashes: tuple[str, ...]
    duplicates: tuple[tuple[str, str], ...] | None


@dataclass(frozen=True)
class Failure:
    """A trial or cell that gave no score, and why."""

    study: str
    number: int
    what: str
    state: str
    cause: str
    message: str


@dataclass(frozen=True)
class Provenance:
    """What one needs to run it again."""

    spec_yaml: str
    commands: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TrialPicture:
    """A picture that a trial left, with its own words.

    Attributes:
        label: Whose it is, like "best, seed 0".
        arm_id: Its arm; empty in a search, and where several arms left the same picture.
        sha256: Of its bytes, which are left out of the JSON.
        width_px: On a page; so is ``height_px``.
        png: The file.
    """

    label: str
    arm_id: str
    title: str
    description: str
    sha256: str
    width_px: int
    height_px: int
    png: bytes = field(repr=False)


@dataclass(frozen=True)
class PictureGroup:
    """The pictures of one file name: one, or one an arm, to be compared."""

    file: str
    question: str
    pictures: tuple[TrialPicture, ...]


@dataclass(frozen=True)
class Gallery:
    """What trials of one study left as pictures.

    Attributes:
        of: The trials, in words.
        is_compared: Whether there are several, so that each picture must say whose it is.
        left_out: Names of further pictures, which lie in the store.
    """

    study: str
    of: str
    is_compared: bool
    groups: tuple[PictureGroup, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class StudySummary:
    """Everything about one study and its ablation."""

    name: str
    title: str
    finding: tuple[str, ...]
    costs: tuple[tuple[str, str], ...]
    search: SearchSummary | None
    ablation: AblationSummary | None
    data: DataSummary | None
    failures: tuple[Failure, ...]
    provenance: Provenance
    galleries: tuple[Gallery, ...] = ()


@dataclass(frozen=True)
class Summary:
    """The whole report, one entry a study."""

    studies: tuple[StudySummary, ...]

    def as_json(self) -> str:
        """Return it as JSON text, keys sorted: equal stores give equal bytes. Pictures are named by their hashes."""
        plain = dataclasses.asdict(self, dict_factory=_without_bytes)
        return json.dumps(plain, sort_keys=True, indent=1, default=str)


def _without_bytes(items: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key: value for key, value in items if not isinstance(value, bytes)}

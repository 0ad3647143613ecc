"""What a report says, before it has a form: frozen values that JSON can hold."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pokeopt.report.confirmed import (
    AblationSummary,
    ArmSummary,
    Breakdown,
    Chain,
    Chance,
    ClassEffect,
    Confusion,
    Crossing,
    CurveSet,
    Hole,
    Layers,
    MeanCurve,
    MetricSummary,
    PlanSummary,
    Shift,
    Step,
)

if TYPE_CHECKING:
    from pokeopt.report.checks.base import Check
    from pokeopt.report.compare import Comparison
    from pokeopt.report.replay_stopping import Replays
    from pokeopt.report.search_facts import SearchFacts

__all__ = [
    "AblationSummary",
    "ArmSummary",
    "Breakdown",
    "Chain",
    "Chance",
    "ClassEffect",
    "Confusion",
    "Crossing",
    "CurveSet",
    "DataSummary",
    "Failure",
    "Gallery",
    "Hole",
    "Importance",
    "Layers",
    "MeanCurve",
    "MetricSummary",
    "PictureGroup",
    "PlanSummary",
    "Provenance",
    "SearchSummary",
    "Shift",
    "Step",
    "StudySummary",
    "Summary",
    "TrialPicture",
    "TrialSummary",
]


@dataclass(frozen=True)
class TrialSummary:
    """One row of the search's table.

    Attributes:
        started_s: Seconds on the clock since the search's first start; so is ``ended_s``.
        worker: Host and process that trained it; empty where unknown.
    """

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
    started_s: float | None = None
    ended_s: float | None = None
    worker: str = ""


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
    facts: SearchFacts | None = None

    def trial(self, number: int | None) -> TrialSummary | None:
        """Return a trial by its number."""
        return next((trial for trial in self.trials if trial.number == number), None)


@dataclass(frozen=True)
class Drawn:
    """What a balancing sampler made of the training images in the first epoch of one training.

    Attributes:
        sampler: Its name.
        drawn: Images of each class that it drew, an image drawn twice counted twice.
        distinct: Different images of each class among them.
    """

    sampler: str
    drawn: tuple[int, ...]
    distinct: tuple[int, ...]


@dataclass(frozen=True)
class DataSummary:
    """The images: where from, how many of which class in which part, how they are prepared.

    Attributes:
        drawn: What each balancing sampler drew of the training part.
    """

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
    task: str = "classification"
    drawn: tuple[Drawn, ...] = ()


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
        label: Whose it is: its arms, with their seed where these differ, or a search's trial.
        arm_ids: The arms that left it; none in a search.
        sha256: Of its bytes, which are left out of the JSON.
        width_px: On a page; so is ``height_px``.
        png: The file, in fewer colours where the page has no room for all.
    """

    label: str
    arm_ids: tuple[str, ...]
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
        left_out: Names of further pictures, which lie in the store and not on the page.
    """

    study: str
    of: str
    is_compared: bool
    groups: tuple[PictureGroup, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class EvaluationSummary:
    """A model of the study on a further labelled set.

    Attributes:
        model: What it is called.
        data: The set's name.
        n: Its images.
        metric: The study's metric without part.
        there: Its value on the set.
        low: Lower end of its 95 % interval over the set's images; None without one.
        high: Its upper end.
        here: The same weights' value on the test part; None where it was not measured.
        at: When, ISO time.
        own: How many of its images lie in a part of the study, pixel for pixel.
    """

    model: str
    data: str
    n: int
    metric: str
    there: float
    low: float | None
    high: float | None
    here: float | None
    at: str
    own: int = 0


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
    replays: tuple[Replays, ...] = ()
    checks: tuple[Check, ...] = ()
    evaluations: tuple[EvaluationSummary, ...] = ()


@dataclass(frozen=True)
class Summary:
    """The whole report, one entry a study.

    Attributes:
        comparison: Two searches side by side, where the report is about two.
    """

    studies: tuple[StudySummary, ...]
    comparison: Comparison | None = None

    def as_json(self) -> str:
        """Return it as JSON text, keys sorted: equal stores give equal bytes. Pictures are named by their hashes."""
        plain = dataclasses.asdict(self, dict_factory=_without_bytes)
        return json.dumps(plain, sort_keys=True, indent=1, default=str)


def _without_bytes(items: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key: value for key, value in items if not isinstance(value, bytes)}

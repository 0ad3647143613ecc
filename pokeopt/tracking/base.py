"""What every tracker does alike: it keeps track of the open trials, so that each epoch is sent once."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pokeopt.records import EpochRecord
from pokeopt.study.events import (
    EpochEnded,
    Event,
    ReportWritten,
    StudyBegan,
    StudyEnded,
    TrialBegan,
    TrialEnded,
    metrics_of,
)

Run = TypeVar("Run")
KEPT = "kept"  # a metric that has a curve is also given as it was at the kept epoch: kept/val/accuracy
TAGS = ("arm_id", "seed", "proposal", "retry_of", "warm_from", "extends", "phase", "fidelity", "code_version")
TAGS_AT_END = (
    "stop_cause",
    "pruner",
    "rung",
    "best_step",
    "epochs_run",
    "device",
    "host",
    "error_type",
    "error",
)


@dataclass
class OpenTrial(Generic[Run]):
    """A trial between its first event and its last; ``run`` is the tracker's handle, made when it is first needed."""

    began: TrialBegan
    run: Run | None = None
    sent: set[int] = field(default_factory=set)


class Connection(ABC, Generic[Run]):
    """An open tracker. Its methods are called from one thread, in the order of events; what they raise is counted.

    Attributes:
        where: How a person looks at what was sent.
    """

    where: str = ""

    def __init__(self) -> None:
        self._studies: dict[str, StudyBegan] = {}
        self._trials: dict[tuple[str, int], OpenTrial[Run]] = {}
        self._sent_of: set[str] = set()

    def take(self, event: Event) -> None:
        """Send one event."""
        if isinstance(event, StudyBegan):
            self._studies[event.study] = (
                event  # sent with its first trial: a launch with nothing to do sends nothing
            )
        elif isinstance(event, TrialBegan):
            self._trials[event.study, event.number] = OpenTrial(event)
            self._run(event.study, event.number)
        elif isinstance(event, EpochEnded):
            self._log(event.study, event.number, [event.record])
        elif isinstance(event, TrialEnded):
            self._end(event)
        elif event.study in self._studies:
            study = self._studies[event.study]
            if isinstance(event, StudyEnded):
                self.end_study(study, event)
            else:
                self.attach_report(study, event)

    @abstractmethod
    def begin(self, study: StudyBegan, trial: TrialBegan) -> Run:
        """Open a trial's run and send its parameters."""

    @abstractmethod
    def log(self, run: Run, records: Sequence[EpochRecord]) -> None:
        """Send epochs."""

    @abstractmethod
    def end(self, run: Run, event: TrialEnded) -> None:
        """Send what a trial ended with, and close its run."""

    @abstractmethod
    def end_study(self, study: StudyBegan, event: StudyEnded) -> None:
        """Send what a study ended with: its best trial's numbers and weights."""

    @abstractmethod
    def attach_report(self, study: StudyBegan, event: ReportWritten) -> None:
        """Send a study's report."""

    def end_lost(self, study: StudyBegan, event: TrialEnded) -> None:
        """Close the run of a trial whose driver died; by default the tracker sees that by itself."""

    def close(self) -> None:
        """Close the connection."""

    def _has_sent(self, study: StudyBegan) -> bool:
        """Whether a trial of the study was sent in this run of ours."""
        return study.study in self._sent_of

    def _end(self, event: TrialEnded) -> None:
        key = (event.study, event.number)
        if key not in self._trials:
            self.end_lost(self._studies[event.study], event)
            return
        self._log(*key, event.curve)
        self.end(self._run(*key), event)
        del self._trials[key]

    def _log(self, study: str, number: int, records: Sequence[EpochRecord]) -> None:
        trial = self._trials[study, number]
        new = [record for record in records if record.step not in trial.sent]
        if new:
            self.log(self._run(study, number), new)
            trial.sent.update(record.step for record in new)

    def _run(self, study: str, number: int) -> Run:
        trial = self._trials[study, number]
        if trial.run is None:
            trial.run = self.begin(self._studies[study], trial.began)
            self._sent_of.add(study)
        return trial.run


def trial_name(study: str, number: int, facts: Mapping[str, Any]) -> str:
    """Return what a trial's run is called: ``mlp #7``, or with its arm and seed in a confirm study."""
    arm = facts.get("arm_id")
    return f"{study} #{number}" if arm is None else f"{study} #{number} {arm} s{facts.get('seed')}"


def params_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration by dotted key; a list is one value, in JSON, and null is left out."""
    return dict(_leaves(config, ""))


def epoch_metrics(record: EpochRecord) -> dict[str, float]:
    """Return what an epoch measured, its learning rate as ``lr``; only finite numbers."""
    metrics = {**record.metrics, "lr": record.lr}
    return {name: float(value) for name, value in metrics.items() if math.isfinite(value)}


def final_metrics(event: TrialEnded) -> dict[str, float]:
    """Return the finite metrics at the kept epoch; those that also have a curve under ``kept/NAME``."""
    drawn = {name for record in event.curve for name in record.metrics}
    return {
        f"{KEPT}/{name}" if name in drawn else name: value
        for name, value in metrics_of(event.facts).items()
        if math.isfinite(value)
    }


def tags_of(facts: Mapping[str, Any], names: Sequence[str] = TAGS) -> dict[str, str]:
    """Return those of a trial's attributes that are worth a tag, as text."""
    return {name: str(facts[name]) for name in names if facts.get(name) is not None}


def card(event: StudyEnded) -> bytes:
    """Return what belongs beside the weights of a study's best trial: whose they are, its configuration and metrics."""
    content = {"study": event.study, "trial": event.best, "metrics": event.metrics, "config": event.config}
    return json.dumps(content, indent=1, default=str).encode()


def _leaves(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
        if not tree and path:
            yield path, "{}"
    elif isinstance(tree, (list, tuple)):
        yield path, json.dumps(list(tree))
    elif tree is not None:
        yield path, tree

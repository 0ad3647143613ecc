"""What a driver tells those who listen, such as trackers: frozen events, sent once and forgotten.

A listener is called in the driver's loop: it must return at once and raise nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pokeopt.records import EpochRecord, StopCause

if TYPE_CHECKING:
    from pokeopt.store.rows import StudyView
    from pokeopt.store.writing import StudyWriter

LISTENED_AS = "track_id"  # study attribute: a study that is deleted and begun anew is another one


@dataclass(frozen=True, slots=True)
class StudyBegan:
    """A driver takes a study up, new or resumed.

    Attributes:
        key: Names the study among all of that name, in whatever store.
        attrs: Its attributes: kind, spec, metric, parent, ...
    """

    study: str
    key: str
    attrs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TrialBegan:
    """A trial was placed.

    Attributes:
        label: How a person is told which trial it is.
        config: Its resolved configuration.
        facts: Its user attributes so far: seed, arm_id, proposal, retry_of, ...
    """

    study: str
    number: int
    label: str
    config: Mapping[str, Any]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """A trial has completed another step."""

    study: str
    number: int
    record: EpochRecord


@dataclass(frozen=True, slots=True)
class TrialEnded:
    """A trial's row is final.

    Attributes:
        curve: Every epoch of it, those that were told already included.
        facts: Its user attributes; of a COMPLETE trial with every final metric under its own name.
        files: Its artifacts by file name.
    """

    study: str
    number: int
    cause: StopCause
    curve: tuple[EpochRecord, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StudyEnded:
    """A driver puts a study down.

    Attributes:
        stopped: Why it stopped early; empty if it did not.
        best: Number of the best trial, if one is complete.
        config: Its configuration.
        metrics: Its metrics at the kept epoch.
        checkpoint: The file with its weights, if it is still there.
    """

    study: str
    stopped: str
    best: int | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    checkpoint: Path | None = None


@dataclass(frozen=True, slots=True)
class ReportWritten:
    """The report over a study lies at ``path``."""

    study: str
    path: Path


Event: TypeAlias = StudyBegan | TrialBegan | EpochEnded | TrialEnded | StudyEnded | ReportWritten
Listen: TypeAlias = Callable[[Event], None]


def nobody(_event: Event) -> None:
    """Listen to nothing."""


def study_began(writer: StudyWriter) -> StudyBegan:
    """Return the event, and give the study its key if nobody has listened to it before."""
    with writer.store.ask_lock():
        if LISTENED_AS not in writer.study.user_attrs:
            writer.set_attrs({LISTENED_AS: uuid.uuid4().hex[:12]})
        attrs = dict(writer.study.user_attrs)
    return StudyBegan(writer.name, attrs[LISTENED_AS], attrs)


def study_ended(view: StudyView, stopped: str, checkpoints: Path) -> StudyEnded:
    """Return the event of a study as it stands.

    Args:
        view: The study.
        stopped: Why it stopped early.
        checkpoints: Folder of its checkpoints, one folder a proposal.
    """
    best = view.best
    if best is None:
        return StudyEnded(view.name, stopped)
    file = checkpoints / str(best.proposal) / "checkpoint.pt"
    return StudyEnded(
        view.name,
        stopped,
        best.number,
        best.config,
        metrics_of(best.attrs),
        file if file.is_file() else None,
    )


def metrics_of(facts: Mapping[str, Any]) -> dict[str, float]:
    """Return the final metrics among a trial's attributes: their names have a slash."""
    return {
        name: float(value)
        for name, value in facts.items()
        if "/" in name and isinstance(value, (int, float)) and not isinstance(value, bool)
    }

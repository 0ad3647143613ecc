"""What a watcher sees of a running study: one frozen snapshot, cheap to make, safe to read from another thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Running:
    """One trial in flight: its number, what it is (arm and seed in a confirm study), how far it is."""

    number: int
    label: str
    step: int
    epochs: int
    last_value: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Best:
    """The best COMPLETE trial so far, with the parameters that differ from the baseline."""

    number: int
    value: float
    changed: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Progress:
    """A study at one moment.

    Attributes:
        study: Its name.
        phase: ``search`` or ``confirm``.
        metric: The objective, like ``val/macro_f1``.
        budget: Trials (or cells) that the study will hold when it is done.
        done: Those of them that have ended.
        states: Shown state (complete, pruned, diverged, too slow, out of memory, failed, retried) to count.
        best: The best so far; None before the first COMPLETE and in confirm studies.
        running: What runs now.
        elapsed_s: Seconds since this command began the study.
        eta_s: Estimated seconds to the end; None before anything has ended.
        note: One line on what happens now, like "starting Ray"; empty while trials run.
    """

    study: str
    phase: str
    metric: str
    budget: int
    done: int
    states: Mapping[str, int] = field(default_factory=dict)
    best: Best | None = None
    running: tuple[Running, ...] = ()
    elapsed_s: float = 0.0
    eta_s: float | None = None
    note: str = ""

"""One trial in flight, as its driver knows it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pokeopt.records import EpochRecord, StopCause, TrialTask

if TYPE_CHECKING:
    import optuna


@dataclass
class Attempt:
    """A row between ask and finish.

    Attributes:
        trial: Optuna's handle on the row.
        proposal: What keys its seeds and its place in the pruning twin.
        task: What its worker was given.
        label: How a person is told which trial it is.
        epochs: Its full budget in steps.
        metric: The objective, or the metric that prunes.
        is_maximised: Whether more of it is better.
        curve: Every epoch so far.
        launched_at: When its worker was started; imports and reading the data come before the first record.
        started_at: When its first record came: its time runs from there.
        heard_at: When its newest record came.
        killed_for: Set by the watchdog before it kills the worker.
    """

    trial: optuna.Trial
    number: int
    proposal: int
    task: TrialTask
    label: str
    epochs: int
    metric: str
    is_maximised: bool
    curve: list[EpochRecord] = field(default_factory=list)
    checkpoint_step: int = -1
    asked_at: float = field(default_factory=time.monotonic)
    launched_at: float | None = None
    started_at: float | None = None
    heard_at: float | None = None
    killed_for: StopCause | None = None

    @property
    def last_step(self) -> int:
        """The newest step heard of; -1 before the first."""
        return self.curve[-1].step if self.curve else -1

    @property
    def last_value(self) -> float | None:
        """The metric at the newest step."""
        return self.curve[-1].metrics.get(self.metric) if self.curve else None

    @property
    def best_step(self) -> int | None:
        """The step of the best finite value so far, the earliest of equals."""
        sign = -1 if self.is_maximised else 1
        values = [(sign * record.metrics.get(self.metric, math.nan), record.step) for record in self.curve]
        return min((pair for pair in values if math.isfinite(pair[0])), default=(0.0, None))[1]

    def hear(self, record: EpochRecord) -> bool:
        """Take a record; return whether it is a new step."""
        now = time.monotonic()
        self.started_at = self.started_at or now
        self.heard_at = now
        if record.heartbeat or record.step <= self.last_step:
            return False
        self.curve.append(record)
        return True

    def seconds(self) -> float:
        """Seconds spent on this trial: this attempt's, or all its training where that is more."""
        since = time.monotonic() - self.started_at if self.started_at else 0.0
        return max(since, self.curve[-1].wall_s if self.curve else 0.0)

    def attrs(self) -> dict[str, Any]:
        """Return the user attributes that the driver knows of any trial, however it ended."""
        last = self.curve[-1] if self.curve else None
        return {
            "epochs_run": max(self.last_step, 0),
            "best_step": self.best_step,
            "lr_last": last.lr if last and math.isfinite(last.lr) else None,
            "wall_s": round(self.seconds(), 3),
            "s_per_epoch": round(last.wall_s / last.step, 4) if last and last.step > 0 else None,
            "checkpoint_step": self.checkpoint_step if self.checkpoint_step >= 0 else None,
        }

"""What a reader gets from the store: frozen rows of trials, and a study as a view over them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from pokeopt.records import StopCause, TrialState

SHOWN = {
    StopCause.PRUNER: "pruned",
    StopCause.NAN: "diverged",
    StopCause.OOM: "out of memory",
    StopCause.TIMEOUT: "too slow",
}


@dataclass(frozen=True)
class TrialRow:
    """One row of a study.

    Attributes:
        number: Optuna's trial number.
        values: The objective values of a COMPLETE trial, the last report of a PRUNED one; None otherwise.
        curve: Step to the objective's value at that step.
        attrs: The user attributes of DESIGN section 7.
        replaced_by: Number of the retry that took this row's place. Such a row is left out of every count,
            table and importance.
    """

    number: int
    state: TrialState
    values: tuple[float, ...] | None
    params: Mapping[str, Any]
    attrs: Mapping[str, Any]
    curve: Mapping[int, float]
    started: datetime | None
    ended: datetime | None
    replaced_by: int | None = None

    @property
    def value(self) -> float | None:
        """The first objective's value; a score only where the state is COMPLETE."""
        return self.values[0] if self.values else None

    @property
    def stop_cause(self) -> StopCause | None:
        """Why it ended; None while it runs or waits."""
        cause = self.attrs.get("stop_cause")
        return StopCause(cause) if cause else None

    @property
    def arm_id(self) -> str | None:
        """The arm of a confirm study's cell."""
        return self.attrs.get("arm_id")

    @property
    def seed(self) -> int | None:
        """The seed of a cell; the first seed of a search trial."""
        return self.attrs.get("seed")

    @property
    def proposal(self) -> int | None:
        """The number that keys this trial's sampler and seeds; retries keep it."""
        return self.attrs.get("proposal")

    @property
    def config(self) -> dict[str, Any]:
        """The resolved configuration that ran."""
        return json.loads(self.attrs.get("config", "{}"))  # type: ignore[no-any-return]

    @property
    def shown_state(self) -> str:
        """The state in words: complete, pruned, diverged, out of memory, too slow, failed, retried, ..."""
        if self.replaced_by is not None:
            return "retried"
        if self.state is TrialState.PRUNED:
            return SHOWN.get(self.stop_cause or StopCause.PRUNER, "pruned")
        return "failed" if self.state is TrialState.FAIL else self.state.value.lower()

    def _repr_html_(self) -> str:
        """Return what a notebook shows of it."""
        from pokeopt.store.notebook import trial_html

        return trial_html(self)

    def metric(self, name: str) -> float | None:
        """Return a final metric, like ``test/macro_f1``, read at the kept epoch; None if it was not measured."""
        value = self.attrs.get(name)
        return float(value) if isinstance(value, (int, float)) else None


@dataclass(frozen=True)
class StudyView:
    """A study as it stood when it was loaded.

    Attributes:
        kind: ``search`` or ``confirm``.
        spec: The resolved specification, as ``StudySpec.resolved()`` gave it.
        attrs: All study attributes.
        metrics: The objectives' names, and beside each its direction ("maximize" or "minimize").
        trials: Every row, replaced ones included, by number.
    """

    name: str
    kind: str
    spec: Mapping[str, Any]
    attrs: Mapping[str, Any]
    metrics: tuple[str, ...]
    directions: tuple[str, ...]
    trials: tuple[TrialRow, ...] = field(repr=False)
    created: datetime | None = None

    @cached_property
    def counted(self) -> tuple[TrialRow, ...]:
        """The rows that count: those that no retry replaced."""
        return tuple(row for row in self.trials if row.replaced_by is None)

    @cached_property
    def complete(self) -> tuple[TrialRow, ...]:
        """The COMPLETE rows."""
        return tuple(row for row in self.counted if row.state is TrialState.COMPLETE)

    @cached_property
    def ranked(self) -> tuple[TrialRow, ...]:
        """The COMPLETE rows that meet the constraints, the best first objective first (the oldest of equals)."""
        scored = [row for row in self.complete if row.value is not None and _is_feasible(row)]
        sign = -1 if self.directions[0] == "maximize" else 1
        return tuple(sorted(scored, key=lambda row: (sign * (row.value or 0.0), row.number)))

    @property
    def best(self) -> TrialRow | None:
        """The first of ``ranked``; None if there is none."""
        return self.ranked[0] if self.ranked else None

    @cached_property
    def last_active(self) -> datetime | None:
        """When a trial began or ended last; None before the first."""
        times = [time for row in self.trials for time in (row.started, row.ended) if time is not None]
        return max(times, default=None)

    def states(self) -> dict[str, int]:
        """Count the rows by the state that is shown."""
        counts: dict[str, int] = {}
        for row in self.trials:
            counts[row.shown_state] = counts.get(row.shown_state, 0) + 1
        return counts

    def _repr_html_(self) -> str:
        """Return what a notebook shows of it."""
        from pokeopt.store.notebook import study_html

        return study_html(self)


def _is_feasible(row: TrialRow) -> bool:
    return all(value <= 0 for value in row.attrs.get("constraints", {}).values())

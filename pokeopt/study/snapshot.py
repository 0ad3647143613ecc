"""From rows and trials in flight to what a watcher sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pokeopt.records import TrialState
from pokeopt.store.rows import TrialRow
from pokeopt.study.attempt import Attempt
from pokeopt.study.progress import Best, Progress, Running


def snapshot(
    rows: Sequence[TrialRow],
    attempts: Sequence[Attempt],
    *,
    study: str,
    phase: str,
    metric: str,
    budget: int,
    best: Best | None,
    elapsed_s: float,
    n_ended: int,
    note: str,
) -> Progress:
    """Return the study at this moment.

    Args:
        rows: Every row, as last read.
        attempts: The trials that this driver runs.
        study: Its name.
        phase: ``search`` or ``confirm``.
        metric: The objective.
        budget: Rows that the study will hold.
        best: The best so far, where there is one.
        elapsed_s: Seconds since this command began the study.
        n_ended: Trials that have ended since then.
        note: What happens before trials run.
    """
    done = sum(row.replaced_by is None and row.ended is not None for row in rows)
    return Progress(
        study=study,
        phase=phase,
        metric=metric,
        budget=budget,
        done=done,
        states=dict(Counter(row.shown_state for row in rows)),
        best=best,
        running=tuple(
            Running(a.number, a.label, max(a.last_step, 0), a.epochs, a.last_value, a.seconds())
            for a in attempts
        ),
        elapsed_s=elapsed_s,
        eta_s=elapsed_s / n_ended * max(budget - done, 0) if n_ended else None,
        note=note,
    )


def best_of(rows: Sequence[TrialRow], is_maximised: bool, baseline: Mapping[str, Any]) -> Best | None:
    """Return the best COMPLETE row of a single-objective search, with what it changes against the baseline."""
    sign = -1 if is_maximised else 1
    complete = [row for row in rows if row.state is TrialState.COMPLETE and row.value is not None]
    if not complete:
        return None
    row = min(complete, key=lambda row: (sign * (row.value or 0.0), row.number))
    changed = {key: value for key, value in row.params.items() if baseline.get(key, ...) != value}
    return Best(row.number, row.value or 0.0, changed)

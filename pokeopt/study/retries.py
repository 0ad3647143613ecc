"""Which rows count, and which failed rows deserve another attempt."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from pokeopt.records import StopCause, TrialState
from pokeopt.store.rows import TrialRow

MOST_ATTEMPTS = 3
DIED = (StopCause.WORKER_DIED, StopCause.HUNG)
SAME_FAILURES = 3


def used_budget(rows: Sequence[TrialRow]) -> int:
    """Count COMPLETE, PRUNED, RUNNING, WAITING and every FAIL that no retry replaced."""
    return sum(row.replaced_by is None for row in rows)


def next_proposal(rows: Sequence[TrialRow]) -> int:
    """Return the proposal of the next row: the number of rows that are no retries."""
    return sum(row.attrs.get("retry_of") is None for row in rows)


def deserves_retry(row: TrialRow, rows: Sequence[TrialRow]) -> bool:
    """Whether a failed row is tried again.

    A dead or hung worker may have been the configuration's doing: three of those are enough. A stopped or killed
    driver never is: such attempts end only when three in a row made no new checkpoint.
    """
    cause = row.stop_cause
    if row.state is not TrialState.FAIL or cause is None or not cause.is_retried:
        return False
    chain = _attempts(row, rows)
    if sum(attempt.stop_cause in DIED for attempt in chain) >= MOST_ATTEMPTS:
        return False
    steps = [_checkpoint_step(attempt) for attempt in chain] + [-1]
    outside = (StopCause.DRIVER_DIED, StopCause.INTERRUPTED)
    idle = [
        attempt.stop_cause in outside and steps[i] <= steps[i + 1]  # no step beyond the one it started from
        for i, attempt in enumerate(chain)
    ]
    return len(list(takewhile(bool, idle))) < MOST_ATTEMPTS


def without_successor(rows: Sequence[TrialRow]) -> list[TrialRow]:
    """Return failed rows that deserve a retry and have none: their driver died between the two writes."""
    return [row for row in rows if row.replaced_by is None and deserves_retry(row, rows)]


def repeated_failure(rows: Sequence[TrialRow]) -> TrialRow | None:
    """Return the last of three equal final failures in a row, if nothing has completed: going on would be a waste."""
    if any(row.state is TrialState.COMPLETE for row in rows):
        return None
    failed = [row for row in rows if row.state is TrialState.FAIL and row.replaced_by is None and row.ended]
    last = sorted(failed, key=lambda row: (row.ended, row.number))[-SAME_FAILURES:]
    is_same = len(last) == SAME_FAILURES and len({row.stop_cause for row in last}) == 1
    return last[-1] if is_same else None


def _attempts(row: TrialRow, rows: Sequence[TrialRow]) -> list[TrialRow]:
    """Return the row and the attempts before it, newest first."""
    by_number = {known.number: known for known in rows}
    chain = [row]
    while (previous := chain[-1].attrs.get("retry_of")) is not None:
        chain.append(by_number[previous])
    return chain


def _checkpoint_step(row: TrialRow) -> int:
    return int(row.attrs.get("checkpoint_step", -1))

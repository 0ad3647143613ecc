"""Which failed rows are tried again, and what counts towards the budget."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from pokeopt.records import StopCause, TrialState
from pokeopt.store import TrialRow
from pokeopt.study.retries import (
    deserves_retry,
    next_proposal,
    repeated_failure,
    used_budget,
    without_successor,
)

START = datetime(2026, 1, 1)


def rows_of(*causes: str, checkpoints: tuple[int | None, ...] = ()) -> list[TrialRow]:
    """Return one chain of attempts, each the retry of the one before."""
    rows = []
    for number, cause in enumerate(causes):
        attrs: dict[str, Any] = {"stop_cause": cause, "proposal": 0}
        if number:
            attrs["retry_of"] = number - 1
        if checkpoints and checkpoints[number] is not None:
            attrs["checkpoint_step"] = checkpoints[number]
        successor = number + 1 if number + 1 < len(causes) else None
        state = StopCause(cause).state
        ended = START + timedelta(seconds=number)
        rows.append(TrialRow(number, state, None, {}, attrs, {}, START, ended, successor))
    return rows


@pytest.mark.parametrize("cause", list(StopCause))
def test_only_failures_from_outside_are_retried(cause: StopCause) -> None:
    rows = rows_of(cause.value)
    outside = {"hung", "worker_died", "driver_died", "interrupted"}
    assert deserves_retry(rows[0], rows) == (cause.value in outside)


@pytest.mark.parametrize(
    ("causes", "checkpoints", "expected"),
    [
        (("worker_died", "hung", "worker_died"), (), False),
        (("worker_died", "interrupted", "hung"), (), True),
        (("interrupted",) * 3, (), False),
        (("interrupted", "driver_died", "interrupted"), (None, None, 4), True),
        (("interrupted",) * 3, (4, 4, 4), True),  # the second and third idle, the first was not
        (("interrupted",) * 4, (4, 4, 4, 4), False),
        (("interrupted",) * 6, (1, 2, 3, 4, 5, 6), True),
    ],
)
def test_attempts_are_spent(causes: tuple[str, ...], checkpoints: tuple[int, ...], expected: bool) -> None:
    rows = rows_of(*causes, checkpoints=checkpoints)
    assert deserves_retry(rows[-1], rows) is expected


def test_a_replaced_row_counts_nowhere() -> None:
    rows = rows_of("interrupted", "driver_died", "budget")
    assert used_budget(rows) == 1
    assert next_proposal(rows) == 1
    assert without_successor(rows) == []


def test_a_failure_without_successor_is_found() -> None:
    rows = rows_of("interrupted", "driver_died")
    assert [row.number for row in without_successor(rows)] == [1]


def failures(*causes: str) -> list[TrialRow]:
    return [
        TrialRow(n, StopCause(c).state, None, {}, {"stop_cause": c}, {}, START, START + timedelta(seconds=n))
        for n, c in enumerate(causes)
    ]


def test_three_equal_failures_end_a_study_that_has_nothing() -> None:
    assert repeated_failure(failures("error", "error")) is None
    assert repeated_failure(failures("error", "no_metric", "error")) is None
    assert repeated_failure(failures("no_metric", "error", "error", "error")) is not None
    assert repeated_failure(failures("budget", "error", "error", "error")) is None
    assert repeated_failure(failures("nan", "error", "error", "error")) is not None


def test_states_follow_causes() -> None:
    """The state table: what a cause means for the sampler and for the reader."""
    by_state = {state: {c.value for c in StopCause if c.state is state} for state in TrialState}
    assert by_state[TrialState.COMPLETE] == {"budget", "early_stop"}
    assert by_state[TrialState.PRUNED] == {"pruner", "nan", "oom", "timeout"}
    assert by_state[TrialState.FAIL] == {
        "error",
        "no_metric",
        "hung",
        "worker_died",
        "driver_died",
        "interrupted",
    }

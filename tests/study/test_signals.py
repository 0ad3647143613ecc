"""Ctrl-C and SIGTERM end a study cleanly; the same command goes on."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pokeopt.records import TrialState
from pokeopt.store import open_store
from tests.study.driving import Driver, wait_until

MOST_SECONDS_TO_END = 20


def rows_running(folder: Path) -> int:
    store = open_store(home=folder / ".pokeopt")
    if "tiny" not in store.names():
        return 0
    return sum(row.state is TrialState.RUNNING and bool(row.curve) for row in store.load("tiny").trials)


@pytest.mark.parametrize(
    ("signals", "code"),
    [((signal.SIGINT,), 130), ((signal.SIGINT, signal.SIGINT), 130), ((signal.SIGTERM,), 143)],
)
@pytest.mark.parametrize("workers", [0, 2])
def test_a_signal_ends_the_study_cleanly(
    tiny: Callable[..., Path], tmp_path: Path, workers: int, signals: tuple[signal.Signals, ...], code: int
) -> None:
    driver = Driver(tmp_path)
    tiny(trials=6, epochs=4000, workers=workers)
    process = driver.start("run", "tiny.yaml")
    assert wait_until(lambda: rows_running(tmp_path) > 0 or process.poll() is not None, 90)
    for number in signals:
        if number is signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does: the whole group
        else:
            process.send_signal(number)
        time.sleep(0.5)
    output, _ = process.communicate(timeout=MOST_SECONDS_TO_END)
    assert process.returncode == code, output
    assert "Traceback" not in output
    assert driver.is_gone(), driver.processes()
    trials = open_store(home=tmp_path / ".pokeopt").load("tiny").trials
    stopped = [row for row in trials if row.state is TrialState.FAIL]
    waiting = [row for row in trials if row.state is TrialState.WAITING]
    assert not [row for row in trials if row.state is TrialState.RUNNING]
    assert {str(row.stop_cause) for row in stopped} == {"interrupted"}
    retries = sorted(row.attrs["retry_of"] for row in waiting if "retry_of" in row.attrs)
    assert retries == [row.number for row in stopped]
    for row in (row for row in stopped if row.curve):
        assert row.attrs["checkpoint_step"] > 0, "an orderly stop leaves a checkpoint"
        assert row.attrs["checkpoint_step"] >= max(row.curve) - 1


@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.0])
def test_sigterm_while_ray_starts_is_no_other_end(
    tiny: Callable[..., Path], tmp_path: Path, seconds: float
) -> None:
    """``ray.init`` takes SIGTERM for itself, and once ended the command by it without a word."""
    driver = Driver(tmp_path)
    tiny(trials=6, epochs=4000, workers=2)
    process = driver.start("run", "tiny.yaml")
    assert wait_until(
        lambda: (tmp_path / ".pokeopt" / "pokeopt.db").exists() or process.poll() is not None, 90
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=3 * MOST_SECONDS_TO_END)
    assert process.returncode == 143, output
    assert "Traceback" not in output
    assert "pokeopt run tiny.yaml" in output, "the last words name the command that goes on"
    assert driver.is_gone(), driver.processes()
    trials = open_store(home=tmp_path / ".pokeopt").load("tiny").trials
    assert not [row for row in trials if row.state is TrialState.RUNNING]

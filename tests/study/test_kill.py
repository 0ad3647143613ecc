"""kill -9 of the driver at random moments: the same command goes on, and the record is as if nothing had been."""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pokeopt.records import TrialState
from pokeopt.store import StudyView, TrialRow, open_store
from tests.study.driving import Driver

FEW_KILLS = 2
MANY_KILLS = int(os.environ.get("POKEOPT_KILLS", "10"))
TRIALS = 20
COMMAND = ("run", "tiny.yaml", "--quiet")


def finished(view: StudyView) -> dict[int, TrialRow]:
    ended = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    return {row.number: row for row in view.trials if row.state in ended}


def kill_and_resume(folder: Path, kills: int) -> None:
    """Kill the driver ``kills`` times, then let it end, and compare the record with what stood there before."""
    driver = Driver(folder)
    home = folder / ".pokeopt"
    seen: dict[int, TrialRow] = {}
    for _ in range(kills):
        process = driver.start(*COMMAND)
        time.sleep(random.uniform(4, 16))
        process.kill()  # the driver alone: Ray's processes must find out by themselves
        process.communicate()  # its pipe ends with the last process that holds it
        assert driver.is_gone(), driver.processes()
        if (home / "pokeopt.db").is_file() and "tiny" in open_store(home=home).names():
            now = finished(open_store(home=home).load("tiny"))
            check_unchanged(seen, now)
            seen = now
    last = driver.start(*COMMAND)
    output, _ = last.communicate(timeout=500)
    assert last.returncode == 0, output
    view = open_store(home=home).load("tiny")
    check_unchanged(seen, finished(view))
    check_whole(view)
    assert driver.is_gone(), driver.processes()


def check_unchanged(old: dict[int, TrialRow], new: dict[int, TrialRow]) -> None:
    for number, row in old.items():
        assert (new[number].state, new[number].values, new[number].attrs) == (
            row.state,
            row.values,
            row.attrs,
        )


def check_whole(view: StudyView) -> None:
    assert not [row for row in view.trials if row.state in (TrialState.RUNNING, TrialState.WAITING)]
    assert len(view.counted) == TRIALS
    proposals = sorted(row.proposal for row in view.counted if row.proposal is not None)
    assert proposals == list(range(TRIALS)), "no trial is lost or doubled"
    by_number = {row.number: row for row in view.trials}
    for row in view.trials:
        earlier = by_number.get(row.attrs.get("retry_of", -1))
        if earlier is not None and "config" in earlier.attrs:
            assert row.params == earlier.params
            assert row.attrs["config"] == earlier.attrs["config"]
            assert row.attrs["seed"] == earlier.attrs["seed"]
        if row.state is TrialState.COMPLETE:
            assert sorted(row.curve) == list(range(1, row.attrs["epochs_run"] + 1)), "no epoch is lost"


def test_a_killed_study_goes_on(tiny: Callable[..., Path], tmp_path: Path) -> None:
    tiny(trials=TRIALS, epochs=6, workers=2, sampler="tpe", pruner="median")
    kill_and_resume(tmp_path, FEW_KILLS)


@pytest.mark.slow
def test_a_study_killed_ten_times_goes_on(tiny: Callable[..., Path], tmp_path: Path) -> None:
    tiny(trials=TRIALS, epochs=30, workers=2, sampler="tpe", pruner="median")
    kill_and_resume(tmp_path, MANY_KILLS)

"""Laws of the store, on every kind of storage that needs no server."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest

from pokeopt.errors import UserError
from pokeopt.records import StopCause, TrialState
from pokeopt.store import Store, open_store
from pokeopt.store.lease import FileLease, lease_is_held
from pokeopt.store.writing import StudyWriter

KINDS = ("sqlite", "journal")
OpenStore = Callable[[], Store]


@pytest.fixture(params=KINDS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> OpenStore:
    """Return a function that opens the same store anew, as another process would."""
    return lambda: open_store(f"{request.param}:///{tmp_path / 'store.db'}", tmp_path)


def a_writer(store: Store, name: str = "one") -> StudyWriter:
    return StudyWriter(
        store, name, ("maximize",), {"kind": "search", "metrics": ["val/macro_f1"], "spec": {"a": 1}}
    )


def test_looking_writes_nothing(tmp_path: Path) -> None:
    store = open_store(home=tmp_path / "home")
    assert store.names() == []
    with pytest.raises(UserError, match="no study"):
        store.load("mlp")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("url", ["mlp.db", "mysql://host/db", "sqlite:/mlp.db"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UserError, match="no address"):
        open_store(url)


def test_what_is_written_is_read(opened: OpenStore) -> None:
    writer = a_writer(opened())
    trial = writer.ask(optuna.samplers.RandomSampler(seed=0))
    trial.suggest_float("x", 0, 1)
    for step, value in enumerate([0.1, 0.3, 0.2], start=1):
        writer.record(trial, step, value)
    attrs = {"seed": 3, "val/macro_f1": 0.3, "nothing": None, "loss": float("inf"), "list": [1, 2]}
    writer.finish(trial, StopCause.BUDGET, (0.3,), attrs, {"curves.json": b"{}", "matrix.png": b"png"})
    view = opened().load("one")
    row = view.trials[0]
    assert (view.kind, view.metrics, view.directions) == ("search", ("val/macro_f1",), ("maximize",))
    assert (row.state, row.value, row.curve) == (TrialState.COMPLETE, 0.3, {1: 0.1, 2: 0.3, 3: 0.2})
    assert row.stop_cause is StopCause.BUDGET
    assert row.attrs["list"] == [1, 2]
    assert "nothing" not in row.attrs
    assert row.attrs["loss"] == "inf"
    assert row.metric("val/macro_f1") == 0.3
    assert opened().read_artifact("one", 0, "matrix.png") == b"png"
    assert opened().read_artifact("one", 0, "absent") is None
    assert view.best == row


@pytest.mark.parametrize("cause", list(StopCause))
def test_the_cause_decides_state_and_value(opened: OpenStore, cause: StopCause) -> None:
    writer = a_writer(opened())
    trial = writer.ask(None)
    writer.record(trial, 1, 0.5)
    writer.record(trial, 2, 0.25)
    writer.finish(trial, cause, (0.5,), {}, {})
    row = opened().load("one").trials[0]
    assert row.state is cause.state
    expected = {TrialState.COMPLETE: 0.5, TrialState.PRUNED: 0.25, TrialState.FAIL: None}
    assert row.value == expected[cause.state]


def test_a_finished_trial_does_not_change(opened: OpenStore) -> None:
    writer = a_writer(opened())
    trial = writer.ask(None)
    writer.finish(trial, StopCause.BUDGET, (0.5,), {"a": 1}, {})
    writer.finish(trial, StopCause.DRIVER_DIED, None, {"a": 2}, {})
    row = opened().load("one").trials[0]
    assert (row.state, row.value, row.attrs["a"]) == (TrialState.COMPLETE, 0.5, 1)


def test_a_value_that_is_no_number_is_not_reported(opened: OpenStore) -> None:
    writer = a_writer(opened())
    trial = writer.ask(None)
    writer.record(trial, 1, 0.5)
    writer.record(trial, 2, float("nan"))
    writer.finish(trial, StopCause.NAN, None, {}, {})
    row = opened().load("one").trials[0]
    assert (row.state, row.value, row.curve) == (TrialState.PRUNED, 0.5, {1: 0.5})


def test_a_retry_takes_the_place_of_its_row(opened: OpenStore) -> None:
    writer = a_writer(opened())
    trial = writer.ask(None)
    x = trial.suggest_float("x", 0, 1)
    writer.set_trial_attrs(
        trial, {"proposal": 0, "seed": 7, "config": "{}", "run_id": "dead", "val/loss": 1.0}
    )
    writer.finish(trial, StopCause.INTERRUPTED, None, {"checkpoint_step": 4}, {})
    writer.enqueue_retry(writer.rows()[0])
    again = writer.ask(optuna.samplers.RandomSampler(seed=99))
    assert again.suggest_float("x", 0, 1) == x
    writer.note_replacement(0, again.number)
    old, new = opened().load("one").trials
    assert (old.shown_state, old.replaced_by) == ("retried", 1)
    assert {key: new.attrs.get(key) for key in ("retry_of", "proposal", "seed", "checkpoint_step")} == {
        "retry_of": 0,
        "proposal": 0,
        "seed": 7,
        "checkpoint_step": 4,
    }
    assert not {"run_id", "stop_cause", "val/loss"} & set(new.attrs)
    assert [row.number for row in opened().load("one").counted] == [1]


def test_deleting_takes_artifacts_along(opened: OpenStore) -> None:
    store = opened()
    writer = a_writer(store)
    trial = writer.ask(None)
    writer.finish(trial, StopCause.BUDGET, (0.5,), {}, {"curves.json": b"{}"})
    a_writer(store, "two")
    store.delete("one")
    assert opened().names() == ["two"]
    assert list(store.artifacts_dir.iterdir()) == []


def create(url: str, home: str) -> int:
    return len(StudyWriter(open_store(url, home), "shared", ("maximize",), {"kind": "search"}).rows())


def test_many_processes_open_a_fresh_store_at_once(tmp_path: Path) -> None:
    """SQLite creates its tables once only; without a lock this fails every other time."""
    url = f"sqlite:///{tmp_path / 'fresh.db'}"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert pool.starmap(create, [(url, str(tmp_path))] * 4) == [0] * 4


def test_a_lease_lives_as_long_as_its_process(tmp_path: Path) -> None:
    lease = FileLease(tmp_path, "mine")
    other = FileLease(tmp_path, "other")
    assert lease_is_held(tmp_path, "mine")
    assert lease.others_alive()
    other.release()
    assert not lease.others_alive()
    assert not lease.is_alive("other")
    assert lease.is_alive("mine")
    lease.release()
    assert not lease_is_held(tmp_path, "mine")

"""MLflow keeps one parent run a study, whatever becomes of the driver, and takes every name."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pokeopt.api import RunResult
from pokeopt.records import EpochRecord, StopCause
from pokeopt.study.events import EpochEnded, StudyBegan, StudyEnded, TrialBegan, TrialEnded
from pokeopt.tracking.mlflow import MLflow, safe_name

mlflow = pytest.importorskip("mlflow", reason="pip install 'pokeopt[mlflow]'")

Search = Callable[..., RunResult]
STUDY = StudyBegan("tiny", "key-1", {"kind": "search"})
METRIC_NAMES = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=3).map("/".join)


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an MLflow store without runs: to make its tables takes longer than a study."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    mlflow.MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture(autouse=True)
def _made_store(empty_store: Path, tmp_path: Path) -> None:
    shutil.copy(empty_store, tmp_path / "mlflow.db")


def runs_of(home: Path) -> list[Any]:
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{home / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("pokeopt").experiment_id
    return sorted(client.search_runs([experiment]), key=lambda run: str(run.info.run_name))


def test_a_study_that_goes_on_continues_its_parent_run(search: Search, tmp_path: Path) -> None:
    search("mlflow", trials=1)
    search("mlflow", trials=3)
    result = search("mlflow", trials=3)  # nothing is left to do
    assert result.notes == ()
    parent, *children = runs_of(tmp_path)
    assert [run.info.run_name for run in children] == ["tiny #0", "tiny #1", "tiny #2"]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert (parent.info.run_name, parent.info.status) == ("tiny", "FINISHED")


def test_the_web_view_opens_on_runs(tmp_path: Path) -> None:
    """MLflow 3 guesses what an experiment is for, and shows the traces of a chat where nothing tells it."""
    MLflow().connect(tmp_path).close()
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert (
        client.get_experiment_by_name("pokeopt").tags["mlflow.experimentKind"] == "custom_model_development"
    )


def test_a_study_of_the_same_name_is_another_study(search: Search, tmp_path: Path) -> None:
    search("mlflow", trials=1)
    (tmp_path / "pokeopt.db").unlink()
    search("mlflow", trials=1)
    assert [run.info.run_name for run in runs_of(tmp_path)] == ["tiny", "tiny", "tiny #0", "tiny #0"]


def test_the_run_of_a_dead_driver_is_closed_by_the_next(tmp_path: Path) -> None:
    """What a killed driver left RUNNING in MLflow is closed as the store's row is."""
    killed = MLflow().connect(tmp_path)
    for event in (
        STUDY,
        TrialBegan("tiny", 0, "", {"model": {"depth": 2}}, {"seed": 1}),
        EpochEnded("tiny", 0, EpochRecord(1, {"val/loss": 0.5})),
    ):
        killed.take(event)
    assert {run.info.status for run in runs_of(tmp_path)} == {"RUNNING"}
    later = MLflow().connect(tmp_path)
    for end in (STUDY, TrialEnded("tiny", 0, StopCause.DRIVER_DIED), StudyEnded("tiny", "")):
        later.take(end)
    parent, child = runs_of(tmp_path)
    assert (parent.info.status, child.info.status) == ("FINISHED", "FAILED")
    assert child.data.tags["stop_cause"] == "driver_died"


def test_a_server_that_is_away_holds_nobody_up(
    search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # the discard port: nobody listens
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    began = time.monotonic()
    result = search("mlflow", trials=1)
    assert result.search.states() == {"complete": 1}
    assert any(note.startswith("mlflow: ") and "were not sent" in note for note in result.notes), result.notes
    assert result.tracked == {}
    assert time.monotonic() - began < 50


@given(METRIC_NAMES)
def test_every_name_is_taken(name: str) -> None:
    from mlflow.utils.validation import _validate_metric_name

    if all(name.split("/")):
        _validate_metric_name(safe_name(name))  # type: ignore[no-untyped-call]


@given(METRIC_NAMES, METRIC_NAMES)
def test_two_classes_stay_two(one: str, other: str) -> None:
    """``Nidoran♀`` and ``Nidoran♂`` are two curves."""
    assume("_" not in one + other)  # what looks like our own ``_2642_`` is the exception
    assert (safe_name(one) == safe_name(other)) == (one == other)

"""The note of a trial says what ran, why it stopped, and its numbers; optuna-dashboard reads what we write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna_dashboard import save_note
from optuna_dashboard._note import get_note

from pokeopt.records import StopCause
from pokeopt.store import Store, open_store
from pokeopt.store.notes import note_of, write_note
from pokeopt.store.trial_notes import OURS
from pokeopt.store.writing import StudyWriter

BASELINE = {"x": 0.5, "optimizer": "adam"}
CONFIG = json.dumps({"training": {"epochs": 12}})


@pytest.fixture(params=["sqlite", "journal"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    home = tmp_path / "state"
    return open_store(f"journal:///{home}/log" if request.param == "journal" else None, home)


def a_writer(store: Store, **more: Any) -> StudyWriter:
    attrs = {"kind": "search", "metrics": ["val/macro_f1"], "baseline": BASELINE, **more}
    return StudyWriter(store, "mlp", ("maximize",), attrs)


def ended(writer: StudyWriter, cause: StopCause, x: float = 0.7, **attrs: Any) -> str:
    """End a trial that reported 0.4 and 0.6, and return its note as optuna-dashboard reads it."""
    trial = writer.ask(None)
    trial.suggest_float("x", x, x)
    trial.suggest_categorical("optimizer", ["adam"])
    for step, value in ((1, 0.4), (2, 0.6)):
        writer.record(trial, step, value)
    writer.finish(trial, cause, (0.6,), {"config": CONFIG, "epochs_run": 2, **attrs}, {})
    return str(get_note(trial))


@pytest.mark.parametrize("length", [0, 1, 2044, 2045, 2046, 7000])
def test_optuna_dashboard_reads_what_we_write(store: Store, length: int) -> None:
    """The format is its own; should a release change it, this fails."""
    study = a_writer(store).study
    body = "é" * length
    for earlier in ("", "long " * 1500, "short"):
        write_note(study, None, earlier)
        write_note(study, None, body)
        assert (get_note(study), note_of(study)) == (body, body)


def test_we_read_what_optuna_dashboard_writes(store: Store) -> None:
    study = a_writer(store).study
    for body in ("x" * 5000, "y"):
        save_note(study, body)
        assert note_of(study) == body


def test_a_page_sees_that_a_note_is_newer(store: Store) -> None:
    study = a_writer(store).study
    seen = []
    for body in ("a", "b"):
        write_note(study, None, body)
        seen.append(study._storage.get_study_system_attrs(study._study_id)["dashboard:note_ver"])
    assert seen == [1, 2]


def test_a_complete_trial(store: Store) -> None:
    scores = {"test/macro_f1": 0.55, "test/f1/Fire": 0.2, "train/loss": 0.1, "val/oscillation": 0.3}
    note = ended(a_writer(store), StopCause.BUDGET, best_step=2, wall_s=3.25, **scores)
    assert note.startswith("val/macro_f1 **0.6**, read at epoch 2.\n\nRan to its end: 2 of 12 epochs.")
    assert "| x | 0.5 | 0.7 |" in note
    assert "| optimizer |" not in note, "it does not differ"
    assert "| test/macro_f1 | 0.55 |" in note
    assert "| seconds | 3.25 |" in note
    assert not any(name in note for name in ("Fire", "train/loss", "oscillation"))
    assert note.endswith(OURS)


def test_the_baseline_says_so(store: Store) -> None:
    assert "Nothing differs from the baseline." in ended(a_writer(store), StopCause.BUDGET, x=0.5)


@pytest.mark.parametrize("cause", [cause for cause in StopCause if cause.state != "COMPLETE"])
def test_what_is_no_result_is_called_none(store: Store, cause: StopCause) -> None:
    note = ended(a_writer(store), cause)
    assert note.startswith("No score to rank: val/macro_f1 was 0.6 after epoch 2.")
    assert "2 of 12 epochs" in note
    assert "**" not in note, "no number stands out"


def test_pruned_says_by_whom(store: Store) -> None:
    note = ended(a_writer(store), StopCause.PRUNER, pruner="hyperband", rung=1)
    assert "Pruned by hyperband, rung 1: 2 of 12 epochs." in note


def test_a_failure_says_what_was_raised(store: Store) -> None:
    note = ended(a_writer(store), StopCause.ERROR, error="Traceback ...\n  File\nValueError: no images\n")
    assert "```\nValueError: no images\n```" in note
    assert "Traceback" not in note


def test_an_arm_is_compared_with_its_reference(store: Store) -> None:
    arms = [{"id": "x=0.7", "label": "x = 0.7", "changes": {"x": [0.5, 0.7]}, "config_hash": "b"}]
    note = ended(a_writer(store, kind="confirm", arms=arms), StopCause.BUDGET, arm_id="x=0.7", seed=3)
    assert note.startswith("Arm **x=0.7**, seed 3. val/macro_f1 **0.6**")
    assert note.count("| x | 0.5 | 0.7 |") == 1


def test_a_person_s_words_stay_above(store: Store) -> None:
    writer = a_writer(store)
    trial = writer.ask(None)
    save_note(trial, "I changed the lamp here.")
    writer.finish(trial, StopCause.BUDGET, (0.5,), {}, {})
    assert get_note(trial).startswith("I changed the lamp here.\n\nval/macro_f1 **0.5**")


def test_a_replaced_row_names_its_retry_first(store: Store) -> None:
    writer = a_writer(store)
    ended(writer, StopCause.INTERRUPTED)
    writer.note_replacement(0, 5)
    row = writer.study.get_trials()[0]
    assert note_of(writer.study, row._trial_id).startswith("replaced by #5\n\nNo score to rank")


def test_a_trial_that_somebody_else_ended_keeps_its_note(store: Store) -> None:
    writer = a_writer(store)
    trial = writer.ask(None)
    writer.finish(trial, StopCause.DRIVER_DIED, None, {}, {})
    before = get_note(trial)
    writer.finish(trial, StopCause.BUDGET, (0.9,), {}, {})
    assert get_note(trial) == before
    assert trial.study.trials[0].state is optuna.trial.TrialState.FAIL

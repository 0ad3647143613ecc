"""The report in optuna-dashboard: one file, one note, nobody's words lost."""

from __future__ import annotations

import json
from pathlib import Path

import optuna
import pytest
from optuna_dashboard import save_note
from optuna_dashboard._note import get_note

from pokeopt.dashboard import application
from pokeopt.errors import UserError
from pokeopt.store import Store, open_store
from pokeopt.store.attached import attached
from pokeopt.store.cleaning import unowned
from pokeopt.store.handing import OURS, hand_over
from pokeopt.store.writing import StudyWriter


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(home=tmp_path / "state")
    StudyWriter(store, "mlp", ("maximize",), {"kind": "search", "metrics": ["val/macro_f1"]})
    return store


def report(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mlp.html"
    path.write_text(text)
    return path


def contents(store: Store) -> list[tuple[str, str]]:
    found = attached(store.storage, store.study("mlp"))
    return [(name, (store.artifacts_dir / id_).read_text()) for name, id_ in found]


def test_the_last_report_takes_the_place_of_the_one_before(store: Store, tmp_path: Path) -> None:
    hand_over(store, "mlp", report(tmp_path, "<p>old"), "It beats it.")
    hand_over(store, "mlp", report(tmp_path, "<p>new"), "It does not.")
    assert contents(store) == [("mlp.html", "<p>new")]
    assert len(list(store.artifacts_dir.iterdir())) == 1
    assert get_note(store.study("mlp")) == f"It does not.\n\n{OURS}"
    assert unowned(store) == [], "clean must leave the report where it is"


def test_a_person_s_note_is_kept(store: Store, tmp_path: Path) -> None:
    hand_over(store, "mlp", report(tmp_path, "a"), "One.")
    save_note(store.study("mlp"), "I doubt it.")
    hand_over(store, "mlp", report(tmp_path, "b"), "Two.")
    assert get_note(store.study("mlp")) == "I doubt it."
    assert contents(store) == [("mlp.html", "b")]


def test_the_dashboard_serves_it(store: Store, tmp_path: Path) -> None:
    hand_over(store, "mlp", report(tmp_path, "<p>finding"), "One.")
    study = store.study("mlp")
    ((_, id_),) = attached(store.storage, study)
    told: dict[str, object] = {}

    def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        told.update(status=status, headers=dict(headers))

    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": f"/artifacts/{study._study_id}/{id_}",
        "HTTP_HOST": "here",
    }
    body = b"".join(application(store)(environ, start))  # type: ignore[arg-type]
    assert (told["status"], body) == ("200 OK", b"<p>finding")
    assert "text/html" in str(told["headers"])


def test_what_the_dashboard_deleted_is_no_obstacle(store: Store, tmp_path: Path) -> None:
    """It leaves the text "null" where the artifact was, on which Optuna's own reader fails."""
    hand_over(store, "mlp", report(tmp_path, "a"), "One.")
    study = store.study("mlp")
    ((_, id_),) = attached(store.storage, study)
    store.storage.set_study_system_attr(study._study_id, f"artifacts:{id_}", json.dumps(None))
    (store.artifacts_dir / id_).unlink()
    hand_over(store, "mlp", report(tmp_path, "b"), "Two.")
    assert contents(store) == [("mlp.html", "b")]
    assert unowned(store) == []


def test_delete_takes_the_report_along(store: Store, tmp_path: Path) -> None:
    hand_over(store, "mlp", report(tmp_path, "a"), "One.")
    store.delete("mlp")
    assert list(store.artifacts_dir.iterdir()) == []


def test_a_study_that_is_not_there(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no study is called 'cnn'"):
        hand_over(store, "cnn", report(tmp_path, "a"), "One.")
    assert optuna.get_all_study_names(store.storage) == ["mlp"]

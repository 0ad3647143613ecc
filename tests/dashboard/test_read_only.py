"""The live page answers, and changes nothing unless asked to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pokeopt.dashboard import make_server
from pokeopt.errors import UserError
from pokeopt.records import StopCause
from pokeopt.store import Store, open_store
from pokeopt.store.writing import StudyWriter
from tests.dashboard.serving import ask, served

WRITES = [
    ("POST", "/api/studies"),
    ("DELETE", "/api/studies/1"),
    ("POST", "/api/studies/1/rename"),
    ("PUT", "/api/studies/1/note"),
    ("POST", "/api/trials/1/tell"),
    ("POST", "/api/artifacts/1/1"),
    ("PATCH", "/api/studies/1"),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(None, tmp_path)
    writer = StudyWriter(store, "mlp", ("maximize",), {"kind": "search", "metrics": ["val/macro_f1"]})
    for value in (0.3, 0.6):
        trial = writer.ask(None)
        trial.suggest_float("model.dropout", 0.0, 0.5)
        writer.record(trial, 1, value)
        writer.finish(trial, StopCause.BUDGET, (value,), {}, {"curves.json": b'{"steps": []}'})
    running = writer.ask(None)
    running.suggest_float("model.dropout", 0.0, 0.5)
    writer.record(running, 1, 0.45)
    return store


def test_reads_are_answered_live(store: Store) -> None:
    with served(store) as url:
        assert ask(f"{url}/dashboard")[0] == 200
        names = json.loads(ask(f"{url}/api/studies")[1])["study_summaries"]
        assert [study["study_name"] for study in names] == ["mlp"]
        detail = json.loads(ask(f"{url}/api/studies/1")[1])
        assert [trial["state"] for trial in detail["trials"]] == ["Complete", "Complete", "Running"]
        assert detail["trials"][2]["intermediate_values"] == [{"step": 1, "value": 0.45}]


def test_artifacts_are_served(store: Store) -> None:
    artifact_id = store.artifacts("mlp", 0)["curves.json"]
    with served(store) as url:
        assert ask(f"{url}/artifacts/1/1/{artifact_id}") == (200, b'{"steps": []}')


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_writes_are_refused(store: Store, method: str, path: str) -> None:
    before = store.load("mlp")
    with served(store) as url:
        code, body = ask(url + path, method, b"{}", **{"Content-Type": "application/json"})
    assert code == 403
    assert b"--allow-writes" in body
    assert store.load("mlp") == before


def test_writes_are_possible_on_request(store: Store) -> None:
    with served(store, allow_writes=True) as url:
        body = json.dumps({"version": 1, "body": "looks good"}).encode()
        assert ask(f"{url}/api/studies/1/note", "PUT", body, **{"Content-Type": "application/json"})[0] == 204
        code, _ = ask(f"{url}/api/studies/1", "DELETE", None, Origin="http://elsewhere.example")
        assert code == 403, "another site must not delete through the reader's browser"
        assert store.names() == ["mlp"]
        assert ask(f"{url}/api/studies/1", "DELETE", None, Origin=url)[0] == 204
    assert open_store(None, store.home).names() == []


def test_a_port_in_use_is_one_line(store: Store) -> None:
    with served(store) as url, pytest.raises(UserError, match="another --port"):
        make_server(store, port=int(url.rpartition(":")[2]))


def test_it_listens_on_this_machine_only(store: Store) -> None:
    with make_server(store, port=0) as server:
        assert server.server_address[0] == "127.0.0.1"

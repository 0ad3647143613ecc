"""``delete``, ``clean``, ``doctor``, ``schema``: housekeeping leaves what is in use alone."""

from __future__ import annotations

import json
from pathlib import Path

from pokeopt.store import open_store
from pokeopt.store.lease import FileLease
from tests.cli.conftest import Run


def files(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def test_delete_takes_the_confirm_study_along(run: Run, home: Path) -> None:
    code, out, _ = run("delete", "mlp", "--yes", "--home", str(home))
    assert code == 0
    assert "mlp.ablation" in out
    store = open_store(None, home)
    assert store.names() == []
    assert files(store.artifacts_dir) == 0


def test_delete_asks(run: Run, home: Path) -> None:
    """Without a terminal to answer from, nothing is deleted."""
    code, _, err = run("delete", "mlp", "--home", str(home))
    assert code == 2
    assert "--yes" in err.splitlines()[-1]
    assert open_store(None, home).names() == ["mlp", "mlp.ablation"]


def test_nothing_is_deleted_while_a_driver_lives(run: Run, home: Path) -> None:
    store = open_store(None, home)
    lease = FileLease(store.leases_dir, "run-1")
    try:
        for words in (("delete", "mlp", "--yes"), ("clean",)):
            code, _, err = run(*words, "--home", str(home))
            assert code == 2
            assert "running" in err
    finally:
        lease.release()
    assert store.names() == ["mlp", "mlp.ablation"]


def test_clean_removes_only_what_nobody_owns(run: Run, home: Path) -> None:
    store = open_store(None, home)
    kept = files(store.artifacts_dir)
    (store.artifacts_dir / "orphan").write_bytes(b"x" * 1000)
    (store.checkpoints_dir / "gone").mkdir(parents=True)
    (store.checkpoints_dir / "mlp").mkdir()
    store.cache_dir.mkdir()
    code, out, _ = run("clean", "--home", str(home))
    assert code == 0
    assert "removed 2 files, 1.0 kB freed" in out
    assert files(store.artifacts_dir) == kept
    assert (store.checkpoints_dir / "mlp").is_dir()
    assert store.cache_dir.is_dir()
    run("clean", "--cache", "--checkpoints", "--home", str(home))
    assert not store.cache_dir.exists()
    assert not store.checkpoints_dir.exists()


def test_doctor_of_a_sound_store(run: Run, home: Path) -> None:
    _, out, err = run("doctor", "--store", "--json", "--home", str(home))
    found = {finding["name"]: finding for finding in json.loads(out)}
    assert err == ""
    assert found["integrity"]["value"] == "ok"
    assert found["studies"]["value"] == "2 with 10 rows"
    assert found["left running"]["mend"] == ""
    assert {"python", "torch", "ray", "optuna", "cores", "memory", "disk", "device"} <= set(found)


def test_doctor_finds_rows_without_a_driver(run: Run, home: Path) -> None:
    store = open_store(None, home)
    trial = store.study("mlp").ask()
    trial.set_user_attr("run_id", "a-dead-one")
    code, out, _ = run("doctor", "--store", "--home", str(home))
    assert code == 1
    assert "1 rows without a driver: mlp 4" in out


def test_doctor_finds_a_broken_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pokeopt.db").write_bytes(b"this is no database, but it is long enough to be looked at" * 100)
    code, out, err = run("doctor", "--store", "--home", str(tmp_path))
    assert code == 1
    assert "restore the file" in out + err


def test_schema_is_valid_json(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("schema")
    assert code == 0
    assert json.loads(out)["type"] == "object"
    run("schema", "-o", "deep/space.schema.json")
    assert json.loads((tmp_path / "deep/space.schema.json").read_text()) == json.loads(out)

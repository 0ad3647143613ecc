"""``delete``, ``clean``, ``doctor``, ``schema``: housekeeping leaves what is in use alone."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pokeopt.store import open_store
from pokeopt.store.cleaning import Kept, expired
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


def test_retrained_networks_go_with_their_study_alone(run: Run, home: Path) -> None:
    """``mlp-2`` may be trial 2 of ``mlp``, or a study; its own trials make the difference."""
    models = open_store(None, home).models_dir
    for folder in ("mlp-2", "mlp-2-0", "other-3"):
        (models / folder / "train").mkdir(parents=True)
        (models / folder / "train" / "seed-0.pt").write_bytes(b"weights")
    run("delete", "mlp", "--yes", "--home", str(home))
    assert sorted(path.name for path in models.iterdir()) == ["mlp-2-0", "other-3"]
    assert "removed 2 files" in run("clean", "--home", str(home))[1]
    assert not any(models.iterdir())


def test_clean_keeps_what_was_retrained(run: Run, home: Path) -> None:
    weights = open_store(None, home).models_dir / "mlp-1" / "train" / "seed-0.pt"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"weights")
    run(
        "clean",
        "--cache",
        "--checkpoints",
        "--older-than",
        "1s",
        "--keep-gb",
        "0",
        "--yes",
        "--home",
        str(home),
    )
    assert weights.exists()


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


def checkpoint(home: Path, proposal: int, n_bytes: int, age_s: float) -> Path:
    folder = open_store(None, home).checkpoints_dir / "mlp" / str(proposal)
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").write_bytes(b"x" * n_bytes)
    then = time.time() - age_s
    for path in (folder / "checkpoint.pt", folder):
        os.utime(path, (then, then))
    return folder


def test_clean_by_age_and_size_spares_the_best(run: Run, home: Path) -> None:
    """Nobody is there to be asked, so the best trial's weights stay, the oldest of all as they are."""
    best = checkpoint(home, 1, 1000, 90 * 86400)
    old = checkpoint(home, 0, 1000, 40 * 86400)
    new = checkpoint(home, 2, 1000, 86400)
    code, _, err = run("clean", "--older-than", "30d", "--home", str(home))
    assert code == 0
    assert "best trials of mlp stay" in err
    assert (best.exists(), old.exists(), new.exists()) == (True, False, True)
    run("clean", "--keep-gb", "0.0000015", "--home", str(home))
    assert (best.exists(), new.exists()) == (True, False)
    code, out, _ = run("clean", "--checkpoints", "--dry-run", "--home", str(home))
    assert best.exists()
    run("clean", "--checkpoints", "--home", str(home))
    assert best.exists(), "not without asking"
    code, out, _ = run("clean", "--older-than", "30d", "--yes", "--json", "--home", str(home))
    assert json.loads(out)["bytes"] == 1000
    assert not best.exists()


@given(
    sizes=st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100), st.booleans()), max_size=8),
    older_than=st.none() | st.integers(0, 100),
    keep=st.none() | st.integers(0, 300),
)
def test_what_expires(sizes: list[tuple[int, int, bool]], older_than: int | None, keep: int | None) -> None:
    kept = [Kept(Path(str(i)), n, 100 - age, "s" if best else None) for i, (n, age, best) in enumerate(sizes)]
    gone = expired(kept, older_than, keep, 100)
    left = [one for one in kept if one not in gone]
    assert keep is None or sum(one.n_bytes for one in left) <= keep
    assert older_than is None or all(100 - one.used_at <= older_than for one in left)
    if keep is None and older_than is None:
        assert gone == []
    if older_than is None and any(one.best_of for one in gone):
        assert all(one.best_of for one in left), "the best go last"


@pytest.mark.parametrize("age", ["30", "soon", "-3d"])
def test_an_age_that_is_none(run: Run, home: Path, age: str) -> None:
    code, _, err = run("clean", "--older-than", age, "--home", str(home))
    assert code == 2
    assert "--older-than" in err


def test_a_study_as_a_file(run: Run, home: Path) -> None:
    code, out, _ = run("export-study", "mlp", "--home", str(home), "--json")
    assert code == 0
    assert json.loads(out)["studies"] == {"mlp": 4, "mlp.ablation": 6}
    code, _, err = run("import-study", "mlp.zip", "--home", str(home))
    assert (code, err.count("\n")) == (2, 1)
    code, out, _ = run("import-study", "mlp.zip", "--name", "there", "--home", str(home))
    assert code == 0
    assert "there (4 rows), there.ablation (6 rows)" in out
    assert run("import-study", "mlp.zip", "--name", "a.e5", "--home", str(home))[0] == 2


def test_list_tells_ages(run: Run, home: Path) -> None:
    out = run("list", "--home", str(home))[1]
    assert "last active" in out.splitlines()[0]
    assert "just now" in out.splitlines()[1]
    assert json.loads(run("list", "--json", "--home", str(home))[1])[0]["last_active"]

"""``list``, ``show``, ``best`` read a store as a driver left it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pokeopt.store import open_store
from pokeopt.store.writing import StudyWriter
from tests.cli.conftest import Run


def test_list(run: Run, home: Path) -> None:
    code, out, err = run("list", "--home", str(home))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[1].split()[:4] == ["mlp", "search", "4", "0.750"]
    assert "2 complete, 1 pruned, 1 failed" in lines[1]
    assert lines[2].split()[:3] == ["mlp.ablation", "confirm", "6"]


def test_an_empty_store_is_no_error(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("list")
    assert code == 0
    assert "no study yet" in out
    assert list(tmp_path.iterdir()) == [], "to look is not to write"
    assert run("list", "--json")[1].strip() == "[]"


def test_show_a_study(run: Run, home: Path) -> None:
    code, out, _ = run("show", "mlp", "--home", str(home))
    assert code == 0
    assert "4 of 4 trials (2 complete, 1 pruned, 1 failed)" in out
    rows = [line.split() for line in out.splitlines() if line.strip()[:1].isdigit()]
    assert [row[1] for row in rows] == ["complete", "complete", "pruned", "failed"]
    assert rows[2][2] != "0.100", "the last report of a pruned trial is no score"
    assert "baseline" in rows[0]


def test_show_a_confirm_study_with_its_effects(run: Run, home: Path) -> None:
    code, out, _ = run("show", "mlp.ablation", "--home", str(home))
    assert code == 0
    assert "best, seed 2" in out
    line = next(line for line in out.splitlines() if line.strip().startswith("best ") and "[" in line)
    # differences 0.20, 0.21, 0.22: mean 0.21, t interval 4.303 * 0.01 / sqrt(3)
    assert line.split()[1:4] == ["3", "0.720", "+0.210"]
    assert "[+0.185, +0.235]" in line


def test_show_a_trial(run: Run, home: Path) -> None:
    code, out, _ = run("show", "mlp", "1", "--home", str(home))
    assert code == 0
    for part in (
        "complete (budget)",
        "model.dropout",
        "0.4",
        "test/macro_f1",
        "0.730",
        "curves.json",
        "2.5s",
    ):
        assert part in out
    assert "ValueError: boom" in run("show", "mlp", "3", "--home", str(home))[1]


def test_show_a_trial_that_is_not_there(run: Run, home: Path) -> None:
    code, _, err = run("show", "mlp", "7", "--home", str(home))
    assert code == 2
    assert "trials are 0 to 3" in err


def test_best(run: Run, home: Path) -> None:
    code, out, _ = run("best", "mlp", "--home", str(home))
    assert code == 0
    assert out.startswith("mlp trial 1: val/macro_f1 0.750, test/macro_f1 0.730")
    assert out.splitlines()[-1].split() == ["model.dropout", "0.4", "0.2"]


def test_best_of_a_confirm_study_is_refused(run: Run, home: Path) -> None:
    code, _, err = run("best", "mlp.ablation", "--home", str(home))
    assert code == 2
    assert "pokeopt best mlp" in err


def test_best_of_a_study_without_a_trial(run: Run, tmp_path: Path) -> None:
    StudyWriter(
        open_store(None, tmp_path), "bare", ("maximize",), {"kind": "search", "metric": "val/macro_f1"}
    )
    code, _, err = run("best", "bare", "--home", str(tmp_path))
    assert code == 1
    assert "it has no trial yet" in err
    assert "()" not in err


def test_json_is_what_a_script_needs(run: Run, home: Path) -> None:
    best = json.loads(run("best", "mlp", "--json", "--home", str(home))[1])
    assert (best["number"], best["params"], best["values"]) == (1, {"model.dropout": 0.4}, [0.75])
    assert best["config"]["model"]["dropout"] == 0.4
    shown = json.loads(run("show", "mlp", "--json", "--home", str(home))[1])
    assert [row["shown_state"] for row in shown["trials"]] == ["complete", "complete", "pruned", "failed"]
    listed = json.loads(run("list", "--json", "--home", str(home))[1])
    assert [study["name"] for study in listed] == ["mlp", "mlp.ablation"]


def test_home_by_environment(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POKEOPT_HOME", str(home))
    assert "mlp.ablation" in run("list")[1]

"""A store with one small finished search and its confirm study, as a driver leaves them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pokeopt.cli import main
from pokeopt.records import StopCause
from pokeopt.store import open_store
from pokeopt.store.writing import StudyWriter

Run = Callable[..., tuple[int, str, str]]
SEARCH_SPEC: dict[str, Any] = {"name": "mlp", "search": {"trials": 4}, "baseline": {"model.dropout": 0.2}}
ARMS = [
    {"id": "baseline", "label": "baseline", "changes": {}, "config_hash": "a"},
    {"id": "best", "label": "best", "changes": {"model.dropout": [0.2, 0.4]}, "config_hash": "b"},
]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Return a function that runs a command line in an empty folder: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody is there to answer

    def run_line(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        out, err = capsys.readouterr()
        return code, out, err

    return run_line


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the home of a store that holds ``mlp`` (4 trials) and ``mlp.ablation`` (2 arms x 3 seeds)."""
    home = tmp_path / "state"
    store = open_store(None, home)
    attrs: dict[str, Any] = {
        "kind": "search",
        "metrics": ["val/macro_f1"],
        "metric": "val/macro_f1",
        "spec": SEARCH_SPEC,
    }
    search = StudyWriter(store, "mlp", ("maximize",), attrs)
    ends = [(0.2, 0.5, StopCause.BUDGET), (0.4, 0.75, StopCause.BUDGET), (0.3, 0.1, StopCause.PRUNER)]
    for proposal, (dropout, score, cause) in enumerate(ends):
        trial = search.ask(None)
        trial.suggest_float("model.dropout", dropout, dropout)
        search.record(trial, 1, score)
        config = json.dumps({"model": {"family": "mlp", "dropout": dropout}})
        facts = {
            "proposal": proposal,
            "config": config,
            "test/macro_f1": score - 0.02,
            "wall_s": 2.5,
            "epochs_run": 1,
        }
        search.finish(trial, cause, (score,), facts, {"curves.json": b"{}"})
    trial = search.ask(None)
    trial.suggest_float("model.dropout", 0.1, 0.1)
    error = {"proposal": 3, "error": "Traceback\nValueError: boom", "error_type": "ValueError", "wall_s": 0.5}
    search.finish(trial, StopCause.ERROR, None, error, {})
    attrs = {
        "kind": "confirm",
        "metrics": ["val/macro_f1"],
        "parent": "mlp",
        "arms": ARMS,
        "seeds": [0, 1, 2],
    }
    confirm = StudyWriter(store, "mlp.ablation", ("maximize",), attrs)
    for seed in range(3):
        for arm, score in (("a", 0.5 + 0.01 * seed), ("b", 0.7 + 0.02 * seed)):
            trial = confirm.ask(None)
            name = "baseline" if arm == "a" else "best"
            facts = {"arm_id": name, "seed": seed, "config_hash": arm, "test/macro_f1": score}
            confirm.finish(trial, StopCause.BUDGET, (score,), facts, {})
    return home

"""One run with every ending gives exactly the states and causes of the record."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from pokeopt import api
from pokeopt.records import TrialState
from pokeopt.store import StudyView, open_store

PLUGIN = Path(__file__).parent / "parts" / "endings.py"
SPACE = """
name: endings
data: {{source: digits, image_size: 8, channels: gray, limit: 300}}
model: {{family: ending, mode: {{choice: [{modes}]}}}}
training:
  epochs: 4
  batch_size: 32
  learning_rate: 0.03
  early_stopping: {{choice: [{{range: {{below: 2.0, over: 2}}}}], when: {{model.mode: stop}}}}
search: {{sampler: brute_force, pruner: {{threshold: {{lower: 0.08}}}}, trials: 20}}
resources: {{workers: {workers}, trial_timeout: {timeout}, hang_timeout: 6s}}
plugins: [{plugin}]
"""
EXPECTED = {
    "fine": ("COMPLETE", "budget", "complete"),
    "stop": ("COMPLETE", "early_stop", "complete"),
    "bad": ("PRUNED", "pruner", "pruned"),
    "nan": ("PRUNED", "nan", "diverged"),
    "oom": ("PRUNED", "oom", "out of memory"),
    "slow": ("PRUNED", "timeout", "too slow"),
    "error": ("FAIL", "error", "failed"),
    "exit": ("FAIL", "worker_died", "failed"),
    "hang": ("FAIL", "hung", "failed"),
}
KNOWN_OF_ALL = {
    "run_id",
    "proposal",
    "seed",
    "phase",
    "config_hash",
    "config",
    "code_version",
    "host",
    "device",
}
IN_THIS_PROCESS = [mode for mode in EXPECTED if mode not in ("exit", "hang")]  # these take the process along


def run_endings(tmp_path: Path, modes: list[str], workers: int) -> StudyView:
    path = tmp_path / "endings.yaml"
    timeout = "8s" if workers else "4s"
    path.write_text(SPACE.format(modes=", ".join(modes), workers=workers, timeout=timeout, plugin=PLUGIN))
    home = tmp_path / "home"
    result = api.run(path, home=home, reports_dir=tmp_path)
    assert result.exit_code == 0, result.message
    return open_store(home=home).load("endings")


def endings(view: StudyView) -> dict[str, tuple[str, str, str]]:
    return {
        row.params["model.mode"]: (row.state.value, str(row.stop_cause), row.shown_state)
        for row in view.counted
    }


def check_record(view: StudyView, home: Path) -> None:
    """What must hold of every row, however it ended."""
    store = open_store(home=home)
    assert not [row for row in view.trials if row.state in (TrialState.RUNNING, TrialState.WAITING)]
    for row in view.trials:
        assert row.attrs["stop_cause"]
        assert set(row.attrs) >= KNOWN_OF_ALL
        curves = json.loads(store.read_artifact(view.name, row.number, "curves.json") or b"{}")
        steps = [entry["step"] for entry in curves.get("steps", [])]
        assert steps == sorted(set(steps))
        if row.state is TrialState.PRUNED and row.curve:
            assert row.value == row.curve[max(row.curve)], "a pruned trial holds its last report"
        if row.state is TrialState.COMPLETE:
            assert row.value == max(row.curve.values()), "a complete trial holds its kept epoch"
            assert row.metric("val/macro_f1") == row.value
            assert row.metric("test/macro_f1") is not None
        if row.state is TrialState.FAIL:
            assert row.value is None
            assert row.attrs["error"]


def test_every_ending_in_this_process(tmp_path: Path) -> None:
    view = run_endings(tmp_path, IN_THIS_PROCESS, workers=0)
    assert endings(view) == {mode: EXPECTED[mode] for mode in IN_THIS_PROCESS}
    check_record(view, tmp_path / "home")


def test_every_ending_through_ray(tmp_path: Path) -> None:
    view = run_endings(tmp_path, list(EXPECTED), workers=2)
    assert endings(view) == EXPECTED
    check_record(view, tmp_path / "home")
    by_mode: dict[str, list[str]] = {}
    for row in view.trials:
        by_mode.setdefault(row.params["model.mode"], []).append(row.shown_state)
    assert by_mode["exit"] == by_mode["hang"] == ["retried", "retried", "failed"], (
        "three attempts, then no more"
    )
    assert by_mode["error"] == ["failed"], "a bug would only repeat itself"
    error = next(row for row in view.trials if row.params["model.mode"] == "error")
    assert "boom" in error.attrs["error"]
    assert error.attrs["error_type"] == "ValueError"


@pytest.mark.skipif(psutil.virtual_memory().available < 10 * 2**30, reason="needs 10 GB of free memory")
def test_ray_may_kill_a_worker_to_save_memory(tmp_path: Path) -> None:
    """Tune ends its loop then; the study goes on, and what was killed is tried again."""
    text = SPACE.format(modes="greedy, fine", workers=2, timeout="100s", plugin=PLUGIN)
    lines = [
        line for line in text.replace("epochs: 4", "epochs: 12").splitlines() if "early_stopping" not in line
    ]
    (tmp_path / "endings.yaml").write_text("\n".join(lines))
    memory = psutil.virtual_memory()
    threshold = (memory.total - memory.available + 4 * 2**30) / memory.total
    settings = {"RAY_memory_usage_threshold": f"{threshold:.3f}", "POKEOPT_TEST_FOLDER": str(tmp_path)}
    command = [sys.executable, "-m", "pokeopt", "run", "endings.yaml", "--quiet", "--no-report"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    view = open_store(home=tmp_path / ".pokeopt").load("endings")
    assert {row.params["model.mode"]: row.shown_state for row in view.counted} == {
        "greedy": "complete",
        "fine": "complete",
    }
    replaced = [row for row in view.trials if row.replaced_by is not None]
    (killed,) = [row for row in replaced if row.stop_cause == "worker_died"]
    assert killed.params["model.mode"] == "greedy"
    assert killed.attrs["error_type"] == "OutOfMemoryError"
    assert "low on memory" in killed.attrs["error"]
    assert "\n" not in killed.attrs["error"]
    check_record(view, tmp_path / ".pokeopt")

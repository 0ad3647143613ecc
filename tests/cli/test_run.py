"""The main job as a person types it, small: plan, run in this process, look, run again, refuse another experiment."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run

SPACE = """
data: {source: creatures, limit: 90, image_size: 16}
model: {family: mlp, depth: 1, width: {int: [8, 16], per: model.depth}}
training: {epochs: 2, learning_rate: {float: [1e-3, 1e-2], log: true}}
baseline: {model.width: 8, training.learning_rate: 1e-3}
search: {trials: 3, pruner: none}
ablation: {seeds: 2, top: 1}
resources: {workers: 0}
"""


@pytest.fixture
def space(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(SPACE)
    return path


def test_plan_runs_nothing(run: Run, space: Path, tmp_path: Path) -> None:
    code, out, err = run("plan", "tiny.yaml")
    assert (code, err) == (0, "")
    for part in (
        "creatures",
        "9 classes",
        "3 trials of up to 2 epochs",
        "at most 3 arms x 2 seeds = 6 cells",
    ):
        assert part in out
    rows = {
        line.split()[0]: line.split() for line in out.splitlines() if line.startswith(("model.", "training."))
    }
    assert rows["model.width.0"][1:] == ["[8,", "16]", "8"]
    assert rows["training.learning_rate"][-1] == "0.001"
    assert not (tmp_path / ".pokeopt/pokeopt.db").exists()


def test_plan_can_measure(run: Run, space: Path) -> None:
    planned = json.loads(run("plan", "tiny.yaml", "--measure", "--json")[1])
    assert len(planned["speed"]["seconds"]) == 3
    assert planned["total_s"] > 0
    # 16 x 16 x 3 inputs, 8 units with batch norm (which makes a bias needless), 9 classes
    assert planned["sizes"]["baseline"] == 768 * 8 + 2 * 8 + (8 * 9 + 9)


def test_from_file_to_report_and_on(run: Run, space: Path, tmp_path: Path) -> None:
    code, out, _ = run("run", "tiny.yaml", "--workers", "0")
    assert code == 0
    for part in ("tiny: 3 of 3 trials (3 complete)", "best trial ", "tiny.ablation: ", "reports/tiny.html"):
        assert part in out
    assert (tmp_path / "reports/tiny.html").is_file()
    first, second = (line.strip().split()[1:] for line in out.rstrip().splitlines()[-2:])
    assert run(*first)[0] == 0, "the command to copy works"
    assert second == ["dashboard"]
    assert "earlier trials" in run("plan", "tiny.yaml")[1]

    before = json.loads(run("show", "tiny", "--json")[1])["trials"]
    assert run("run", "tiny.yaml", "--workers", "0", "--trials", "4", "--quiet", "--no-report") == (0, "", "")
    after = json.loads(run("show", "tiny", "--json")[1])["trials"]
    assert after[:3] == before, "a finished trial does not change"
    assert len(after) == 4

    code, _, err = run("run", "tiny.yaml", "--workers", "0", "--epochs", "3")
    assert code == 2
    assert "training.epochs" in err
    assert len(json.loads(run("show", "tiny", "--json")[1])["trials"]) == 4

    (tmp_path / "reports/tiny.html").unlink()
    assert run("report", "tiny")[1].strip() == "reports/tiny.html"
    assert "<html" in (tmp_path / "reports/tiny.html").read_text()


@pytest.mark.slow
def test_through_ray_without_its_chatter(space: Path, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "pokeopt", "run", "tiny.yaml", "--workers", "2", "--no-ablation"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    known = re.compile(r"tiny search |tiny: |best trial |it is the baseline|  |report|store|$")
    assert [text for text in done.stdout.splitlines() if not known.match(text)] == []

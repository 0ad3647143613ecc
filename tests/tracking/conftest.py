"""Tiny studies with trackers, and what they read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pokeopt.api import RunResult, run

collect_ignore = ["parts"]  # plugins of the tests, imported as a user's would be
ENDINGS = Path(__file__).parents[1] / "study" / "parts" / "endings.py"
TROUBLED = Path(__file__).parent / "parts" / "troubled.py"
SPACE = """
name: tiny
plugins: [{endings}, {troubled}]
data: {{source: digits, image_size: 8, channels: gray, limit: 200}}
model: {{family: ending, after: 12, mode: {{choice: [fine, nan, error]}}}}
training: {{epochs: 3, batch_size: 32, learning_rate: 0.01}}
baseline: {{model.mode: fine}}
search: {{sampler: grid, trials: {trials}, seed: 1}}
ablation: {{mode: path, seeds: 1}}
resources: {{workers: 0}}
tracking: [{tracking}]
"""
Curves = dict[str, dict[int, float]]


def write_space(folder: Path, tracking: str, trials: int = 3) -> Path:
    """Write a search whose trials end complete, diverged and failed."""
    path = folder / "tiny.yaml"
    path.write_text(SPACE.format(endings=ENDINGS, troubled=TROUBLED, tracking=tracking, trials=trials))
    return path


@pytest.fixture(autouse=True)
def _nobody_is_logged_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "WANDB_MODE", "WANDB_API_KEY", "WANDB_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


@pytest.fixture
def search(tmp_path: Path) -> Callable[..., RunResult]:
    """Return a function that runs the tiny search, without its ablation and report, under ``tmp_path``."""

    def go(tracking: str, trials: int = 3) -> RunResult:
        path = write_space(tmp_path, tracking, trials)
        return run(path, home=tmp_path, ablation=False, report=False)

    return go


def steps_of(curves: bytes) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield (step, metric to value) of a trial's ``curves.json``; what was not finite is left out."""
    for step in json.loads(curves)["steps"]:
        yield step["step"], {name: value for name, value in step["metrics"].items() if value is not None}


def by_metric(curves: bytes) -> Curves:
    """Return metric -> step -> value of a trial's ``curves.json``."""
    found: Curves = {}
    for step, metrics in steps_of(curves):
        for name, value in metrics.items():
            found.setdefault(name, {})[step] = value
    return found

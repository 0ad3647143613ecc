"""Small studies on scikit-learn's digits: seconds, not minutes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

PARTS = Path(__file__).parent / "parts"
TINY = """
name: tiny
data: {{source: digits, image_size: 8, channels: gray, limit: 300}}
model: {{family: mlp, depth: 1, width: {{int: [4, 32]}}, dropout: 0.0}}
training: {{epochs: {epochs}, batch_size: 32, learning_rate: {{float: [1e-4, 1e-1], log: true}}}}
baseline: {{model.width: 8, training.learning_rate: 1e-3}}
search: {{sampler: {sampler}, pruner: {pruner}, trials: {trials}, seed: 3}}
resources: {{workers: {workers}}}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a tiny search space and returns its path."""

    def write(
        trials: int = 4,
        epochs: int = 3,
        workers: int = 0,
        sampler: str = "random",
        pruner: str = "none",
        more: str = "",
    ) -> Path:
        path = tmp_path / "tiny.yaml"
        text = TINY.format(trials=trials, epochs=epochs, workers=workers, sampler=sampler, pruner=pruner)
        path.write_text(text + more)
        return path

    return write


def start(*words: str, cwd: Path) -> subprocess.Popen[str]:
    """Start the command line in a process group of its own, as a shell would."""
    return subprocess.Popen(
        [sys.executable, "-m", "pokeopt", *words],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def ray_processes() -> set[int]:
    """Return the processes of every Ray on this machine: raylets, servers, workers."""
    found = set()
    for process in psutil.process_iter(["cmdline", "name", "status"]):
        line = " ".join(process.info["cmdline"] or [])
        is_ray = (
            process.info["name"] in ("raylet", "gcs_server") or line.startswith("ray::") or "/ray/" in line
        )
        if is_ray and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.add(process.pid)
    return found


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Return whether the condition came true in time."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.2)
    return condition()

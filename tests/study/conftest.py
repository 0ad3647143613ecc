"""Small studies on scikit-learn's digits: seconds, not minutes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

collect_ignore = ["parts"]  # plugins of the tests, imported as a user's would be
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

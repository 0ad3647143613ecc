from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pokeopt.spec import StudySpec, load_study

ROOT = Path(__file__).parents[2]
Load = Callable[..., StudySpec]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write a file and load it; the two required sections are added where they are missing."""

    def load_text(text: str, *sets: str, name: str | None = None) -> StudySpec:
        sections = {"data:": "data: {source: creatures}\n", "model:": "model: {family: mlp}\n"}
        missing = [
            line
            for key, line in sections.items()
            if not any(one.startswith(key) for one in text.splitlines())
        ]
        path = tmp_path / "space.yaml"
        path.write_text("".join(missing) + text, encoding="utf-8")
        return load_study(path, sets, name=name)

    return load_text


@pytest.fixture
def shipped() -> Callable[[Sequence[str]], StudySpec]:
    """Load the shipped search space of the MLP, changed."""
    return lambda sets: load_study(ROOT / "search_spaces" / "mlp.yaml", sets)

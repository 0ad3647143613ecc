"""A shell completes commands and the names of studies, without what a training needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pokeopt.cli.completion import study_names

HEAVY = {"torch", "ray", "optuna", "pandas", "numpy"}


def complete(line: str, home: Path) -> list[str]:
    """Return what bash would offer behind ``line``."""
    asked = {
        "_POKEOPT_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
        "POKEOPT_HOME": str(home),
    }
    code = (
        "import atexit, sys\n"
        "from pokeopt.cli import main\n"
        f"atexit.register(lambda: print('LOADED', *({HEAVY!r} & set(sys.modules))))\n"
        "sys.argv[0] = 'pokeopt'\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env={**os.environ, **asked}, capture_output=True, text=True, timeout=60, check=False
    )
    *offered, loaded = done.stdout.splitlines()
    assert loaded == "LOADED"
    return offered


@pytest.mark.parametrize("command", ["show", "best", "extend", "replay", "report", "export-study", "delete"])
def test_names_of_studies(home: Path, command: str) -> None:
    assert complete(f"pokeopt {command} ml", home) == ["mlp.ablation", "mlp"]


def test_commands_and_the_home_that_was_typed(home: Path, tmp_path: Path) -> None:
    assert complete("pokeopt exten", tmp_path) == ["extend"]
    assert complete(f"pokeopt show --home {home} mlp.", tmp_path) == ["mlp.ablation"]


def test_a_store_that_cannot_tell_offers_nothing(tmp_path: Path) -> None:
    import typer

    from pokeopt.cli.app import app

    context = typer.Context(typer.main.get_command(app))
    context.params = {"home": tmp_path}
    assert study_names(context, "") == []
    (tmp_path / "pokeopt.db").write_text("no database, but long enough to be looked at" * 100)
    assert study_names(context, "") == []
    assert [path.name for path in tmp_path.iterdir()] == ["pokeopt.db"], "to look is not to write"

"""What a shell offers for a study's name: read from the store's file by itself, in the time between two key strokes."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import typer

WAIT_S = 0.2  # for a driver that writes; a shell that hangs is worse than one that offers nothing


def study_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the studies whose names begin like what was typed, the newest first; none where the store cannot tell."""
    storage, home = ctx.params.get("storage"), ctx.params.get("home")
    folder = Path(home or os.environ.get("POKEOPT_HOME") or ".pokeopt").absolute()
    url = str(storage or f"sqlite:///{folder / 'pokeopt.db'}")
    try:
        names = (
            _in_sqlite(Path(url.removeprefix("sqlite:///")))
            if url.startswith("sqlite:///")
            else _elsewhere(url)
        )
    except Exception:  # nobody reads a traceback in the middle of a line
        return []
    return [name for name in names if name.startswith(incomplete)]


def _in_sqlite(file: Path) -> list[str]:
    if not file.is_file():
        return []
    address = f"{file.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=WAIT_S)) as connection:
        found = connection.execute("SELECT study_name FROM studies ORDER BY study_id DESC").fetchall()
    return [str(name) for (name,) in found]


def _elsewhere(url: str) -> list[str]:
    from pokeopt.store import open_store

    return open_store(url).names()[::-1]

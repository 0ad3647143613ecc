"""``delete`` and ``clean``: housekeeping that never touches a study in use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pokeopt.cli.options import Home, Name, Storage, store_at
from pokeopt.cli.output import say
from pokeopt.cli.words import plural, size
from pokeopt.errors import UserError

if TYPE_CHECKING:
    from pokeopt.store import Store


def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    storage: Storage = None,
    home: Home = None,
) -> int:
    """Delete a study with all that belongs to it.

    The name is taken as it is. Its confirm study, artifacts and checkpoints go with it.
    """
    store = store_at(storage, home)
    store.study(name)  # the error for a name that is not there
    child = re.compile(rf"{re.escape(name)}\.(ablation|e\d+)")
    doomed = [known for known in store.names() if known == name or child.fullmatch(known)]
    _refuse_while_running(store)
    trials = {known: plural(len(store.load(known, exact=True).trials), "row") for known in doomed}
    what = ", ".join(f"{known} ({rows})" for known, rows in trials.items())
    if not yes and not typer.confirm(f"Delete {what} from {store.file or store.url}?", err=True):
        raise typer.Abort
    for known in doomed:
        store.delete(known)
    say(f"deleted {what}")
    return 0


def clean(
    cache: Annotated[
        bool, typer.Option("--cache", help="Also the image cache; it is made again when needed.")
    ] = False,
    checkpoints: Annotated[
        bool, typer.Option("--checkpoints", help="Also all checkpoints: interrupted trials then start again.")
    ] = False,
    storage: Storage = None,
    home: Home = None,
) -> int:
    """Remove files that no study needs.

    These are artifacts and checkpoints of studies that are gone.
    """
    from pokeopt.store.cleaning import remove, unowned

    store = store_at(storage, home)
    _refuse_while_running(store)
    doomed: list[Path] = unowned(store)
    if checkpoints:
        doomed = [path for path in doomed if store.checkpoints_dir not in path.parents] + [
            store.checkpoints_dir
        ]
    if cache:
        doomed.append(store.cache_dir)
    there = [path for path in doomed if path.exists()]
    freed = sum(remove(path) for path in there)
    say(f"removed {plural(len(there), 'file')}, {size(freed)} freed in {store.home}")
    return 0


def _refuse_while_running(store: Store) -> None:
    from pokeopt.store.cleaning import live_runs

    if live_runs(store):
        raise UserError(
            store.url, "a study of this store is running", "stop it with Ctrl-C, or wait for its end"
        )

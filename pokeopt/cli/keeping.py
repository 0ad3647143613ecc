"""``delete`` and ``clean``: housekeeping that never touches a study in use."""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from pokeopt.cli.options import Home, Json, Name, Storage, at_least, seconds, store_at
from pokeopt.cli.output import print_json, say, warn
from pokeopt.cli.words import DAY_S, plural, size
from pokeopt.errors import UserError

if TYPE_CHECKING:
    from pokeopt.store import Store
    from pokeopt.store.cleaning import Kept

BYTES_PER_GB = 10**9


def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    storage: Storage = None,
    home: Home = None,
) -> int:
    """Delete a study with all that belongs to it.

    The name is taken as it is. Its confirm study, artifacts, checkpoints and retrained networks go with it.
    """
    from pokeopt.store.moving import family

    store = store_at(storage, home)
    store.study(name)  # the error for a name that is not there
    doomed = family(store, name)
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
    older_than: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Also cached images and checkpoints unused for 12h or 30d."),
    ] = None,
    keep_gb: Annotated[
        float | None,
        typer.Option(metavar="GB", help="Also the longest unused of both, until so much is left."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask, also before best trials' checkpoints go.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")
    ] = False,
    storage: Storage = None,
    home: Home = None,
    as_json: Json = False,
) -> int:
    """Remove files that no study needs.

    These are artifacts, checkpoints and retrained networks of studies that are gone; with --older-than and --keep-gb
    also what only saves time. The checkpoint of a study's best trial stays until the question, or --yes, says that it
    may go.
    """
    from pokeopt.store.cleaning import remove, size_of, unowned

    at_least("--keep-gb", keep_gb, 0)
    store = store_at(storage, home)
    older_than_s = _age("--older-than", older_than)
    _refuse_while_running(store)
    kept, best = _no_longer_kept(store, cache, checkpoints, older_than_s, keep_gb)
    if best and not dry_run and not yes:
        names = ", ".join(sorted(str(one.best_of) for one in best))
        question = f"Also remove the checkpoints of the best trials of {names}?"
        if not (sys.stdin.isatty() and typer.confirm(question, err=True)):
            warn(f"the checkpoints of the best trials of {names} stay; --yes removes them, too")
            checkpoints, best = False, []
    whole = [store.cache_dir] * cache + [store.checkpoints_dir] * checkpoints
    parts = [*unowned(store), *(one.path for one in [*kept, *best])]
    parts = [path for path in parts if not any(folder in path.parents for folder in whole)]
    doomed = [path for path in dict.fromkeys([*parts, *whole]) if path.exists()]
    freed = sum(size_of(path) if dry_run else remove(path) for path in doomed)
    if as_json:
        print_json({"removed": doomed, "bytes": freed, "dry_run": dry_run})
    else:
        verb, end = ("would remove", "to be freed") if dry_run else ("removed", "freed")
        say(f"{verb} {plural(len(doomed), 'file')}, {size(freed)} {end} in {store.home}")
        weights = {one.path: f"  (best trial of {one.best_of})" for one in best}
        for path in doomed if dry_run else ():
            say(f"  {path.relative_to(store.home)}{weights.get(path, '')}")
    return 0


def _no_longer_kept(
    store: Store, cache: bool, checkpoints: bool, older_than_s: float | None, keep_gb: float | None
) -> tuple[list[Kept], list[Kept]]:
    """Return what may go as the options say, the checkpoints of best trials apart."""
    from pokeopt.store.cleaning import expired, kept_for_speed

    there = kept_for_speed(store)
    keep_bytes = None if keep_gb is None else keep_gb * BYTES_PER_GB
    going = expired(there, older_than_s, keep_bytes, time.time())
    for one in there:
        is_image = store.cache_dir in one.path.parents
        if one not in going and (cache if is_image else checkpoints):
            going.append(one)
    return [one for one in going if one.best_of is None], [one for one in going if one.best_of is not None]


def _age(option: str, text: str | None) -> float | None:
    """Return an age in seconds; days, too, which no trial takes.

    >>> _age("--older-than", "30d")
    2592000.0
    """
    days = re.fullmatch(r"(\d+(?:\.\d+)?)d", text or "")
    return float(days[1]) * DAY_S if days else seconds(option, text)


def _refuse_while_running(store: Store) -> None:
    from pokeopt.store.cleaning import live_runs

    if live_runs(store):
        raise UserError(
            store.url, "a study of this store is running", "stop it with Ctrl-C, or wait for its end"
        )

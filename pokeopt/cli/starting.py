"""``init``: a search-space file for the user's own images."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pokeopt.cli.options import Json
from pokeopt.cli.output import print_facts, print_json, say
from pokeopt.cli.words import duration
from pokeopt.errors import UserError

if TYPE_CHECKING:
    from pokeopt.data.survey import Survey
    from pokeopt.study.suggesting import Suggestion

MOST_CLASSES = 8  # named in full


def init(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="The images: class folders, or a table of labels and images."),
    ] = Path(),
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write it there.", show_default="FOLDER's name.yaml"
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
    as_json: Json = False,
) -> int:
    """Write a search-space file for a folder of images.

    It counts classes and looks at some images, and suggests a network, a size and a search of about ten minutes.
    """
    from pokeopt.data.survey import survey
    from pokeopt.study.suggesting import SPLIT, suggest

    target = output or Path(f"{folder.absolute().name or 'images'}.yaml")
    if target.is_dir():
        raise UserError(str(target), "it is a folder", "give -o FILE.yaml")
    if target.exists() and not force:
        raise UserError(str(target), "the file is there already", "give -o FILE, or --force to overwrite it")
    seen = survey(folder, SPLIT)
    made = suggest(seen, target)
    _write_checked(target, made.text)
    if as_json:
        facts = {"images": seen.n_images, "classes": dict(seen.counts), "parts": list(seen.given)}
        facts |= {"source": dict(seen.source), "notes": list(seen.notes)}
        print_json({"file": str(target), "name": made.name, **facts, "expected_s": round(made.expected_s)})
        return 0
    _print(seen, made, target)
    return 0


def _write_checked(target: Path, text: str) -> None:
    """Write the file whole, after the reader of such files has accepted it."""
    import os

    from pokeopt.spec import load_study

    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.stem}.{os.getpid()}.yaml")
    try:
        fresh.write_text(text, encoding="utf-8")
        load_study(fresh)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _print(seen: Survey, made: Suggestion, target: Path) -> None:
    names = list(seen.counts)
    shown = ", ".join(f"{name} {seen.counts[name]}" for name in names[:MOST_CLASSES])
    more = f" and {len(names) - MOST_CLASSES} more" if len(names) > MOST_CLASSES else ""
    modes = ", ".join(f"{mode} {n}" for mode, n in seen.modes.items())
    sizes = (
        str(seen.size_px)
        if seen.smallest_px == seen.largest_px
        else f"{seen.smallest_px} to {seen.largest_px}"
    )
    facts = {
        "images": f"{seen.n_images} in {len(names)} classes: {shown}{more}",
        "labels": seen.labelled_by,
        "sizes": f"{sizes} px, modes {modes}"
        + ("; some are transparent, they go on white" if seen.has_alpha else ""),
        "parts": ", ".join(seen.given) or "none given: 70 % train, 15 % val, 15 % test, by class",
        **dict(made.reasons),
        "time": f"about {duration(made.expected_s)} on this machine, roughly; pokeopt plan --measure times it",
    }
    print_facts(facts)
    say()
    for note in seen.notes:
        say(note)
    say(f"wrote {target}")
    say()
    for command in ("plan", "run"):
        say(f"  {shlex.join(['pokeopt', command, str(target)])}")

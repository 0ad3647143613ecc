"""Options that several commands share, and how their texts become values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from pokeopt.cli.completion import study_names
from pokeopt.errors import UserError

if TYPE_CHECKING:
    from pokeopt.store import Store

Storage = Annotated[
    str | None,
    typer.Option(
        "--storage",
        metavar="URL",
        help="Where studies are kept: sqlite:///FILE, postgresql+psycopg://..., journal:///FILE.",
        show_default="HOME/pokeopt.db",
    ),
]
Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        envvar="POKEOPT_HOME",
        help="Folder of all state: store, artifacts, checkpoints, cache.",
        show_default=".pokeopt",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a value of the file, like training.epochs=5; may be repeated.",
        show_default=False,
    ),
]
Base = Annotated[
    Path | None, typer.Option(metavar="SPACE.yaml", help="Start from this file instead of the plan's.")
]
Fidelity = Annotated[
    str | None,
    typer.Option(
        metavar="WORD",
        help="exact, scaled or surrogate: of another base, or of --set.",
        show_default="the plan's",
    ),
]
Seeds = Annotated[int | None, typer.Option(help="Seeds of each arm; more than before top up.")]
Space = Annotated[
    Path, typer.Argument(metavar="SPACE.yaml", help="The search-space file.", show_default=False)
]
Timeout = Annotated[str | None, typer.Option(metavar="TIME", help="Stop cleanly after 90s, 30m or 2h.")]
Workers = Annotated[
    str | None,
    typer.Option(metavar="N", help="Trials at a time; 0 runs them in this process, auto fills the machine."),
]
GpusPerTrial = Annotated[
    str | None, typer.Option(metavar="SHARE", help="Share of a GPU for each trial, like 0.25; or auto.")
]
RayAddress = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Use a running Ray cluster.")]
NoReport = Annotated[bool, typer.Option("--no-report", help="Write no report.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="The study.", show_default=False, autocompletion=study_names),
]

Number = TypeVar("Number", int, float)


def store_at(storage: str | None, home: Path | None) -> Store:
    """Open the store that the options name."""
    from pokeopt.store import open_store

    return open_store(storage, home or default_home())


def default_home() -> Path:
    """Return the folder of all state where no option names one."""
    from pokeopt.store import default_home as home_of_store

    return home_of_store()


def seconds(option: str, text: str | None) -> float | None:
    """Return a duration like ``90s``, ``30m`` or ``2h`` in seconds, as the search-space file writes it.

    >>> seconds("--timeout", "30m")
    1800.0
    """
    if text is None:
        return None
    from pokeopt.spec.study import seconds as seconds_of

    try:
        return seconds_of(text)
    except ValueError:
        raise UserError(option, f"'{text}' is no duration", "write it like 90s, 30m or 2h") from None


def at_least(option: str, value: float | None, low: float) -> None:
    """Refuse a number below ``low``."""
    if value is not None and not value >= low:
        raise UserError(option, f"must be at least {low:g}, got {value:g}", "give a larger number")


def number_or_auto(
    option: str, text: str | None, kind: Callable[[str], Number], noun: str
) -> Number | Literal["auto"] | None:
    """Return a number that is not negative, or ``auto`` as it stands.

    >>> [number_or_auto("--workers", text, int, "a number") for text in ("4", "auto")]
    [4, 'auto']
    """
    if text is None or text == "auto":
        return text  # type: ignore[return-value]  # mypy does not narrow a str to its literal here
    try:
        value = kind(text)
    except ValueError:
        raise UserError(option, f"'{text}' cannot be used", f"give {noun}, or auto") from None
    at_least(option, value, 0)
    return value

"""Printing: results go to standard output, errors to standard error, tables fit where they land."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPED_WIDTH = 200  # a pipe has no width; narrower would cut names that a script looks for


def console(file: TextIO | None = None) -> Console:
    """Return a console on standard output (or ``file``) that colours and shortens nothing in a pipe."""
    target = Console(file=file or sys.stdout, highlight=False, markup=False, emoji=False)
    if not target.is_terminal:
        target = Console(
            file=file or sys.stdout, highlight=False, markup=False, emoji=False, width=PIPED_WIDTH
        )
    return target


def say(text: str = "") -> None:
    """Print a line to standard output."""
    print(text)


def error_line(where: str, what: str, mend: str) -> None:
    """Print the one line that a failure leaves, on standard error."""
    print(" ".join(f"error: {where}: {what}; {mend}".split()), file=sys.stderr)


def warn(text: str) -> None:
    """Print a line that a person may act on to standard error; the command goes on."""
    print(f"note: {' '.join(text.split())}", file=sys.stderr)


def print_json(value: Any) -> None:
    """Print a value as JSON; NaN and infinity become null, which every reader knows."""
    print(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """Print rows under their heads; ``right`` names the columns of numbers."""
    table = Table(
        box=None, padding=(0, 2, 0, 0), header_style="dim", show_edge=False, show_header=any(columns)
    )
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    _print_trimmed(table)


def print_facts(facts: Mapping[str, str]) -> None:
    """Print names and values in two columns."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts.items():
        grid.add_row(Text(name), Text(value))
    _print_trimmed(grid)


def _print_trimmed(table: Table) -> None:
    """Print a table; in a pipe without the blanks that fill its last column."""
    target = console()
    if target.is_terminal:
        target.print(table)
        return
    with target.capture() as captured:
        target.print(table)
    say("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item"):  # a numpy scalar
        return _plain(value.item())
    return value

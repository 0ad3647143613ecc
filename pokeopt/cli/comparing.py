"""``compare``: two studies side by side, and what an interval backs of their difference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pokeopt.cli.options import Home, Json, Storage, store_at
from pokeopt.cli.output import print_table, say
from pokeopt.cli.words import duration, score, setting

if TYPE_CHECKING:
    from pokeopt.report.compare import ArmPair, Comparison

MOST_SETTINGS = 20


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A study.", show_default=False)],
    second: Annotated[str, typer.Argument(metavar="B", help="Another one.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write the report on both there too.", show_default=False
        ),
    ] = None,
    storage: Storage = None,
    home: Home = None,
    as_json: Json = False,
) -> int:
    """Compare two studies: settings, best trials, common arms.

    Differences are B minus A. Arms are compared seed by seed where a seed draws the same data in both.
    """
    from pokeopt.report.compare import compare as compare_studies
    from pokeopt.report.write import write_report

    store = store_at(storage, home)
    found = compare_studies(store, first, second)
    path = write_report(store, [side.name for side in found.sides], output) if output is not None else None
    if as_json:
        say(found.as_json())
        return 0
    _print(found)
    if path is not None:
        say()
        say(str(path))
    return 0


def _print(found: Comparison) -> None:
    a, b = found.sides
    rows = [
        ["kind", *(side.kind for side in found.sides)],
        ["objective", *(side.metric for side in found.sides)],
        ["best trial", *("-" if side.best is None else str(side.best) for side in found.sides)],
        ["its objective", *(score(side.best_value) for side in found.sides)],
        ["its test score", *(score(side.test_value) for side in found.sides)],
        ["seeds", *(", ".join(map(str, side.seeds)) or "-" for side in found.sides)],
        ["training time", *(duration(side.compute_s) for side in found.sides)],
    ]
    print_table(["", a.name, b.name], rows)
    if found.settings:
        say()
        _print_settings(found)
    if found.arms:
        say()
        _print_arms(found)
    for line in (*found.finding, *found.warnings):
        say()
        say(line)


def _print_settings(found: Comparison) -> None:
    shown = list(found.settings.items())[:MOST_SETTINGS]
    rows = [[key, setting(old), setting(new)] for key, (old, new) in shown]
    print_table(["setting", *(side.name for side in found.sides)], rows)
    missing = len(found.settings) - len(shown)
    if missing > 0:
        say(f"and {missing} more; --json has all")


def _print_arms(found: Comparison) -> None:
    from pokeopt.report.compared import basis_text, difference_text
    from pokeopt.report.words import MINUS, number

    rows = [
        [
            pair.label,
            *(number(level.mean).replace(MINUS, "-") for level in pair.levels),
            difference_text(pair.difference).replace(MINUS, "-"),
            basis_text(pair.difference),
            _verdict(pair),
        ]
        for pair in found.arms
    ]
    heads = [side.name for side in found.sides]
    print_table([found.metric, *heads, "difference [95 % interval]", "runs", ""], rows, right=heads)


def _verdict(pair: ArmPair) -> str:
    if pair.is_equal:
        return "equal at every seed"
    return "settled" if pair.is_settled else "not settled"

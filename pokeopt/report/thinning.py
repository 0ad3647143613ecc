"""Which of many are drawn: always the same ones, spread evenly, the important ones among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pokeopt.report.words import plural

T = TypeVar("T")


def thinned(items: Sequence[T], most: int, keep: Callable[[T], bool] = lambda _: False) -> list[T]:
    """Return at most about ``most`` items in their order: those to keep, and evenly spaced others.

    Args:
        items: All of them.
        most: How many are wanted; items to keep may make it more.
        keep: Whether an item must stay.
    """
    if len(items) <= most:
        return list(items)
    kept = {i for i, item in enumerate(items) if keep(item)}
    others = [i for i in range(len(items)) if i not in kept]
    room = max(0, min(len(others), most - len(kept)))
    kept |= {others[i * len(others) // room] for i in range(room)}
    return [items[i] for i in sorted(kept)]


def thinned_note(shown: int, total: int, noun: str) -> str:
    """Return a sentence that says what is left out; nothing where nothing is."""
    if shown >= total:
        return ""
    return f" Drawn are {shown} of {plural(total, noun)}, evenly spaced; the CSV holds all."


def rows_note(shown: int, total: int, noun: str) -> str:
    """Return the end of a caption that says what a table leaves out; nothing where nothing is."""
    return "" if shown >= total else f": {shown} of {plural(total, noun)}, evenly spaced; the CSV holds all"

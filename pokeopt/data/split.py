"""Which images train, which choose, which test: the test part is drawn once, from ``split.seed``."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pokeopt.data.sources.base import PARTS, SourceTable
from pokeopt.errors import DataError
from pokeopt.registry import nearest

Rows = npt.NDArray[np.int64]
Names = npt.NDArray[np.str_]


@dataclass(frozen=True)
class SplitRule:
    """How images are divided.

    Attributes:
        by: ``class`` (stratified), ``group`` or a column: images that share its value stay together.
        seed: Draws the test part, and train and val unless they are redrawn.
    """

    train: float = 0.70
    val: float = 0.15
    test: float = 0.15
    by: str = "class"
    seed: int = 0


@dataclass(frozen=True)
class Split:
    """Sorted, disjoint rows of each part."""

    train: Rows
    val: Rows
    test: Rows

    def digest(self, ids: Names) -> str:
        """Return a digest of which image lies where."""
        digest = hashlib.sha256()
        for name in PARTS:
            digest.update(name.encode() + b"\x00")
            for image in sorted(ids[getattr(self, name)].tolist()):
                digest.update(image.encode() + b"\x00")
        return digest.hexdigest()[:16]


def choose_limited(table: SourceTable, limit: int | None, seed: int) -> Rows:
    """Return the rows that ``data.limit`` keeps, stratified by class; all of them without a limit.

    Raises:
        DataError: If the limit is below the number of classes.
    """
    everything = np.arange(len(table.labels), dtype=np.int64)
    if limit is None or limit >= len(everything):
        return everything
    strata = table.labels
    if table.given is not None:  # each part that the source gives shrinks by the same share
        strata = table.labels * len(PARTS) + np.searchsorted(np.array(sorted(PARTS)), table.given)
    n_strata = len(np.unique(strata))
    if limit < n_strata:
        what = f"a limit of {limit} does not leave one image of each class ({n_strata} needed)"
        raise DataError("data.limit", what, f"use at least {n_strata}, better ten times that")
    return _draw_stratified(everything, strata, limit, np.random.default_rng([seed, 3]), least_left=0)


def draw_split(table: SourceTable, rows: Rows, rule: SplitRule, resample: int | None = None) -> Split:
    """Divide rows of a source into train, val and test.

    Parts that the source gives are kept; a missing one is drawn from its train part by its share.

    Args:
        table: The source.
        rows: The rows to divide.
        rule: The shares and what stays together.
        resample: Redraws train and val from their union; test stays as it is. Without effect on a given val part.

    Raises:
        DataError: If a class is too small to lie in every part, or the images know no such group or column.
    """
    blocks = _blocks(table, rule.by)
    held = {name: np.empty(0, np.int64) for name in PARTS}
    if table.given is None:
        held["train"] = rows
    else:
        held = {name: rows[table.given[rows] == name] for name in PARTS}
    drawn = [name for name in ("test", "val") if not len(held[name]) and getattr(rule, name) > 0]
    n_pool = len(held["train"])
    for position, name in enumerate(drawn):
        stream = (
            [rule.seed, 2, resample]
            if name == "val" and resample is not None
            else [rule.seed, PARTS.index(name)]
        )
        n_more = (
            len(drawn) - position
        )  # parts that still need an image of every class: train and those not yet drawn
        held[name] = _draw(
            table, held["train"], blocks, getattr(rule, name) * n_pool, np.random.default_rng(stream), n_more
        )
        held["train"] = np.setdiff1d(held["train"], held[name])
    _check_classes(table, held)
    return Split(**held)


def _blocks(table: SourceTable, by: str) -> Names | None:
    """Return what stays together, (N,), or None where each image stands alone."""
    if by == "class":
        return None
    if by == "group":
        if table.groups is None:
            raise DataError(
                "data.split.by", f"the images of {table.name} have no groups", "use 'class' or a column"
            )
        return table.groups
    known = [str(column) for column in table.columns.columns]
    if by not in known:
        what = f"the images of {table.name} have no column '{by}'"
        raise DataError("data.split.by", what, nearest(by, ["class", "group", *known]))
    values = table.columns[by].astype(str).to_numpy(dtype=np.str_)
    if blank := np.flatnonzero(values == "").tolist():
        what = f"image '{table.ids[blank[0]]}' has no '{by}'{_and_more(len(blank) - 1)}"
        raise DataError(f"data ({table.name})", what, "say what it belongs with, or use split.by: class")
    return values


def _draw(
    table: SourceTable, pool: Rows, blocks: Names | None, wanted: float, rng: np.random.Generator, n_more: int
) -> Rows:
    """Draw about ``wanted`` images of the pool, so that every class stays in ``n_more`` further parts."""
    labels = table.labels[pool]
    units = np.arange(len(pool)) if blocks is None else blocks[pool]
    of_class = np.unique(np.stack([labels, np.unique(units, return_inverse=True)[1]]), axis=1)[0]
    n_units = np.bincount(of_class, minlength=len(table.classes))
    short = np.flatnonzero((n_units <= n_more) & (n_units > 0))
    if len(short):
        unit = "image" if blocks is None else "group"
        n_found = int(n_units[short[0]])
        what = (
            f"class '{table.classes[short[0]]}' has {n_found} {unit}{'s' * (n_found != 1)} to divide,"
            f" and each of {n_more + 1} parts needs one{_and_more(len(short) - 1, 'class', 'classes')}"
        )
        mend = f"add {unit}s of that class or leave it out"
        n_there, n_kept = (int((kept == short[0]).sum()) for kept in (table.labels, labels))
        if blocks is None and table.given is None and n_there > n_kept:
            mend = f"raise data.limit: it keeps {n_kept} of the {n_there} images of that class"
        raise DataError(f"data ({table.name})", what, mend)
    if blocks is None:
        return _draw_stratified(pool, labels, round(wanted), rng, least_left=n_more)
    return _draw_blocks(pool, labels, np.unique(units, return_inverse=True)[1], wanted, rng, n_more)


def _and_more(n: int, noun: str = "image", nouns: str = "images") -> str:
    """Return that a fault is that of others, too; empty where it is not."""
    return f"; so it is with {n} other {noun if n == 1 else nouns}" if n else ""


def _draw_stratified(
    pool: Rows, strata: npt.NDArray[np.int64], wanted: int, rng: np.random.Generator, least_left: int
) -> Rows:
    """Draw single images: each stratum gives its share by largest remainders, but at least one image."""
    _, position, counts = np.unique(strata, return_inverse=True, return_counts=True)
    exact = counts * (wanted / len(pool))
    given = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - given), kind="stable")
    given[order[: max(0, wanted - int(given.sum()))]] += 1
    given = np.clip(given, 1, np.maximum(1, counts - least_left))
    while given.sum() > max(wanted, len(counts)):  # the small strata's one image is paid by the best served
        given[np.argmax(np.where(given > 1, given - exact, -np.inf))] -= 1
    shuffled = rng.permutation(len(pool))
    by_stratum = shuffled[np.argsort(position[shuffled], kind="stable")]
    starts = np.cumsum(counts) - counts
    rank = np.arange(len(pool)) - np.repeat(starts, counts)
    return np.sort(pool[by_stratum[rank < np.repeat(given, counts)]])


def _draw_blocks(
    pool: Rows,
    labels: npt.NDArray[np.int64],
    block: npt.NDArray[np.intp],
    wanted: float,
    rng: np.random.Generator,
    least_left: int,
) -> Rows:
    """Draw whole blocks in random order: one is taken if that brings the classes nearer to their shares."""
    content = np.zeros((block.max() + 1, labels.max() + 1), dtype=np.int64)
    np.add.at(content, (block, labels), 1)
    total = content.sum(axis=0)
    share = wanted / len(pool)
    scale = np.maximum(total, 1)
    left = (content > 0).sum(axis=0)
    taken, have = np.zeros(len(content), dtype=bool), np.zeros(len(total), dtype=np.int64)
    order = rng.permutation(len(content))

    def take(number: int) -> None:
        taken[number] = True
        have[:] += content[number]
        left[:] -= content[number] > 0

    def may_go(number: int) -> bool:
        return not taken[number] and bool(np.all(left[content[number] > 0] > least_left))

    for number in order.tolist():
        gap, then = (have / scale - share), ((have + content[number]) / scale - share)
        if may_go(number) and np.square(then).sum() < np.square(gap).sum():
            take(number)
    for missing in np.flatnonzero(
        (have == 0) & (total > 0)
    ).tolist():  # its blocks are all larger than twice the share
        fitting = [number for number in order.tolist() if content[number, missing] and may_go(number)]
        if fitting and not have[missing]:
            take(min(fitting, key=lambda number: int(content[number].sum())))
    return np.sort(pool[taken[block]])


def _check_classes(table: SourceTable, held: dict[str, Rows]) -> None:
    """Every class must be trained on; a class that a source gave only to another part is the user's mistake."""
    if not len(held["train"]):
        raise DataError(f"data ({table.name})", "the train part is empty", "add images")
    trained = set(table.labels[held["train"]].tolist())
    for name in ("val", "test"):
        unknown = sorted(set(table.labels[held[name]].tolist()) - trained)
        if unknown:
            what = f"class '{table.classes[unknown[0]]}' is in {name} but not in train"
            raise DataError(f"data ({table.name})", what, "add images of it to train, or remove it")
    for label in range(len(table.classes)):
        if label not in trained:
            what = f"class '{table.classes[label]}' has no image to train on"
            raise DataError(f"data ({table.name})", what, "add images of it, or remove it")

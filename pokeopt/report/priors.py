"""What a document's own numbers can say, one run a cell, before anything is trained again: its prior verdicts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from pokeopt.ablation.single_run import LIKELY, SingleRun, accuracy_run, compare_runs, macro_f1_run
from pokeopt.report.blocks import Cell, Column, Table, cells
from pokeopt.report.words import ABSENT, number

INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Prior:
    """Two cells of a document's table against each other.

    Attributes:
        study: Which of the document's comparisons.
        section: Where its numbers stand.
        score: What they are, in words.
        first: The cell that is said to be ahead; ``second`` the other.
        scores: What the document reports of the two; the mean where a setting was run more than once.
        sd: Standard deviation of their difference that the test images give it; None where their number is unknown.
        p_ahead: Probability that the first is ahead, were test images the only noise; None where that is unknown.
        word: ``likely, single run`` or ``inconclusive``; from how many images on, where their number is unknown.
        why: What the word rests on, in one sentence without a full stop.
    """

    study: str
    section: str
    score: str
    first: str
    second: str
    scores: tuple[float, float]
    sd: float | None
    p_ahead: float | None
    word: str
    why: str


def priors_of(plain: Mapping[str, Any]) -> tuple[Prior, ...]:
    """Return the verdicts of one of a document's tables.

    Args:
        plain: ``study``, ``section``, ``score`` and ``pairs`` (first and second cell); ``runs``: cell to a score in
            [0, 1], or a list of scores where a setting was run more than once; or ``classes``: cell to class to F1,
            with ``support``: class to test images. ``images``: how many test images there were; ``images_are``: how
            that is known; or ``at_most``: how many images there are in all, where the size of the part is not told.
    """
    runs = {key: macro_f1_run(each, plain["support"]) for key, each in plain.get("classes", {}).items()}
    return tuple(_prior(plain, runs, str(first), str(second)) for first, second in plain["pairs"])


def fewest_images(first: float, second: float) -> int | None:
    """Return from how many test images on two accuracies of one run each are ``likely, single run``; None if never.

    Args:
        first: A share in [0, 1], as is ``second``; their errors are taken as binomial and independent.
    """
    from scipy.special import ndtri

    if first == second:
        return None
    variance = first * (1 - first) + second * (1 - second)
    return max(1, math.ceil(variance * (float(ndtri(LIKELY)) / (first - second)) ** 2))


def priors_table(id_: str, priors: Sequence[Prior], document: str) -> Table | None:
    """Return the table; None where a document gives no scores to compare."""
    if not priors:
        return None
    columns = (
        Column("Comparison", is_number=False),
        Column("Reported", is_number=False),
        Column("Difference", note="first less second"),
        Column("SD", note="of the difference, from the test images alone"),
        Column("P(ahead)", note="that the first is ahead, were test images the only noise"),
        Column("Prior verdict", is_number=False),
        Column("Why", is_number=False),
    )
    rows = tuple(
        cells(
            Cell(f"{one.study}: {one.first} against {one.second}", look="wrap"),
            Cell(
                f"{_plain(one.scores[0])} and {_plain(one.scores[1])}, {one.score} ({one.section})",
                look="wrap",
            ),
            Cell(number(one.scores[0] - one.scores[1], sign=True), one.scores[0] - one.scores[1]),
            ABSENT if one.sd is None else number(one.sd),
            ABSENT if one.p_ahead is None else number(one.p_ahead, 2),
            Cell(one.word, look="wrap narrow"),
            Cell(f"{one.why}.", look="wrap"),
        )
        for one in priors
    )
    caption = (
        f"What the numbers of {document} say by themselves, before any run here: one run a cell, so that the noise "
        "between runs comes on top and “likely” is the strongest word."
    )
    return Table(id_, caption, columns, rows)


def _prior(plain: Mapping[str, Any], runs: Mapping[str, SingleRun], first: str, second: str) -> Prior:
    """Return the verdict of a pair; ``runs`` holds the cells whose class scores are told."""
    each = {
        key: tuple(one) if isinstance(one, list) else (one,) for key, one in plain.get("runs", {}).items()
    }
    scores = tuple(runs[key].score if runs else mean(each[key]) for key in (first, second))
    difference = abs(scores[0] - scores[1])
    repeated = {key: max(values) - min(values) for key, values in each.items() if len(values) > 1}
    noisiest = max(repeated, key=lambda key: repeated[key], default="")
    sd = p = None
    if noisiest and repeated[noisiest] >= difference:
        word = INCONCLUSIVE
        why = (
            f"Runs of one setting ({noisiest}) differ by {number(repeated[noisiest])}, these two by "
            f"{number(difference)}: the noise between runs is larger"
        )
    elif runs or plain.get("images"):
        n = plain.get("images") or sum(plain["support"].values())
        pair = compare_runs(
            *(
                runs[key] if runs else accuracy_run(score, n)
                for key, score in zip((first, second), scores, strict=True)
            )
        )
        sd, p, word = pair.sd, pair.p_ahead, str(pair.word)
        why = f"{n} test images ({plain['images_are']})"
    else:
        word, why = _of_unknown_size(scores[0], scores[1], plain.get("at_most"))
    return Prior(
        plain["study"],
        plain["section"],
        plain["score"],
        first,
        second,
        (scores[0], scores[1]),
        sd,
        p,
        word,
        why,
    )


def _of_unknown_size(first: float, second: float, at_most: int | None) -> tuple[str, str]:
    fewest = fewest_images(first, second)
    if fewest is None or (at_most is not None and fewest > at_most):
        there = f", and there are {at_most} in all" if at_most is not None else ""
        needed = (
            f"It would take {fewest} test images"
            if fewest is not None
            else "No number of images tells them apart"
        )
        return INCONCLUSIVE, f"{needed}{there}"
    why = "How many test images there were is not told; the score is taken for an accuracy"
    return f"likely, single run, on {fewest} test images or more", why


def _plain(score: float) -> str:
    return f"{score:.4g}"

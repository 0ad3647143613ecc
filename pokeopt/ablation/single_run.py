"""What one run a cell can say: the error of its test part alone, for tables that hold nothing else.

A document's table has no seeds. The images of its test part are then the only noise whose size can be known, and
run-to-run noise comes on top: "likely" is the strongest word that such a table earns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pokeopt.ablation.estimates import Floats
from pokeopt.ablation.resampling import macro_f1_of

LIKELY = 0.975  # P(ahead): where a 95 % interval of the difference leaves 0
DRAWS = 20_000


@dataclass(frozen=True)
class SingleRun:
    """One score from one run, and the standard deviation that its test images give it."""

    score: float
    sd: float


@dataclass(frozen=True)
class SinglePair:
    """Two single runs compared, their errors taken as independent.

    Attributes:
        difference: First minus second.
        sd: Its standard deviation from the test images.
        p_ahead: Probability that the first is ahead in truth, were test images the only noise.
        word: ``likely, single run`` or ``inconclusive``.
        reason: Why, in one sentence without a full stop.
    """

    difference: float
    sd: float
    p_ahead: float
    word: Literal["likely, single run", "inconclusive"]
    reason: str


def accuracy_run(accuracy: float, n_images: int) -> SingleRun:
    """Return an accuracy with its binomial standard deviation."""
    return SingleRun(accuracy, math.sqrt(accuracy * (1 - accuracy) / n_images))


def macro_f1_run(class_f1: Mapping[str, float], support: Mapping[str, int]) -> SingleRun:
    """Return the macro-F1 of a table of class F1 with the standard deviation that its test part gives it.

    The confusion matrix is rebuilt as far as the table tells: precision equals recall in each class, and errors spread
    over the other classes in proportion to their own. Test parts of the same size are then drawn from it.

    Args:
        class_f1: Class to F1 in [0, 1].
        support: Class to its number of test images; the same classes.
    """
    names = list(class_f1)
    f1 = np.array([class_f1[name] for name in names])
    there = np.array([support[name] for name in names], dtype=np.float64)
    confusion = rebuilt_confusion(f1, there)
    k = len(names)
    shares = (confusion / confusion.sum()).ravel()
    drawn = np.random.default_rng(0).multinomial(round(there.sum()), shares, DRAWS).reshape(DRAWS, k, k)
    scores = macro_f1_of(np.einsum("bkk->bk", drawn), drawn.sum(2), drawn.sum(1))
    return SingleRun(float(f1.mean()), float(scores.std(ddof=1)))


def rebuilt_confusion(f1: Floats, there: Floats) -> Floats:
    """Return a confusion matrix (K, K), truth by row: rows and columns sum to ``there``, the diagonal is f1 x there.

    The errors are fitted by turns to both margins, from outer products with an empty diagonal. Where one class holds
    above half of all errors no such matrix exists, and columns are met as nearly as the rows allow.
    """
    errors = (1 - f1) * there
    wrong = np.outer(errors, errors)
    np.fill_diagonal(wrong, 0.0)
    for _ in range(500):
        for axis in (0, 1):
            sums = wrong.sum(axis, keepdims=True)
            target = np.expand_dims(errors, axis)
            wrong = wrong * np.divide(target, sums, out=np.zeros_like(sums), where=sums > 0)
    confusion: Floats = wrong + np.diag(f1 * there)
    return confusion


def compare_runs(first: SingleRun, second: SingleRun) -> SinglePair:
    """Judge the difference of two single runs on parts of few images.

    Both are taken as drawn by themselves; on one and the same part errors go together somewhat, which narrows the
    difference's SD. Runs would widen it. Neither is known from one run.
    """
    from scipy.special import ndtr

    difference, sd = first.score - second.score, math.hypot(first.sd, second.sd)
    p = float(ndtr(difference / sd)) if sd else 0.5  # without an error of the test part nothing can be said
    likely = max(p, 1 - p) >= LIKELY
    said = f"one run each: the difference is {difference:+.3f}, SD {sd:.3f} from the test images alone"
    tail = f"P(first ahead) is {p:.2f}, before the noise between runs, which one run does not show"
    word: Literal["likely, single run", "inconclusive"] = "likely, single run" if likely else "inconclusive"
    return SinglePair(difference, sd, p, word, f"{said}; {tail}".replace("-", "−"))

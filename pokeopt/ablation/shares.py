"""Shares of runs: how often an arm wins, how often a run collapses, and what so few runs say about either."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

COLLAPSE_DROP = (
    0.05  # of a score in [0, 1]: further below its arm's median than this is no longer noise to live with
)
FENCES = 5.0  # robust standard deviations; a normal run is that far off once in 3 million


@dataclass(frozen=True)
class Share:
    """A share of runs with its interval.

    Attributes:
        n: Runs, or pairs of runs.
        count: Those that count; a tie counts half.
        share: count / n; None without runs.
        low: Lower end of the 95 % interval.
        high: Its upper end.
    """

    n: int
    count: float = 0.0
    share: float | None = None
    low: float | None = None
    high: float | None = None


def probability_of_improvement(
    arm: Mapping[int, float],
    reference: Mapping[int, float],
    direction: str = "maximize",
    confidence: float = 0.95,
) -> Share:
    """Estimate how often a run of the arm is ahead of the reference's run of the same seed.

    It is the A12 of Vargha and Delaney taken over pairs: wins plus half the ties, over the seeds that both have. The
    interval is Wilson's: ten wins in ten leave [0.72, 1], where a bootstrap of ten equal signs would be certain.

    Args:
        arm: Seed to score; a score that is not finite takes its pair out.
        reference: The same of the reference.
        direction: ``maximize`` or ``minimize``: which way is ahead.
        confidence: Coverage of the interval.
    """
    sign = 1 if direction == "maximize" else -1
    ahead = [
        float(np.sign(sign * (arm[seed] - reference[seed])))
        for seed in arm.keys() & reference.keys()
        if math.isfinite(arm[seed]) and math.isfinite(reference[seed])
    ]
    if not ahead:
        return Share(0)
    n, count = len(ahead), sum((each + 1) / 2 for each in ahead)
    return Share(n, count, count / n, *_wilson(count, n, confidence))


def share_within(values: Iterable[float], low: float, high: float, confidence: float = 0.95) -> Share:
    """Estimate how often a value lies between two bounds, with Wilson's interval; one on a bound counts half.

    >>> share_within([0.2, 0.0, -0.1, 0.3], 0.0, math.inf).share
    0.625
    """
    each = [0.5 if value in (low, high) else float(low < value < high) for value in values]
    if not each:
        return Share(0)
    n, count = len(each), sum(each)
    return Share(n, count, count / n, *_wilson(count, n, confidence))


@lru_cache(maxsize=1024)  # few seeds have few shares, and a study asks for many
def _wilson(count: float, n: int, confidence: float) -> tuple[float, float]:
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(count, n, alpha=1 - confidence, method="wilson")
    return float(low), float(high)


def clopper_pearson(count: int, n: int, confidence: float = 0.95) -> tuple[float, float] | None:
    """Return the exact interval of a share of runs; None where n is zero.

    >>> low, high = clopper_pearson(1, 6)
    >>> f"{low:.3f} {high:.2f}"
    '0.004 0.64'
    """
    from statsmodels.stats.proportion import proportion_confint

    if n == 0:
        return None
    low, high = proportion_confint(count, n, alpha=1 - confidence, method="beta")
    return float(low), float(high)


def collapsed(
    scores: Mapping[int, float],
    direction: str = "maximize",
    dummy: float | None = None,
    drop: float | None = None,
) -> tuple[int, ...]:
    """Return the seeds whose run collapsed, in order.

    A run collapsed if its score is not finite; or is no better than ``dummy``; or lies on the bad side of the median of
    these runs by more than ``drop`` and by more than 5 robust standard deviations (1.4826 times the median absolute
    deviation). The median needs half of the runs to be sound: where most collapse, only ``dummy`` tells.

    Args:
        scores: Seed to score: of one arm, or of several that should score alike.
        direction: ``maximize`` or ``minimize``.
        dummy: What a model scores that has learnt nothing, as the majority class does; None does not ask.
        drop: The smallest distance from the median that counts, in the metric's unit; None does not ask.
    """
    from scipy import stats

    sign = 1 if direction == "maximize" else -1
    finite = np.array([sign * score for score in scores.values() if math.isfinite(score)])
    fence = -math.inf
    if drop is not None and finite.size:
        fence = float(
            np.median(finite) - max(drop, FENCES * stats.median_abs_deviation(finite, scale="normal"))
        )
    floor = -math.inf if dummy is None else sign * dummy
    return tuple(
        seed
        for seed, score in sorted(scores.items())
        if not math.isfinite(score) or sign * score <= floor or sign * score < fence
    )


def collapse_rate(
    scores: Mapping[int, float],
    direction: str = "maximize",
    dummy: float | None = None,
    drop: float | None = None,
) -> Share:
    """Return the share of runs that ``collapsed`` names, with Clopper and Pearson's 95 % interval."""
    n, count = len(scores), len(collapsed(scores, direction, dummy, drop))
    interval = clopper_pearson(count, n)
    return Share(n, count, count / n, *interval) if interval else Share(0)

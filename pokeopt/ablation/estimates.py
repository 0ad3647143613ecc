"""A mean of few runs and what can be said of it: its interval, the interval of one new run, its trimmed twin.

These are the small, fast parts of verdicts; ``statistics.paired_difference`` describes a comparison fully.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
ROUNDING = 1e-12  # relative: what 0.1 + 0.2 - 0.2 leaves is no spread


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its interval.

    Attributes:
        mean: The mean, in the unit of what was measured (a ratio: the geometric mean).
        low: Lower end of the interval; None where there are too few values, or no spread to judge from.
        high: Its upper end.
        sd: Sample standard deviation; of a ratio that of its natural logarithm. None below two values.
        confidence: Coverage of the interval.
    """

    mean: float | None = None
    low: float | None = None
    high: float | None = None
    sd: float | None = None
    confidence: float = 0.95


def spread(values: Floats) -> float:
    """Return the sample SD of two or more values; zero where only rounding tells them apart."""
    deviations = values - values.sum() / values.size
    sd = math.sqrt(float(deviations @ deviations) / (values.size - 1))
    return 0.0 if sd <= ROUNDING * max(1.0, float(np.abs(values).max())) else sd


def standard_error(sd: float, n: int, test_share: float | None = None) -> float:
    """Return the standard error of a mean of ``n`` values.

    Args:
        sd: Their sample SD.
        n: How many.
        test_share: n_test / n_train where every seed redraws the test part; the variance is then multiplied by
            1/n + n_test/n_train instead of 1/n.

    Source: Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003.
    """
    return sd * math.sqrt(1 / n + (test_share or 0.0))


def t_quantile(confidence: float, n: int) -> float:
    """Return the half width of the interval of a mean of ``n`` values, in standard errors."""
    # 50 times as fast as stats.t.ppf, which checks shapes; the numbers are the same
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 0.5 + confidence / 2))


def t_above(mean: float, bound: float, error: float, n: int) -> float:
    """Return the one-sided p of "the mean is not above the bound"."""
    from scipy.special import stdtr

    return float(stdtr(n - 1, (bound - mean) / error))


def estimate(
    values: Floats,
    confidence: float = 0.95,
    test_share: float | None = None,
    *,
    is_difference: bool = True,
) -> Estimate:
    """Return the mean with Student's interval.

    No interval stands where all values are equal: equal values show no spread, which is no reason to claim certainty.
    All zero is the one exception, of differences alone: two arms that agree in every run differ by [0, 0], but an arm
    that scored 0 in few runs may score in the next.

    Args:
        values: (n,) one a seed.
        confidence: Coverage of the interval.
        test_share: As in ``standard_error``.
        is_difference: Whether the values compare two arms; the scores of one have no exception.
    """
    n = values.size
    if n == 0:
        return Estimate(confidence=confidence)
    mean = float(values.sum() / n)
    if n == 1:
        return Estimate(mean, confidence=confidence)
    sd = spread(values)
    if sd == 0.0:
        if is_difference and abs(mean) <= ROUNDING:
            return Estimate(0.0, 0.0, 0.0, 0.0, confidence)
        return Estimate(mean, None, None, 0.0, confidence)
    half = t_quantile(confidence, n) * standard_error(sd, n, test_share)
    return Estimate(mean, mean - half, mean + half, sd, confidence)


def prediction_interval(scores: Collection[float], confidence: float = 0.95) -> tuple[float, float] | None:
    """Return where one new run is expected: mean -+ t s sqrt(1 + 1/n); None below two values or without spread."""
    values = np.array([score for score in scores if math.isfinite(score)])
    if values.size < 2 or (sd := spread(values)) == 0.0:
        return None
    half = t_quantile(confidence, values.size) * sd * math.sqrt(1 + 1 / values.size)
    return float(values.mean() - half), float(values.mean() + half)


def iqm(scores: Collection[float]) -> float | None:
    """Return the interquartile mean: a quarter of the runs, rounded down, is cut at either end; None without scores.

    It stands beside the mean where a run collapsed; below four runs nothing is cut.
    """
    from scipy import stats

    values = [score for score in scores if math.isfinite(score)]
    return float(stats.trim_mean(values, 0.25)) if values else None


def holm_levels(p_values: Sequence[float | None], alpha: float = 0.05) -> list[float]:
    """Return the level at which Holm's method tests each member of one family.

    The k-th smallest p is tested at alpha / (m - k), k from 0, up to and including the first that is not below its
    level; all later ones keep that level. An interval of coverage 1 - level then excludes the bound exactly where
    Holm's adjusted p is below alpha. Taken one by one such intervals cover at 95 % or above; together they do not once
    several are decided, for only the decisions are simultaneous. A member without p is not counted and gets the level
    of those left undecided.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statistics 6, 1979.
    """
    ranked = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    levels = [alpha] * len(p_values)
    current, open_ = alpha, True
    for k, (p, place) in enumerate(ranked):
        if open_:
            current = alpha / (len(ranked) - k)
            open_ = p <= current
        levels[place] = current
    without = [place for place, p in enumerate(p_values) if p is None]
    for place in without:
        levels[place] = current
    return levels

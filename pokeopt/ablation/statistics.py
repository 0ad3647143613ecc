"""What a few seeds can say: paired intervals and tests that hold from three seeds on.

The unit is one (arm, seed) cell; a difference is arm minus reference at the same seed, so that what the seed
does to both cancels. The interval is Student's t on those differences: percentile and BCa bootstraps promise
95 % and deliver 70 to 85 % at three to five seeds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pokeopt.ablation.estimates import standard_error

# scipy.stats and statsmodels are imported where they are used: each takes a second, and `--help` needs neither

MOST_SEEDS = 1000  # beyond it nobody runs them; the answer is then "none"
EXACT_UP_TO = 16  # pairs; 2**16 sign patterns are enumerated in a fraction of a second


@dataclass(frozen=True)
class Level:
    """One arm's scores over its seeds: n, mean, sample SD and the t interval of the mean.

    There is no interval below two seeds, and none where all scores are equal: they show no spread, which is no
    reason to claim certainty.
    """

    n: int
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Effect:
    """Arm minus reference over the seeds that both have.

    Attributes:
        n: Pairs.
        mean: Mean difference, in the metric's unit.
        sd: Sample standard deviation of the differences; None below two pairs.
        low: Lower end of the paired t interval. None below two pairs, and where all differences are equal
            but not zero: they show no spread, which is no reason to claim certainty.
        high: Its upper end.
        p: Two-sided p of the paired t test; None where there is no interval.
        d_z: Mean over SD of the differences (Cohen's d_z); None without spread.
        p_sign_flip: Two-sided p of the exact sign-flip test. Its smallest value is 2 / 2**n.
        correlation: Pearson's r of arm and reference over the seeds; None below three pairs or without
            spread.
        confidence: Coverage of the interval.
    """

    n: int
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    d_z: float | None = None
    p_sign_flip: float | None = None
    correlation: float | None = None
    confidence: float = 0.95

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero, which alone permits a comparative."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def level(scores: Mapping[int, float], confidence: float = 0.95, *, test_share: float | None = None) -> Level:
    """Describe one arm's scores.

    Args:
        scores: Seed to score; scores that are not finite are left out.
        confidence: Coverage of the interval.
        test_share: As in ``paired_difference``.
    """
    values = np.array([score for _, score in sorted(scores.items()) if math.isfinite(score)])
    if values.size == 0:
        return Level(0)
    mean = float(values.mean())
    if values.size == 1:
        return Level(1, mean)
    sd = _spread(values)
    if sd == 0.0:
        return Level(values.size, mean, 0.0)
    half = float(_t_quantile(confidence, values.size)) * standard_error(sd, values.size, test_share)
    return Level(values.size, mean, sd, mean - half, mean + half)


def paired_difference(
    arm: Mapping[int, float],
    reference: Mapping[int, float],
    confidence: float = 0.95,
    *,
    test_share: float | None = None,
) -> Effect:
    """Compare an arm with its reference over the seeds that both have.

    Args:
        arm: Seed to score; a score that is not finite takes its pair out.
        reference: The same of the reference.
        confidence: Coverage of the interval.
        test_share: n_test / n_train where every seed redraws the test part too. The variance is then
            multiplied by 1/n + n_test/n_train instead of 1/n, since redrawn parts overlap.

    Source: Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003.
    """
    pairs = [
        (arm[seed], reference[seed])
        for seed in sorted(arm.keys() & reference.keys())
        if math.isfinite(arm[seed]) and math.isfinite(reference[seed])
    ]
    n = len(pairs)
    if n == 0:
        return Effect(0, confidence=confidence)
    scores, base = np.array(pairs).T
    differences = scores - base
    mean = float(differences.mean())
    if n == 1:
        return Effect(1, mean, confidence=confidence)
    sd, flips = _spread(differences), _sign_flip_p(scores, base)
    if sd == 0.0:
        same = mean == 0.0
        end = 0.0 if same else None
        return Effect(n, mean, 0.0, end, end, 1.0 if same else None, None, flips, None, confidence)
    error = standard_error(sd, n, test_share)
    half = float(_t_quantile(confidence, n)) * error
    p = _t_test_p(mean / error, n)
    r = _correlation(scores, base)
    return Effect(n, mean, sd, mean - half, mean + half, p, mean / sd, flips, r, confidence)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust the p values of one family by Holm's method; a comparison without one is not counted."""
    known = [p for p in p_values if p is not None]
    if len(known) < 2:  # a family of one needs no adjustment, and statsmodels would collect garbage for it
        return list(p_values)
    from statsmodels.stats.multitest import multipletests

    adjusted = iter(multipletests(known, method="holm")[1].tolist())
    return [None if p is None else float(next(adjusted)) for p in p_values]


def wilson(successes: float, n: float, confidence: float = 0.95) -> tuple[float, float] | None:
    """Return Wilson's interval of a share, as of a recall from few test images; None where n is zero."""
    from statsmodels.stats.proportion import proportion_confint

    if n == 0:
        return None
    low, high = proportion_confint(successes, n, alpha=1 - confidence, method="wilson")
    return float(low), float(high)


def seeds_to_settle(
    effect: Effect, *, alpha: float | None = None, test_share: float | None = None
) -> int | None:
    """Return how many seeds would bring the interval off zero, were mean and SD as measured; None above 1000.

    A rough guide to the next experiment, not a promise: mean and SD are themselves estimated from few seeds.

    Args:
        effect: What the seeds at hand showed.
        alpha: Level of its test, as Holm's method gives one to each comparison of a family; None takes that of the
            effect's own interval.
        test_share: As in ``paired_difference``. Redrawn parts overlap, so that no number of seeds narrows the
            interval to nothing: an effect within what is left has no answer.
    """
    if effect.mean is None or not effect.sd or effect.mean == 0:
        return None
    ratio = abs(effect.mean) / effect.sd
    confidence = effect.confidence if alpha is None else 1 - alpha
    counts = np.arange(2, MOST_SEEDS + 1)
    enough = _t_quantile(confidence, counts) * np.sqrt(1 / counts + (test_share or 0.0)) < ratio
    return int(counts[int(np.argmax(enough))]) if enough.any() else None


def _spread(values: np.ndarray) -> float:
    """Sample SD; zero where only rounding differs, since 0.1 + 0.2 - 0.2 is no spread."""
    sd = float(values.std(ddof=1))
    return 0.0 if sd <= 1e-12 * max(1.0, float(np.abs(values).max())) else sd


def _t_quantile(confidence: float, n: Any) -> Any:
    """Half width of the interval of a mean of n values, in standard errors."""
    from scipy import stats

    return stats.t.ppf(0.5 + confidence / 2, n - 1)


def _t_test_p(t: float, n: int) -> float:
    from scipy import stats

    return float(2 * stats.t.sf(abs(t), n - 1))


def _sign_flip_p(scores: np.ndarray, base: np.ndarray) -> float:
    """Exact up to 16 pairs, else 2**16 random sign patterns from a fixed seed."""
    if np.allclose(scores, base, rtol=0, atol=1e-12):
        return 1.0
    from scipy import stats

    result = stats.permutation_test(
        (scores, base),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",  # swaps a pair's scores: flips the sign of its difference
        vectorized=True,
        n_resamples=2 ** min(len(scores), EXACT_UP_TO),
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def _correlation(scores: np.ndarray, base: np.ndarray) -> float | None:
    if len(scores) < 3 or _spread(scores) == 0 or _spread(base) == 0:
        return None
    from scipy import stats

    return float(stats.pearsonr(scores, base).statistic)

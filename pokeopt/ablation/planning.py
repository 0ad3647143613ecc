"""What a number of runs can show: detectable effects, the optimism of the best of many, the agreement of ranks."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np


def detectable_effect(n: int, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """Return the mean difference, in SDs of the paired differences, that a two-sided t test finds with this power.

    Args:
        n: Seeds, two or more; None is returned below.
        power: Chance of finding it.
        alpha: Level of the test; divide it by the number of comparisons for the first step of Holm's method.

    The chance of a significant result in the wrong direction, below alpha / 2, is not counted as power.
    """
    from scipy import optimize, stats

    if n < 2:
        return None
    critical = stats.t.ppf(1 - alpha / 2, n - 1)

    def shortfall(effect: float) -> float:
        return float(stats.nct.sf(critical, n - 1, effect * math.sqrt(n))) - power

    # statsmodels' solver stops early here: 5.0 instead of 6.6 for three seeds and alpha 0.0125
    upper = 1.0
    while shortfall(upper) < 0:
        upper *= 2
    return float(optimize.brentq(shortfall, 0.0, upper))


def best_of_n_optimism(n_arms: int, accuracy: float, n_images: int) -> float:
    """Return by how much the best of equal arms beats its true accuracy on the images that chose it, on average.

    Args:
        n_arms: Arms, or trials, compared on one part; all have the same true accuracy and err independently.
        accuracy: That accuracy.
        n_images: Images of the part.

    >>> f"{best_of_n_optimism(20, 0.5, 120):+.3f}"
    '+0.085'
    """
    from scipy import stats

    below = stats.binom.cdf(np.arange(n_images), n_images, accuracy)  # P(right <= k), k = 0 .. n - 1
    return float(np.sum(1 - below**n_arms) / n_images - accuracy)


def kendall_tau(first: Mapping[str, float], second: Mapping[str, float]) -> float | None:
    """Return Kendall's tau-b of two rankings of the arms that both have; None below two arms or where all tie."""
    from scipy import stats

    arms = [
        arm for arm in first if arm in second and math.isfinite(first[arm]) and math.isfinite(second[arm])
    ]
    if len(arms) < 2:
        return None
    a, b = [first[arm] for arm in arms], [second[arm] for arm in arms]
    if len(set(a)) < 2 or len(set(b)) < 2:
        return None
    return float(stats.kendalltau(a, b).statistic)

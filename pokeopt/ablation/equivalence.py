"""Two one-sided tests: whether a difference is small enough to be called none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pokeopt.ablation.estimates import Floats, spread

ROPE = 0.01  # of a score in [0, 1]: a difference within it is of no practical account


@dataclass(frozen=True)
class Equivalence:
    """The test that two arms differ by less than ``within``.

    Attributes:
        n: Pairs.
        within: Half width of the region of practical equivalence, in the metric's unit.
        mean: Mean difference.
        low: Lower end of the interval of coverage 1 - 2 alpha, which lies inside (-within, within) exactly where
            p < alpha.
        high: Its upper end.
        p: The larger of the two one-sided p; None below two pairs, and where all differences are equal.
        alpha: Level of the test.
    """

    n: int
    within: float
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    alpha: float = 0.05


def tost(
    arm: Mapping[int, float],
    reference: Mapping[int, float],
    within: float = ROPE,
    alpha: float = 0.05,
    *,
    test_share: float | None = None,
) -> Equivalence:
    """Test an arm for practical equality with its reference over the seeds that both have.

    Args:
        arm: Seed to score; a score that is not finite takes its pair out.
        reference: The same of the reference.
        within: The largest difference that still counts as none, in the metric's unit.
        alpha: Level of the test.
        test_share: As in ``paired_difference``.

    Source: Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15, 1987.
    """
    differences = np.array(
        [
            arm[seed] - reference[seed]
            for seed in sorted(arm.keys() & reference.keys())
            if math.isfinite(arm[seed]) and math.isfinite(reference[seed])
        ]
    )
    n = differences.size
    mean = float(differences.mean()) if n else None
    if n < 2 or spread(differences) == 0.0:
        agree = n >= 2 and not differences.any()
        end = 0.0 if agree else None
        return Equivalence(n, within, mean, end, end, None, alpha)
    from statsmodels.stats.weightstats import DescrStatsW

    described = DescrStatsW(widened(differences, test_share))
    low, high = described.tconfint_mean(alpha=2 * alpha)
    p = described.ttost_mean(-within, within)[0]
    return Equivalence(n, within, mean, float(low), float(high), float(p), alpha)


def widened(values: Floats, test_share: float | None) -> Floats:
    """Stretch values about their mean so that an ordinary t test carries Nadeau and Bengio's variance."""
    if not test_share:
        return values
    mean = values.mean()
    stretched: Floats = mean + (values - mean) * math.sqrt(1 + test_share * values.size)
    return stretched

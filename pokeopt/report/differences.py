"""The difference of two studies' scores: paired where seeds are pairs, otherwise Welch's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pokeopt.ablation import paired_difference
from pokeopt.ablation.equivalence import widened

if TYPE_CHECKING:
    from pokeopt.report.predictions import TrialPredictions

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """Second minus first.

    Attributes:
        is_paired: Whether runs of one seed were subtracted from each other.
        n: Runs on each side; of a paired difference, the pairs.
        low: Lower end of the 95 % t interval: paired, or Welch's. None where there are too few runs, or no spread.
        high: Its upper end.
        p: Two-sided, of the same test.
        sd: Of the paired differences, or of a difference of two single runs, one from each side.
    """

    is_paired: bool
    n: tuple[int, int]
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    sd: float | None = None

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero, which alone permits a comparative."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def difference(
    first: Mapping[int, float],
    second: Mapping[int, float],
    *,
    is_paired: bool,
    test_shares: tuple[float | None, float | None] = (None, None),
) -> Difference:
    """Compare scores by seed.

    Args:
        first: Seed to score; values that are not finite are left out.
        second: The same of the other study.
        is_paired: Whether a seed means the same draw of data in both.
        test_shares: n_test / n_train of either study, where every seed of it redraws the test part too; as in
            ``paired_difference``. Of pairs the larger counts.
    """
    if is_paired:
        share = max((one for one in test_shares if one), default=None)
        effect = paired_difference(second, first, CONFIDENCE, test_share=share)
        return Difference(
            True, (effect.n, effect.n), effect.mean, effect.low, effect.high, effect.p, effect.sd
        )
    a = [value for _, value in sorted(first.items()) if math.isfinite(value)]
    b = [value for _, value in sorted(second.items()) if math.isfinite(value)]
    n = len(a), len(b)
    if not a or not b:
        return Difference(False, n)
    mean = sum(b) / len(b) - sum(a) / len(a)
    if min(n) < 2:
        return Difference(False, n, mean)
    spread = math.sqrt(_variance(a) + _variance(b))
    if spread <= 1e-12 * max(1.0, *map(abs, a), *map(abs, b)):
        return Difference(False, n, mean, sd=0.0)  # no spread is no certainty
    from scipy import stats

    found = stats.ttest_ind(
        widened(np.array(b), test_shares[1]), widened(np.array(a), test_shares[0]), equal_var=False
    )
    ends = found.confidence_interval(CONFIDENCE)
    return Difference(False, n, mean, float(ends.low), float(ends.high), float(found.pvalue), spread)


def by_network(predictions: TrialPredictions, part: str, name: str) -> dict[int, float]:
    """Return a metric of every network of a trial on a part, by the network's place; empty without predictions."""
    from dataclasses import replace

    found = predictions.parts.get(part)
    if found is None or found.probabilities is None:
        return {}
    scores = {}
    for i in range(len(found.probabilities)):
        alone = replace(found, probabilities=found.probabilities[i : i + 1])
        if name in (values := alone.scores(predictions.classes)):
            scores[i] = values[name]
    return scores


def _variance(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)

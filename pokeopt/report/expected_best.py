"""The best score to expect of n trials, from the scores of those that were run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pokeopt.report.search_facts import ExpectedBest

FEWEST = 5
MOST_POINTS = 60


def expected_best(
    scores: Sequence[float], direction: str, s_per_trial: float | None = None
) -> ExpectedBest | None:
    """Return the expected best of 1..N trials drawn from the empirical distribution of N scores.

    It holds for independent trials; a sampler that learns gets there earlier, a lucky draw is taken for granted.

    Args:
        scores: Final scores of COMPLETE trials.
        direction: Of the objective.
        s_per_trial: Mean training time of a trial of the search, stopped ones included.

    Source: Dodge et al., "Show Your Work: Improved Reporting of Experimental Results", EMNLP 2019, equation 1.
    """
    if len(scores) < FEWEST:
        return None
    sign = 1.0 if direction == "maximize" else -1.0
    values = np.sort(sign * np.array(scores, dtype=float))
    total = len(values)
    counts = sorted({round(n) for n in np.geomspace(1, total, min(total, MOST_POINTS))})
    share = np.arange(total + 1) / total  # of scores that are no larger
    rows = []
    for n in counts:
        reached = share**n  # probability that the best of n is no larger
        low, high = (values[min(total, max(1, int(np.searchsorted(reached, p)))) - 1] for p in (0.05, 0.95))
        rows.append(
            (sign * float(values @ np.diff(reached)), *sorted((sign * float(low), sign * float(high))))
        )
    means, lows, highs = zip(*rows, strict=True)
    return ExpectedBest(tuple(counts), means, lows, highs, total, s_per_trial)

"""What the parts of a latent tell of each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def partition_information(latents: npt.NDArray[np.floating], partitions: Sequence[int]) -> float | None:
    """Return the total correlation of the parts in nats, as of Gaussian latents.

    That is (sum of ln|S_p| - ln|S|) / 2, with the covariances S_p of each part and S of all units: how much shorter the
    latents could be told if all parts were known together. For two parts it is their mutual information. Sample
    covariances of few images overstate it by an amount that is known exactly, and is taken off:
    E ln|S| = ln|Sigma| + sum of digamma((n - i) / 2) + const for the n - 1 degrees of freedom that n images give.

    Args:
        latents: (N, D), of N images.
        partitions: Sizes that sum to D.

    Returns:
        An estimate without bias, which may fall below 0; None of too few images. Units that do not vary count as
        independent.

    Source: Watanabe, "Information theoretical analysis of multivariate correlation", 1960; for the expectation
    Anderson, "An Introduction to Multivariate Statistical Analysis", section 7.5.
    """
    from scipy.special import digamma

    values: Floats = np.asarray(latents, dtype=np.float64)
    varies = values.std(axis=0) > 1e-9
    ends = list(accumulate(partitions, initial=0))
    columns = [np.arange(start, end)[varies[start:end]] for start, end in pairwise(ends)]
    parts = [chosen for chosen in columns if len(chosen)]
    n, size = len(values), int(varies.sum())
    if n - 1 <= size:
        return None
    if len(parts) < 2:
        return 0.0
    correlations = np.atleast_2d(np.corrcoef(values[:, varies], rowvar=False))
    position = np.cumsum(varies) - 1
    within = [correlations[np.ix_(position[part], position[part])] for part in parts]
    found = (sum(_log_det(one) for one in within) - _log_det(correlations)) / 2

    def expected(units: int) -> float:
        return float(digamma((n - np.arange(1, units + 1)) / 2).sum())

    return found - (sum(expected(len(part)) for part in parts) - expected(size)) / 2


def _log_det(matrix: Floats) -> float:
    return float(np.linalg.slogdet(matrix)[1])

"""Means, intervals and levels against SciPy, statsmodels and values worked by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from pokeopt.ablation.estimates import estimate, holm_levels, iqm, prediction_interval
from pokeopt.ablation.statistics import paired_difference

values = st.lists(st.floats(-1, 1).map(lambda x: round(x, 4)), min_size=2, max_size=12)
p_lists = st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=8)


@given(values, st.sampled_from([0.9, 0.95, 0.99]), st.sampled_from([None, 0.2]))
def test_the_fast_interval_is_that_of_the_paired_difference(
    data: list[float], confidence: float, share: float | None
) -> None:
    fast = estimate(np.array(data), confidence, share)
    full = paired_difference(
        dict(enumerate(data)), dict.fromkeys(range(len(data)), 0.0), confidence, test_share=share
    )
    for name in ("mean", "low", "high", "sd"):
        expected = getattr(full, name)
        found = getattr(fast, name)
        assert found is None if expected is None else found == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_few_or_equal_values_have_no_interval() -> None:
    assert estimate(np.array([])).mean is None
    assert (estimate(np.array([0.4])).mean, estimate(np.array([0.4])).sd) == (0.4, None)
    same = estimate(np.array([0.1 + 0.2 - 0.2, 0.1, 0.1]))
    assert (same.sd, same.low, same.high) == (0.0, None, None)
    alone = estimate(np.zeros(3), is_difference=False)
    assert (alone.mean, alone.low, alone.high, alone.sd) == (0.0, None, None, 0.0)
    zero = estimate(np.zeros(3))
    assert (zero.mean, zero.low, zero.high) == (0.0, 0.0, 0.0)


def test_a_new_run_falls_into_its_prediction_interval_as_often_as_promised() -> None:
    rng = np.random.default_rng(1)
    runs = rng.normal(0.9, 0.02, (4000, 6))
    found = [prediction_interval(list(row[:5])) for row in runs]
    inside = [
        ends is not None and ends[0] <= row[5] <= ends[1] for ends, row in zip(found, runs, strict=True)
    ]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.01)


def test_prediction_interval_by_hand() -> None:
    # n = 3: mean 0.5, s 0.1, t 4.302653, sqrt(4/3) 1.154701
    low, high = prediction_interval([0.4, 0.5, 0.6, math.nan]) or (0.0, 0.0)
    assert (low, high) == pytest.approx((0.5 - 0.4968275, 0.5 + 0.4968275), abs=1e-6)
    assert prediction_interval([0.4]) is None
    assert prediction_interval([0.4, 0.4]) is None


def test_iqm_drops_a_quarter_at_either_end() -> None:
    assert iqm([0.1, 0.9, 0.92, 0.94, math.nan]) == pytest.approx(0.91)
    assert iqm([0.1, 0.9]) == pytest.approx(0.5)
    assert iqm([math.nan]) is None


def test_holm_levels_by_hand() -> None:
    # sorted: 0.01 < 0.05/3, 0.02 < 0.05/2, 0.2 > 0.05
    assert holm_levels([0.2, 0.01, None, 0.02]) == pytest.approx([0.05, 0.05 / 3, 0.05, 0.025])
    # 0.02 > 0.05/3 stops it; all later ones stay at that level
    assert holm_levels([0.02, 0.021, 0.6, None]) == pytest.approx([0.05 / 3] * 4)
    assert holm_levels([]) == []
    assert holm_levels([None]) == [0.05]


@given(p_lists)
def test_a_p_is_below_its_level_exactly_where_holm_rejects_it(p_values: list[float | None]) -> None:
    known = [p for p in p_values if p is not None]
    if not known:
        return
    rejected = iter(multipletests(known, alpha=0.05, method="holm")[0])
    for p, found in zip(p_values, holm_levels(p_values), strict=True):
        if p is not None:
            assert (p <= found) == bool(next(rejected))


def test_the_interval_at_a_level_excludes_zero_where_p_is_below_the_level() -> None:
    rng = np.random.default_rng(2)
    for row in rng.normal(0.02, 0.02, (50, 6)):
        p = float(stats.ttest_1samp(row, 0).pvalue)
        for factor in (0.999, 1.001):
            found = estimate(row, 1 - p * factor)
            assert found.low is not None
            assert found.high is not None
            assert (found.low > 0 or found.high < 0) == (factor > 1)

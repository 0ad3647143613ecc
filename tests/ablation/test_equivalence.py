"""Two one-sided tests against statsmodels and against the interval that says the same."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.weightstats import ttost_paired

from pokeopt.ablation.equivalence import tost

pairs = st.lists(st.tuples(*[st.floats(0, 0.1).map(lambda x: round(x, 4))] * 2), min_size=3, max_size=10)


@given(pairs)
def test_p_is_that_of_statsmodels_and_agrees_with_the_interval(data: list[tuple[float, float]]) -> None:
    one, two = (list(column) for column in zip(*data, strict=True))
    found = tost(dict(enumerate(one)), dict(enumerate(two)), within=0.03)
    if found.p is None:
        return
    assert found.p == pytest.approx(ttost_paired(np.array(one), np.array(two), -0.03, 0.03)[0], abs=1e-9)
    assert found.low is not None
    assert found.high is not None
    assert (found.p < 0.05) == (found.low > -0.03 and found.high < 0.03)


def test_redrawn_test_parts_widen_the_interval_as_nadeau_and_bengio_say() -> None:
    one, two = dict(enumerate([0.50, 0.52, 0.51, 0.55])), dict.fromkeys(range(4), 0.5)
    plain, wide = tost(one, two), tost(one, two, test_share=0.25)
    assert plain.high is not None
    assert plain.mean is not None
    assert wide.high is not None
    factor = (wide.high - plain.mean) / (plain.high - plain.mean)
    assert factor == pytest.approx(math.sqrt((1 / 4 + 0.25) / (1 / 4)))
    assert (wide.p or 0) > (plain.p or 1) or (plain.p or 0) > 0.5


def test_too_few_or_equal_differences() -> None:
    assert (tost({0: 1.0}, {1: 1.0}).n, tost({0: 1.0}, {0: 1.0}).p) == (0, None)
    shifted = tost({0: 0.2, 1: 0.3}, {0: 0.1, 1: 0.2})
    assert (shifted.low, shifted.p) == (None, None)
    same = tost({0: 0.2, 1: 0.3}, {0: 0.2, 1: 0.3})
    assert (same.low, same.high) == (0.0, 0.0)

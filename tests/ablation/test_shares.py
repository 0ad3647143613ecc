"""Shares of runs against published intervals and counts by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from pokeopt.ablation.shares import (
    COLLAPSE_DROP,
    Share,
    clopper_pearson,
    collapse_rate,
    collapsed,
    probability_of_improvement,
    share_within,
)

scores = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=10)
# Private Kaggle scores of the six submissions of 001's CNN: 50, 50, 70, 70, 120, 150 epochs.
SUBMISSIONS = dict(enumerate([0.99526, 0.99728, 0.92399, 0.99328, 0.99719, 0.99752]))


def test_wins_and_half_the_ties() -> None:
    share = probability_of_improvement(
        {0: 3.0, 1: 2.0, 2: 1.0, 3: math.nan}, {0: 1.0, 1: 2.0, 2: 0.0, 3: 0.0}
    )
    assert (share.n, share.count) == (3, 2.5)
    assert share.share == pytest.approx(2.5 / 3)
    assert probability_of_improvement({0: 1.0}, {1: 1.0}) == Share(0)


def test_ten_wins_in_ten_are_not_certain() -> None:
    # Wilson: n / (n + z^2) = 10 / 13.8415
    share = probability_of_improvement(dict.fromkeys(range(10), 1.0), dict.fromkeys(range(10), 0.0))
    assert (share.low, share.high) == pytest.approx((0.7225, 1.0), abs=1e-4)


@given(scores)
def test_what_one_arm_wins_the_other_loses_and_minimising_turns_it_round(data: list[tuple[int, int]]) -> None:
    one, two = (dict(enumerate(map(float, column))) for column in zip(*data, strict=True))
    forth, back = probability_of_improvement(one, two), probability_of_improvement(two, one)
    assert forth.share is not None
    assert back.share is not None
    assert forth.share + back.share == pytest.approx(1)
    assert forth.low == pytest.approx(1 - (back.high or 0))
    assert probability_of_improvement(one, two, "minimize") == back


def test_clopper_pearson_of_one_in_six_as_published() -> None:
    # 1 of 6: 17 % [0.4, 64]
    assert clopper_pearson(1, 6) == pytest.approx((0.0042, 0.6412), abs=1e-4)
    assert clopper_pearson(0, 0) is None
    low, high = clopper_pearson(0, 5) or (1.0, 0.0)
    assert low == 0.0
    assert high == pytest.approx(1 - 0.025 ** (1 / 5))
    assert clopper_pearson(3, 8) == pytest.approx(proportion_confint(3, 8, method="beta"))


def test_the_one_poor_submission_is_a_collapse() -> None:
    assert collapsed(SUBMISSIONS, drop=COLLAPSE_DROP) == (2,)
    rate = collapse_rate(SUBMISSIONS, drop=COLLAPSE_DROP)
    assert (rate.n, rate.count) == (6, 1)
    assert rate.share == pytest.approx(1 / 6)
    assert (rate.low, rate.high) == pytest.approx((0.0042, 0.6412), abs=1e-4)


def test_wide_but_even_noise_is_no_collapse() -> None:
    noisy = dict(enumerate([0.3, 0.42, 0.5, 0.58, 0.7]))
    assert collapsed(noisy, drop=COLLAPSE_DROP) == ()


def test_tight_runs_need_the_drop_to_fall() -> None:
    tight = dict(enumerate([0.990, 0.9901, 0.9902, 0.97]))  # far off in robust SDs, 0.02 in score
    assert collapsed(tight, drop=COLLAPSE_DROP) == ()
    assert collapsed(tight, drop=0.01) == (3,)


def test_no_better_than_a_dummy_is_a_collapse_whatever_the_others_do() -> None:
    runs = dict(enumerate([0.187, 0.187, 0.187, 0.9]))
    assert collapsed(runs, dummy=0.187) == (0, 1, 2)
    assert collapsed(runs) == ()
    assert collapsed({0: 0.9, 1: math.nan}) == (1,)


def test_of_an_error_a_large_one_is_a_collapse() -> None:
    errors = dict(enumerate([0.010, 0.011, 0.012, 0.4]))
    assert collapsed(errors, "minimize", drop=0.05) == (3,)
    assert collapsed(errors, "minimize", dummy=0.3) == (3,)
    assert collapse_rate({}, "minimize", dummy=0.3) == Share(0)


def test_a_share_within_bounds_counts_a_bound_half() -> None:
    assert share_within([0.2, 0.0, -0.1, 0.3], 0.0, math.inf).share == 0.625
    assert share_within([0.005, -0.02], -0.01, 0.01).count == 1
    assert share_within([], 0.0, 1.0) == Share(0)

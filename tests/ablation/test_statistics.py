"""Intervals and tests against published values, other implementations and brute force."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pokeopt.ablation.statistics import Effect, holm, level, paired_difference, seeds_to_settle, wilson

# Student, "The probable error of a mean", Biometrika 6, 1908: extra hours of sleep of ten patients under two
# drugs.
DRUG_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
DRUG_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
scores = st.floats(-1, 1, allow_nan=False).map(lambda x: round(x, 4))
pairs = st.lists(st.tuples(scores, scores), min_size=2, max_size=8)


def by_seed(values: list[float]) -> dict[int, float]:
    return dict(enumerate(values))


def test_students_sleep_data() -> None:
    effect = paired_difference(by_seed(DRUG_2), by_seed(DRUG_1))
    assert effect.n == 10
    assert effect.mean == pytest.approx(1.58)
    assert effect.sd == pytest.approx(1.2299, abs=1e-4)
    assert effect.low == pytest.approx(0.7001, abs=1e-4)
    assert effect.high == pytest.approx(2.4599, abs=1e-4)
    assert effect.p == pytest.approx(0.00283, abs=1e-5)
    assert effect.d_z == pytest.approx(1.285, abs=1e-3)
    assert effect.excludes_zero


@given(pairs)
def test_the_interval_and_p_agree_with_scipys_paired_t_test(data: list[tuple[float, float]]) -> None:
    arm, base = (list(column) for column in zip(*data, strict=True))
    effect = paired_difference(by_seed(arm), by_seed(base))
    if not effect.sd:
        return
    with np.errstate(all="ignore"):
        result = stats.ttest_rel(arm, base)
    interval = result.confidence_interval(0.95)
    assert effect.p == pytest.approx(result.pvalue, rel=1e-6, abs=1e-9)
    assert effect.low == pytest.approx(interval.low, rel=1e-6, abs=1e-9)
    assert effect.high == pytest.approx(interval.high, rel=1e-6, abs=1e-9)


@settings(deadline=None)
@given(pairs)
def test_sign_flip_p_is_the_share_of_sign_patterns_as_extreme(data: list[tuple[float, float]]) -> None:
    arm, base = (list(column) for column in zip(*data, strict=True))
    d = np.array(arm) - np.array(base)
    patterns = np.array(list(itertools.product([-1, 1], repeat=len(d))))
    share = np.mean(np.abs((patterns * d).mean(axis=1)) >= abs(d.mean()) - 1e-12)
    assert paired_difference(by_seed(arm), by_seed(base)).p_sign_flip == pytest.approx(share)


@pytest.mark.parametrize("n", [3, 5, 8])
def test_sign_flip_p_cannot_be_smaller_than_two_patterns(n: int) -> None:
    effect = paired_difference({s: 1.0 + s / 100 for s in range(n)}, dict.fromkeys(range(n), 0.0))
    assert effect.p_sign_flip == pytest.approx(2 / 2**n)


@given(pairs, st.permutations(range(8)))
def test_order_of_seeds_does_not_matter_and_swapping_arms_flips_signs(
    data: list[tuple[float, float]], order: list[int]
) -> None:
    arm, base = (by_seed(list(column)) for column in zip(*data, strict=True))
    effect = paired_difference(arm, base)
    assert paired_difference({s: arm[s] for s in order if s in arm}, base) == effect
    swapped = paired_difference(base, arm)
    assert swapped.mean == pytest.approx(-(effect.mean or 0.0))
    assert swapped.p == effect.p


def test_only_common_finite_seeds_are_paired() -> None:
    effect = paired_difference({0: 1.0, 1: math.nan, 2: 3.0, 9: 5.0}, {0: 0.5, 1: 0.0, 2: 2.0, 3: 0.0})
    assert effect.n == 2
    assert effect.mean == pytest.approx(0.75)


def test_one_seed_has_a_difference_and_no_interval() -> None:
    effect = paired_difference({3: 0.9}, {3: 0.4})
    assert effect.mean == pytest.approx(0.5)
    assert (effect.n, effect.low, effect.p) == (1, None, None)
    assert not effect.excludes_zero
    assert paired_difference({1: 1.0}, {2: 1.0}) == Effect(0)


def test_differences_without_spread_claim_no_certainty() -> None:
    effect = paired_difference({0: 0.3, 1: 0.5}, {0: 0.2, 1: 0.4})
    assert effect.mean == pytest.approx(0.1)
    assert (effect.sd, effect.low, effect.p, effect.excludes_zero) == (0.0, None, None, False)
    same = paired_difference({0: 0.3, 1: 0.5}, {0: 0.3, 1: 0.5})
    assert (same.mean, same.low, same.high, same.p, same.p_sign_flip) == (0.0, 0.0, 0.0, 1.0, 1.0)


def test_nadeau_bengio_widens_by_the_overlap_of_redrawn_parts() -> None:
    plain = paired_difference(by_seed(DRUG_2), by_seed(DRUG_1))
    wide = paired_difference(by_seed(DRUG_2), by_seed(DRUG_1), test_share=0.15 / 0.85)
    assert plain.high is not None
    assert wide.high is not None
    assert plain.mean is not None
    factor = (wide.high - plain.mean) / (plain.high - plain.mean)
    assert factor == pytest.approx(math.sqrt((1 / 10 + 0.15 / 0.85) / (1 / 10)))


def test_the_interval_covers_the_truth_at_five_seeds() -> None:
    rng = np.random.default_rng(0)
    draws = rng.normal(0.02, 0.03, (600, 5))
    hits = [
        effect.low <= 0.02 <= effect.high
        for row in draws
        if (effect := paired_difference(by_seed(list(row)), dict.fromkeys(range(5), 0.0))).low is not None
        and effect.high is not None
    ]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.03)


def test_holm_by_hand() -> None:
    first, none, second, third = holm([0.01, None, 0.04, 0.03])
    assert [first, second, third] == pytest.approx([0.03, 0.06, 0.06])
    assert none is None
    assert holm([]) == []
    assert holm([None]) == [None]


def test_wilson_interval_of_a_published_share() -> None:
    # 488 of 540 test images right.
    assert wilson(488, 540) == pytest.approx((0.876, 0.926), abs=5e-4)
    assert wilson(0, 0) is None


def test_level_describes_one_arm() -> None:
    described = level({0: 0.5, 1: 0.7, 2: 0.6, 3: math.nan})
    assert described.n == 3
    assert described.mean == pytest.approx(0.6)
    assert described.sd == pytest.approx(0.1)
    assert described.low == pytest.approx(0.6 - 4.302653 * 0.1 / math.sqrt(3))
    assert level({}).mean is None
    assert level({0: 0.5}).low is None


@pytest.mark.parametrize("value", [0.0, 0.1 + 0.2, 6.0])
def test_equal_scores_show_no_spread_and_get_no_interval(value: float) -> None:
    found = level(dict.fromkeys(range(5), value))
    assert (found.n, found.sd, found.low, found.high) == (5, 0.0, None, None)
    assert found.mean == pytest.approx(value)


def test_an_arm_s_own_interval_is_widened_as_that_of_a_difference() -> None:
    for share in (None, 0.25):
        own = level(by_seed(DRUG_2), test_share=share)
        difference = paired_difference(by_seed(DRUG_2), dict.fromkeys(range(10), 0.0), test_share=share)
        assert (own.low, own.high) == pytest.approx((difference.low, difference.high))


def test_seeds_to_settle_is_the_first_count_whose_interval_leaves_zero() -> None:
    effect = paired_difference(by_seed([0.03, -0.01, 0.02, 0.01, 0.0]), dict.fromkeys(range(5), 0.0))
    assert not effect.excludes_zero
    assert effect.mean is not None
    assert effect.sd is not None
    n = seeds_to_settle(effect)
    assert n is not None
    half = [stats.t.ppf(0.975, k - 1) * effect.sd / math.sqrt(k) for k in (n - 1, n)]
    assert half[0] >= effect.mean > half[1]
    assert seeds_to_settle(Effect(1, 0.3)) is None


@settings(deadline=None)
@given(pairs, st.sampled_from([0.05, 0.0125]), st.sampled_from([None, 0.25, 1.0]))
def test_the_seeds_needed_are_those_whose_own_interval_leaves_zero(
    data: list[tuple[float, float]], alpha: float, share: float | None
) -> None:
    """At the level and with the overlap that the effect is judged with; never, where the overlap alone hides it."""
    arm, base = (by_seed(list(column)) for column in zip(*data, strict=True))
    effect = paired_difference(arm, base, 1 - alpha, test_share=share)
    if not effect.sd or not effect.mean or effect.excludes_zero:
        return
    needed = seeds_to_settle(effect, alpha=alpha, test_share=share)
    if needed is None:
        limit = stats.t.ppf(1 - alpha / 2, 999) * effect.sd * math.sqrt(1 / 1000 + (share or 0.0))
        assert abs(effect.mean) <= limit
        return
    assert needed > effect.n
    half = stats.t.ppf(1 - alpha / 2, needed - 1) * effect.sd * math.sqrt(1 / needed + (share or 0.0))
    assert half < abs(effect.mean)

"""Power, optimism and rank agreement against published figures and brute force."""

import math

import numpy as np
import pytest
from scipy import stats

from pokeopt.ablation.planning import best_of_n_optimism, detectable_effect, kendall_tau


@pytest.mark.parametrize(
    ("alpha", "published"),
    [(0.05, [3.3, 1.7, 1.2, 1.0, 0.66]), (0.05 / 4, [6.6, 2.5, 1.5, 1.3, 0.81])],
)
def test_detectable_effects_as_published(alpha: float, published: list[float]) -> None:
    for n, expected in zip((3, 5, 8, 10, 20), published, strict=True):
        assert detectable_effect(n, alpha=alpha) == pytest.approx(expected, abs=0.06)  # to two digits there
    assert detectable_effect(1) is None


def test_the_detectable_effect_is_found_as_often_as_promised() -> None:
    effect = detectable_effect(8) or 0.0
    draws = np.random.default_rng(0).normal(effect, 1.0, (20_000, 8))
    assert np.mean(stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05) == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(
    ("arms", "images", "accuracy", "published"),
    [(20, 120, 0.5, 0.085), (100, 120, 0.5, 0.114), (20, 540, 0.9, 0.024), (100, 540, 0.9, 0.031)],
)
def test_optimism_of_the_best_as_published_and_as_drawn(
    arms: int, images: int, accuracy: float, published: float
) -> None:
    found = best_of_n_optimism(arms, accuracy, images)
    assert found == pytest.approx(published, abs=0.001)
    drawn = np.random.default_rng(0).binomial(images, accuracy, (20_000, arms)).max(1) / images - accuracy
    assert found == pytest.approx(drawn.mean(), abs=0.0005)


def test_one_arm_has_no_optimism() -> None:
    assert best_of_n_optimism(1, 0.7, 50) == pytest.approx(0, abs=1e-12)


def test_rank_agreement() -> None:
    local = {"focal": 0.4293, "weights": 0.5268, "sampler": 0.4904, "untried": 0.3}
    private = {"focal": 0.27065, "weights": 0.25041, "sampler": 0.29650}
    public = {"focal": 0.29711, "weights": 0.26483, "sampler": 0.33726}
    assert kendall_tau(local, private) == pytest.approx(-1 / 3)
    assert kendall_tau(private, public) == pytest.approx(1)
    assert kendall_tau(local, {"focal": 1.0}) is None
    assert kendall_tau(local, {"focal": 1.0, "weights": math.nan}) is None
    assert kendall_tau({"a": 1.0, "b": 1.0}, {"a": 1.0, "b": 2.0}) is None

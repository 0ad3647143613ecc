"""What the parts of a latent tell of each other."""

from __future__ import annotations

import numpy as np
import pytest

from pokeopt.training.information import partition_information


def drawn(covariance: np.ndarray, n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).multivariate_normal(np.zeros(len(covariance)), covariance, n)


@pytest.mark.parametrize("correlation", [0.0, 0.5, -0.9])
def test_two_units_have_the_mutual_information_of_their_correlation(correlation: float) -> None:
    latents = drawn(np.array([[1, correlation], [correlation, 1]]), 20_000, 0)
    assert partition_information(latents, [1, 1]) == pytest.approx(-np.log(1 - correlation**2) / 2, abs=0.02)


def test_few_images_do_not_overstate_it() -> None:
    """Independent units look correlated in 30 images; without the correction the mean would be near 1.1 nats."""
    found = [partition_information(drawn(np.eye(9), 30, seed), [4, 3, 2]) for seed in range(400)]
    values = [value for value in found if value is not None]
    assert len(values) == 400
    assert np.mean(values) == pytest.approx(0, abs=float(4 * np.std(values) / 20))


def test_correlation_within_a_part_does_not_count() -> None:
    covariance = np.kron(np.eye(2), np.array([[1, 0.95], [0.95, 1]]))
    latents = drawn(covariance, 20_000, 1)
    assert partition_information(latents, [2, 2]) == pytest.approx(0, abs=0.02)
    assert partition_information(latents[:, [0, 2, 1, 3]], [2, 2]) > 2  # type: ignore[operator]
    assert partition_information(latents, [4]) == 0


def test_the_units_scale_does_not_count() -> None:
    latents = drawn(np.array([[1, 0.6, 0], [0.6, 1, 0.3], [0, 0.3, 1]]), 200, 2)
    scaled = latents * np.array([1e-4, 1.0, 1e3]) + 5
    assert partition_information(scaled, [1, 2]) == pytest.approx(partition_information(latents, [1, 2]))


def test_units_that_are_silent_and_too_few_images() -> None:
    latents = drawn(np.array([[1, 0.8], [0.8, 1]]), 100, 3)
    silent = np.column_stack([latents[:, 0], np.zeros(100), latents[:, 1], np.ones(100)])
    assert partition_information(silent, [2, 1, 1]) == pytest.approx(partition_information(latents, [1, 1]))
    assert partition_information(np.zeros((50, 4)), [2, 2]) == 0
    assert partition_information(latents[:3], [1, 1]) is None

"""The seed x test-image interval against brute force and scikit-learn."""

from dataclasses import astuple

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from pokeopt.ablation.resampling import hierarchical_interval, hierarchical_means, macro_f1_of

K = 4


def predictions(truth: np.ndarray, right: float, rng: np.random.Generator) -> np.ndarray:
    guess = rng.integers(K, size=truth.size)
    return np.where(rng.random(truth.size) < right, truth, guess)


def f1(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Mean F1 over the classes there or predicted, class by class; scikit-learn's takes 10 ms a call."""
    found = []
    for k in set(truth) | set(predicted):
        hits = np.sum((truth == k) & (predicted == k))
        found.append(2 * hits / (np.sum(truth == k) + np.sum(predicted == k)))
    return float(np.mean(found))


def arms(
    n_seeds: int, n_images: int, gap: float
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(5)
    truth = rng.integers(K, size=n_images)
    arm = {s: predictions(truth, 0.6 + gap, rng) for s in range(n_seeds)}
    reference = {s: predictions(truth, 0.6, rng) for s in range(n_seeds)}
    return arm, reference, truth


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_the_mean_is_that_of_scikit_learn(metric: str) -> None:
    arm, reference, truth = arms(3, 50, 0.2)
    score = accuracy_score if metric == "accuracy" else lambda y, p: f1_score(y, p, average="macro")
    expected = np.mean([score(truth, arm[s]) - score(truth, reference[s]) for s in arm])
    found = hierarchical_interval(arm, reference, truth, metric, K)
    assert found is not None
    assert found.mean == pytest.approx(expected, abs=1e-6)
    assert (found.n_seeds, found.n_images) == (3, 50)


def test_the_interval_is_that_of_drawing_seeds_and_images_one_by_one() -> None:
    arm, reference, truth = arms(4, 60, 0.1)
    found = hierarchical_interval(arm, reference, truth, "macro_f1", K)
    assert found is not None
    rng = np.random.default_rng(9)
    drawn = []
    for _ in range(1500):
        at, seeds = rng.integers(60, size=60), rng.integers(4, size=4)
        drawn.append(np.mean([f1(truth[at], arm[s][at]) - f1(truth[at], reference[s][at]) for s in seeds]))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.02)


def test_same_inputs_same_numbers_and_swapping_arms_turns_it_round() -> None:
    arm, reference, truth = arms(3, 40, 0.1)
    one = hierarchical_interval(arm, reference, truth, "accuracy", K)
    two = hierarchical_interval(reference, arm, truth, "accuracy", K)
    assert one == hierarchical_interval(arm, reference, truth, "accuracy", K)
    assert one is not None
    assert two is not None
    assert (two.low, two.high) == pytest.approx((-one.high, -one.low), abs=1e-6)


def test_few_images_are_the_doubt_where_seeds_agree() -> None:
    """All seeds predict alike: all doubt is the images', and many images leave less of it than few."""
    arm, reference, truth = arms(1, 400, 0.2)
    same = dict.fromkeys(range(5), arm[0]), dict.fromkeys(range(5), reference[0])
    found = hierarchical_interval(*same, truth, "accuracy", K)
    few = hierarchical_interval(
        {s: p[:40] for s, p in same[0].items()},
        {s: p[:40] for s, p in same[1].items()},
        truth[:40],
        "accuracy",
        K,
    )
    assert found is not None
    assert few is not None
    assert found.image_share == pytest.approx(1.0)
    assert few.high - few.low > 2 * (found.high - found.low)
    # a difference of paired proportions: SD of the per-image difference over sqrt(n)
    each = (arm[0] == truth).astype(float) - (reference[0] == truth)
    assert found.high - found.low == pytest.approx(2 * 1.96 * each.std() / 20, rel=0.08)


def test_no_common_seed_and_no_difference() -> None:
    arm, reference, truth = arms(2, 20, 0.1)
    assert hierarchical_interval({0: arm[0]}, {1: reference[1]}, truth, "accuracy", K) is None
    none = hierarchical_interval(arm, arm, truth, "accuracy", K)
    assert none is not None
    assert (none.mean, none.low, none.high, none.image_share) == (0.0, 0.0, 0.0, None)


def test_a_class_that_is_neither_there_nor_predicted_does_not_count() -> None:
    hits, there, found = np.array([[3.0, 0.0, 2.0]]), np.array([[3.0, 0.0, 2.0]]), np.array([[3.0, 0.0, 2.0]])
    assert macro_f1_of(hits, there, found) == pytest.approx(1.0)


def test_means_of_images_are_resampled_like_classes() -> None:
    """Accuracy is the mean of hits: both ways to its interval give the same."""
    arm, reference, truth = arms(4, 60, 0.1)
    by_class = hierarchical_interval(arm, reference, truth, "accuracy", K)
    hits = [{s: (p == truth).astype(np.float32) for s, p in one.items()} for one in (arm, reference)]
    by_image = hierarchical_means(hits[0], hits[1])
    assert by_class is not None
    assert by_image is not None
    assert astuple(by_image) == pytest.approx(astuple(by_class), abs=1e-5)
    assert hierarchical_means({0: hits[0][0]}, {1: hits[1][1]}) is None, "no seed is common"

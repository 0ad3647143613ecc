"""The interval that asks for new seeds and new test images at once, by resampling both.

A t interval over seeds is conditional on the one test part that they share. This one is not; but its seeds are
resampled as a percentile bootstrap does, which promises too much below about 20 seeds. It stands beside the t
interval, never in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.integer[Any]]
Counts = Callable[[Array, Array, Array], Array]  # hits, there, found: each (..., K) -> scores (...)
RESAMPLES = 2000


@dataclass(frozen=True)
class Hierarchical:
    """A paired difference with its seed x test-image interval.

    Attributes:
        n_seeds: Seeds that both arms have.
        n_images: Images of the test part.
        mean: Mean difference on all images.
        low: Lower end of the percentile interval over seeds and images.
        high: Its upper end.
        image_share: Share of the variance that resampling the images alone has, in [0, 1]; near 1, more seeds would
            not help and more test images would. None where nothing varies.
    """

    n_seeds: int
    n_images: int
    mean: float
    low: float
    high: float
    image_share: float | None


def accuracy_of(hits: Array, there: Array, found: Array) -> Array:  # noqa: ARG001 (all metrics take the same three)
    """Return the share of images whose class is found, from counts (..., K)."""
    scores: Array = hits.sum(-1) / there.sum(-1)
    return scores


def macro_f1_of(hits: Array, there: Array, found: Array) -> Array:
    """Return the mean F1 over the classes that are there or predicted, from counts (..., K)."""
    both = there + found
    scores: Array = (2 * hits / np.maximum(both, 1)).sum(-1) / (both > 0).sum(-1)
    return scores


METRICS: Mapping[str, Counts] = {"accuracy": accuracy_of, "macro_f1": macro_f1_of}


def hierarchical_interval(
    arm: Mapping[int, Labels],
    reference: Mapping[int, Labels],
    truth: Labels,
    metric: str | Counts,
    n_classes: int,
    confidence: float = 0.95,
    *,
    resamples: int = RESAMPLES,
) -> Hierarchical | None:
    """Resample seeds and test images of a paired difference; None without a common seed.

    Every resample draws one set of images for all seeds and both arms, as they share the test part, and one set of
    seeds for both arms. The generator is fixed: same inputs, same numbers.

    Args:
        arm: Seed to predicted classes, (N,) in [0, K), in the order of ``truth``.
        reference: The same of the reference.
        truth: True classes, (N,).
        metric: ``accuracy``, ``macro_f1``, or a function of counts (..., K): right, there, predicted.
        n_classes: K.
        confidence: Coverage of the interval.
        resamples: How many.
    """
    seeds = sorted(arm.keys() & reference.keys())
    if not seeds or not truth.size:
        return None
    score = METRICS[metric] if isinstance(metric, str) else metric
    rng = np.random.default_rng(0)
    weights = _draws(rng, truth.size, resamples)
    differences = np.stack(
        [
            _scores(weights, truth, arm[s], score, n_classes)
            - _scores(weights, truth, reference[s], score, n_classes)
            for s in seeds
        ]
    )
    return _summarised(rng, differences, truth.size, confidence)


def hierarchical_means(
    arm: Mapping[int, Array],
    reference: Mapping[int, Array],
    confidence: float = 0.95,
    *,
    resamples: int = RESAMPLES,
) -> Hierarchical | None:
    """Do the same where a score is the mean over images of a value, such as an image's squared error.

    Args:
        arm: Seed to the value of each image, (N,).
        reference: The same of the reference, of the same images.
        confidence: Coverage of the interval.
        resamples: How many.
    """
    seeds = sorted(arm.keys() & reference.keys())
    if not seeds or not arm[seeds[0]].size:
        return None
    rng = np.random.default_rng(0)
    by_image = np.stack([np.subtract(arm[s], reference[s], dtype=np.float64) for s in seeds])
    n = by_image.shape[1]
    differences = by_image @ (_draws(rng, n, resamples).T / n)
    return _summarised(rng, differences, n, confidence)


def _draws(rng: np.random.Generator, n: int, resamples: int) -> Array:
    """Return how often each of n images is drawn, (1 + B, N); the first row is the test part as it is."""
    drawn = rng.multinomial(n, np.full(n, 1 / n), resamples)
    return np.vstack([np.ones(n, np.float32), drawn.astype(np.float32)])


def _summarised(rng: np.random.Generator, differences: Array, n: int, confidence: float) -> Hierarchical:
    """Draw seeds as well, from the differences (S, 1 + B) of each seed on each drawing of images."""
    whole, drawn = differences[:, 0], differences[:, 1:]
    n_seeds, resamples = drawn.shape
    chosen = rng.integers(n_seeds, size=(n_seeds, resamples))
    means = np.take_along_axis(drawn, chosen, axis=0).mean(0)
    low, high = np.quantile(means, [0.5 - confidence / 2, 0.5 + confidence / 2])
    total = float(means.var())
    share = min(1.0, float(drawn.mean(0).var()) / total) if total > 0 else None
    return Hierarchical(n_seeds, n, float(whole.mean()), float(low), float(high), share)


def _scores(weights: Array, truth: Labels, predicted: Labels, score: Counts, n_classes: int) -> Array:
    """Return the score of each set of weights (B, N)."""
    classes = np.eye(n_classes, dtype=np.float32)
    there, found = weights @ classes[truth], weights @ classes[predicted]
    hits = weights @ (classes[truth] * (truth == predicted)[:, None])
    return score(hits, there, found)

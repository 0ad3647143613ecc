"""Scores of a network on parts, and how far they may be trusted: 95 % intervals over images."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from pokeopt.ablation.resampling import RESAMPLES, macro_f1_of
from pokeopt.metrics.score import costly_values
from pokeopt.training.batches import PartImages
from pokeopt.training.network import Network
from pokeopt.trial.prepare import Prepared

T = TypeVar("T")
Interval = tuple[float, float]
PROBE = "probe_hit"  # a linear probe is a second training; the study's report has it
CONFIDENCE = 0.95


def test_scores(network: Network, prepared: Prepared) -> dict[str, float]:
    """Return the metrics of the test part and of the external sets."""
    dataset = prepared.dataset
    stored = dataset.images if prepared.features is None else prepared.features
    parts: dict[str, tuple[Any, ...]] = {
        "test": (stored, dataset.labels, dataset.test, dataset.slices(dataset.test))
    }
    for name, part in dataset.external.items():
        parts[name] = (part.images, part.labels, np.arange(len(part.labels)), part.slices)
    wanted = costly_values(network.task) - {PROBE}
    found: dict[str, float] = {}
    for name, (images, labels, rows, slices) in parts.items():
        if not len(rows):
            continue
        scored = PartImages(images, labels, rows, prepared.device)
        outputs = _drained(network.predict(scored, wanted))
        values = outputs.scores(scored.truth, dataset.classes, slices)
        found.update({f"{name}/{metric}": value for metric, value in values.items()})
    return found


def _drained(steps: Generator[Any, None, T]) -> T:
    """Pull a generator to its end; return what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


def class_intervals(
    truth: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], n_classes: int
) -> dict[str, Interval]:
    """Return 95 % intervals over images: Wilson's of the accuracy, a bootstrap's of macro-F1.

    They say what other images of the same kind would change; nothing of another training, or of another kind of image.

    Args:
        truth: True classes, (N,).
        predicted: Predicted ones, (N,).
        n_classes: K.
    """
    from statsmodels.stats.proportion import proportion_confint

    n = len(truth)
    if not n:
        return {}
    low, high = proportion_confint(int((truth == predicted).sum()), n, 1 - CONFIDENCE, method="wilson")
    classes = np.eye(n_classes, dtype=np.float32)
    weights = _weights(n)
    hits = weights @ (classes[truth] * (truth == predicted)[:, None])
    drawn = macro_f1_of(hits, weights @ classes[truth], weights @ classes[predicted])
    return {"accuracy": (float(low), float(high)), "macro_f1": _middle(drawn)}


def mean_interval(values: npt.NDArray[np.floating]) -> Interval:
    """Return the 95 % bootstrap interval over images of a mean, of one value an image, (N,)."""
    return _middle(_weights(len(values)) @ values.astype(np.float64) / len(values))


def _weights(n: int) -> npt.NDArray[np.float32]:
    """Return how often each of n images is drawn in each resample, (B, n); the same in every call."""
    rng = np.random.default_rng(0)
    return rng.multinomial(n, np.full(n, 1 / n), RESAMPLES).astype(np.float32)


def _middle(drawn: npt.NDArray[np.floating]) -> Interval:
    low, high = np.quantile(drawn, [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2])
    return float(low), float(high)

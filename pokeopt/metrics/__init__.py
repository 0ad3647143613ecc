"""Metrics: pure functions from arrays to numbers, each with its direction. numpy only."""

from pokeopt.metrics.base import MetricInfo, Scored, confusion_matrix
from pokeopt.metrics.images import IMAGE_METRICS
from pokeopt.metrics.names import find, is_better, known_names
from pokeopt.metrics.score import costly_values, curve_metrics, score, score_images, values_for

__all__ = [
    "IMAGE_METRICS",
    "MetricInfo",
    "Scored",
    "confusion_matrix",
    "costly_values",
    "curve_metrics",
    "find",
    "is_better",
    "known_names",
    "score",
    "score_images",
    "values_for",
]

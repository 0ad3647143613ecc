"""Metrics: pure functions from arrays to numbers, each with its direction. numpy only."""

from pokeopt.metrics.base import MetricInfo, Scored, confusion_matrix
from pokeopt.metrics.names import find, is_better, known_names
from pokeopt.metrics.score import curve_metrics, score

__all__ = [
    "MetricInfo",
    "Scored",
    "confusion_matrix",
    "curve_metrics",
    "find",
    "is_better",
    "known_names",
    "score",
]

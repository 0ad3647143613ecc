"""Trackers: a study is also sent to MLflow, Weights & Biases or TensorBoard, off its critical path."""

from pokeopt.tracking.sending import Trackers, open_trackers

__all__ = ["Trackers", "open_trackers"]

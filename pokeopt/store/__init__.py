"""Optuna's storage, the single truth: open, lease, record, finish, query, artifacts. No ray, no torch."""

from pokeopt.store.opening import Store, default_home, open_store
from pokeopt.store.rows import StudyView, TrialRow

__all__ = ["Store", "StudyView", "TrialRow", "default_home", "open_store"]

"""Settings that Optuna takes as they come, and trips over in the middle of a study."""

from __future__ import annotations


def at_least(least: float, **settings: float | None) -> None:
    """Check the settings that are given.

    Raises:
        ValueError: Naming the first that is too small.
    """
    for name, value in settings.items():
        if value is not None and value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")

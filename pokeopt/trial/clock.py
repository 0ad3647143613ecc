"""The seconds that a trial spends on itself."""

from __future__ import annotations

import time


class Stopwatch:
    """Adds up the time between starts and stops.

    Args:
        seconds: Time of earlier parts of the trial.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self._before = seconds
        self._started_at: float | None = None

    @property
    def is_running(self) -> bool:
        """Whether time is counted now."""
        return self._started_at is not None

    @property
    def seconds(self) -> float:
        """All time so far."""
        return self._before + (0.0 if self._started_at is None else time.monotonic() - self._started_at)

    def start(self) -> None:
        """Count from now on."""
        if self._started_at is None:
            self._started_at = time.monotonic()

    def stop(self) -> None:
        """Count no longer."""
        self._before, self._started_at = self.seconds, None

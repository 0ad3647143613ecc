"""What a schedule is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Schedule(Protocol):
    """One schedule with its settings; registered in ``SCHEDULES``.

    It holds no state: the curve is the state, so that a continued training has nothing else to restore.
    """

    def factor(self, scores: Sequence[float], epochs: int) -> float:
        """Return what the learning rate is multiplied by in the next epoch.

        Args:
            scores: The objective after each completed epoch, turned so that larger is better.
            epochs: The budget.
        """
        ...

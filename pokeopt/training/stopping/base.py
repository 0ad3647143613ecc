"""What a stopping rule is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class StoppingRule(Protocol):
    """One rule with its settings; registered in ``STOPPING_RULES``. It holds no state: the curve is the state."""

    def should_stop(self, scores: Sequence[float]) -> bool:
        """Whether to stop after these completed epochs.

        Args:
            scores: The objective after each epoch, mean over the seeds, turned so that larger is better.
        """
        ...

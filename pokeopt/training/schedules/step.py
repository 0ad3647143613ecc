"""Steps down at regular epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pokeopt.registry import SCHEDULES


@SCHEDULES.register("step")
@dataclass(frozen=True)
class Step:
    """Multiply the learning rate by ``gamma`` after every ``every`` epochs.

    The defaults are the documents' StepLR(5, 0.1).

    Attributes:
        every: Epochs between two steps.
        gamma: Factor of each step.
    """

    every: int = 5
    gamma: float = 0.1

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"every must be at least 1, got {self.every}")
        if not 0 < self.gamma <= 1:
            raise ValueError(f"gamma must be in (0, 1], got {self.gamma}")

    def factor(self, scores: Sequence[float], epochs: int) -> float:  # noqa: ARG002 - the protocol's
        """Return gamma to the number of steps so far."""
        return float(self.gamma ** (len(scores) // self.every))

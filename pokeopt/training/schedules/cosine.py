"""Half a cosine down to a floor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pokeopt.registry import SCHEDULES


@SCHEDULES.register("cosine")
@dataclass(frozen=True)
class Cosine:
    """Let the learning rate fall along half a cosine, from full in the first epoch towards ``floor`` after the last.

    Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017, without restarts.

    Attributes:
        floor: Share of the learning rate at the end of the budget.
    """

    floor: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.floor <= 1:
            raise ValueError(f"floor must be in [0, 1], got {self.floor}")

    def factor(self, scores: Sequence[float], epochs: int) -> float:
        """Return the cosine at the completed share of the budget."""
        done = min(len(scores) / max(epochs, 1), 1.0)
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * done)) / 2

"""Stop when the objective hardly moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pokeopt.registry import STOPPING_RULES


@STOPPING_RULES.register("range")
@dataclass(frozen=True)
class Range:
    """Stop when the objective's range over the last epochs is small: "F1 score change < 2% over last 5 epochs".

    Attributes:
        below: The range, in the objective's unit, under which to stop.
        over: Epochs that are looked at.
    """

    below: float = 0.02
    over: int = 5

    def __post_init__(self) -> None:
        if self.below <= 0:
            raise ValueError(f"below must be above 0, got {self.below}")
        if self.over < 2:
            raise ValueError(f"over must be at least 2, got {self.over}")

    def should_stop(self, scores: Sequence[float]) -> bool:
        """Whether the largest minus the smallest of the last ``over`` scores is below ``below``."""
        last = scores[-self.over :]
        return len(last) == self.over and max(last) - min(last) < self.below

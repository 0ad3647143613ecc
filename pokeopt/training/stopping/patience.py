"""Stop when the objective no longer improves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pokeopt.registry import STOPPING_RULES


@STOPPING_RULES.register("patience")
@dataclass(frozen=True)
class Patience:
    """Stop when ``epochs`` epochs in a row brought no new best.

    Attributes:
        epochs: Epochs without a new best that are borne.
        after: Epochs at the start that are not watched at all.
    """

    epochs: int = 8
    after: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError(f"epochs must be at least 1, got {self.epochs}")
        if self.after < 0:
            raise ValueError(f"after must be at least 0, got {self.after}")

    def should_stop(self, scores: Sequence[float]) -> bool:
        """Whether the best of the watched epochs is ``epochs`` epochs old."""
        watched = list(scores[self.after :])
        return bool(watched) and len(watched) - 1 - watched.index(max(watched)) >= self.epochs

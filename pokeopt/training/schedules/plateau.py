"""Lower when the objective stalls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pokeopt.registry import SCHEDULES


@SCHEDULES.register("plateau")
@dataclass(frozen=True)
class Plateau:
    """Multiply the learning rate by ``gamma`` when the objective has not improved for more than ``patience`` epochs.

    As torch's ReduceLROnPlateau with an absolute threshold.

    Attributes:
        patience: Epochs without improvement that are borne.
        gamma: Factor of each step.
        threshold: What counts as an improvement, in the objective's unit.
    """

    patience: int = 3
    gamma: float = 0.1
    threshold: float = 1e-4

    def __post_init__(self) -> None:
        if self.patience < 0:
            raise ValueError(f"patience must be at least 0, got {self.patience}")
        if not 0 < self.gamma <= 1:
            raise ValueError(f"gamma must be in (0, 1], got {self.gamma}")
        if self.threshold < 0:
            raise ValueError(f"threshold must be at least 0, got {self.threshold}")

    def factor(self, scores: Sequence[float], epochs: int) -> float:  # noqa: ARG002 - the protocol's
        """Return gamma to the number of plateaus so far."""
        best, stalled, plateaus = float("-inf"), 0, 0
        for score in scores:
            if score > best + self.threshold:
                best, stalled = score, 0
            else:
                stalled += 1
            if stalled > self.patience:
                stalled, plateaus = 0, plateaus + 1
        return float(self.gamma**plateaus)

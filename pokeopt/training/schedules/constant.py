"""No schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pokeopt.registry import SCHEDULES


@SCHEDULES.register("constant")
@dataclass(frozen=True)
class Constant:
    """The learning rate stays as it is."""

    def factor(self, scores: Sequence[float], epochs: int) -> float:  # noqa: ARG002 - the protocol's
        """Return 1."""
        return 1.0

"""No early stopping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pokeopt.registry import STOPPING_RULES


@STOPPING_RULES.register("none")
@dataclass(frozen=True)
class NoEarlyStopping:
    """Train for the whole budget."""

    def should_stop(self, scores: Sequence[float]) -> bool:  # noqa: ARG002 - the protocol's
        """Return False."""
        return False

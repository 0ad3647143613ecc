"""Who is drawn: made-up creatures or real sprites, cut out of their background."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

CutOut = npt.NDArray[np.uint8]
"""RGBA, (h, w, 4), cut to what is drawn; alpha is 0 outside it and 255 inside."""


class Cast(Protocol):
    """Creatures that can be drawn, by number. Frozen and picklable, and may be used from several threads.

    Attributes:
        names: (M,) their names, each once.
        types: (M,) the type of each.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """(M,) names, each once."""
        ...

    @property
    def types(self) -> tuple[str, ...]:
        """(M,) types."""
        ...

    def cut_out(
        self, member: int, rng: np.random.Generator, size_px: int, *, from_behind: bool = False
    ) -> CutOut:
        """Draw a creature in a random pose.

        Args:
            member: Which one, in [0, M).
            rng: Draws the pose.
            size_px: The longer side that is wanted. What cannot be drawn in every size comes in its own.
            from_behind: Whether it looks away.
        """
        ...

    def fusion(self, head: int, body: int, rng: np.random.Generator, size_px: int) -> CutOut:
        """Draw a creature with the head of one and the body of another; see ``cut_out`` for the size."""
        ...

"""Whether one factor's effect depends on another's level: differences of differences with paired intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pokeopt.ablation.statistics import Effect, holm, paired_difference

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class Interaction:
    """By how much the first factor's effect at one level of the second differs from that at the reference level.

    Attributes:
        first: Level of the first factor; its effect is against the first factor's reference level.
        second: Level of the second factor.
        effect: (first at second) - (reference at second) - (first at reference) + (reference at reference), paired by
            seed.
        p_holm: Its p, adjusted over all pairs of levels of the study.
    """

    first: object
    second: object
    effect: Effect
    p_holm: float | None = None


def interactions(
    cells: Mapping[tuple[A, B], Mapping[int, float]],
    reference: tuple[A, B],
    confidence: float = 0.95,
    *,
    test_share: float | None = None,
) -> tuple[Interaction, ...]:
    """Return one interaction for every pair of levels away from the reference, in the order of ``cells``.

    Args:
        cells: (level of the first factor, level of the second) to seed to score.
        reference: The pair of reference levels.
        confidence: Coverage of each interval; the p are adjusted, the intervals are not.
        test_share: As in ``paired_difference``.

    A pair whose four cells are not all there is left out; only seeds that all four have are used.
    """
    base_first, base_second = reference
    found = []
    for first, second in cells:
        if first == base_first or second == base_second:
            continue
        corners = [(first, second), (base_first, second), (first, base_second), reference]
        if not all(corner in cells for corner in corners):
            continue
        there, there_base, here, here_base = (cells[corner] for corner in corners)
        effect = paired_difference(
            _minus(there, there_base), _minus(here, here_base), confidence, test_share=test_share
        )
        found.append((first, second, effect))
    adjusted = holm([effect.p for _, _, effect in found])
    return tuple(
        Interaction(first, second, effect, p)
        for (first, second, effect), p in zip(found, adjusted, strict=True)
    )


def _minus(arm: Mapping[int, float], base: Mapping[int, float]) -> dict[int, float]:
    return {seed: arm[seed] - base[seed] for seed in arm.keys() & base.keys()}

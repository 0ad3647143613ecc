"""A claim as numbers: what is compared at each seed, and the region that the claim says its mean lies in."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pokeopt.ablation.estimates import Floats, spread
from pokeopt.spec.claims import Claim

Scores = Mapping[str, Mapping[int, float]]  # arm id to seed to score, of one metric
FEWEST_SEEDS = 3  # a t interval of two values has one degree of freedom: it says nothing
COUNTED = "model/"  # metrics of this part are counted from the network, the same in every run


@dataclass(frozen=True)
class Comparison:
    """One number a seed, and where the claim says that its mean lies.

    Attributes:
        arm: The arm that the sentence is about.
        other: The arm that it is compared with; empty for a bound on one arm.
        values: (n,) by ascending seed: differences, scores, or natural logarithms of ratios.
        low: The claimed region begins above it; -inf where it has no lower end.
        high: It ends below it; inf where it has no upper end.
        rope: The smallest difference that counts; 0 where the claim has a size of its own.
        is_ratio: The values are logarithms, and so are ``low`` and ``high``.
        is_equal: The claim is equality: two one-sided tests, and their 1 - 2 alpha interval.
        is_counted: The value was counted, not estimated: equal values are certain.
        over: Two more arms; the values are then how much the effect of ``arm`` on ``other`` exceeds theirs in size.
    """

    arm: str
    other: str
    values: Floats
    low: float = -math.inf
    high: float = math.inf
    rope: float = 0.0
    is_ratio: bool = False
    is_equal: bool = False
    is_counted: bool = False
    over: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """What is compared, in signs: ``a − b``, ``a / b``, or ``|a − b| − |c − d|``."""
        if not self.other:
            return self.arm
        if self.over is not None:
            return f"|{self.arm} − {self.other}| − |{self.over[0]} − {self.over[1]}|"
        return f"{self.arm} {'/' if self.is_ratio else '−'} {self.other}"

    @property
    def is_exact(self) -> bool:
        """Whether the mean is known without an interval."""
        return self.is_counted and (self.values.size == 1 or spread(self.values) == 0.0)

    def decide(self, mean: Floats, low: Floats, high: Floats) -> tuple[np.ndarray, np.ndarray]:
        """Say where interval and claim agree and where they exclude each other, elementwise: (agree, exclude).

        They agree where the interval lies wholly in the region and the mean is at least ``rope`` inside it; they
        exclude each other where the interval lies wholly outside the region so narrowed.
        """
        inner_low, inner_high = self.low + self.rope, self.high - self.rope
        if self.is_exact:  # a counted value may lie on the bound itself
            inside = (mean >= self.low) & (mean <= self.high)
            return inside, ~inside
        agree = (low > self.low) & (high < self.high) & (mean >= inner_low) & (mean <= inner_high)
        return agree, (high < inner_low) | (low > inner_high)


def untestable(claim: Claim, scores: Mapping[str, Scores], missing: Mapping[str, Collection[int]]) -> str:
    """Return why no verdict can be given, as a sentence; empty if one can."""
    if claim.kind == "qual":
        return claim.why or "no run of this plan measures what it says"
    table = scores.get(claim.metric)
    if not table or not any(table.values()):
        return f"no run measured {claim.metric}"
    arms = {arm: _finite(table.get(arm, {})) for arm in claim.arm_ids}
    wanted = {seed for arm in claim.arm_ids for seed in (*table.get(arm, {}), *missing.get(arm, ()))}
    for arm, found in arms.items():
        if not found:
            return f"arm {arm} has no score of {claim.metric}"
        if holes := sorted(wanted - found.keys()):
            seeds = ", ".join(str(seed) for seed in holes)
            return f"arm {arm} has no score of {claim.metric} at seed{'s' if len(holes) > 1 else ''} {seeds}"
    if claim.kind == "ratio" and any(score <= 0 for found in arms.values() for score in found.values()):
        return f"a ratio needs values above 0, and {claim.metric} has others"
    if len(wanted) < FEWEST_SEEDS and not claim.metric.startswith(COUNTED):
        return f"{len(wanted)} seed{'s' if len(wanted) != 1 else ''}; a verdict needs {FEWEST_SEEDS}"
    return ""


def comparisons(claim: Claim, table: Scores, direction: str, rope: float) -> tuple[Comparison, ...]:
    """Return what the claim compares, over the seeds at which all its arms have a finite score.

    Args:
        claim: Any but ``qual``.
        table: Arm id to seed to score, of the claim's metric.
        direction: ``maximize`` or ``minimize``; an order runs from worst to best in it.
        rope: The smallest difference that counts, where the claim names a direction and no size.
    """
    arms = {arm: _finite(table.get(arm, {})) for arm in claim.arm_ids}
    seeds = sorted(set.intersection(*(set(found) for found in arms.values())))
    values = {arm: np.array([found[seed] for seed in seeds]) for arm, found in arms.items()}
    is_counted = claim.metric.startswith(COUNTED)
    low = -math.inf if claim.minimum is None else claim.minimum
    high = math.inf if claim.maximum is None else claim.maximum
    # 0 as the only bound names a direction and no size; beside another it is the edge of the size that is claimed
    smallest = rope if (low, high) in ((0.0, math.inf), (-math.inf, 0.0)) else 0.0
    match claim.kind:
        case "order":
            ends = (0.0, math.inf) if direction == "maximize" else (-math.inf, 0.0)
            return tuple(
                Comparison(ahead, behind, values[ahead] - values[behind], *ends, rope, is_counted=is_counted)
                for worse, better in pairwise(claim.groups)
                for behind in worse
                for ahead in better
            )
        case "diff":
            found = values[claim.arm] - values[claim.other]
            if claim.over:
                found = _aligned(found) - _aligned(values[claim.over[0]] - values[claim.over[1]])
            return (
                Comparison(
                    claim.arm, claim.other, found, low, high, smallest, is_counted=is_counted, over=claim.over
                ),
            )
        case "equal":
            one, two = claim.arms
            within = claim.within or 0.0
            difference = values[one] - values[two]
            return (Comparison(one, two, difference, -within, within, is_equal=True, is_counted=is_counted),)
        case "ratio":
            above, below = values[claim.arm], values[claim.other]
            usable = (above > 0) & (below > 0)  # untestable() names the others
            logs = np.log(above[usable]) - np.log(below[usable])
            low, high = (_log(bound) for bound in (low, high))
            return (
                Comparison(claim.arm, claim.other, logs, low, high, is_ratio=True, is_counted=is_counted),
            )
        case _:
            return (Comparison(claim.arm, "", values[claim.arm], low, high, is_counted=is_counted),)


def smallest_that_counts(metric: str, table: Scores, directions: Mapping[str, str], rope: float) -> float:
    """Return ``rope`` for a score in [0, 1] that is maximised, or a difference of two such; else 0.

    On an error, a time or a count a hundredth has no meaning of its own.
    """
    first, minus, second = metric.partition(" - ")
    names = (first.strip(), second.strip()) if minus else (metric,)
    is_score = all(directions.get(name) == "maximize" for name in names)
    lowest = -1.0 if minus else 0.0
    inside = all(lowest <= score <= 1 for found in table.values() for score in _finite(found).values())
    return rope if is_score and inside else 0.0


def _finite(scores: Mapping[int, float]) -> dict[int, float]:
    return {seed: score for seed, score in scores.items() if math.isfinite(score)}


def _aligned(differences: Floats) -> Floats:
    """Turn differences so that their mean is positive: |effect|, without folding each seed's noise over."""
    turned: Floats = differences * (-1.0 if differences.size and differences.mean() < 0 else 1.0)
    return turned


def _log(bound: float) -> float:
    """Take a ratio's bound to logarithms; every ratio is above one that is not positive."""
    return math.log(bound) if bound > 0 else -math.inf

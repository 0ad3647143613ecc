"""Claims -> verdicts: reproduced, not reproduced, inconclusive with the seeds needed, or not testable.

The claims of one study are one family. Each has one p: how small a level still puts its interval on the claimed side,
so that p and the interval shown never disagree (two-sided for a bound; for an equality the two one-sided tests and
their interval of coverage 1 - 2 alpha). An order has the largest p of its pairs. Holm's method adjusts; with it the
chance that a family of untrue claims holds one "reproduced" is at most 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from pokeopt.ablation.equivalence import ROPE
from pokeopt.ablation.estimates import (
    Estimate,
    Floats,
    estimate,
    holm_levels,
    prediction_interval,
    standard_error,
    t_above,
)
from pokeopt.ablation.predicates import (
    Comparison,
    Scores,
    comparisons,
    smallest_that_counts,
    untestable,
)
from pokeopt.ablation.reasons import reason
from pokeopt.ablation.shares import share_within
from pokeopt.ablation.statistics import MOST_SEEDS, holm
from pokeopt.spec.claims import Claim

Word = Literal["reproduced", "not reproduced", "inconclusive", "not testable"]
Decided = Literal["reproduced", "not reproduced", "inconclusive"]
ALPHA = 0.05


@dataclass(frozen=True)
class Part:
    """One comparison of a claim: an order has one for each pair of neighbours, any other claim one.

    Attributes:
        arm: The arm that the sentence is about.
        other: The arm that it is compared with; empty for a bound on one arm.
        measured: Mean difference, score or ratio, with its interval at the claim's adjusted level.
        p: Evidence against "not as claimed"; 1 where it is on the other side, None where it has no test.
        name: It in signs, as ``a − b``.
        p_claimed: The share of the seeds at which the claim holds; None for what is counted, not estimated.
    """

    arm: str
    other: str
    measured: Estimate
    p: float | None = None
    name: str = ""
    p_claimed: Estimate | None = None


@dataclass(frozen=True)
class Verdict:
    """What a study says of one claim.

    Attributes:
        claim: The claim.
        word: The verdict.
        reason: Why, in one sentence without a full stop.
        n: Seeds that it rests on.
        measured: As in ``Part``; of an order its weakest pair, on which it hangs.
        p: The claim's p before adjustment.
        p_holm: It, adjusted over the study's claims.
        p_claimed: As in ``Part``.
        seeds_needed: ``inconclusive``: how many seeds would decide, were means and SDs as measured; None above 1000.
        parts: Every comparison.
        reported_inside: Whether each reported value lies in the 95 % prediction interval of one new run of its arm;
            None below fidelity ``exact``, or where there is nothing to compare.
        is_smoke: Whether it has no verdict for the sole reason that the runs are a smoke test.
    """

    claim: Claim
    word: Word
    reason: str
    n: int = 0
    measured: Estimate | None = None
    p: float | None = None
    p_holm: float | None = None
    p_claimed: Estimate | None = None
    seeds_needed: int | None = None
    parts: tuple[Part, ...] = ()
    reported_inside: bool | None = None
    is_smoke: bool = False


def judge(
    claims: Sequence[Claim],
    scores: Mapping[str, Scores],
    directions: Mapping[str, str],
    *,
    is_quick: bool = False,
    missing: Mapping[str, Collection[int]] | None = None,
    fidelity: str = "exact",
    test_share: float | None = None,
    rope: float = ROPE,
) -> tuple[Verdict, ...]:
    """Return one verdict for each claim of a study, in their order.

    Args:
        claims: All claims of the study: they are one family.
        scores: Metric to arm id to seed to score; a claim on ``A - B`` needs a key of that very name.
        directions: Metric to ``maximize`` or ``minimize``.
        is_quick: The runs are a smoke test; no claim gets a verdict.
        missing: Arm id to the seeds of its cells that hold no COMPLETE row.
        fidelity: ``exact``, ``scaled`` or ``surrogate``; at the last no bound on a reported value is judged, since
            other data have other values.
        test_share: As in ``paired_difference``, where every seed redraws the test part.
        rope: The smallest difference of a score in [0, 1] that counts, where a claim names a direction and no size.
    """
    cases = [
        _Case(claim, scores, directions, missing or {}, is_quick, fidelity, rope, test_share)
        for claim in claims
    ]
    p_values = [case.p if not case.why_not else None for case in cases]
    levels, adjusted = holm_levels(p_values, ALPHA), holm(p_values)
    verdicts = [case.verdict(level, p) for case, level, p in zip(cases, levels, adjusted, strict=True)]
    return tuple(
        replace(verdict, reported_inside=_reported_inside(verdict.claim, scores, fidelity, verdict.word))
        for verdict in verdicts
    )


class _Case:
    """One claim on its way: its comparisons and p first, its verdict once the family's levels are known."""

    def __init__(
        self,
        claim: Claim,
        scores: Mapping[str, Scores],
        directions: Mapping[str, str],
        missing: Mapping[str, Collection[int]],
        is_quick: bool,
        fidelity: str,
        rope: float,
        test_share: float | None,
    ) -> None:
        self.claim = claim
        self.direction = directions.get(claim.metric, "")
        self.why_not = untestable(claim, scores, missing)
        if not self.why_not and claim.kind == "order" and not self.direction:
            self.why_not = f"no direction is known for {claim.metric}, so no order of worst to best"
        if not self.why_not and fidelity == "surrogate" and claim.kind == "threshold" and claim.reported:
            self.why_not = (
                "a value that was reported for other data; at surrogate, directions and sizes are judged"
            )
        self.table = scores.get(claim.metric, {})
        self.test_share = test_share
        self.comparisons: tuple[Comparison, ...] = ()
        if claim.kind != "qual" and self.table:
            smallest = smallest_that_counts(claim.metric, self.table, directions, rope)
            self.comparisons = comparisons(claim, self.table, self.direction, smallest)
        self.n = min((each.values.size for each in self.comparisons), default=0)
        self.is_smoke = is_quick and not self.why_not
        if self.is_smoke:
            self.why_not = f"{self.n} seed{'s' if self.n != 1 else ''} of a smoke run"
        self.p_parts = [_p_value(each, test_share) for each in self.comparisons]
        known = [p for p in self.p_parts if p is not None]
        self.p = max(known) if len(known) == len(self.p_parts) and known else None

    def verdict(self, level: float, p_holm: float | None) -> Verdict:
        """Return the verdict at the level that Holm's method gives this claim."""
        if self.why_not:
            level = ALPHA
        parts = tuple(
            Part(
                each.arm, each.other, _measured(each, level, self.test_share), p, each.name, _p_claimed(each)
            )
            for each, p in zip(self.comparisons, self.p_parts, strict=True)
        )
        weakest = max(zip(parts, self.comparisons, strict=True), key=_weakness)[0] if self.n else None
        common = Verdict(
            self.claim,
            "not testable",
            self.why_not,
            self.n,
            parts=parts if self.n else (),
            is_smoke=self.is_smoke,
        )
        if weakest:
            common = replace(common, measured=weakest.measured, p_claimed=weakest.p_claimed)
        if self.why_not:
            return common
        agree, exclude = (bool(found[0]) for found in self._outcomes(level))
        word: Decided = "reproduced" if agree else "not reproduced" if exclude else "inconclusive"
        needed = self._seeds_needed(level) if word == "inconclusive" else None
        why = reason(word, self.comparisons, [part.measured for part in parts], self.n, needed)
        return replace(common, word=word, reason=why, p=self.p, p_holm=p_holm, seeds_needed=needed)

    def _outcomes(self, level: float, counts: Floats | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return (every comparison agrees, one excludes) for the seeds at hand, or for other numbers of seeds.

        That one of k pairs excludes an order is k chances to be wrong: each is judged at a k-th of the level.
        """
        k = len(self.comparisons)
        agree, exclude = [], []
        for each in self.comparisons:
            agree.append(each.decide(*_ends(each, level, self.test_share, counts))[0])
            exclude.append(each.decide(*_ends(each, level / k, self.test_share, counts))[1])
        return np.all(agree, axis=0), np.any(exclude, axis=0)

    def _seeds_needed(self, level: float) -> int | None:
        counts = np.arange(self.n + 1, MOST_SEEDS + 1, dtype=np.float64)
        agree, exclude = self._outcomes(level, counts)
        decided = agree | exclude
        return int(counts[int(np.argmax(decided))]) if decided.any() else None


def _p_claimed(each: Comparison) -> Estimate | None:
    if each.is_counted or not each.values.size:
        return None
    share = share_within(each.values.tolist(), each.low, each.high)
    return Estimate(share.share, share.low, share.high)


def _weakness(pair: tuple[Part, Comparison]) -> float:
    """Rank a part by how little it backs the claim: by its p, and where it has none by where all its runs lie.

    On the claimed side without an interval it leaves the claim open; with one it is certain.
    """
    part, each = pair
    if part.p is not None:
        return part.p
    mean, is_certain = float(each.values.mean()), part.measured.low is not None
    inside = each.low <= mean <= each.high if each.is_exact else each.low < mean < each.high
    return (-1.0 if is_certain else ALPHA) if inside else 2.0


def _p_value(each: Comparison, test_share: float | None) -> float | None:
    """Return the smallest level whose interval lies in the claimed region; None without spread or seeds."""
    n = each.values.size
    found = estimate(each.values)
    if n < 2 or not found.sd or found.mean is None or not math.isfinite(found.sd):
        return None
    error = standard_error(found.sd, n, test_share)
    above = t_above(found.mean, each.low, error, n) if math.isfinite(each.low) else 0.0
    below = t_above(-found.mean, -each.high, error, n) if math.isfinite(each.high) else 0.0
    return max(above, below) if each.is_equal else min(1.0, 2 * max(above, below))


def _estimate(each: Comparison, level: float, test_share: float | None) -> Estimate:
    confidence = 1 - 2 * level if each.is_equal else 1 - level
    return estimate(each.values, confidence, test_share, is_difference=bool(each.other))


def _measured(each: Comparison, level: float, test_share: float | None) -> Estimate:
    """Return the estimate as it is shown: ratios taken back from logarithms, counted values certain."""
    found = _estimate(each, level, test_share)
    if each.values.size and each.is_exact:
        found = Estimate(found.mean, found.mean, found.mean, 0.0, 1.0)
    if not each.is_ratio:
        return found
    mean, low, high = (None if end is None else math.exp(end) for end in (found.mean, found.low, found.high))
    return Estimate(mean, low, high, found.sd, found.confidence)


def _ends(
    each: Comparison, level: float, test_share: float | None, counts: Floats | None
) -> tuple[Floats, Floats, Floats]:
    """Return mean, lower and upper end as arrays; an interval without ends reaches everywhere."""
    found = _estimate(each, level, test_share)
    mean = np.array([found.mean])
    if counts is None or not found.sd:
        low, high = (math.nan if end is None else end for end in (found.low, found.high))
        if counts is None:
            return mean, np.array([low]), np.array([high])
        return tuple(np.full(counts.size, end) for end in (found.mean, low, high))  # type: ignore[return-value]
    quantiles = _quantiles(found.confidence)[-counts.size :]
    half = quantiles * found.sd * np.sqrt(1 / counts + (test_share or 0.0))
    return np.full(counts.size, found.mean), mean - half, mean + half


@lru_cache(maxsize=256)
def _quantiles(confidence: float) -> Floats:
    """Return t quantiles for 2 to 1000 values."""
    from scipy.special import stdtrit

    found: Floats = stdtrit(np.arange(1, MOST_SEEDS), 0.5 + confidence / 2)
    return found


def _reported_inside(claim: Claim, scores: Mapping[str, Scores], fidelity: str, word: Word) -> bool | None:
    """Compare the document's values with one new run of each arm; a claim that has no verdict gets no such mark."""
    if fidelity != "exact" or word == "not testable":
        return None
    found = []
    for arm, values in claim.reported.items():
        interval = prediction_interval(scores[claim.metric].get(arm, {}).values())
        if interval:
            found += [interval[0] <= value <= interval[1] for value in values]
    return all(found) if found else None

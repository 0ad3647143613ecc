"""Why a verdict is what it is, in one sentence that says no more than its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from pokeopt.ablation.estimates import Estimate
from pokeopt.ablation.predicates import Comparison

SMALLEST = "the smallest difference that counts"


def reason(
    word: Literal["reproduced", "not reproduced", "inconclusive"],
    comparisons: Sequence[Comparison],
    measured: Sequence[Estimate],
    n: int,
    seeds_needed: int | None,
) -> str:
    """Return the sentence, without a full stop.

    Args:
        word: The verdict.
        comparisons: What was compared; an order has several.
        measured: Their estimates as shown, in the same order.
        n: Seeds.
        seeds_needed: How many would decide; None if more than are worth running.
    """
    pairs = list(zip(comparisons, measured, strict=True))
    if word == "reproduced":
        said = [_stated(each, found, _inside(each)) for each, found in pairs]
        return "; ".join(said)
    if word == "not reproduced":
        excluded = [(each, found, side) for each, found in pairs if (side := _excluded(each, found))]
        return "; ".join(_stated(each, found, side) for each, found, side in excluded)
    each, found = next(((a, b) for a, b in pairs if not _agrees(a, b)), pairs[0])
    return f"{_open(each, found, n)}; {_outlook(found, seeds_needed)}"


def _stated(each: Comparison, found: Estimate, side: str) -> str:
    if each.is_exact:
        return f"{each.name} is {_number(each, found.mean)} in every run, {side}"
    if found.low == found.high:
        return f"{each.name} is {_number(each, found.mean)} in every run, which lies {side}"
    return f"{each.name} is {_interval(each, found)}, which lies wholly {side}"


def _number(each: Comparison, value: float | None) -> str:
    if value is None:
        return "?"
    signed = bool(each.other) and not each.is_ratio and value != 0
    return (f"{value:+.3g}" if signed else f"{value:.3g}").replace("-", "−")


def _bound(value: float, sign: str = "") -> str:
    """Return a bound as the numbers beside it are written."""
    return f"{value:{sign}.3g}".replace("-", "−")


def _interval(each: Comparison, found: Estimate) -> str:
    ends = ", ".join(_number(each, end) for end in (found.low, found.high))
    return f"{_number(each, found.mean)} [{ends}]"


def _bounds(each: Comparison) -> tuple[float, float]:
    """Return the claimed region in the unit that is shown."""
    if not each.is_ratio:
        return each.low, each.high
    return (
        math.exp(each.low) if math.isfinite(each.low) else -math.inf,
        math.exp(each.high) if math.isfinite(each.high) else math.inf,
    )


def _inside(each: Comparison) -> str:
    low, high = _bounds(each)
    if math.isfinite(low) and math.isfinite(high):
        return f"between {_bound(low)} and {_bound(high)}"
    return f"above {_bound(low)}" if math.isfinite(low) else f"below {_bound(high)}"


def _excluded(each: Comparison, found: Estimate) -> str:
    """Say where the interval lies if it excludes the claim; empty if it does not."""
    if found.low is None or found.high is None:
        return ""
    low, high = _bounds(each)
    for is_out, bound, side in (
        (found.high < low + each.rope, low, "below"),
        (found.low > high - each.rope, high, "above"),
    ):
        if not is_out:
            continue
        if each.rope and not (found.high < bound if side == "below" else found.low > bound):
            inner = bound + each.rope if side == "below" else bound - each.rope
            return f"{side} {_bound(inner, '+')}, {SMALLEST}"
        return f"{side} {_bound(bound)}"
    return ""


def _agrees(each: Comparison, found: Estimate) -> bool:
    low, high = _bounds(each)
    if found.mean is None or found.low is None or found.high is None:
        return False
    return found.low > low and found.high < high and low + each.rope <= found.mean <= high - each.rope


def _open(each: Comparison, found: Estimate, n: int) -> str:
    if found.low is None or found.high is None:
        return f"{each.name} is {_number(each, found.mean)} at each of {n} seeds: without spread there is no interval"
    said = f"{each.name} is {_interval(each, found)}"
    if _excluded(each, found):
        return f"{said}, against the claim, but not once corrected for the number of its pairs"
    low, high = _bounds(each)
    crossed = [bound for bound in (low, high) if found.low <= bound <= found.high]
    if crossed:
        return f"{said}, which holds {' and '.join(map(_bound, crossed))}"
    return f"{said}: on the claimed side, but its mean is within {each.rope:g}, {SMALLEST}"


def _outlook(found: Estimate, seeds_needed: int | None) -> str:
    if seeds_needed is not None:
        return f"about {seeds_needed} seeds would decide"
    return "how many seeds would decide is unknown" if not found.sd else "1000 seeds would not decide"

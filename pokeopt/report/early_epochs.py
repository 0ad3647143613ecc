"""What early epochs say of final scores, and what a search's rungs did: pruned trials are censored, never scored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pokeopt.records import StopCause, TrialState
from pokeopt.report.search_facts import EarlyEpoch, Rung
from pokeopt.report.thinning import thinned

if TYPE_CHECKING:
    from pokeopt.store import TrialRow

FEWEST = 5  # complete trials at an epoch: below it a rank correlation says nothing
MOST_EPOCHS = 12
KEPT = {"half": 1 / 2, "third": 1 / 3, "tenth": 1 / 10}


def common_epoch(rows: Sequence[TrialRow]) -> int | None:
    """Return the last epoch that every trial of a curve reached that completed or was pruned by a pruner.

    There, and before, scores can be compared without knowing what the pruned ones would have become. Trials that
    diverged, ran out of memory or of time are left out: they may have ended before any rung.
    """
    return min((max(row.curve) for row in compared(rows)), default=None)


def compared(rows: Sequence[TrialRow]) -> list[TrialRow]:
    """Return the trials that may be compared at a common epoch: completed, or pruned by a pruner."""
    return [
        row
        for row in rows
        if row.curve
        and (
            row.state is TrialState.COMPLETE
            or (row.state is TrialState.PRUNED and row.stop_cause in (StopCause.PRUNER, None))
        )
    ]


def early_epochs(rows: Sequence[TrialRow], direction: str) -> tuple[EarlyEpoch, ...]:
    """Return for a few epochs how well their values ranked the complete trials' final scores.

    Args:
        rows: Trials; only those that are COMPLETE with a finite score are used.
        direction: Of the objective.
    """
    done = [row for row in rows if row.state is TrialState.COMPLETE and row.curve and _is_score(row.value)]
    counts: dict[int, int] = {}
    for row in done:
        for step in row.curve:
            counts[step] = counts.get(step, 0) + 1
    steps = sorted(step for step, n in counts.items() if n >= FEWEST)
    return tuple(
        _at(step, done, direction) for step in thinned(steps, MOST_EPOCHS, keep=steps[-1:].__contains__)
    )


def rungs(rows: Sequence[TrialRow], direction: str) -> tuple[Rung, ...]:
    """Return the epochs at which a pruner stopped trials, with those that reached them."""
    stopped: dict[int, int] = {}
    for row in rows:
        if row.state is TrialState.PRUNED and row.stop_cause in (StopCause.PRUNER, None) and row.curve:
            epoch = max(row.curve)
            stopped[epoch] = stopped.get(epoch, 0) + 1
    pick = max if direction == "maximize" else min
    found = []
    for epoch, count in sorted(stopped.items()):
        values = [row.curve[epoch] for row in rows if math.isfinite(row.curve.get(epoch, math.nan))]
        reached = sum(bool(row.curve) and max(row.curve) >= epoch for row in rows)
        found.append(Rung(epoch, reached, count, pick(values, default=None)))
    return tuple(found)


def _at(step: int, done: Sequence[TrialRow], direction: str) -> EarlyEpoch:
    from scipy import stats

    sign = 1.0 if direction == "maximize" else -1.0
    pairs = [
        (sign * row.curve[step], sign * float(row.value or 0.0))
        for row in done
        if math.isfinite(row.curve.get(step, math.nan))
    ]
    early, final = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    tau = float(stats.kendalltau(early, final).statistic) if len(pairs) > 1 else math.nan
    order = sorted(range(len(pairs)), key=lambda i: (-early[i], i))
    best = max(range(len(pairs)), key=lambda i: (final[i], -i))
    lost = {
        name: final[best] - max(final[i] for i in order[: max(1, math.ceil(share * len(pairs)))])
        for name, share in KEPT.items()
    }
    rank = 1 + sum(value > early[best] for value in early)
    return EarlyEpoch(step, len(pairs), tau if math.isfinite(tau) else None, rank, lost)


def _is_score(value: float | None) -> bool:
    return value is not None and math.isfinite(value)

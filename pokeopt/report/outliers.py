"""Runs that fell out of their arm: counted, and set beside a mean that does not hear them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Sequence
from statistics import median

import numpy as np

from pokeopt.ablation.estimates import iqm
from pokeopt.ablation.shares import COLLAPSE_DROP, collapse_rate, probability_of_improvement
from pokeopt.registry import METRICS
from pokeopt.report.cells import Cells
from pokeopt.report.summary import ArmSummary

SHARES = (
    "accuracy",
    "macro_f1",
    "balanced_accuracy",
)  # scores in [0, 1] that one name for all images has too
FEWEST_CUT = 4  # runs: of fewer the interquartile mean cuts none, and is the mean
SHARE_OF_ERROR = 0.5  # an error has no unit of its own: a run that adds half of the median fell out
COUNTS = ("epochs", "parameters", "classes", "partitions", "flop", "s", "MB")  # no score falls out of these


def with_outliers(
    arms: Sequence[ArmSummary], cells: Cells, metric: str, direction: str
) -> tuple[ArmSummary, ...]:
    """Return the arms with P(improvement), their collapsed runs, and the interquartile mean where there are any."""
    scores = {arm.id: arm.scores for arm in arms}
    dummy = _dummy(cells, metric)
    found = []
    for arm in arms:
        drop = least_drop(metric, direction, arm.scores.values())
        rate = collapse_rate(arm.scores, direction, dummy, drop) if arm.scores else None
        better = None
        if arm.reference is not None and arm.effect is not None and arm.effect.n:
            better = probability_of_improvement(arm.scores, scores[arm.reference], direction)
        finite = [score for score in arm.scores.values() if math.isfinite(score)]
        is_cut = rate is not None and rate.count and len(finite) >= FEWEST_CUT
        middle = iqm(finite) if is_cut else None
        found.append(dataclasses.replace(arm, p_improvement=better, collapse=rate, iqm=middle))
    return tuple(found)


def least_drop(metric: str, direction: str, scores: Collection[float]) -> float | None:
    """Return the least distance from the median of an arm's runs at which one of them can have collapsed.

    Half of the median where less is better; 0.05 where more is, of a median above 1 a twentieth of it (a run of the
    source documents at 0.92 among others at 0.99 was "bad luck"). None for a count, a time or a difference of two
    metrics, and where the median of an error is 0.
    """
    name = metric.partition("/")[2].partition("/")[0]
    unit = METRICS.get(name).unit if name in METRICS.names() else ""
    finite = [score for score in scores if math.isfinite(score)]
    if " - " in metric or unit in COUNTS or not finite:
        return None
    middle = abs(median(finite))
    return (SHARE_OF_ERROR * middle or None) if direction == "minimize" else COLLAPSE_DROP * max(1.0, middle)


def _dummy(cells: Cells, metric: str) -> float | None:
    """Return what naming the largest class of the part always would score; None where that is no score."""
    part, _, name = metric.partition("/")
    if name not in SHARES:
        return None
    for predictions in cells.predictions.values():
        if predictions is not None and part in predictions.parts:
            counts = np.bincount(predictions.parts[part].truth, minlength=len(predictions.classes))
            n_named = int((counts > 0).sum())
            share = float(counts.max() / counts.sum())
            if n_named < 2:
                return None
            by_name = {
                "accuracy": share,
                "macro_f1": 2 * share / (1 + share) / n_named,
                "balanced_accuracy": 1 / n_named,
            }
            return by_name[name]
    return None

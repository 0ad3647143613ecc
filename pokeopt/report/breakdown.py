"""Scores of a confirm study by class and by slice: where the best configuration changes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pokeopt.ablation import level, paired_difference
from pokeopt.ablation.arms import BASELINE, BEST
from pokeopt.report.predictions import TrialPredictions
from pokeopt.report.summary import Breakdown, ClassEffect
from pokeopt.store import TrialRow

METRICS = (("f1", "class"), ("class_mse", "class"), ("slice_mse", "slice"))


def breakdowns(
    complete: Mapping[str, Mapping[int, TrialRow]],
    metrics: Mapping[int, Mapping[str, float]],
    part: str,
    known: Sequence[TrialPredictions],
) -> tuple[Breakdown, ...]:
    """Return every metric that was measured by class or by slice.

    Args:
        complete: Arm id to seed to its row.
        metrics: Row number to its final metrics.
        part: Where they were measured.
        known: Predictions that hold this part, for the order of the classes and the number of their images.
    """
    found = [_breakdown(metric, by, complete, metrics, part, known) for metric, by in METRICS]
    return tuple(breakdown for breakdown in found if breakdown.levels)


def _breakdown(
    metric: str,
    by: str,
    complete: Mapping[str, Mapping[int, TrialRow]],
    metrics: Mapping[int, Mapping[str, float]],
    part: str,
    known: Sequence[TrialPredictions],
) -> Breakdown:
    start = f"{part}/{metric}/"
    used = [metrics[row.number] for rows in complete.values() for row in rows.values()]
    measured = {key.removeprefix(start) for values in used for key in values if key.startswith(start)}
    support = _support(by, known[0], part) if known else {}
    names = [*(name for name in support if name in measured), *sorted(measured - set(support))]

    def scores(arm_id: str, name: str) -> dict[int, float]:
        rows = complete.get(arm_id, {})
        found = {seed: metrics[row.number].get(f"{start}{name}") for seed, row in sorted(rows.items())}
        return {seed: value for seed, value in found.items() if value is not None}

    entries = tuple(
        ClassEffect(name, support.get(name), paired_difference(scores(BEST, name), scores(BASELINE, name)))
        for name in names
    )
    levels = {
        arm: {name: level(values) for name in names if (values := scores(arm, name))} for arm in complete
    }
    return Breakdown(metric, by, entries, {arm: by_name for arm, by_name in levels.items() if by_name})


def _support(by: str, predictions: TrialPredictions, part: str) -> dict[str, int]:
    """Return the images of each class or slice, in its order."""
    of_part = predictions.parts[part]
    if by == "slice":
        return {name: int(members.sum()) for name, members in of_part.slices.items()}
    counts = np.bincount(of_part.truth, minlength=len(predictions.classes))
    return dict(zip(predictions.classes, counts.tolist(), strict=False))

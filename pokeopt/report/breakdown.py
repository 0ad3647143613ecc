"""Scores of a confirm study by class and by slice: where the best configuration changes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pokeopt.ablation import Effect, level, paired_difference
from pokeopt.ablation.arms import BASELINE, BEST
from pokeopt.report.cells import Cells
from pokeopt.report.predictions import TrialPredictions
from pokeopt.report.summary import Breakdown, ClassEffect

METRICS = (("f1", "class"), ("class_mse", "class"), ("slice_mse", "slice"))


def breakdowns(
    cells: Cells,
    part: str,
    known: Sequence[TrialPredictions],
    references: Mapping[str, str | None],
    share: float | None,
) -> tuple[Breakdown, ...]:
    """Return every metric that was measured by class or by slice.

    Args:
        cells: The study's cells.
        part: Where they were measured.
        known: Predictions that hold this part, for the order of the classes and the number of their images.
        references: Arm id to the arm that it is compared with.
        share: n_test / n_train where every seed redraws the test part, which widens every interval.
    """
    found = [_breakdown(metric, by, cells, part, known, references, share) for metric, by in METRICS]
    return tuple(breakdown for breakdown in found if breakdown.levels)


def _breakdown(
    metric: str,
    by: str,
    cells: Cells,
    part: str,
    known: Sequence[TrialPredictions],
    references: Mapping[str, str | None],
    share: float | None,
) -> Breakdown:
    start = f"{part}/{metric}/"
    measured = {key.removeprefix(start) for key in cells.known if key.startswith(start)}
    support = _support(by, known[0], part) if known else {}
    names = [*(name for name in support if name in measured), *sorted(measured - set(support))]

    scores = {
        arm: {name: values for name in names if (values := cells.scores(arm, f"{start}{name}"))}
        for arm in references
    }

    def effect(arm: str, reference: str | None, name: str) -> Effect:
        return paired_difference(
            scores.get(arm, {}).get(name, {}),
            scores.get(reference or "", {}).get(name, {}),
            test_share=share,
        )

    entries = tuple(ClassEffect(name, support.get(name), effect(BEST, BASELINE, name)) for name in names)
    levels = {
        arm: {name: level(of[name], test_share=share) for name in of} for arm, of in scores.items() if of
    }
    effects = {
        arm: {name: effect(arm, reference, name) for name in names}
        for arm, reference in references.items()
        if reference is not None and arm in levels
    }
    return Breakdown(metric, by, entries, levels, effects)


def _support(by: str, predictions: TrialPredictions, part: str) -> dict[str, int]:
    """Return the images of each class or slice, in its order."""
    of_part = predictions.parts[part]
    if by == "slice":
        return {name: int(members.sum()) for name, members in of_part.slices.items()}
    counts = np.bincount(of_part.truth, minlength=len(predictions.classes))
    return dict(zip(predictions.classes, counts.tolist(), strict=False))

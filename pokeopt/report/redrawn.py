"""What would be left of an effect if the test images were drawn anew, too: beside the paired t interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pokeopt.ablation import Hierarchical, hierarchical_interval, hierarchical_means
from pokeopt.ablation.resampling import METRICS
from pokeopt.metrics import IMAGE_METRICS
from pokeopt.report.blocks import Column, Table, cells
from pokeopt.report.cells import Cells
from pokeopt.report.predictions import PartPredictions
from pokeopt.report.summary import AblationSummary, ArmSummary
from pokeopt.report.words import (
    ABSENT,
    capital,
    digits_for,
    effect_text,
    interval,
    metric_name,
    plural,
    telling_digits,
)


def redraw(cells_: Cells, arms: Sequence[ArmSummary], metric: str, resample: str) -> dict[str, Hierarchical]:
    """Return arm to the interval of its effect over seeds and test images.

    Empty where each seed has a test part of its own, and where the score is none of single images.
    """
    part, _, name = metric.partition("/")
    if part == "val" or resample == "all":
        return {}
    stored = {
        arm.id: {
            seed: found.parts[part]
            for seed, row in cells_.complete[arm.id].items()
            if (found := cells_.predictions[row.number]) is not None and part in found.parts
        }
        for arm in arms
        if arm.prefix_of is None
    }
    intervals = {
        arm.id: _interval(stored.get(arm.id, {}), stored.get(arm.reference or "", {}), name)
        for arm in arms
        if arm.effect is not None
    }
    return {id_: one for id_, one in intervals.items() if one is not None}


def redrawn_table(ablation: AblationSummary, id_: str) -> Table | None:
    """Return each effect with both intervals, and how much of the doubt is the test images'."""
    shown = [arm for arm in ablation.arms if arm.id in ablation.redrawn and not arm.same_as]
    if not shown:
        return None
    columns = (
        Column("Level", is_number=False),
        Column("Difference [95 % CI]", note="paired t interval over seeds, given these test images"),
        Column("[95 % CI] over seeds and images", note="both resampled, 2,000 times"),
        Column("Doubt that is the images'", note="share of the variance that is left with more seeds"),
    )
    rows = []
    for arm in shown:
        found, effect = ablation.redrawn[arm.id], arm.effect
        assert effect is not None, "only effects are redrawn"
        digits = digits_for(effect.sd, effect.mean)
        digits = telling_digits(digits, effect.low, effect.high)
        share = ABSENT if found.image_share is None else f"{100 * found.image_share:.0f} %"
        ends = interval(found.low, found.high, digits, sign=True)
        rows.append(cells(arm.label, effect_text(effect, digits), ends, share))
    n = max(ablation.redrawn[arm.id].n_images for arm in shown)
    caption = (
        f"{capital(metric_name(ablation.metric))}: what would be left if the {plural(n, 'test image')} were drawn "
        "anew, too. A percentile bootstrap promises too much below about 20 seeds: verdicts rest on the t interval."
    )
    return Table(id_, caption, columns, tuple(rows), fold="If the test images were others")


def _interval(
    own: Mapping[int, PartPredictions], other: Mapping[int, PartPredictions], name: str
) -> Hierarchical | None:
    both = sorted(own.keys() & other.keys())
    found = [one[seed] for one in (own, other) for seed in both]
    if not found or any(one.n_networks != 1 for one in found):
        return None
    truth = found[0].truth
    if any(not np.array_equal(truth, one.truth) for one in found):
        return None  # other images
    classes = [one.probabilities.argmax(axis=2)[0] for one in found if one.probabilities is not None]
    if name in METRICS and len(classes) == len(found):
        first, second = _by_seed(classes, both)
        n_classes = max(len(one.support) for one in found)
        return hierarchical_interval(first, second, truth, name, n_classes)
    value = IMAGE_METRICS.get(name, "")
    values = [one.values[value][0] for one in found if value in one.values]
    if len(values) < len(found):
        return None
    first, second = _by_seed(values, both)
    return hierarchical_means(first, second)


def _by_seed(
    arrays: Sequence[npt.NDArray[Any]], seeds: Sequence[int]
) -> tuple[dict[int, npt.NDArray[Any]], dict[int, npt.NDArray[Any]]]:
    """Return the arm's and the reference's arrays, which lie one after the other."""
    n = len(seeds)
    return dict(zip(seeds, arrays[:n], strict=True)), dict(zip(seeds, arrays[n:], strict=True))

"""The test part against external sets: the gap, and whether the order of the arms holds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from pokeopt.ablation import level, paired_difference
from pokeopt.ablation.planning import kendall_tau
from pokeopt.report.cells import Cells
from pokeopt.report.summary import ArmSummary, Shift


def summarise_shifts(
    cells: Cells, arms: Sequence[ArmSummary], metric: str, parts: Sequence[str], share: float | None
) -> tuple[Shift, ...]:
    """Return each external set against the test part."""
    name = metric.partition("/")[2]
    shown = [arm for arm in arms if arm.same_as is None and arm.prefix_of is None]
    if "test" not in parts:
        return ()
    others = [part for part in parts if part not in ("train", "val", "test")]
    return tuple(_shift(part, name, cells, shown, share) for part in others)


def _sign(difference: float) -> int:
    """Return 1, 0 or -1: two arms that are equal in one set alone do not keep their order."""
    return (difference > 0) - (difference < 0)


def _shift(part: str, name: str, cells: Cells, arms: Sequence[ArmSummary], share: float | None) -> Shift:
    here = {arm.id: cells.scores(arm.id, f"test/{name}") for arm in arms}
    there = {arm.id: cells.scores(arm.id, f"{part}/{name}") for arm in arms}
    both = [arm.id for arm in arms if here[arm.id].keys() & there[arm.id].keys()]
    gaps = {id_: paired_difference(there[id_], here[id_], test_share=share) for id_ in both}
    means = {id_: (level(here[id_]).mean or 0.0, level(there[id_]).mean or 0.0) for id_ in both}
    flips = tuple(
        (a, b)
        for a, b in itertools.combinations(both, 2)
        if _sign(means[a][0] - means[b][0]) != _sign(means[a][1] - means[b][1])
    )
    tau = kendall_tau({id_: means[id_][0] for id_ in both}, {id_: means[id_][1] for id_ in both})
    return Shift(part, gaps, tau if len(both) > 2 else None, flips)

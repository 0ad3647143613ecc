"""The test part against external sets: the gap, and whether the order of the arms holds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from pokeopt.ablation import level, paired_difference
from pokeopt.ablation.planning import kendall_tau
from pokeopt.report.cells import Cells
from pokeopt.report.summary import ArmSummary, Shift


def summarise_shifts(
    cells: Cells, arms: Sequence[ArmSummary], metric: str, parts: Sequence[str]
) -> tuple[Shift, ...]:
    """Return each external set against the test part."""
    name = metric.partition("/")[2]
    shown = [arm for arm in arms if arm.same_as is None and arm.prefix_of is None]
    if "test" not in parts:
        return ()
    return tuple(_shift(part, name, cells, shown) for part in parts if part not in ("train", "val", "test"))


def _shift(part: str, name: str, cells: Cells, arms: Sequence[ArmSummary]) -> Shift:
    here = {arm.id: cells.scores(arm.id, f"test/{name}") for arm in arms}
    there = {arm.id: cells.scores(arm.id, f"{part}/{name}") for arm in arms}
    both = [arm.id for arm in arms if here[arm.id].keys() & there[arm.id].keys()]
    gaps = {id_: paired_difference(there[id_], here[id_]) for id_ in both}
    means = {id_: (level(here[id_]).mean or 0.0, level(there[id_]).mean or 0.0) for id_ in both}
    flips = tuple(
        (a, b)
        for a, b in itertools.combinations(both, 2)
        if (means[a][0] - means[b][0]) * (means[a][1] - means[b][1]) < 0
    )
    tau = kendall_tau({id_: means[id_][0] for id_ in both}, {id_: means[id_][1] for id_ in both})
    return Shift(part, gaps, tau if len(both) > 2 else None, flips)

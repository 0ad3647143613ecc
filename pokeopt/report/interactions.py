"""Factors that act together, summarised: cell means, differences of differences, the steps of a path."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from pokeopt.ablation import level, paired_difference
from pokeopt.ablation.arms import BASELINE, BEST, PATH
from pokeopt.ablation.interaction import interactions
from pokeopt.report.summary import ArmSummary, Chain, Crossing, Step
from pokeopt.spec.claims import Claim

Scores = Mapping[int, float]


def summarise_crossings(arms: Sequence[ArmSummary], share: float | None) -> tuple[Crossing, ...]:
    """Return every pair of factors whose levels were crossed."""
    crossed = [arm for arm in arms if arm.factors]
    levels: dict[str, list[str]] = {}
    for arm in crossed:
        for factor, value in arm.factors.items():
            if value not in levels.setdefault(factor, []):
                levels[factor].append(value)
    found = [_crossing(a, b, levels, crossed, share) for a, b in itertools.combinations(levels, 2)]
    return tuple(one for one in found if one is not None)


def _crossing(
    first: str,
    second: str,
    levels: Mapping[str, Sequence[str]],
    arms: Sequence[ArmSummary],
    share: float | None,
) -> Crossing | None:
    """Return a pair's cell means over all other factors; None where a corner is missing or nothing was crossed."""
    table: dict[tuple[str, str], Scores] = {}
    for a, b in itertools.product(levels[first], levels[second]):
        members = [arm.scores for arm in arms if arm.factors.get(first) == a and arm.factors.get(second) == b]
        if members and all(members):
            table[a, b] = _mean_by_seed(members)
    reference = levels[first][0], levels[second][0]
    if reference not in table:
        return None
    pairs = interactions(table, reference, test_share=share)
    if not pairs:
        return None
    means = tuple((a, b, level(scores, test_share=share)) for (a, b), scores in table.items())
    return Crossing(first, second, tuple(levels[first]), tuple(levels[second]), means, pairs)


def summarise_path(arms: Sequence[ArmSummary], share: float | None) -> tuple[Step, ...]:
    """Return the steps of an ablation path from baseline to best, each compared with the one before it."""
    by_id = {arm.id: arm for arm in arms}
    steps = [arm for arm in arms if arm.id.startswith(PATH)]
    if not steps or BASELINE not in by_id:
        return ()
    steps.sort(key=lambda arm: int(arm.id.removeprefix(PATH)))
    chain = [by_id[BASELINE], *steps, *([by_id[BEST]] if BEST in by_id else [])]
    return tuple(
        Step(arm.id, arm.label, paired_difference(arm.scores, before.scores, test_share=share))
        for before, arm in itertools.pairwise(chain)
    )


def summarise_chains(
    arms: Sequence[ArmSummary], claims: Sequence[Claim], metric: str, share: float | None
) -> tuple[Chain, ...]:
    """Return the sequences of three arms or more that claims on the arms' own metric put in order."""
    by_id = {arm.id: arm for arm in arms}
    wanted = dict.fromkeys(
        tuple(group[0] for group in claim.groups)
        for claim in claims
        if claim.kind == "order"
        and claim.metric == metric
        and len(claim.groups) > 2
        and all(len(group) == 1 and group[0] in by_id for group in claim.groups)
    )
    return tuple(
        Chain(
            ids[0],
            tuple(
                Step(
                    id_,
                    by_id[id_].label,
                    paired_difference(by_id[id_].scores, by_id[before].scores, test_share=share),
                )
                for before, id_ in itertools.pairwise(ids)
            ),
        )
        for ids in wanted
    )


def _mean_by_seed(members: Sequence[Scores]) -> dict[int, float]:
    common = set.intersection(*(set(scores) for scores in members))
    return {seed: float(np.mean([scores[seed] for scores in members])) for seed in sorted(common)}

"""Which parameters seem to matter: PED-ANOVA beside a forest's fANOVA, on final scores and at a common epoch.

A pruned trial's last value is no score: such trials are censored. So final scores are COMPLETE trials' only, which
pruning has selected; beside them stand the values of all at the last epoch that all of them reached.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pokeopt.report.axes import Axis, Places
from pokeopt.report.landscape import (
    FEWEST_ROWS,
    MOST_ROWS,
    N_SEEDS,
    Landscape,
    Values,
    fanova,
    fit_landscape,
    held_out_fit,
    joint_share,
    local_importance,
    pair_map,
    pair_shares,
)
from pokeopt.report.search_facts import Evaluation, LocalEffect, PairMap, PairShare, Spread
from pokeopt.report.thinning import thinned

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

FEWEST_FOR_IMPORTANCE = 8  # trials; below it the top tenth is a single one
N_MAPS = 2
MOST_RANKED = (
    1000  # trials that PED-ANOVA reads: of more, evenly spaced ones; Optuna copies each, 1 ms apiece
)
PED, FANOVA = "PED-ANOVA", "fANOVA"


def ped_anova(trials: Sequence[FrozenTrial], scores: Mapping[int, float], direction: str) -> dict[str, float]:
    """Return PED-ANOVA's importances of trials by number with their scores; none where they are too few or equal.

    Args:
        trials: Any trials, of which those with a score are used.
        scores: Trial number to score.
        direction: Which scores are the good ones.
    """
    import optuna
    from optuna.trial import create_trial

    used = thinned([trial for trial in trials if trial.number in scores], MOST_RANKED)
    if len(used) < FEWEST_FOR_IMPORTANCE or len({scores[trial.number] for trial in used}) < 2:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        # few trials took some conditional parameter: the counts stand beside the figure, which is exploratory
        warnings.filterwarnings("ignore", "Some regimes for parameter", UserWarning)
        study = optuna.create_study(
            direction=optuna.study.StudyDirection[direction.upper()]
        )  # in memory: only the rows that count
        study.add_trials(
            [
                create_trial(
                    params=trial.params, distributions=trial.distributions, value=scores[trial.number]
                )
                for trial in used
            ]
        )
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        try:
            found = optuna.importance.get_param_importances(study, evaluator=evaluator)
        except (ValueError, RuntimeError):  # no parameter varied among these trials
            return {}
    return {name: float(value) for name, value in found.items() if math.isfinite(value)}


def evaluations(
    trials: Sequence[FrozenTrial],
    scores: Mapping[int, float],
    direction: str,
    epoch: int | None,
    shared: Shared | None,
) -> tuple[Evaluation, ...]:
    """Return both evaluators' importances of one set of scores; those that the trials are too few for are left out."""
    found = []
    ped = ped_anova(trials, scores, direction)
    if ped:
        shares = {name: Spread(value, value, value) for name, value in ped.items()}
        found.append(Evaluation(PED, epoch, min(MOST_RANKED, len(scores)), 1, shares))
    if shared is not None:
        found.append(Evaluation(FANOVA, epoch, shared.n_trials, N_SEEDS, shared.singles))
    return tuple(found)


@dataclass(frozen=True)
class Shared:
    """Forests over the parameters that every scored trial has, how many trials they saw, and their fANOVA."""

    landscape: Landscape
    n_trials: int
    singles: Mapping[str, Spread]


def shared_landscape(
    axes: Sequence[Axis], places: Mapping[int, Sequence[float | None]], scores: Mapping[int, float]
) -> Shared | None:
    """Return forests over the parameters that every scored trial has; None for too few trials, or equal scores."""
    numbers, table, values = table_of(axes, places, scores)
    columns = np.flatnonzero(~np.isnan(table).any(axis=0)) if numbers else np.array([], dtype=int)
    if len(numbers) < FEWEST_ROWS or not len(columns) or np.ptp(values) == 0:
        return None
    landscape = fit_landscape([axes[j] for j in columns], table[:, columns], values)
    return Shared(landscape, len(numbers), fanova(landscape))


def around_the_best(
    axes: Sequence[Axis],
    places: Mapping[int, Sequence[float | None]],
    scores: Mapping[int, float],
    best: int | None,
) -> tuple[tuple[LocalEffect, ...], float | None]:
    """Return the local importances around the best trial, and R squared of the forest on trials left out."""
    numbers, table, values = table_of(axes, places, scores)
    if (
        best is None
        or best not in places
        or len(numbers) < FEWEST_ROWS
        or not len(axes)
        or np.ptp(values) == 0
    ):
        return (), None
    landscape = fit_landscape(axes, table, values)
    at = np.array([math.nan if place is None else place for place in places[best]])
    return local_importance(landscape, at), held_out_fit(axes, table, values)


def pairs_and_maps(shared: Shared | None) -> tuple[tuple[PairShare, ...], tuple[PairMap, ...]]:
    """Return what pairs of parameters explain, and maps of the first of them."""
    if shared is None or len(shared.landscape.axes) < 2:
        return (), ()
    pairs = pair_shares(shared.landscape, shared.singles)
    acting = max(pairs, key=lambda pair: pair.together.mean)  # one map of the most, one of the most together
    drawn = list(dict.fromkeys([pairs[0], acting, *pairs]))[:N_MAPS]
    maps = (pair_map(shared.landscape, pair.first, pair.second) for pair in drawn if joint_share(pair) > 0)
    return pairs, tuple(maps)


def table_of(
    axes: Sequence[Axis], places: Mapping[int, Sequence[float | None]], scores: Mapping[int, float]
) -> tuple[list[int], Places, Values]:
    """Return numbers, places (N, D) and scores (N,) of scored trials; of very many, evenly spaced ones."""
    numbers = thinned(sorted(number for number in scores if number in places), MOST_ROWS)
    rows = [[math.nan if place is None else place for place in places[number]] for number in numbers]
    table = np.array(rows, dtype=float).reshape(len(numbers), len(axes))
    return numbers, table, np.array([scores[number] for number in numbers], dtype=float)

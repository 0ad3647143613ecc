"""The exploratory facts of a search: everything that its trials suggest, and none of it an effect."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pokeopt.report.axes import axes_of, places_of
from pokeopt.report.early_epochs import common_epoch, compared, early_epochs, rungs
from pokeopt.report.expected_best import expected_best
from pokeopt.report.importances import around_the_best, evaluations, pairs_and_maps, shared_landscape
from pokeopt.report.search_facts import SearchFacts
from pokeopt.store import StudyView, TrialRow

if TYPE_CHECKING:
    from pokeopt.store import Store

FEWEST_OF_TOP = 3


def search_facts(store: Store, view: StudyView) -> SearchFacts:
    """Return what the counted rows of a search say; all of it looks at the first objective."""
    counted = {row.number: row for row in view.counted}
    frozen = [trial for trial in store.study(view.name).get_trials(deepcopy=False) if trial.number in counted]
    axes = axes_of(trial.distributions for trial in frozen)
    table = places_of(axes, [trial.params for trial in frozen])
    places = {
        trial.number: tuple(None if math.isnan(place) else round(float(place), 6) for place in row)
        for trial, row in zip(frozen, table, strict=True)
    }
    final = final_scores(view)
    direction = view.directions[0]
    shared = shared_landscape(axes, places, final)
    found = list(evaluations(frozen, final, direction, None, shared))
    epoch = common_epoch(view.counted)
    rows = compared(view.counted)
    if epoch is not None and len(rows) > len(final):  # pruning took trials out of the final scores
        early = {
            row.number: row.curve[epoch] for row in rows if math.isfinite(row.curve.get(epoch, math.nan))
        }
        found += evaluations(frozen, early, direction, epoch, shared_landscape(axes, places, early))
    pairs, maps = pairs_and_maps(shared)
    best = view.best.number if view.best else None
    local, fit = around_the_best(axes, places, final, best)
    return SearchFacts(
        axes=axes,
        places=places,
        evaluations=tuple(found),
        local=local,
        pairs=pairs,
        maps=maps,
        n_forest=shared.n_trials if shared else 0,
        fit=fit,
        early=early_epochs(view.counted, direction),
        rungs=rungs(view.counted, direction),
        expected=expected_best(list(final.values()), direction, _s_per_trial(view.counted)),
        top=top_tenth(final, direction),
    )


def final_scores(view: StudyView) -> dict[int, float]:
    """Return the finite final scores of COMPLETE trials on the first objective, by number."""
    return {
        row.number: row.value for row in view.complete if row.value is not None and math.isfinite(row.value)
    }


def top_tenth(scores: dict[int, float], direction: str) -> tuple[int, ...]:
    """Return the numbers of the tenth with the best scores, at least three, the best first."""
    sign = -1.0 if direction == "maximize" else 1.0
    order = sorted(scores, key=lambda number: (sign * scores[number], number))
    return tuple(order[: max(FEWEST_OF_TOP, math.ceil(len(order) / 10))])


def _s_per_trial(rows: Sequence[TrialRow]) -> float | None:
    times = [seconds for row in rows if (seconds := row.metric("wall_s")) is not None]
    return sum(times) / len(times) if times else None

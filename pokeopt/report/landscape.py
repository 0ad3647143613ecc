"""Forests over a search's scores: what varies around the best, which pairs act together, and maps.

A forest predicts; it measures no effect. What it says is shown over several forest seeds, and only as a hint at
what to confirm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from pokeopt.report.axes import Axis, Places, features
from pokeopt.report.search_facts import LocalEffect, PairMap, PairShare, Spread

N_SEEDS = 10
N_TREES = 24
MOST_ROWS = 400  # trials that a forest is fitted to: of more, evenly spaced ones
FEWEST_ROWS = 16  # below it a tree has hardly anything to split
MOST_PAIRED = 6  # parameters whose pairs are looked at: 15 pairs
LOCAL_GRID, SINGLE_GRID, PAIR_GRID, MAP_GRID = 21, 16, 8, 20
SINGLE_BACKGROUND = 64
BACKGROUND = 32  # random places of the other parameters; the same for every cell, so additive effects cancel

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Landscape:
    """Forests of equal data and different seeds, on some axes.

    Attributes:
        forests: Fitted ``ExtraTreesRegressor``s.
    """

    axes: tuple[Axis, ...]
    forests: tuple[Any, ...]

    def predict(self, places: Places) -> Values:
        """Return predictions (S, N): one row a forest."""
        columns = features(self.axes, places)
        # tree by tree: the forest's own predict starts threads for each tree, which takes longer than the trees
        trees = ([tree.tree_.predict(columns).ravel() for tree in one.estimators_] for one in self.forests)
        return np.stack([np.mean(each, axis=0) for each in trees])


def fit_landscape(axes: Sequence[Axis], places: Places, scores: Values, n_seeds: int = N_SEEDS) -> Landscape:
    """Fit the forests to trials' places (N, D) and scores (N,)."""
    columns = features(axes, places)
    forests = (_forest(seed) for seed in range(n_seeds))
    return Landscape(tuple(axes), tuple(forest.fit(columns, scores) for forest in forests))


def held_out_fit(axes: Sequence[Axis], places: Places, scores: Values) -> float:
    """Return R squared of predictions for trials that were left out (five folds): the mean of all would get 0."""
    from sklearn.model_selection import cross_val_predict

    predicted = cross_val_predict(_forest(0), features(axes, places), scores, cv=5)
    spread = float(((scores - scores.mean()) ** 2).sum())
    return 1 - float(((scores - predicted) ** 2).sum()) / spread if spread > 0 else 0.0


def local_importance(landscape: Landscape, best: Values) -> tuple[LocalEffect, ...]:
    """Return what each parameter that is active at ``best`` (D,) would change there, the largest first.

    Source: Biedenkapp et al., "CAVE: Configuration Assessment, Visualization and Evaluation", LION 2018.
    """
    names, spreads, changes = [], [], []
    for j, axis in enumerate(landscape.axes):
        if np.isnan(best[j]):
            continue
        grid = axis.grid(LOCAL_GRID)
        rows = np.tile(best, (len(grid), 1))
        rows[:, j] = grid
        predicted = landscape.predict(rows)
        names.append(axis.name)
        spreads.append(predicted.var(axis=1))
        changes.append(predicted.max(axis=1) - predicted.min(axis=1))
    if not names:
        return ()
    shares = _shares(np.array(spreads))
    found = [
        LocalEffect(name, spread_of(share), spread_of(change))
        for name, share, change in zip(names, shares, changes, strict=True)
    ]
    return tuple(sorted(found, key=lambda effect: (-effect.share.mean, effect.name)))


def fanova(landscape: Landscape) -> dict[str, Spread]:
    """Return the share of the forest's variance that each parameter explains alone, over a uniform space.

    Functional ANOVA of the forest's mean on a fixed grid. Optuna's is exact over the leaves and takes the shares
    tree by tree, where noise takes some: 4 s a forest of 64 trees at 200 trials, 23 s at 600, on one core. A test
    holds the rankings of both together.

    Source: Hutter, Hoos and Leyton-Brown, "An Efficient Approach for Assessing Hyperparameter Importance", ICML
    2014.
    """
    total = _total(landscape)
    return {
        axis.name: spread_of(
            _over(_marginal(landscape, (j,), SINGLE_GRID, SINGLE_BACKGROUND).var(axis=1), total)
        )
        for j, axis in enumerate(landscape.axes)
    }


def pair_shares(landscape: Landscape, singles: Mapping[str, Spread]) -> tuple[PairShare, ...]:
    """Return by pair what its parameters explain alone, and beyond that together; the largest joint share first.

    The mean over the other parameters is taken at one fixed set of random places, so that a forest without
    interaction gets exactly none.

    Args:
        landscape: Forests over parameters that all trials have.
        singles: What ``fanova`` says of them: pairs of the first few are looked at.
    """
    axes = landscape.axes
    total = _total(landscape)
    order = sorted(range(len(axes)), key=lambda j: (-singles[axes[j].name].mean, j))[:MOST_PAIRED]
    found = []
    for a, b in combinations(sorted(order), 2):
        surface = _marginal(landscape, (a, b), PAIR_GRID)
        mean = surface.mean(axis=(1, 2), keepdims=True)
        rows, columns = surface.mean(axis=2, keepdims=True), surface.mean(axis=1, keepdims=True)
        parts = ((rows - mean), (columns - mean), surface - rows - columns + mean)
        first, second, both = (spread_of(_over((part**2).mean(axis=(1, 2)), total)) for part in parts)
        found.append(PairShare(axes[a].name, axes[b].name, (first, second), both))
    return tuple(sorted(found, key=lambda pair: (-joint_share(pair), pair.first, pair.second)))


def joint_share(pair: PairShare) -> float:
    """Return what a pair explains altogether."""
    return pair.alone[0].mean + pair.alone[1].mean + pair.together.mean


def pair_map(landscape: Landscape, first: str, second: str) -> PairMap:
    """Return the mean prediction over two parameters on a fixed grid."""
    names = [axis.name for axis in landscape.axes]
    a, b = names.index(first), names.index(second)
    surface = _marginal(landscape, (a, b), MAP_GRID, at=Axis.grid).mean(axis=0)
    x, y = landscape.axes[a], landscape.axes[b]
    cells = tuple(tuple(float(value) for value in column) for column in surface.T)
    return PairMap(x, y, tuple(x.grid(MAP_GRID)), tuple(y.grid(MAP_GRID)), cells)


def spread_of(values: npt.NDArray[np.float64]) -> Spread:
    """Return mean, smallest and largest."""
    return Spread(float(values.mean()), float(values.min()), float(values.max()))


def _total(landscape: Landscape) -> Values:
    """Return the variance of each forest over the space, (S,)."""
    variance: Values = landscape.predict(_uniform(landscape.axes, 2000, seed=1)).var(axis=1)
    return variance


def _forest(seed: int) -> Any:
    """Return an unfitted forest whose trees draw their splits at random.

    Such trees see an interaction without main effects, which a greedy tree has no reason to split on: on a made-up
    search with one they explained 78 % of the variance of trials left out, a random forest 67 %.
    """
    from sklearn.ensemble import ExtraTreesRegressor  # here: it takes a second to import

    return ExtraTreesRegressor(N_TREES, max_features=0.5, random_state=seed, n_jobs=1)


def _marginal(
    landscape: Landscape,
    fixed: tuple[int, ...],
    most: int,
    n_background: int = BACKGROUND,
    at: Callable[[Axis, int], list[float]] = Axis.strata,
) -> Values:
    """Return the mean prediction (S, grid, ...) over the other axes, at the grid of the fixed ones."""
    background = _uniform(landscape.axes, n_background, seed=0)
    grids = [at(landscape.axes[j], most) for j in fixed]
    cells = np.stack([mesh.ravel() for mesh in np.meshgrid(*grids, indexing="ij")], axis=1)
    rows = np.repeat(background[None], len(cells), axis=0)
    rows[:, :, list(fixed)] = cells[:, None, :]
    predicted = landscape.predict(rows.reshape(-1, len(landscape.axes)))
    shape = [len(grid) for grid in grids]
    averaged: Values = predicted.reshape(-1, len(cells), n_background).mean(axis=2)
    return averaged.reshape(-1, *shape)


def _uniform(axes: Sequence[Axis], count: int, seed: int) -> Places:
    drawn = np.random.default_rng(seed).random((count, len(axes)))
    return np.stack([axis.snapped(drawn[:, j]) for j, axis in enumerate(axes)], axis=1)


def _shares(variances: Values) -> Values:
    """Return each row over the sum of all, by column; zero where nothing varies."""
    return _over(variances, variances.sum(axis=0))


def _over(part: Values, whole: Values) -> Values:
    shares: Values = np.divide(
        part, whole, out=np.zeros_like(part), where=np.broadcast_to(whole > 0, part.shape)
    )
    return shares

"""What a search's trials say beyond their table, computed once: importances, maps, early epochs. Exploratory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pokeopt.report.axes import Axis


@dataclass(frozen=True)
class Spread:
    """A number over forest seeds: its mean, smallest and largest."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Evaluation:
    """Importances by one evaluator on one set of scores.

    Attributes:
        evaluator: ``PED-ANOVA`` or ``fANOVA``.
        epoch: None for final scores of COMPLETE trials; else the epoch that COMPLETE and PRUNED trials all
            reached, whose values are compared.
        n_trials: Trials that it read.
        n_seeds: Forest seeds; 1 where there is no forest.
        scores: Parameter to share.
    """

    evaluator: str
    epoch: int | None
    n_trials: int
    n_seeds: int
    scores: Mapping[str, Spread]


@dataclass(frozen=True)
class LocalEffect:
    """What a forest predicts when one parameter of the best trial varies and all others stay.

    Attributes:
        share: Its variance over the sum of all parameters' variances.
        change: Largest minus smallest prediction along the axis, in the metric's unit.
    """

    name: str
    share: Spread
    change: Spread


@dataclass(frozen=True)
class PairShare:
    """Shares of the forest's variance: of two parameters alone, and of what only both together explain."""

    first: str
    second: str
    alone: tuple[Spread, Spread]
    together: Spread


@dataclass(frozen=True)
class PairMap:
    """A forest's prediction over two parameters, the others averaged; a fixed grid.

    Attributes:
        x: The axis along the bottom, and its places; ``y`` and ``y_places`` likewise.
        cells: Predictions, one row a place of y.
    """

    x: Axis
    y: Axis
    x_places: tuple[float, ...]
    y_places: tuple[float, ...]
    cells: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class EarlyEpoch:
    """What the value at an epoch said of the final score, over complete trials.

    Attributes:
        tau: Kendall's rank correlation; None where all are equal.
        best_rank: Rank at this epoch, from 1, of the trial that ended best.
        lost: Share of trials kept to score lost: best of all minus best of those kept at this epoch, positive
            where something was lost.
    """

    epoch: int
    n_trials: int
    tau: float | None
    best_rank: int
    lost: Mapping[str, float]


@dataclass(frozen=True)
class Rung:
    """One epoch at which trials competed: how many reached it, how many were stopped there."""

    epoch: int
    reached: int
    stopped: int
    best: float | None


@dataclass(frozen=True)
class ExpectedBest:
    """Expected best of n random trials, from the scores of N (Dodge et al. 2019), with a 90 % range of it."""

    n: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n_trials: int
    s_per_trial: float | None


@dataclass(frozen=True)
class SearchFacts:
    """All of it for one search.

    Attributes:
        places: Trial number to its places on the axes, None where inactive.
        n_forest: Trials that the forests were fitted to; fewer than complete where those are very many.
        n_top: Trials that count as the top tenth of the complete ones.
        top: Their numbers.
    """

    axes: tuple[Axis, ...]
    places: Mapping[int, tuple[float | None, ...]] = field(repr=False)
    evaluations: tuple[Evaluation, ...] = ()
    local: tuple[LocalEffect, ...] = ()
    pairs: tuple[PairShare, ...] = ()
    maps: tuple[PairMap, ...] = ()
    n_forest: int = 0
    fit: float | None = None
    early: tuple[EarlyEpoch, ...] = ()
    rungs: tuple[Rung, ...] = ()
    expected: ExpectedBest | None = None
    top: tuple[int, ...] = ()

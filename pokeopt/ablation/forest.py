"""A random forest over a search's trials: it ranks factors so that the largest get an arm. It decides no
effect.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pokeopt.spec import Param

FEWEST_ROWS = 4  # below it a forest has nothing to split; every factor then ties
N_TREES = 200


def fit_forest(
    params: Sequence[Param], rows: Sequence[tuple[Mapping[str, Any], float]]
) -> Callable[[Mapping[str, Any]], float]:
    """Fit values to scores and return the prediction as a function of values; constant zero for too few rows.

    Args:
        params: Every searched leaf, active or not.
        rows: Active values and score of each trial; a score that is not finite is left out.
    """
    usable = [(values, score) for values, score in rows if math.isfinite(score)]
    if len(usable) < FEWEST_ROWS:
        return lambda _values: 0.0
    from sklearn.ensemble import RandomForestRegressor  # here: it takes a second to import

    features = np.array([encode(params, values) for values, _ in usable])
    forest = RandomForestRegressor(n_estimators=N_TREES, random_state=0, n_jobs=1)
    forest.fit(features, np.array([score for _, score in usable]))
    return lambda values: float(forest.predict(np.array([encode(params, values)]))[0])


def encode(params: Sequence[Param], values: Mapping[str, Any]) -> list[float]:
    """Return one row of features, the same length for every configuration.

    A number takes two columns: whether it is active, and its place in its range (in ln on a log axis), the
    middle where it is inactive, so that only the first column tells. A choice takes one column an option, all
    zero where it is inactive.
    """
    row: list[float] = []
    for param in params:
        value = values.get(param.path)
        if param.kind == "categorical":
            row += [float(value is not None and value == choice) for choice in param.choices]
        elif value is None:
            row += [0.0, 0.5]
        else:
            low, high, at = (float(x) for x in (param.low or 0.0, param.high or 0.0, value))
            if param.log:
                low, high, at = math.log(low), math.log(high), math.log(at)
            row += [1.0, (at - low) / (high - low) if high > low else 0.5]
    return row

"""The sentence of a verdict: its bounds are written as the numbers beside them are."""

import numpy as np
import pytest

from pokeopt.ablation.estimates import estimate
from pokeopt.ablation.predicates import Comparison
from pokeopt.ablation.reasons import reason


@pytest.mark.parametrize("word", ["reproduced", "not reproduced", "inconclusive"])
@pytest.mark.parametrize(
    ("low", "high"), [(-0.05, -0.04), (-0.04, np.inf), (-np.inf, -0.04), (-0.002, 0.002)]
)
@pytest.mark.parametrize("rope", [0.0, 0.01])
@pytest.mark.parametrize("mean", [-0.3, -0.04, 0.1])
def test_no_bound_has_a_hyphen_for_its_sign(
    word: str, low: float, high: float, rope: float, mean: float
) -> None:
    values = np.array([mean - 0.001, mean, mean + 0.002])
    comparison = Comparison("a", "b", values, low, high, rope)
    said = reason(word, [comparison], [estimate(values)], 3, 20)  # type: ignore[arg-type]
    assert "-" not in said

"""Metrics of the objective's curve."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pokeopt.metrics import curve_metrics

scores = st.lists(st.floats(-5, 5, allow_subnormal=False), min_size=1, max_size=20)


@given(scores)
def test_a_monotone_curve_does_not_oscillate(curve: list[float]) -> None:
    """However steep: faster learning is not restlessness."""
    for monotone in (sorted(curve), sorted(curve, reverse=True)):
        assert curve_metrics(monotone, "maximize")["oscillation"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("curve", "oscillation"),
    [
        ([0.5], 0.0),
        ([0.0, 1.0, 0.0], 1.0),  # two changes of 1, nothing gained
        ([0.0, 1.0, 0.5, 2.0], (1 + 0.5 + 1.5 - 2) / 3),
    ],
)
def test_oscillation_by_hand(curve: list[float], oscillation: float) -> None:
    assert curve_metrics(curve, "minimize")["oscillation"] == pytest.approx(oscillation)


@given(scores, st.floats(-2, 2))
def test_oscillation_has_no_direction_and_no_origin(curve: list[float], shift: float) -> None:
    """A loss and its negative are equally restless."""
    found = curve_metrics(curve, "minimize")["oscillation"]
    moved = [shift - value for value in curve]
    assert curve_metrics(moved, "maximize")["oscillation"] == pytest.approx(found, abs=1e-9)


@pytest.mark.parametrize(
    ("curve", "direction", "epoch"),
    [
        ([0.1, 0.9, 0.9, 0.3], "maximize", 2),
        ([4.0, 2.0, 1.0, 1.5], "minimize", 3),
        ([0.2], "minimize", 1),
    ],
)
def test_best_epoch_by_hand(curve: list[float], direction: str, epoch: int) -> None:
    assert curve_metrics(curve, direction)["best_epoch"] == epoch  # type: ignore[arg-type]

"""Laws of optimizers, schedules and stopping rules."""

import copy
import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from pokeopt.errors import SpecError
from pokeopt.registry import OPTIMIZERS, SCHEDULES, STOPPING_RULES

CPU = torch.device("cpu")
scores = st.lists(st.floats(-10, 10), max_size=30)


def quadratic() -> tuple[nn.Parameter, torch.Tensor]:
    return nn.Parameter(torch.tensor([3.0, -2.0])), torch.tensor([1.0, 10.0])


@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_an_optimizer_goes_downhill(name: str) -> None:
    point, steepness = quadratic()
    optimizer = OPTIMIZERS.make(name).build([point], 0.02, 0.0, CPU)
    before = float((steepness * point**2).sum().detach())
    for _ in range(100):
        optimizer.zero_grad()
        (steepness * point**2).sum().backward()
        optimizer.step()
    assert float((steepness * point**2).sum().detach()) < before / 2


@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_an_optimizer_continues_bit_for_bit(name: str) -> None:
    """From its state, in the middle."""

    def steps(optimizer: torch.optim.Optimizer, point: nn.Parameter, n: int) -> None:
        for _ in range(n):
            optimizer.zero_grad()
            (quadratic()[1] * point**2).sum().backward()
            optimizer.step()

    point, _ = quadratic()
    optimizer = OPTIMIZERS.make(name).build([point], 0.02, 0.01, CPU)
    steps(optimizer, point, 5)
    twin = nn.Parameter(point.detach().clone())
    continued = OPTIMIZERS.make(name).build([twin], 0.02, 0.01, CPU)
    continued.load_state_dict(copy.deepcopy(optimizer.state_dict()))  # a state shares its tensors
    steps(optimizer, point, 5)
    steps(continued, twin, 5)
    assert torch.equal(point, twin)


@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_weight_decay_shrinks_weights(name: str) -> None:
    """Without any gradient of the loss."""
    point = nn.Parameter(torch.tensor([3.0]))
    optimizer = OPTIMIZERS.make(name).build([point], 0.1, 0.1, CPU)
    point.grad = torch.zeros(1)
    optimizer.step()
    assert float(point.detach()) < 3


@pytest.mark.parametrize("name", OPTIMIZERS.names())
def test_optimizers_are_fused(name: str) -> None:
    """It is what makes small batches fast."""
    optimizer = OPTIMIZERS.make(name).build([nn.Parameter(torch.zeros(1))], 0.1, 0.0, CPU)
    assert optimizer.defaults["fused"] is True


@pytest.mark.parametrize("name", SCHEDULES.names())
@given(curve=scores)
def test_a_schedule_is_a_pure_function_in_0_1(name: str, curve: list[float]) -> None:
    """So that a continued training needs nothing but the curve."""
    schedule = SCHEDULES.make(name)
    factor = schedule.factor(curve, 20)
    assert 0 <= factor <= 1
    assert schedule.factor(list(curve), 20) == factor
    assert schedule.factor([], 20) == 1


@pytest.mark.parametrize(
    ("component", "torch_schedule"),
    [
        ({"step": {"every": 3, "gamma": 0.5}}, lambda o: torch.optim.lr_scheduler.StepLR(o, 3, 0.5)),
        ("cosine", lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 12)),
        ({"plateau": {"patience": 2, "gamma": 0.3}}, None),
    ],
    ids=lambda one: "torch's" if callable(one) else str(one),
)
def test_torch_agrees_on_the_learning_rate(component: Any, torch_schedule: Any) -> None:
    """Epoch by epoch, on a curve that rises and stalls."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="max", factor=0.3, patience=2, threshold=1e-4, threshold_mode="abs"
    )
    scheduler = None if torch_schedule is None else torch_schedule(optimizer)
    schedule, curve = SCHEDULES.make(component), [0.1, 0.3, 0.3, 0.2, 0.3, 0.3, 0.5, 0.5, 0.4, 0.4, 0.4, 0.4]
    for epoch, score in enumerate(curve):
        assert 0.1 * schedule.factor(curve[:epoch], 12) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step() if scheduler else plateau.step(score)


@pytest.mark.parametrize("name", STOPPING_RULES.names())
@given(curve=scores)
def test_a_stopping_rule_is_pure_and_does_not_stop_at_the_start(name: str, curve: list[float]) -> None:
    rule = STOPPING_RULES.make(name)
    assert rule.should_stop(list(curve)) == rule.should_stop(curve)
    assert not rule.should_stop([])
    assert not rule.should_stop(curve[:1])


@pytest.mark.parametrize("name", STOPPING_RULES.names())
@given(start=st.floats(-1, 1), n=st.integers(0, 50))
def test_a_steady_rise_is_not_stopped(name: str, start: float, n: int) -> None:
    assert not STOPPING_RULES.make(name).should_stop([start + 0.2 * epoch for epoch in range(n)])


def stops_at(component: Any, curve: list[float]) -> int | None:
    rule = STOPPING_RULES.make(component)
    return next((epoch for epoch in range(1, len(curve) + 1) if rule.should_stop(curve[:epoch])), None)


def test_patience_counts_epochs_since_the_best() -> None:
    """An equal score is no new best."""
    assert stops_at({"patience": {"epochs": 2}}, [0.1, 0.5, 0.5, 0.4, 0.6]) == 4
    assert stops_at({"patience": {"epochs": 3}}, [0.1, 0.5, 0.5, 0.4, 0.6]) is None


def test_patience_armed_late_looks_away_at_first() -> None:
    """The best of the first epochs is no bar for the later ones."""
    curve = [0.9, 0.1, 0.1, 0.1, 0.2, 0.3, 0.3, 0.3]
    assert stops_at({"patience": {"epochs": 2}}, curve) == 3
    assert stops_at({"patience": {"epochs": 2, "after": 3}}, curve) == 8


def test_variance_is_not_the_range() -> None:
    """The same scores that a range of 0.02 lets pass stop at once by a variance of 0.02: 0.1 up and down is 0.0067."""
    wild = [0.5, 0.6, 0.4, 0.6, 0.4, 0.6]
    assert stops_at({"range": {"below": 0.02, "over": 5}}, wild) is None
    assert stops_at({"variance": {"below": 0.02, "over": 5}}, wild) == 5
    assert stops_at({"variance": {"below": 0.006, "over": 3}}, [0.0, 1.0, 0.5, 0.51, 0.49]) == 5


def test_range_needs_its_window() -> None:
    """Range of the last epochs, not their variance."""
    assert stops_at({"range": {"below": 0.02, "over": 3}}, [0.5, 0.5, 0.8, 0.81, 0.805, 0.9]) == 5
    assert stops_at({"range": {"below": 0.02, "over": 5}}, [0.5] * 4) is None


@pytest.mark.parametrize(
    ("family", "component"),
    [
        (OPTIMIZERS, {"sgd": {"momentum": 1.2}}),
        (OPTIMIZERS, {"adam": {"beta2": 1.0}}),
        (OPTIMIZERS, {"sgd": {"momentum": 0.0, "nesterov": True}}),
        (SCHEDULES, {"step": {"every": 0}}),
        (SCHEDULES, {"cosine": {"floor": 2.0}}),
        (SCHEDULES, {"plateau": {"patience": -1}}),
        (STOPPING_RULES, {"patience": {"epochs": 0}}),
        (STOPPING_RULES, {"range": {"below": 0.0}}),
        (STOPPING_RULES, {"variance": {"below": 0.0}}),
        (STOPPING_RULES, "patiense"),
    ],
    ids=str,
)
def test_impossible_settings(family: Any, component: Any) -> None:
    with pytest.raises(SpecError):
        family.make(component)


def test_a_score_that_is_nan_is_no_best() -> None:
    """Plateau must not take it for one."""
    assert SCHEDULES.make({"plateau": {"patience": 0}}).factor([math.nan], 5) == pytest.approx(0.1)

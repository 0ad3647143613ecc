"""The loop: lockstep, stopping, keeping, continuing."""

import copy
import math
from collections.abc import Callable, Generator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pokeopt.records import EpochRecord, StopCause
from pokeopt.training.loop import Lockstep

Make = Callable[..., Lockstep]


def records(loop: Lockstep) -> list[EpochRecord]:
    return [record for record in loop.epochs() if record is not None]


def returned(ticks: Generator[None, None, Any]) -> Any:
    """Pull a generator to its end."""
    while True:
        try:
            next(ticks)
        except StopIteration as end:
            return end.value


def assert_same_state(a: Any, b: Any) -> None:
    """Compare two states bit for bit."""
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same_state(a[key], b[key])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_same_state(one, other)
    else:
        assert a == b or (a != a and b != b)


def test_it_learns(lockstep: Make) -> None:
    """Brightness is easy."""
    curve = [record.metrics["val/macro_f1"] for record in records(lockstep(0, epochs=8))]
    assert max(curve) > 0.9


def test_networks_in_lockstep_are_those_of_single_runs(lockstep: Make) -> None:
    """A seed alone decides a network; the record is the mean over the seeds."""
    settings = {"epochs": 4, "schedule": {"plateau": {"patience": 0}}}
    together = records(lockstep(0, 1, 2, **settings))
    alone = [records(lockstep(seed, **settings)) for seed in (0, 1, 2)]
    for epoch, record in enumerate(together):
        single = [curve[epoch].metrics for curve in alone]
        assert list(record.by_seed) == single
        assert record.lr == pytest.approx(sum(curve[epoch].lr for curve in alone) / 3)
        for name, value in record.metrics.items():
            assert value == pytest.approx(sum(metrics[name] for metrics in single) / 3)


def test_the_same_seed_is_the_same_training(lockstep: Make) -> None:
    """And another is another."""
    assert records(lockstep(5)) == records(lockstep(5))
    assert records(lockstep(5)) != records(lockstep(6))


@settings(max_examples=25)
@given(stops=st.lists(st.integers(1, 30), max_size=4))
def test_a_continued_training_is_the_uninterrupted_one(lockstep: Make, stops: list[int]) -> None:
    """Bit for bit, wherever it is stopped, with everything that draws random numbers in play."""
    settings = {
        "epochs": 3,
        "batch_size": 16,
        "schedule": {"plateau": {"patience": 0}},
        "gradient_clip": 1.0,
        "early_stopping": {"patience": {"epochs": 2}},
    }
    whole = lockstep(0, 1, **settings)
    expected = records(whole)
    loop, seen = lockstep(0, 1, **settings), []
    for stop in stops:
        items = loop.epochs()
        for _, item in zip(range(stop), items, strict=False):
            seen += [] if item is None else [item]
        state = copy.deepcopy(loop.state_dict())
        torch.manual_seed(99)  # whatever happens in between
        loop = lockstep(0, 1, **settings)
        loop.load_state_dict(state)
    seen += records(loop)
    assert seen == expected
    assert_same_state(loop.state_dict(), whole.state_dict())


@pytest.mark.parametrize("objective", ["val/macro_f1", "val/loss"])
def test_the_best_epoch_is_kept(lockstep: Make, objective: str) -> None:
    """The first of equals; its weights give its score again."""
    loop = lockstep(0, 1, epochs=6, learning_rate=0.1, objective=objective)
    curve = [record.metrics[objective] for record in records(loop)]
    best = max(curve) if objective == "val/macro_f1" else min(curve)
    assert loop.kept_step == curve.index(best) + 1
    loop.load_kept()
    for network, kept in zip(loop.networks, loop.kept_val, strict=True):
        predict = network.predict(network.data.val)
        assert (returned(predict).probabilities == kept.probabilities).all()


def test_keep_last(lockstep: Make) -> None:
    loop = lockstep(0, epochs=4, keep="last")
    records(loop)
    assert loop.kept_step == 4
    assert_same_state(loop.kept_weights[0], dict(loop.networks[0].module.state_dict()))


def test_early_stopping_follows_the_mean_curve(lockstep: Make) -> None:
    loop = lockstep(0, 1, epochs=50, early_stopping={"patience": {"epochs": 2}})
    curve = [record.metrics["val/macro_f1"] for record in records(loop)]
    assert loop.stop_cause is StopCause.EARLY_STOP
    assert len(curve) < 50
    assert max(curve[-2:]) <= max(curve[:-2])


def test_a_rule_that_fires_in_the_last_epoch_spends_the_budget(lockstep: Make) -> None:
    loop = lockstep(0, epochs=2, early_stopping={"range": {"below": 100.0, "over": 2}})
    assert len(records(loop)) == 2
    assert loop.stop_cause is StopCause.BUDGET


def test_the_schedule_sets_the_rate(lockstep: Make) -> None:
    rates = [
        record.lr for record in records(lockstep(0, epochs=4, schedule={"step": {"every": 2, "gamma": 0.1}}))
    ]
    assert rates == pytest.approx([1e-2, 1e-2, 1e-3, 1e-3])


def test_no_epoch_scores_the_untrained_network(lockstep: Make) -> None:
    """One record, step 0; untrained weights are kept."""
    loop = lockstep(0, 1, epochs=0)
    (record,) = records(loop)
    assert (record.step, loop.kept_step, loop.stop_cause) == (0, 0, StopCause.BUDGET)
    assert {name.split("/")[0] for name in record.metrics} == {"val"}


@pytest.mark.parametrize("seed_that_diverges", [0, 1])
def test_nan_stops_at_once(lockstep: Make, seed_that_diverges: int) -> None:
    """One network is enough; the record says so for all, and no weight of it is kept."""
    loop = lockstep(0, 1, epochs=5)
    items = loop.epochs()
    first = next(item for item in items if item is not None)
    assert first.step == 1
    with torch.no_grad():
        next(loop.networks[seed_that_diverges].module.parameters()).fill_(math.nan)
    rest = [item for item in items if item is not None]
    assert [record.step for record in rest] == [2]
    assert math.isnan(rest[0].metrics["val/macro_f1"])
    assert not math.isfinite(rest[0].metrics["train/total_loss"])
    assert [math.isnan(metrics["val/macro_f1"]) for metrics in rest[0].by_seed][seed_that_diverges]
    assert (loop.stop_cause, loop.kept_step) == (StopCause.NAN, 1)


def test_an_objective_that_no_epoch_has_keeps_the_last(lockstep: Make) -> None:
    """Like the model's size."""
    loop = lockstep(0, epochs=3, objective="model/n_params", early_stopping="patience")
    assert len(records(loop)) == 3
    assert loop.kept_step == 3

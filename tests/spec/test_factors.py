"""Factors: what one arm of an ablation moves (DESIGN 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import optuna
import pytest

from pokeopt.errors import SpecError
from pokeopt.spec import Space, StudySpec

Load = Callable[..., StudySpec]
Shipped = Callable[[Sequence[str]], StudySpec]
LAYERS = "model: {family: mlp, depth: {int: [1, 4]}, width: {int: [8, 64], per: model.depth}}\n"


def draws(space: Space, n: int) -> list[dict[str, Any]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    return [space.suggest(study.ask()) for _ in range(n)]


def layers(depth: int, *width: int) -> dict[str, Any]:
    return {"model.depth": depth, **{f"model.width.{i}": one for i, one in enumerate(width)}}


def test_factors_are_the_searched_keys(shipped: Shipped) -> None:
    factors = {factor.key: factor.paths for factor in shipped([]).space.factors()}
    assert list(factors) == [
        "data.preprocess",
        "model.depth",
        "model.width",
        "model.activation",
        "model.dropout",
        "loss.terms.classification",
        "training.batch_size",
        "training.sampler",
        "training.augmentation",
        "training.optimizer",
        "training.learning_rate",
        "training.schedule",
    ]
    assert factors["model.width"] == tuple(f"model.width.{i}" for i in range(4))
    assert factors["model.depth"] == ("model.depth",)
    gamma = "loss.terms.classification.focal.gamma"
    assert factors["loss.terms.classification"] == ("loss.terms.classification", gamma)


def test_every_leaf_is_in_one_factor(shipped: Shipped) -> None:
    space = shipped([]).space
    paths = [path for factor in space.factors() for path in factor.paths]
    assert sorted(paths) == sorted(param.path for param in space.params)


def test_a_leaf_under_a_condition_moves_with_what_it_depends_on(load: Load) -> None:
    space = load(
        "training:\n"
        "  optimizer: {choice: [adam, sgd]}\n"
        "  weight_decay: {float: [0, 1], when: {training.optimizer: sgd}}\n"
    ).space
    assert [(factor.key, len(factor.paths)) for factor in space.factors()] == [("training.optimizer", 2)]


@pytest.mark.parametrize(
    ("start", "target", "key", "moved"),
    [
        (layers(2, 64, 32), layers(3, 8, 9, 10), "model.width", layers(2, 8, 9)),
        (layers(2, 64, 32), layers(3, 8, 9, 10), "model.depth", layers(3, 64, 32, 10)),
        (layers(3, 8, 9, 10), layers(2, 64, 32), "model.depth", layers(2, 8, 9)),
        (layers(3, 8, 9, 10), layers(2, 64, 32), "model.width", layers(3, 64, 32, 32)),
        (layers(1, 8), layers(1, 9), "model.depth", layers(1, 8)),
    ],
)
def test_moving_layers(
    load: Load, start: dict[str, Any], target: dict[str, Any], key: str, moved: dict[str, Any]
) -> None:
    space = load(f"{LAYERS}baseline: {{model.width: [64, 32]}}").space
    assert space.move(start, target, key) == moved


def test_a_leaf_that_becomes_active_takes_the_targets_then_the_baselines_value(shipped: Shipped) -> None:
    space = shipped([]).space
    term, gamma = "loss.terms.classification", "loss.terms.classification.focal.gamma"
    start = space.baseline()
    assert space.move(start, {**start, term: "focal", gamma: 4.0}, term)[gamma] == 4.0
    deep = space.baseline({"model.width": [64, 65, 66]})
    assert space.move(start, deep, "model.depth")["model.width.2"] == 66
    assert gamma not in space.move({**start, term: "focal", gamma: 4.0}, start, term)


def test_moving_every_factor_arrives_at_the_target(shipped: Shipped) -> None:
    space = shipped([]).space
    start = space.baseline()
    for target in draws(space, 20):
        here = start
        for factor in space.factors():
            here = space.move(here, target, factor.key)
            space.check(here)
            assert space.active(here) == here
        # a width that was cut while the depth was still the baseline's comes back with the depth
        assert space.move(here, target, "model.width") == target


def test_moving_to_where_one_is_changes_nothing(shipped: Shipped) -> None:
    space = shipped([]).space
    for values in draws(space, 5):
        assert all(space.move(values, values, factor.key) == values for factor in space.factors())


def test_an_unknown_factor_is_refused(shipped: Shipped) -> None:
    space = shipped([]).space
    with pytest.raises(SpecError, match=r"did you mean 'model\.width'"):
        space.move(space.baseline(), space.baseline(), "model.width.0")

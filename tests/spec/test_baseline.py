"""The baseline, and arms as changes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pokeopt.errors import SpecError
from pokeopt.spec import StudySpec

Load = Callable[..., StudySpec]
Shipped = Callable[[Sequence[str]], StudySpec]
LAYERS = "model: {family: mlp, depth: {int: [1, 4]}, width: {int: [8, 64], per: model.depth}}\n"
FOCAL = "loss: {terms: {classification: {choice: [cross_entropy, {focal: {gamma: {float: [0.5, 5]}}}]}}}\n"


def test_baseline_is_a_configuration(shipped: Shipped) -> None:
    spec = shipped([])
    values = spec.space.baseline()
    spec.space.check(values)
    assert spec.space.active(values) == values
    config = spec.space.config(values)
    assert config["data"]["preprocess"] == []
    assert config["model"]["width"] == [256, 128]
    assert config["training"]["schedule"] == {"step": {"every": 5, "gamma": 0.1}}


def test_it_keeps_labels_and_inactive_values(shipped: Shipped) -> None:
    spec = shipped([])
    assert spec.baseline is not None
    assert spec.baseline["data.preprocess"] == "raw"
    gamma = "loss.terms.classification.focal.gamma"
    assert gamma not in spec.space.baseline()
    assert spec.space.baseline({"loss.terms.classification": "focal"})[gamma] == 2.0


@pytest.mark.parametrize(
    ("given", "depth", "width"),
    [
        ("model.depth: 2, model.width: [64, 32]", 2, [64, 32]),
        ("model.width: [64, 32, 16]", 3, [64, 32, 16]),
        ("model.depth: 3, model.width: 16", 3, [16, 16, 16]),
        ("model.depth: 2, model.width.0: 64, model.width.1: 32", 2, [64, 32]),
        ("model.depth: 1, model.width.0: 64, model.width.1: 32", 1, [64]),
    ],
)
def test_layers_of_a_baseline(load: Load, given: str, depth: int, width: list[int]) -> None:
    space = load(f"{LAYERS}baseline: {{{given}}}").space
    config = space.config(space.baseline())["model"]
    assert (config["depth"], config["width"]) == (depth, width)


@pytest.mark.parametrize(
    ("overrides", "width"),
    [
        ({"model.width": [10]}, [10]),
        ({"model.width": [10, 11, 12]}, [10, 11, 12]),
        ({"model.width": 9}, [9, 9]),
        ({"model.depth": 4}, [64, 32, 32, 32]),
        ({"model.depth": 1}, [64]),
        ({"model.depth": 3, "model.width.2": 8}, [64, 32, 8]),
    ],
)
def test_arms_change_layers_and_counter(load: Load, overrides: dict[str, Any], width: list[int]) -> None:
    space = load(f"{LAYERS}baseline: {{model.width: [64, 32]}}").space
    config = space.config(space.baseline(overrides))["model"]
    assert (config["width"], config["depth"]) == (width, len(width))


@pytest.mark.parametrize("literal", ["focal", "{focal: {gamma: 3.0}}", "{focal: null}"])
def test_a_component_may_be_written_as_a_literal(load: Load, literal: str) -> None:
    gamma = "loss.terms.classification.focal.gamma"
    extra = "" if "3.0" in literal else f", {gamma}: 3.0"
    space = load(f"{FOCAL}baseline: {{loss.terms.classification: {literal}{extra}}}").space
    assert space.baseline() == {"loss.terms.classification": "focal", gamma: 3.0}


def test_a_literal_list_is_its_label(load: Load) -> None:
    spec = load(
        "training: {augmentation: {choice: {none: [], flip: [horizontal_flip]}}}\n"
        "baseline: {training.augmentation: [horizontal_flip]}\n"
    )
    assert spec.baseline == {"training.augmentation": "flip"}


def test_a_literal_that_two_labels_fit_is_refused(load: Load) -> None:
    text = "training: {optimizer: {choice: {slow: {sgd: {momentum: 0.5}}, fast: sgd}}}\n"
    assert load(f"{text}baseline: {{training.optimizer: {{sgd: {{momentum: 0.5}}}}}}").baseline == {
        "training.optimizer": "slow"
    }
    with pytest.raises(SpecError, match="may be slow or fast"):
        load(f"{text}baseline: {{training.optimizer: sgd}}")


def test_a_leaf_that_fixed_values_rule_out_may_have_a_value(load: Load) -> None:
    text = (
        "model: {family: mlp, dropout: {float: [0, 0.5], when: {training.keep: last}}}\n"
        "training: {batch_size: {choice: [16, 32]}}\n"
        "baseline: {model.dropout: 0.1, training.batch_size: 16}\n"
    )
    assert load(text).space.baseline() == {"training.batch_size": 16}
    with pytest.raises(SpecError, match=r"0\.9 is not in"):
        load(text.replace("0.1,", "0.9,"))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"model.widht": 3}, "did you mean 'model.width'"),
        ({"training.keep": "last"}, "is not searched"),
        ({"model.width": [1] * 9}, "at most 4"),
        ({"model.width": [8, 9], "model.depth": 3}, "2 layers are given, but model.depth is 3"),
        ({"model.width": [7]}, "7 is not in"),
    ],
)
def test_a_wrong_arm_is_refused(load: Load, overrides: dict[str, Any], message: str) -> None:
    space = load(f"{LAYERS}baseline: {{model.width: [64, 32]}}").space
    with pytest.raises(SpecError, match=message):
        space.baseline(overrides)


def test_without_a_baseline_there_is_none(load: Load) -> None:
    with pytest.raises(SpecError, match="has no baseline"):
        load(LAYERS).space.baseline()


def test_an_arm_that_activates_a_leaf_without_a_value_is_refused(load: Load) -> None:
    space = load(f"{FOCAL}baseline: {{loss.terms.classification: cross_entropy}}").space
    with pytest.raises(SpecError, match=r"focal\.gamma' has no value"):
        space.baseline({"loss.terms.classification": "focal"})

"""What a space suggests, and the configuration that follows from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import optuna
import pytest

from pokeopt.errors import SpecError
from pokeopt.spec import Space, StudySpec

Load = Callable[..., StudySpec]
SAMPLED = 30


def draws(space: Space, n: int = SAMPLED, seed: int = 0) -> list[dict[str, Any]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [space.suggest(study.ask()) for _ in range(n)]


def test_defaults_are_those_of_the_contract(load: Load) -> None:
    spec = load("")
    config = spec.space.config({})
    assert spec.space.params == ()
    assert (spec.name, spec.task, spec.objective, spec.baseline, spec.ablation) == (
        "space",
        "classification",
        "val/macro_f1",
        None,
        None,
    )
    assert config["data"]["split"] == {"train": 0.7, "val": 0.15, "test": 0.15, "by": "class", "seed": 0}
    assert config["model"] == {
        "family": "mlp",
        "depth": 2,
        "width": [256, 128],
        "activation": "relu",
        "dropout": 0.2,
        "batch_norm": True,
    }
    assert config["loss"]["weights"] == {"classification": 1.0}
    assert list(config["loss"]["terms"]) == ["classification"]
    training = config["training"]
    assert training["optimizer"] == {"adam": {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}}
    del training["optimizer"]
    assert training == {
        "epochs": 20,
        "batch_size": 32,
        "sampler": "shuffle",
        "augmentation": [],
        "learning_rate": 1e-3,
        "weight_decay": 0.0,
        "schedule": "constant",
        "early_stopping": "none",
        "keep": "best",
        "precision": "auto",
        "gradient_clip": None,
    }
    assert (spec.search.trials, spec.search.seeds, spec.search.seed, spec.search.prune_on) == (24, 1, 0, None)
    assert (spec.search.sampler_name, spec.search.pruner_name) == ("tpe", "hyperband")
    assert (spec.resources.workers, spec.resources.trial_timeout_s, spec.resources.hang_timeout_s) == (
        "auto",
        1800.0,
        600.0,
    )
    assert spec.max_epochs == 20


def test_suggested_values_are_active_in_range_and_complete(
    shipped: Callable[[Sequence[str]], StudySpec],
) -> None:
    space = shipped([]).space
    for values in draws(space):
        space.check(values)
        assert space.active(values) == values
        config = space.config(values)
        assert json.loads(json.dumps(config)) == config
        assert len(config["model"]["width"]) == values["model.depth"]
        assert ("loss.terms.classification.focal.gamma" in values) == (
            values["loss.terms.classification"] == "focal"
        )


def test_values_of_inactive_leaves_change_nothing(shipped: Callable[[Sequence[str]], StudySpec]) -> None:
    space = shipped([]).space
    extra = {"model.width.3": 99, "loss.terms.classification.focal.gamma": 1.0}
    values = space.baseline()
    assert not set(extra) & set(values)
    assert space.config({**extra, **values}) == space.config(values)


def test_a_missing_value_is_named(shipped: Callable[[Sequence[str]], StudySpec]) -> None:
    space = shipped([]).space
    values = space.baseline()
    for path in values:
        with pytest.raises(SpecError, match=f"'{path}' has no value"):
            space.config({key: value for key, value in values.items() if key != path})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model.depth", 5),
        ("model.depth", True),
        ("model.depth", 1.5),
        ("model.dropout", "0.1"),
        ("model.dropout", float("nan")),
        ("training.batch_size", 17),
        ("training.optimizer", "sgdd"),
        ("no.such.leaf", 1),
        ("training.epochs", 20),
    ],
)
def test_check_refuses(shipped: Callable[[Sequence[str]], StudySpec], path: str, value: Any) -> None:
    with pytest.raises(SpecError):
        shipped([]).space.check({path: value})


def test_external_set_takes_the_trials_preprocessing_unless_it_has_its_own(load: Load) -> None:
    spec = load(
        "data: {source: creatures, preprocess: {choice: {raw: [], crop: [silhouette_crop]}}}\n"
        "external: {own: {of: test, preprocess: []}, same: {of: test}}\n"
    )
    config = spec.space.config({"data.preprocess": "crop"})
    assert config["external"]["own"] == {"of": "test", "preprocess": []}
    assert config["external"]["same"]["preprocess"] == config["data"]["preprocess"] != []


def test_settings_in_lists_and_labels_are_named_by_component(load: Load) -> None:
    space = load(
        "training:\n"
        "  augmentation:\n"
        "    choice:\n"
        "      none: []\n"
        "      turn: [{rotate: {degrees: {float: [5, 20]}}}]\n"
        "      both: [horizontal_flip, {rotate: {degrees: {float: [5, 20]}}}]\n"
    ).space
    degrees = "training.augmentation.rotate.degrees"
    assert [param.path for param in space.params] == ["training.augmentation", degrees]
    config = space.config({"training.augmentation": "both", degrees: 7.0})
    assert config["training"]["augmentation"] == [
        {"horizontal_flip": {"probability": 0.5}},
        {"rotate": {"degrees": 7.0}},
    ]
    assert space.active({"training.augmentation": "none", degrees: 7.0}) == {"training.augmentation": "none"}


def test_labels_may_choose_among_settings_of_one_component(load: Load) -> None:
    space = load("training: {optimizer: {choice: {slow: {sgd: {momentum: 0.5}}, fast: sgd}}}").space
    found = [
        space.config({"training.optimizer": label})["training"]["optimizer"] for label in ("slow", "fast")
    ]
    assert [one["sgd"]["momentum"] for one in found] == [0.5, 0.9]


@pytest.mark.parametrize(
    ("model", "values", "width"),
    [
        ("width: 64", {}, [64, 64]),
        ("width: [64, 32, 16]", {}, [64, 32, 16]),
        ("depth: 3", {}, [256, 128, 128]),
        ("depth: 1", {}, [256]),
        ("depth: 0", {}, []),
        ("depth: {int: [1, 3]}", {"model.depth": 3}, [256, 128, 128]),
        ("depth: {int: [1, 3]}, width: 64", {"model.depth": 3}, [64, 64, 64]),
        ("width: {int: [8, 64]}", {"model.width": 9}, [9, 9]),
        ("depth: {int: [1, 3]}, width: {int: [8, 64]}", {"model.depth": 1, "model.width": 9}, [9]),
        ("width: {int: [8, 64], per: model.depth}", {"model.width.0": 8, "model.width.1": 9}, [8, 9]),
        ("depth: 1, width: {choice: [8, 64], per: model.depth}", {"model.width.0": 8}, [8]),
        ("width: {choice: {a: [64], b: [64, 32, 16]}}", {"model.width": "b"}, [64, 32, 16]),
        (
            "depth: {int: [1, 2]}, width: {choice: {a: 64, b: 32}}",
            {"model.depth": 2, "model.width": "b"},
            [32, 32],
        ),
        ("width: [64, {int: [8, 16]}]", {"model.width.1": 8}, [64, 8]),
        ("width: 64, depth: {choice: [1, 3]}", {"model.depth": 3}, [64, 64, 64]),
    ],
)
def test_layers_follow_their_counter(
    load: Load, model: str, values: dict[str, Any], width: list[int]
) -> None:
    space = load(f"model: {{family: mlp, {model}}}").space
    assert set(values) <= {param.path for param in space.params}
    config = space.config(values)["model"]
    assert config["width"] == width
    assert config["depth"] == len(width)


def test_a_counter_written_below_its_layers_is_drawn_before_them(load: Load) -> None:
    space = load("model: {family: mlp, width: {int: [8, 64], per: model.depth}, depth: {int: [1, 3]}}").space
    assert next(iter(space.params)).path == "model.depth"
    assert {values["model.depth"] for values in draws(space)} == {1, 2, 3}


def test_conditions_hold_all_and_any_of(load: Load) -> None:
    space = load(
        "model: {family: mlp, depth: {int: [1, 3]}}\n"
        "training:\n"
        "  optimizer: {choice: [adam, sgd]}\n"
        "  weight_decay: {float: [0.01, 0.1], when: {training.optimizer: sgd, model.depth: [2, 3]}}\n"
    ).space
    for values in draws(space):
        is_met = values["training.optimizer"] == "sgd" and values["model.depth"] >= 2
        assert ("training.weight_decay" in values) == is_met
        assert (space.config(values)["training"]["weight_decay"] > 0) == is_met  # the default is 0


def test_condition_on_an_absent_leaf_is_false(load: Load) -> None:
    space = load(
        "model: {family: mlp, batch_norm: {choice: [true, false], when: {training.keep: last}}}\n"
        "training: {keep: {choice: [best, last]}, weight_decay: {float: [0.1, 1], when: {model.batch_norm: true}}}\n"
    ).space
    assert space.active(
        {"training.keep": "best", "model.batch_norm": True, "training.weight_decay": 0.5}
    ) == {"training.keep": "best"}


@pytest.mark.parametrize(("optimizer", "n_params"), [("sgd", 1), ("adam", 0), ("{sgd: {momentum: 0.5}}", 1)])
def test_condition_on_a_fixed_leaf_is_decided_at_once(load: Load, optimizer: str, n_params: int) -> None:
    space = load(
        f"training: {{optimizer: {optimizer}, weight_decay: {{float: [0, 1], when: {{training.optimizer: sgd}}}}}}"
    ).space
    assert len(space.params) == n_params
    assert not space.has_conditions


def test_true_is_not_one(load: Load) -> None:
    with pytest.raises(SpecError, match="to be 1, which it never is"):
        load(
            "model:\n"
            "  family: mlp\n"
            "  batch_norm: {choice: [true, false]}\n"
            "  dropout: {float: [0, 0.5], when: {model.batch_norm: 1}}\n"
        )


def test_weights_exist_only_while_terms_are_summed(load: Load) -> None:
    space = load(
        "loss: {combine: {choice: [sum, log_sum]}, weights: {classification: {float: [0.5, 2.0]}}}"
    ).space
    weight = "loss.weights.classification"
    assert space.config({"loss.combine": "sum", weight: 0.7})["loss"]["weights"] == {"classification": 0.7}
    assert "weights" not in space.config({"loss.combine": "log_sum"})["loss"]
    assert space.active({"loss.combine": "log_sum", weight: 0.7}) == {"loss.combine": "log_sum"}


def test_whole_models_may_be_labelled(load: Load) -> None:
    space = load(
        "model:\n"
        "  choice:\n"
        "    small: {family: mlp, width: 8}\n"
        "    deep: {family: mlp, depth: {int: [2, 4]}, width: {int: [8, 64], per: model.depth}}\n"
    ).space
    assert space.config({"model": "small"})["model"]["width"] == [8, 8]
    for values in draws(space):
        assert len(space.config(values)["model"]["width"]) == values.get("model.depth", 2)


def test_corners_reach_every_choice_and_both_ends(shipped: Callable[[Sequence[str]], StudySpec]) -> None:
    space = shipped([]).space
    seen: dict[str, set[Any]] = {}
    for values in space.corners():
        space.check(values)
        assert space.active(values) == values
        for path, value in values.items():
            seen.setdefault(path, set()).add(value)
    assert all(seen[param.path] >= set(param.ends()) for param in space.params)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training: {optimizer: {sgd: {momentum: {float: [0, 2]}}}}", r"momentum must be in \[0, 1\)"),
        ("training: {optimizer: {choice: [adam, {sgd: {momentum: 3}}]}}", r"momentum must be in \[0, 1\)"),
        (
            "training: {schedule: {choice: [constant, {step: {every: {int: [0, 3]}}}]}}",
            "every must be at least 1",
        ),
        ("loss: {terms: {classification: {focal: {gamma: -1}}}}", "gamma must be at least 0"),
    ],
)
def test_components_are_tried_at_every_corner(load: Load, text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load(text)

"""Arms between a baseline and a best: ids, factors, order, and the forest that ranks them."""

import itertools
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pokeopt.ablation import Arm, build_arms, reference_of
from pokeopt.ablation.arms import show
from pokeopt.ablation.forest import encode, fit_forest
from pokeopt.errors import SpecError
from pokeopt.spec import Space, load_study

FILE = """
data:
  source: creatures
  preprocess: {choice: {raw: [], crop: [silhouette_crop]}}
model:
  family: mlp
  depth: {int: [1, 4]}
  width: {int: [64, 1024], log: true, per: model.depth}
  activation: {choice: [relu, gelu]}
loss:
  terms: {classification: {choice: [cross_entropy, {focal: {gamma: {float: [0.5, 5.0]}}}]}}
training:
  optimizer: {choice: [adam, {sgd: {momentum: {float: [0.0, 0.99]}}}]}
  learning_rate: {float: [1e-4, 1e-2], log: true}
baseline: {data.preprocess: raw, model.depth: 2, model.width: [256, 128], model.activation: relu,
  loss.terms.classification: cross_entropy, training.optimizer: adam, training.learning_rate: 1e-3}
"""
BEST: dict[str, Any] = {
    "data.preprocess": "crop", "model.depth": 3, "model.width.0": 512, "model.width.1": 300, "model.width.2": 64,
    "model.activation": "relu", "loss.terms.classification": "focal",
    "loss.terms.classification.focal.gamma": 1.5, "training.optimizer": "sgd",
    "training.optimizer.sgd.momentum": 0.9, "training.learning_rate": 0.0031415926,
}  # fmt: skip


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Space:
    file = tmp_path_factory.mktemp("space") / "mlp.yaml"
    file.write_text(FILE)
    return load_study(file).space


def by_id(arms: list[Arm]) -> dict[str, Arm]:
    return {arm.id: arm for arm in arms}


def test_one_at_a_time_moves_each_factor_that_differs(space: Space) -> None:
    arms = build_arms(space, space.baseline(), BEST)
    assert [arm.id for arm in arms] == [
        "baseline",
        "data.preprocess=crop",
        "model.depth=3",
        "model.width=[512,300]",
        "loss.terms.classification=focal",
        "training.optimizer=sgd",
        "training.learning_rate=0.003142",
        "best",
    ]
    found = by_id(arms)
    assert found["model.depth=3"].changes == {
        "model.depth": (2, 3),
        "model.width": ([256, 128], [256, 128, 64]),
    }
    assert found["training.optimizer=sgd"].values["training.optimizer.sgd.momentum"] == 0.9
    assert found["loss.terms.classification=focal"].values["loss.terms.classification.focal.gamma"] == 1.5
    assert found["model.width=[512,300]"].config["model"]["width"] == [512, 300]
    assert dict(found["best"].values) == BEST
    assert {reference_of(arm.id) for arm in arms} == {"baseline"}


def test_a_setting_of_an_equal_component_names_the_arm(space: Space) -> None:
    base = space.baseline({"training.optimizer": "sgd", "training.optimizer.sgd.momentum": 0.5})
    arms = build_arms(space, base, {**base, "training.optimizer.sgd.momentum": 0.9})
    assert [arm.id for arm in arms] == ["baseline", "training.optimizer.sgd.momentum=0.9", "best"]


def test_leave_one_out_moves_each_factor_back(space: Space) -> None:
    arms = build_arms(space, space.baseline(), BEST, mode="leave-one-out")
    assert [arm.id for arm in arms][:3] == ["baseline", "best-data.preprocess", "best-model.depth"]
    found = by_id(arms)
    assert found["best-model.depth"].values["model.depth"] == 2
    assert "model.width.2" not in found["best-model.depth"].values
    assert found["best-model.width"].config["model"]["width"] == [256, 128, 128]
    assert "training.optimizer.sgd.momentum" not in found["best-training.optimizer"].values
    assert reference_of("best-model.depth") == "best"


def test_a_path_ends_at_the_best_and_each_step_moves_something(space: Space) -> None:
    arms = build_arms(space, space.baseline(), BEST, mode="path")
    assert [arm.id for arm in arms] == ["baseline", *(f"path.{i}" for i in range(1, len(arms) - 1)), "best"]
    values = [dict(arm.values) for arm in arms]
    assert all(a != b for a, b in itertools.pairwise(values))
    assert dict(arms[-1].values) == BEST


def rows_where(space: Space, path: str, score: dict[Any, float]) -> list[tuple[dict[str, Any], float]]:
    """A search in which one leaf decides."""
    rows = []
    for i in range(40):
        source = BEST if i % 2 else space.baseline()
        other = space.baseline() if i % 2 else BEST
        values = space.active({**other, **source, path: list(score)[i % 4 // 2]})
        rows.append((values, score[values[path]]))
    return rows


def test_top_keeps_what_the_forest_finds_largest_and_include_adds(space: Space) -> None:
    rows = rows_where(space, "data.preprocess", {"raw": 0.2, "crop": 0.9})
    arms = build_arms(space, space.baseline(), BEST, top=1, rows=rows)
    assert [arm.id for arm in arms] == ["baseline", "data.preprocess=crop", "best"]
    arms = build_arms(
        space, space.baseline(), BEST, top=1, include=["training.optimizer", "model.activation"], rows=rows
    )
    assert [arm.id for arm in arms] == ["baseline", "data.preprocess=crop", "training.optimizer=sgd", "best"]
    path = build_arms(space, space.baseline(), BEST, mode="path", rows=rows)
    assert path[1].label == "+ data.preprocess"
    worst_first = build_arms(space, space.baseline(), BEST, mode="path", rows=rows, direction="minimize")
    assert worst_first[1].label != "+ data.preprocess"


def test_ties_stay_in_file_order(space: Space) -> None:
    arms = build_arms(space, space.baseline(), BEST, top=2, rows=[])
    assert [arm.id for arm in arms] == ["baseline", "data.preprocess=crop", "model.depth=3", "best"]


def test_best_equal_to_baseline_is_one_arm(space: Space) -> None:
    assert [arm.id for arm in build_arms(space, space.baseline(), space.baseline())] == ["baseline"]


def test_unknown_modes_and_keys_name_the_nearest(space: Space) -> None:
    with pytest.raises(SpecError, match="one-at-a-time"):
        build_arms(space, space.baseline(), BEST, mode="one-at-time")
    with pytest.raises(SpecError, match=r"model\.width"):
        build_arms(space, space.baseline(), BEST, include=["model.widht"])


def drawn(space: Space, seed: int) -> dict[str, Any]:
    """Return a random configuration, as a search would propose it."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return space.suggest(study.ask())


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(0, 10**6), st.sampled_from(["one-at-a-time", "leave-one-out", "path"])
)
def test_every_arm_is_a_configuration_of_the_space(space: Space, first: int, second: int, mode: str) -> None:
    baseline, best = drawn(space, first), drawn(space, second)
    arms = build_arms(space, baseline, best, mode=mode)
    assert arms[0].values == baseline
    assert arms[-1].values == best
    assert len({arm.id for arm in arms}) == len(arms)
    for arm in arms:
        space.check(arm.values)
        assert space.active(arm.values) == arm.values
        assert arm.config == space.config(arm.values)
        assert bool(arm.changes) == (arm.values != baseline)
        assert set(arm.as_attribute()) == {"id", "label", "changes", "config_hash"}


def test_features_have_one_length_and_tell_inactive_apart(space: Space) -> None:
    low = {**space.baseline(), "model.depth": 1}
    assert len(encode(space.params, BEST)) == len(encode(space.params, low))
    assert encode(space.params, space.active(low)) != encode(space.params, space.baseline())


def test_too_few_rows_fit_no_forest(space: Space) -> None:
    assert fit_forest(space.params, [(space.baseline(), 0.5)])(BEST) == 0.0


def test_values_in_ids() -> None:
    assert [show(v) for v in (0.0031415926, 1e-05, 256, True, None, "gelu", [512, 300])] == [
        "0.003142", "1e-05", "256", "true", "none", "gelu", "[512,300]",
    ]  # fmt: skip

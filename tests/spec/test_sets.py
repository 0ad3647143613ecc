"""``--set``: it changes the file before it is checked, in any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path

import pytest

from pokeopt.errors import SpecError
from pokeopt.spec import StudySpec

Load = Callable[..., StudySpec]
Shipped = Callable[[Sequence[str]], StudySpec]


@pytest.mark.parametrize(
    "sets",
    [
        ("training.optimizer=sgd", "training.optimizer.sgd.momentum=0.5", "training.epochs=3"),
        ("data.source=csv", "data.images=images", "data.labels=labels.csv"),
        ("model.width=[64, 32]", "model.depth=2", "model.dropout=0.1"),
        ("model.depth={int: [1, 2]}", "baseline.model.depth=1", "baseline.model.width=[64]"),
    ],
)
def test_order_does_not_matter(shipped: Shipped, sets: tuple[str, ...]) -> None:
    first, *others = [shipped(order).resolved() for order in permutations(sets)]
    assert all(other == first for other in others)


def test_a_set_leaf_is_no_longer_searched(shipped: Shipped) -> None:
    spec = shipped(["training.optimizer=sgd"])
    assert "training.optimizer" not in spec.space.keys
    assert spec.baseline is not None
    assert "training.optimizer" not in spec.baseline
    assert spec.space.config(spec.space.baseline())["training"]["optimizer"]["sgd"]["momentum"] == 0.9


def test_leaves_below_a_set_one_stay_while_they_exist(shipped: Shipped) -> None:
    gamma = "loss.terms.classification.focal.gamma"
    focal, other = (
        shipped(["loss.terms.classification=focal"]),
        shipped(["loss.terms.classification=cross_entropy"]),
    )
    assert gamma in focal.space.keys
    assert focal.space.baseline()[gamma] == 2.0
    assert gamma not in other.space.keys
    assert other.baseline is not None
    assert gamma not in other.baseline


def test_a_label_is_tried_before_a_literal(shipped: Shipped) -> None:
    label, literal, new = (
        shipped([f"data.preprocess={value}"]) for value in ("crop", "[silhouette_crop]", "[threshold]")
    )
    assert label.resolved() == literal.resolved()
    assert new.fixed["data.preprocess"] == ["threshold"]


def test_a_label_that_was_set_still_meets_conditions(load: Load) -> None:
    text = (
        "data: {source: creatures, preprocess: {choice: {raw: [], crop: [silhouette_crop]}}}\n"
        "model: {family: mlp, dropout: {float: [0, 0.5], when: {data.preprocess: crop}}}\n"
    )
    assert [param.path for param in load(text, "data.preprocess=crop").space.params] == ["model.dropout"]
    assert load(text, "data.preprocess=raw").space.params == ()


def test_a_marker_makes_a_leaf_searched(shipped: Shipped) -> None:
    momentum = "training.optimizer.sgd.momentum"
    spec = shipped([f"{momentum}={{float: [0, 0.95]}}", f"baseline.{momentum}=0.5"])
    assert momentum in spec.space.keys
    assert spec.baseline is not None
    assert spec.baseline[momentum] == 0.5


def test_setting_a_list_sets_its_counter(shipped: Shipped) -> None:
    spec = shipped(["model.width=[64, 32, 16]", "ablation.include=[model.depth]"])
    config = spec.space.config(spec.space.baseline())
    assert (config["model"]["depth"], config["model"]["width"]) == (3, [64, 32, 16])
    assert not {"model.depth", "model.width"} & set(spec.space.keys)
    assert spec.ablation is not None
    assert spec.ablation.include == ()


@pytest.mark.parametrize(("depth", "width"), [(1, [256]), (2, [256, 128]), (3, [256, 128, 128])])
def test_setting_a_counter_fits_the_baselines_layers(shipped: Shipped, depth: int, width: list[int]) -> None:
    space = shipped([f"model.depth={depth}"]).space
    assert space.config(space.baseline())["model"]["width"] == width


def test_a_dropped_list_leaves_its_length(load: Load) -> None:
    text = (
        "model: {family: mlp, depth: {int: [1, 4]}, width: {int: [8, 64], per: model.depth}}\n"
        "baseline: {model.width: [64, 32, 16]}\n"
    )
    assert load(text).space.baseline()["model.depth"] == 3
    assert load(text, "model.width=16").space.baseline() == {"model.depth": 3}


def test_another_source_drops_the_keys_of_the_old(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    text = "data: {source: csv, images: pictures, labels: labels.csv, image_size: 32}\n"
    config = load(text, "data.source=folder", "data.path=sub").space.config({})
    assert config["data"]["path"] == str(tmp_path / "sub")
    assert config["data"]["image_size"] == 32
    assert not {"images", "labels"} & set(config["data"])
    with pytest.raises(SpecError, match="has no key 'imagess'"):
        load(text, "data.source=csv", "data.imagess=a")


def test_paths_start_at_the_file_and_in_sets_at_the_working_directory(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    text = "data: {source: csv, images: pictures, labels: labels.csv}\n"
    data = load(text, "data.labels=mine.csv").space.config({})["data"]
    assert data["images"] == str(tmp_path / "pictures")
    assert data["labels"] == str(tmp_path / "elsewhere" / "mine.csv")


def test_a_setting_in_a_list_is_set_in_every_label_that_has_it(shipped: Shipped) -> None:
    spec = shipped(["data.preprocess.closing.iterations=3"])
    config = spec.space.config(spec.space.baseline({"data.preprocess": "masked"}))
    assert {"closing": {"iterations": 3}} in config["data"]["preprocess"]


def test_combining_otherwise_leaves_the_weights_out(load: Load) -> None:
    text = "loss: {weights: {classification: 2.0}}\n"
    assert load(text).space.config({})["loss"]["weights"] == {"classification": 2.0}
    assert "weights" not in load(text, "loss.combine=log_sum").space.config({})["loss"]


def test_sections_can_be_taken_out(shipped: Shipped) -> None:
    spec = shipped(["baseline=null", "ablation=null"])
    assert (spec.baseline, spec.ablation) == (None, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "this is not KEY=VALUE"),
        ("=3", "this is not KEY=VALUE"),
        ("a..b=3", "this is not KEY=VALUE"),
        ("training.epochs=[1", "this is not YAML"),
        ("training.epoch=3", "did you mean 'epochs'"),
        ("training.optimizer.foo.x=1", "'training.optimizer' has no 'foo'"),
        ("training.keep.x=1", "'training.keep' is 'best', it has no 'x'"),
        ("model.width.0=3", "set model.width as a whole"),
        ("model.depth=9.5", "expected a whole number"),
        ("model.width={int: [8, 16], per: model.depth}", "256 is not in"),
        ("search.trials={int: [1, 3]}", "cannot be searched"),
    ],
)
def test_a_wrong_set_is_refused_in_one_line(shipped: Shipped, text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        shipped([text])
    assert len(str(caught.value).splitlines()) == 1


def test_a_key_set_twice_must_agree(shipped: Shipped) -> None:
    assert shipped(["search.trials=5", "search.trials=5"]).search.trials == 5
    with pytest.raises(SpecError, match="set twice"):
        shipped(["search.trials=5", "search.trials=6"])

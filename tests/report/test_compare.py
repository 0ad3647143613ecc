"""Two studies side by side: pairs where seeds are pairs, and no comparative without an interval."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

from pokeopt.errors import UserError
from pokeopt.report.compare import Comparison, compare
from pokeopt.report.differences import difference
from tests.report.conftest import SPEC

if TYPE_CHECKING:
    from tests.report.conftest import Builder

COMPARATIVES = ("higher", "lower", "better", "worse", "beats", "exceeds")


def confirm(
    builder: Builder,
    name: str,
    scores: dict[str, list[float]],
    *,
    split: str = "s",
    config: str = "",
    first_seed: int = 0,
    **attrs: Any,
) -> None:
    """Add a confirm study: arm id to its score at seed after seed; ``config`` goes into the hashes of its arms."""
    arms: list[dict[str, Any]] = [
        {"id": id_, "label": id_, "changes": {}, "config_hash": f"{id_}{config}"} for id_ in scores
    ]
    seeds = list(range(first_seed, first_seed + len(next(iter(scores.values())))))
    study = builder.study(name, "confirm", arms=arms, seeds=seeds, reference="baseline", **attrs)
    for arm in arms:
        for seed, score in enumerate(scores[arm["id"]], first_seed):
            cell = {"arm_id": arm["id"], "seed": seed, "config_hash": arm["config_hash"]}
            cell["split_hash"] = f"{split}{seed}"
            builder.row(study, values=[score], attrs={**cell, "test/macro_f1": score})


def words(found: Comparison) -> str:
    return " ".join(found.finding)


def test_equal_configurations_are_compared_seed_by_seed(builder: Builder) -> None:
    rng = np.random.default_rng(0)
    seeds = rng.normal(0.5, 0.2, 6)  # what a seed does to both is far larger than the difference
    a = list(seeds)
    b = list(seeds + 0.05 + rng.normal(0, 0.005, 6))
    confirm(builder, "a", {"baseline": a})
    confirm(builder, "b", {"baseline": b})
    (pair,) = compare(builder.store, "a", "b").arms
    expected = stats.ttest_rel(b, a)
    assert pair.is_same
    assert pair.difference.is_paired
    assert pair.difference.p == pytest.approx(expected.pvalue)
    assert pair.is_settled
    assert "Test macro-F1 is higher in b for “baseline” by 0.0497 [" in words(
        compare(builder.store, "a", "b")
    )
    assert "Test macro-F1 is lower in a for “baseline” by 0.0497 [" in words(compare(builder.store, "b", "a"))


def test_other_splits_are_compared_without_pairs_and_it_says_so(builder: Builder) -> None:
    rng = np.random.default_rng(0)
    a, b = list(rng.normal(0.5, 0.1, 6)), list(rng.normal(0.55, 0.1, 5))
    confirm(builder, "a", {"baseline": a}, split="s")
    confirm(builder, "b", {"baseline": b}, split="t", config="2")
    found = compare(builder.store, "a", "b")
    (pair,) = found.arms
    expected = stats.ttest_ind(b, a, equal_var=False)
    assert not pair.difference.is_paired
    assert (pair.difference.low, pair.difference.high) == pytest.approx(
        tuple(expected.confidence_interval(0.95))
    )
    assert not pair.is_settled
    assert any("without pairs: “baseline”" in line for line in found.warnings)
    assert not any(word in words(found) for word in COMPARATIVES)


def test_other_configurations_on_the_same_splits_are_pairs(builder: Builder) -> None:
    confirm(builder, "a", {"baseline": [0.1, 0.5, 0.9]})
    confirm(builder, "b", {"baseline": [0.2, 0.61, 1.0]}, config="2")
    (pair,) = compare(builder.store, "a", "b").arms
    assert (pair.is_same, pair.difference.is_paired) == (False, True)


def test_one_configuration_at_other_seeds_is_compared_without_pairs(builder: Builder) -> None:
    """There is nothing to pair, though the configurations are equal: Welch's test is for that."""
    rng = np.random.default_rng(2)
    a, b = list(rng.normal(0.5, 0.01, 4)), list(rng.normal(0.6, 0.01, 3))
    confirm(builder, "a", {"baseline": a})
    confirm(builder, "b", {"baseline": b}, first_seed=4)
    found = compare(builder.store, "a", "b")
    (pair,) = found.arms
    assert (pair.is_same, pair.difference.is_paired, pair.difference.n) == (True, False, (4, 3))
    assert pair.difference.p == pytest.approx(stats.ttest_ind(b, a, equal_var=False).pvalue)
    assert pair.is_settled
    assert any("The studies have no seed in common" in line for line in found.warnings)


def test_two_common_seeds_settle_nothing(builder: Builder) -> None:
    confirm(builder, "a", {"baseline": [0.5, 0.6]})
    confirm(builder, "b", {"baseline": [0.6, 0.7001]})
    found = compare(builder.store, "a", "b")
    (pair,) = found.arms
    assert pair.difference.excludes_zero
    assert pair.p_holm is not None
    assert pair.p_holm < 0.05
    assert not pair.is_settled
    assert "a verdict needs 3" in words(found)
    assert not any(word in words(found) for word in COMPARATIVES)


@pytest.mark.parametrize("is_paired", [True, False])
def test_redrawn_test_parts_widen_a_comparison_of_studies(is_paired: bool) -> None:
    a, b = dict(enumerate([0.50, 0.53, 0.51, 0.56])), dict(enumerate([0.60, 0.61, 0.64, 0.62]))
    plain = difference(a, b, is_paired=is_paired)
    wide = difference(a, b, is_paired=is_paired, test_shares=(0.25, 0.25))
    assert plain.high is not None
    assert wide.high is not None
    assert plain.mean is not None
    factor = (wide.high - plain.mean) / (plain.high - plain.mean)
    assert factor == pytest.approx(np.sqrt((1 / 4 + 0.25) / (1 / 4)))


def test_holm_s_family_is_all_pairs(builder: Builder) -> None:
    """Alone its p is below 0.05, in a family of four it is not."""
    rng = np.random.default_rng(3)
    base = {id_: [0.5, 0.52, 0.48, 0.51] for id_ in ("baseline", "x", "y", "z")}
    other = {
        id_: [s + float(d) for s, d in zip(base[id_], rng.normal(0, 0.02, 4), strict=True)] for id_ in base
    }
    other["x"] = [s + d for s, d in zip(base["x"], (0.01, 0.03, 0.02, 0.035), strict=True)]
    confirm(builder, "a", base)
    confirm(builder, "b", other)
    pair = {pair.ids[0]: pair for pair in compare(builder.store, "a", "b").arms}["x"]
    assert pair.difference.p is not None
    assert pair.difference.p < 0.05 < (pair.p_holm or 0)
    assert pair.difference.excludes_zero
    assert not pair.is_settled


def test_a_run_that_was_done_again_is_called_equal(builder: Builder) -> None:
    for name in ("a", "b"):
        confirm(builder, name, {"baseline": [0.1, 0.2, 0.3]})
    found = compare(builder.store, "a", "b")
    assert "At every common seed test macro-F1 is equal for “baseline”." in words(found)
    assert "Not settled" not in words(found)


def test_what_only_one_study_has_and_what_was_set_otherwise(builder: Builder) -> None:
    spec = {**SPEC, "name": "other", "search": {**SPEC["search"], "trials": 99}, "resources": {"workers": 7}}
    confirm(builder, "a", {"baseline": [0.1, 0.2], "x": [0.2, 0.3]})
    confirm(builder, "b", {"baseline": [0.1, 0.2], "y": [0.2, 0.3]}, spec=spec)
    found = compare(builder.store, "a", "b")
    assert found.unmatched == (("x",), ("y",))
    assert found.settings == {"search.trials": (20, 99)}


def test_other_metrics_are_not_compared(builder: Builder) -> None:
    confirm(builder, "a", {"baseline": [0.1, 0.2]})
    arms = [{"id": "baseline", "label": "b", "changes": {}, "config_hash": "baseline"}]
    study = builder.study(
        "b", "confirm", metrics=["val/mse"], directions=("minimize",), seeds=[0, 1], arms=arms
    )
    for seed in (0, 1):
        builder.row(
            study, values=[0.1 * seed], attrs={"arm_id": "baseline", "seed": seed, "config_hash": "baseline"}
        )
    found = compare(builder.store, "a", "b")
    assert found.arms == ()
    assert any("objectives differ" in line for line in found.warnings)


def test_two_searches_decide_nothing(builder: Builder) -> None:
    builder.search("a")
    builder.search("b", n_trials=16)
    found = compare(builder.store, "a", "b")
    assert found.bests is None
    assert "One run each" in words(found)
    assert not any(word in words(found).replace("scores higher is not decided", "") for word in COMPARATIVES)
    assert all(side.test_value is not None for side in found.sides)
    assert json.loads(found.as_json())["sides"][0]["name"] == "a"


def test_one_study_twice_is_refused(builder: Builder) -> None:
    builder.search("a")
    builder.confirm("a.ablation", seeds=2)
    with pytest.raises(UserError, match="the same study twice"):
        compare(builder.store, "a", "a")
    with pytest.raises(UserError, match="is a part of a"):
        compare(builder.store, "a", "a.ablation")
    with pytest.raises(UserError, match="no study is called 'c'"):
        compare(builder.store, "a", "c")


def test_too_few_runs_or_no_spread_have_no_interval() -> None:
    assert difference({}, {0: 1.0}, is_paired=False).mean is None
    one = difference({0: 1.0}, {1: 2.0, 2: 3.0}, is_paired=False)
    assert (one.mean, one.low, one.excludes_zero) == (1.5, None, False)
    flat = difference({0: 1.0, 1: 1.0}, {0: 2.0, 1: 2.0}, is_paired=False)
    assert (flat.mean, flat.low, flat.p) == (1.0, None, None)
    lost = difference({0: 1.0, 1: float("nan"), 2: 2.0}, {0: 2.0, 1: 1.0, 2: 4.0}, is_paired=True)
    assert lost.n == (2, 2)

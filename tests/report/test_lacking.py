"""Studies that lack something still give a page, and it says what is missing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pokeopt.report import render_html, summarise
from pokeopt.report.predictions import PartPredictions
from pokeopt.report.summary import StudySummary
from pokeopt.store import Store

if TYPE_CHECKING:
    from tests.report.conftest import Builder


def declared(*ids: str) -> list[dict[str, Any]]:
    """Return arms as a confirm study declares them."""
    return [{"id": id_, "label": id_, "changes": {}, "config_hash": id_} for id_ in ids]


def page_of(store: Store, name: str = "mlp") -> tuple[StudySummary, str, str]:
    """Return the study, its page and its finding."""
    summary = summarise(store, name)
    return summary.studies[0], render_html(summary), " ".join(summary.studies[0].finding)


def test_a_search_without_an_ablation_confirms_nothing(builder: Builder) -> None:
    builder.search()
    study, page, finding = page_of(builder.store)
    assert study.ablation is None
    assert "No effect is confirmed" in finding
    assert "beats" not in finding
    assert "Ablation" not in page


def test_no_complete_trial(builder: Builder) -> None:
    made = builder.study("mlp", "search")
    builder.row(made, cause="error", attrs={"error": "boom", "error_type": "ValueError"})
    builder.row(made, cause="pruner", params={"model.depth": 2}, curve={1: 0.1, 2: 0.2})
    study, page, finding = page_of(builder.store)
    assert study.search is not None
    assert study.search.best is None
    assert "None of 2 trials completed" in finding
    assert "ValueError: boom" in page


def test_an_empty_study(builder: Builder) -> None:
    builder.study("mlp", "search")
    _, page, finding = page_of(builder.store)
    assert "no best configuration" in finding
    assert "</html>" in page


def test_a_single_arm_says_that_the_best_is_the_baseline(builder: Builder) -> None:
    builder.confirm(arms={"baseline": 0.6})
    _, page, finding = page_of(builder.store, "mlp.ablation")
    assert "its best configuration is the baseline" in finding
    assert "there is one arm" in page


def test_one_seed_has_no_interval_and_no_comparative(builder: Builder) -> None:
    builder.confirm(seeds=1, arms={"baseline": 0.2, "best": 0.9})
    study, page, finding = page_of(builder.store, "mlp.ablation")
    assert study.ablation is not None
    assert study.ablation.arms[1].effect is not None
    assert study.ablation.arms[1].effect.low is None
    assert "not settled" in finding
    assert "1 seed, so no interval" in finding
    assert "beats the baseline:" not in finding
    assert ">nan" not in page


def test_a_best_that_is_worse_is_called_worse(builder: Builder) -> None:
    builder.confirm(arms={"baseline": 0.8, "best": 0.3})
    assert (
        "The best configuration is worse than the baseline: −0." in page_of(builder.store, "mlp.ablation")[2]
    )


def test_a_smaller_value_is_the_better_one_where_the_objective_is_minimised(builder: Builder) -> None:
    arms = declared("baseline", "best")
    made = builder.study(
        "m.ablation", "confirm", metrics=["val/loss"], directions=("minimize",), arms=arms, seeds=[0, 1, 2]
    )
    for seed in range(3):
        for id_, value in (("baseline", 1.0), ("best", 0.4 + 0.01 * seed)):
            attrs = {"arm_id": id_, "seed": seed, "config_hash": id_, "test/loss": value}
            builder.row(made, values=[value], attrs=attrs)
    study, page, finding = page_of(builder.store, "m.ablation")
    assert study.ablation is not None
    assert study.ablation.metric == "test/loss"
    assert "beats the baseline: −0.590" in finding
    assert "← better" in page


def test_missing_predictions_fall_back_to_the_recorded_metrics(builder: Builder) -> None:
    builder.confirm(with_predictions=False)
    study, page, _ = page_of(builder.store, "mlp.ablation")
    assert study.ablation is not None
    assert study.ablation.confusions == ()
    assert study.ablation.arms[0].scores[0] == pytest.approx(0.19)
    assert [entry.name for entry in study.ablation.classes] == ["Bug"]
    assert "Confusion matrix" not in page


def test_torn_and_lost_artifacts_are_no_error(builder: Builder) -> None:
    made = builder.study("m.ablation", "confirm", seeds=[0], arms=[])
    builder.row(
        made,
        values=[0.5],
        attrs={"arm_id": "baseline", "seed": 0, "config_hash": "a", "test/macro_f1": 0.4},
        files={"predictions.npz": builder.predictions(0.5, 0)[:200]},
    )
    assert page_of(builder.store, "m.ablation")[0].ablation is not None
    for file in builder.store.artifacts_dir.iterdir():
        file.unlink()
    study, _, _ = page_of(builder.store, "m.ablation")
    assert study.ablation is not None
    assert study.ablation.arms[0].scores == {0: 0.4}


def test_cells_that_have_not_run_are_holes(builder: Builder) -> None:
    arms = declared("baseline", "best")
    made = builder.study("m.ablation", "confirm", arms=arms, seeds=[0, 1])
    builder.row(made, values=[0.5], attrs={"arm_id": "baseline", "seed": 0, "config_hash": "baseline"})
    study, _, finding = page_of(builder.store, "m.ablation")
    assert study.ablation is not None
    assert [(hole.arm_id, hole.seed, hole.state) for hole in study.ablation.holes] == [
        ("baseline", 1, "not run"), ("best", 0, "not run"), ("best", 1, "not run"),
    ]  # fmt: skip
    assert "No cell of the best configuration completed" in finding
    assert "3 of 4 cells have no result" in finding


def test_arms_of_one_configuration_share_their_runs(builder: Builder) -> None:
    arms = [*declared("baseline", "x=1"), {**declared("best")[0], "config_hash": "x=1"}]
    made = builder.study("m.ablation", "confirm", arms=arms, seeds=[0, 1, 2])
    for seed in range(3):
        for id_, hash_, value in (("baseline", "baseline", 0.2), ("x=1", "x=1", 0.5 + 0.01 * seed)):
            builder.row(made, values=[value], attrs={"arm_id": id_, "seed": seed, "config_hash": hash_})
    study, page, _ = page_of(builder.store, "m.ablation")
    assert study.ablation is not None
    best = study.ablation.arm("best")
    assert best is not None
    assert (best.same_as, best.level.n) == ("x=1", 3)
    assert study.ablation.n_cells == 6
    assert "is the same configuration as" in page
    assert best.effect is not None
    assert best.p_holm == best.effect.p  # one comparison, not two


def test_superseded_runs_are_counted_and_not_shown(builder: Builder) -> None:
    arms = [{"id": "baseline", "label": "baseline", "changes": {}, "config_hash": "new"}]
    made = builder.study("m.ablation", "confirm", arms=arms, seeds=[0])
    builder.row(made, values=[0.1], attrs={"arm_id": "baseline", "seed": 0, "config_hash": "old"})
    builder.row(made, values=[0.7], attrs={"arm_id": "baseline", "seed": 0, "config_hash": "new"})
    study, page, _ = page_of(builder.store, "m.ablation")
    assert study.ablation is not None
    assert study.ablation.arms[0].scores == {0: 0.7}
    assert study.ablation.n_superseded == 1
    assert "superseded" in page


def test_leave_one_out_is_compared_with_the_best(builder: Builder) -> None:
    builder.confirm(arms={"baseline": 0.2, "best-data.preprocess": 0.25, "best": 0.85})
    study, _, finding = page_of(builder.store, "mlp.ablation")
    assert study.ablation is not None
    without = study.ablation.arm("best-data.preprocess")
    assert without is not None
    assert without.reference == "best"
    assert (without.gain or 0) < -0.4
    assert "Taken back from the best" in finding
    assert "costs 0." in finding


def test_several_objectives_have_a_front(builder: Builder) -> None:
    made = builder.study(
        "mo", "search", metrics=["val/macro_f1", "model/n_params"], directions=("maximize", "minimize")
    )
    for value, size in ((0.5, 10.0), (0.7, 20.0), (0.6, 30.0), (0.9, 40.0)):
        builder.row(made, values=[value, size], params={"model.depth": int(size)})
    study, page, finding = page_of(builder.store, "mo")
    assert study.search is not None
    assert [trial.number for trial in study.search.trials if trial.is_on_front] == [0, 1, 3]
    assert "3 are on the front" in finding
    assert "What is given up for what?" in page


def test_several_networks_a_trial_are_averaged() -> None:
    one_hot = np.eye(3, dtype=np.float32)
    both = PartPredictions(np.array([0, 1, 2]), np.stack([one_hot[[0, 1, 2]], one_hot[[0, 0, 0]]]))
    assert both.scores(("a", "b", "c"))["accuracy"] == pytest.approx((1 + 1 / 3) / 2)
    assert both.confusion is not None
    assert both.confusion.sum() == 6
    assert both.support == (1, 1, 1)


def test_curves_with_infinite_values_are_drawn_without_them(builder: Builder) -> None:
    made = builder.study("mlp", "search")
    builder.row(made, cause="nan", curve={1: 0.2, 2: math.inf}, params={"model.depth": 2})
    builder.row(made, values=[0.5], curve={1: 0.5}, params={"model.depth": 2})
    _, page, _ = page_of(builder.store)
    assert "inf" not in page.replace("infer", "")

"""Store -> Summary: numbers against their definition, and studies that lack something."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import f1_score

from pokeopt.errors import UserError
from pokeopt.report import summarise
from pokeopt.report.data_section import balancing_table
from pokeopt.report.predictions import read_predictions
from pokeopt.report.redrawn import redrawn_table
from pokeopt.report.summary import AblationSummary, SearchSummary, StudySummary
from pokeopt.store import Store
from tests.report.conftest import DATA, SUPPORT, Builder


def only(store: Store, name: str = "mlp") -> StudySummary:
    (study,) = summarise(store, name).studies
    return study


def ablation_of(study: StudySummary) -> AblationSummary:
    assert study.ablation is not None
    return study.ablation


def search_of(study: StudySummary) -> SearchSummary:
    assert study.search is not None
    return study.search


def test_a_name_includes_its_ablation(whole: Store) -> None:
    study = only(whole)
    assert search_of(study).study == "mlp"
    assert ablation_of(study).study == "mlp.ablation"
    assert [s.name for s in summarise(whole, ["mlp", "mlp.ablation", "mlp"]).studies] == ["mlp"]
    assert only(whole, "mlp.ablation").search is None


def test_an_unknown_name_is_a_users_error(whole: Store) -> None:
    with pytest.raises(UserError, match="did you mean 'mlp'"):
        summarise(whole, "mlpp")


def test_scores_are_recomputed_from_predictions(whole: Store) -> None:
    ablation = ablation_of(only(whole))
    view = whole.load("mlp.ablation")
    assert ablation.metric == "test/macro_f1"
    row = next(row for row in view.complete if (row.arm_id, row.seed) == ("best", 2))
    found = read_predictions(whole, "mlp.ablation", row.number)
    assert found is not None
    part = found.parts["test"]
    assert part.probabilities is not None
    expected = f1_score(part.truth, part.probabilities[0].argmax(axis=1), average="macro")
    best = ablation.arm("best")
    assert best is not None
    assert best.scores[2] == pytest.approx(expected)
    assert best.scores[2] != row.metric("test/macro_f1")


def test_effects_are_paired_and_settled_only_by_interval_and_test(whole: Store) -> None:
    ablation = ablation_of(only(whole))
    baseline = ablation.arm("baseline")
    assert baseline is not None
    assert baseline.effect is None
    for arm in ablation.arms[1:]:
        assert arm.effect is not None
        seeds = sorted(arm.scores.keys() & baseline.scores.keys())
        differences = [arm.scores[seed] - baseline.scores[seed] for seed in seeds]
        assert arm.effect.mean == pytest.approx(np.mean(differences))
        assert arm.effect.n == len(seeds)
        if arm.is_settled:
            assert arm.effect.excludes_zero
            assert arm.p_holm is not None
            assert arm.p_holm < 0.05
    assert {arm.id for arm in ablation.arms if arm.is_settled} == {"data.preprocess=crop", "best"}


def test_failed_cells_are_holes_and_not_scores(whole: Store) -> None:
    study = only(whole)
    ablation = ablation_of(study)
    (hole,) = ablation.holes
    assert (hole.arm_id, hole.seed, hole.state, hole.cause) == ("model.width=[512,300]", 3, "failed", "error")
    arm = ablation.arm(hole.arm_id)
    assert arm is not None
    assert (arm.level.n, ablation.n_cells) == (4, 25)
    assert any(failure.what == "model.width=[512,300], seed 3" for failure in study.failures)


def test_confusions_count_every_test_image_of_every_seed(whole: Store) -> None:
    ablation = ablation_of(only(whole))
    assert [confusion.arm_id for confusion in ablation.confusions] == ["baseline", "best"]
    for confusion in ablation.confusions:
        assert sum(map(sum, confusion.counts)) == 5 * 107
        assert [sum(line) for line in confusion.counts] == [
            5 * entry.support for entry in ablation.classes if entry.support
        ]


def test_every_set_is_named(whole: Store) -> None:
    study = only(whole)
    assert ablation_of(study).parts == ("val", "test", "uncropped")
    assert search_of(study).parts == ("val", "test", "uncropped")


def test_the_search_keeps_states_apart_and_leaves_replaced_rows_out(whole: Store) -> None:
    search, view = search_of(only(whole)), whole.load("mlp")
    assert 9 not in {trial.number for trial in search.trials}
    assert sum(search.states.values()) == len(search.trials) == 19
    assert {trial.state for trial in search.trials} == {
        "complete", "pruned", "diverged", "out of memory", "too slow", "failed",
    }  # fmt: skip
    best = search.trial(search.best)
    assert best is not None
    assert view.best is not None
    assert (best.number, best.values) == (view.best.number, view.best.values)
    assert best.values[0] == max(trial.values[0] for trial in search.trials if trial.state == "complete")
    assert search.baseline == 0
    assert search.changed["data.preprocess"] == ("raw", "crop")


def test_importance_names_its_evaluator_and_counts(whole: Store) -> None:
    found = search_of(only(whole)).importance
    assert found is not None
    assert (found.evaluator, found.n_complete, found.n_pruned, found.n_failed) == ("PED-ANOVA", 12, 6, 1)
    assert set(found.scores) <= {name for row in whole.load("mlp").complete for name in row.params}
    assert sum(found.scores.values()) == pytest.approx(1.0)


def test_the_summary_is_plain_json_and_the_same_twice(whole: Store) -> None:
    text = summarise(whole, "mlp").as_json()
    assert text == summarise(whole, "mlp").as_json()
    assert json.loads(text)["studies"][0]["name"] == "mlp"


def test_data_and_provenance(whole: Store) -> None:
    study = only(whole)
    assert study.data is not None
    assert study.data.sizes == {"train": 498, "val": 107, "test": 107, "uncropped": 107, "new_species": 400}
    assert study.data.duplicates == ()
    assert study.provenance.commands == ("pokeopt run search_spaces/mlp.yaml --name mlp",)
    assert "silhouette_crop" in study.provenance.spec_yaml


def test_balancing_is_shown_before_and_after(builder: Builder) -> None:
    """The share that undersampling to the rarest of 002's classes throws away."""
    counts = [674, 606, 467, 381, 374, 299, 291, 264, 244]
    data = {**DATA, "counts": {"train": counts, "test": list(SUPPORT)}}
    study = builder.study("balanced", "search", data=data)
    for sampler, drawn in (("undersample", [244] * 9), ("shuffle", None)):
        told = {"first_epoch": {"drawn": drawn, "distinct": drawn}} if drawn else {}
        config = json.dumps({"training": {"sampler": sampler}})
        builder.row(study, values=[0.5], attrs={"config": config, **told})
    summary = only(builder.store, "balanced").data
    assert summary is not None
    table = balancing_table(summary, summary.drawn, "balancing")
    assert table is not None
    assert [column.title for column in table.columns] == ["Class", "As they are", "undersample"]
    assert [cell.text for cell in table.rows[-1]] == ["All", "3600", "2196"]
    assert "leaves out 39 % with undersample" in table.caption
    assert balancing_table(summary, (), "balancing") is None


def test_effects_are_shown_as_they_were_if_the_test_images_were_others(whole: Store) -> None:
    ablation = ablation_of(only(whole))
    assert set(ablation.redrawn) == {arm.id for arm in ablation.arms if arm.effect is not None}
    for arm in ablation.arms:
        if arm.effect is None:
            continue
        found = ablation.redrawn[arm.id]
        assert found.mean == pytest.approx(arm.effect.mean, abs=1e-5), "of one set of runs and images"
        assert found.low <= found.mean <= found.high
        assert (found.n_seeds, found.n_images) == (arm.effect.n, sum(SUPPORT))
    table = redrawn_table(ablation, "redrawn")
    assert table is not None
    assert [row[0].text for row in table.rows] == [
        arm.label for arm in ablation.arms if arm.effect is not None
    ]


def test_nothing_is_redrawn_where_each_seed_has_a_test_part_of_its_own(builder: Builder) -> None:
    builder.confirm("own.ablation", seeds=3, resample="all")
    ablation = ablation_of(only(builder.store, "own.ablation"))
    assert not ablation.redrawn
    assert redrawn_table(ablation, "redrawn") is None

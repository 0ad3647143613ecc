"""What a search suggests: importances, pairs, early epochs, expected best. Known functions give known answers."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pokeopt.records import TrialState
from pokeopt.report.axes import Axis, axes_of, features, places_of
from pokeopt.report.early_epochs import common_epoch, early_epochs, rungs
from pokeopt.report.expected_best import expected_best
from pokeopt.report.exploring import final_scores, search_facts
from pokeopt.report.importances import FANOVA, PED
from pokeopt.report.landscape import fanova, fit_landscape, local_importance, pair_shares
from pokeopt.report.thinning import thinned
from pokeopt.store import Store, TrialRow
from tests.report.synthetic import DISTRIBUTIONS, write_search

if TYPE_CHECKING:
    from tests.report.conftest import Builder

AXES = tuple(Axis(name) for name in "abcd")


def row(number: int, curve: list[float], cause: str, value: float | None = None) -> TrialRow:
    state = TrialState.PRUNED if cause in ("pruner", "nan") else TrialState.COMPLETE
    values = (curve[-1] if value is None else value,)
    steps = dict(enumerate(curve, start=1))
    return TrialRow(number, state, values, {}, {"stop_cause": cause}, steps, None, None)


def test_axes_are_those_of_the_sampler() -> None:
    axes = {axis.name: axis for axis in axes_of([DISTRIBUTIONS])}
    rate = axes["training.learning_rate"]
    assert rate.place(1e-4) == 0
    assert rate.place(10**-2.5) == pytest.approx(0.5)
    assert rate.text(1.0) == "0.1"
    assert [axes["training.batch_size"].text(place) for place in axes["training.batch_size"].grid(9)] == [
        "16",
        "32",
        "64",
    ]
    assert [axes["model.depth"].text(place) for place in axes["model.depth"].grid(9)] == ["1", "2", "3", "4"]
    drawn = axes["model.depth"].snapped((np.arange(4000) + 0.5) / 4000)
    assert np.unique(drawn, return_counts=True)[1].tolist() == [1000] * 4


def test_an_inactive_parameter_is_no_value() -> None:
    axes = axes_of([DISTRIBUTIONS])
    places = places_of(
        axes, [{"training.optimizer": "adam"}, {"training.optimizer": "sgd", "training.momentum": 0.99}]
    )
    momentum = [axis.name for axis in axes].index("training.momentum")
    assert math.isnan(places[0, momentum])
    assert places[1, momentum] == 1
    assert not np.isnan(features(axes, places)).any()


def test_an_additive_score_has_the_shares_of_its_terms_and_no_interaction() -> None:
    places = np.random.default_rng(0).random((400, 4))
    landscape = fit_landscape(AXES, places, places[:, 0] + 0.5 * places[:, 1], n_seeds=4)
    shares = fanova(landscape)
    assert shares["a"].mean == pytest.approx(0.8, abs=0.06)
    assert shares["b"].mean == pytest.approx(0.2, abs=0.06)
    assert shares["c"].mean < 0.02
    assert all(pair.together.mean < 0.02 for pair in pair_shares(landscape, shares))
    assert shares["a"].low < shares["a"].mean < shares["a"].high


def test_a_product_is_seen_in_its_pair_alone() -> None:
    places = np.random.default_rng(0).random((400, 4))
    score = 4 * (places[:, 1] - 0.5) * (places[:, 3] - 0.5)
    landscape = fit_landscape(AXES, places, score, n_seeds=4)
    pairs = pair_shares(landscape, fanova(landscape))
    strongest = max(pairs, key=lambda pair: pair.together.mean)
    assert (strongest.first, strongest.second) == ("b", "d")
    assert strongest.together.mean > 0.5
    assert max(share.mean for share in strongest.alone) < 0.1


def test_around_the_best_the_other_parameters_stay() -> None:
    """B matters only where a is large, and the best has a small a."""
    places = np.random.default_rng(0).random((400, 4))
    score = np.where(places[:, 0] > 0.5, 3 * places[:, 1], 4.0)
    landscape = fit_landscape(AXES, places, score, n_seeds=4)
    found = {effect.name: effect for effect in local_importance(landscape, np.array([0.2, 0.5, 0.5, 0.5]))}
    assert found["a"].share.mean > 0.9
    assert found["b"].change.mean < 0.3 < 1.5 < found["a"].change.mean
    without = local_importance(landscape, np.array([0.2, math.nan, 0.5, 0.5]))
    assert "b" not in {effect.name for effect in without}


def test_the_rankings_are_those_of_optunas_fanova() -> None:
    import optuna

    places = np.random.default_rng(3).random((60, 4))
    score = places[:, 2] + 0.4 * places[:, 0]
    ours = fanova(fit_landscape(AXES, places, score, n_seeds=3))
    study = optuna.create_study()
    unit = optuna.distributions.FloatDistribution(0, 1)
    space: dict[str, optuna.distributions.BaseDistribution] = {axis.name: unit for axis in AXES}
    study.add_trials(
        [
            optuna.trial.create_trial(
                params=dict(zip("abcd", map(float, line), strict=True)),
                distributions=space,
                value=float(value),
            )
            for line, value in zip(places, score, strict=True)
        ]
    )
    evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=16, seed=0)
    theirs = optuna.importance.get_param_importances(study, evaluator=evaluator)
    assert sorted(ours, key=lambda name: -ours[name].mean)[:2] == list(theirs)[:2] == ["c", "a"]


def test_pruned_trials_are_compared_where_all_were(store: Store) -> None:
    """A pruned trial's value is no score: it stands in no final score, and at the common epoch all stand."""
    write_search(store, 120)
    view = store.load("big")
    facts = search_facts(store, view)
    final = {one.evaluator: one for one in facts.evaluations if one.epoch is None}
    early = {one.evaluator: one for one in facts.evaluations if one.epoch is not None}
    complete = sum(row.state is TrialState.COMPLETE for row in view.trials)
    pruned = sum(row.state is TrialState.PRUNED for row in view.trials)
    assert set(final) == set(early) == {PED, FANOVA}
    assert {one.n_trials for one in final.values()} == {complete}
    assert {(one.epoch, one.n_trials) for one in early.values()} == {(3, complete + pruned)}
    assert set(final_scores(view)) == {row.number for row in view.trials if row.state is TrialState.COMPLETE}
    assert max(final[FANOVA].scores, key=lambda name: final[FANOVA].scores[name].mean) == "model.depth"
    assert "training.momentum" not in final[FANOVA].scores
    assert all(number in final_scores(view) for number in facts.top)


def test_nothing_is_said_of_too_few_trials(builder: Builder, store: Store) -> None:
    builder.search(n_trials=5)
    facts = search_facts(store, store.load("mlp"))
    assert facts.evaluations == ()
    assert not any((facts.local, facts.pairs, facts.maps, facts.early))
    assert facts.expected is None


def test_a_common_epoch_is_one_that_all_reached() -> None:
    rows = [row(0, [0.1] * 9, "budget"), row(1, [0.1] * 4, "pruner"), row(2, [0.1] * 2, "nan")]
    assert common_epoch(rows) == 4
    assert common_epoch([]) is None
    assert [(r.epoch, r.reached, r.stopped) for r in rungs(rows, "maximize")] == [(4, 2, 1)]


def test_early_epochs_name_what_stopping_there_would_have_lost() -> None:
    """The trial that ends best is last at epoch 1: keeping the best half there would lose it."""
    finals = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    rows = [row(i, [0.4 - 0.05 * i, final], "budget") for i, final in enumerate(finals)]
    first, last = early_epochs(rows, "maximize")
    assert (first.epoch, first.best_rank) == (1, 6)
    assert first.tau == pytest.approx(-1)
    assert first.lost == pytest.approx({"half": 0.3, "third": 0.4, "tenth": 0.5})
    assert (last.best_rank, last.lost["tenth"]) == (1, 0)
    assert last.tau == pytest.approx(1)
    mirrored = [row(i, [-0.4 + 0.05 * i, -final], "budget") for i, final in enumerate(finals)]
    assert early_epochs(mirrored, "minimize")[0].lost == pytest.approx(first.lost)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_the_expected_best_is_the_mean_over_all_draws(direction: str) -> None:
    scores = [0.2, 0.9, 0.5, 0.7, 0.4]
    found = expected_best(scores, direction)
    assert found is not None
    pick = max if direction == "maximize" else min
    for n, mean in zip(found.n, found.mean, strict=True):
        draws = [pick(draw) for draw in itertools.product(scores, repeat=n)]
        assert mean == pytest.approx(float(np.mean(draws)))
    assert all(low <= mean <= high for low, mean, high in zip(found.low, found.mean, found.high, strict=True))
    assert expected_best(scores[:4], direction) is None


def test_thinning_keeps_what_must_stay_and_spreads_the_rest() -> None:
    items = list(range(1000))
    kept = thinned(items, 100, keep=lambda item: item in (3, 997))
    assert len(kept) == 100
    assert {3, 997} <= set(kept)
    assert kept == sorted(kept) == thinned(items, 100, keep=lambda item: item in (3, 997))
    assert max(b - a for a, b in itertools.pairwise(kept)) <= 12
    assert thinned(items, 1000) == items

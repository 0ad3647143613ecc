"""One law for both runners: in this process, or through Ray, a study is the same study."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pokeopt import api
from pokeopt.records import TrialState
from pokeopt.store import StudyView, open_store

ABLATION = "ablation: {seeds: 2, top: 1}\n"
SAME = ("config", "config_hash", "seed", "proposal", "epochs_run", "best_step", "stop_cause", "n_params")


def launch(path: Path, workers: int) -> api.RunResult:
    result = api.run(path, home=path.parent / f"home{workers}", report=False, workers=workers)
    assert result.exit_code == 0, result.message
    return result


def facts(view: StudyView | None) -> list[tuple[object, ...]]:
    assert view is not None
    return [
        (row.params, row.state, row.values, row.curve, *(row.attrs.get(key) for key in SAME))
        for row in view.trials
    ]


def test_both_runners_write_the_same_record(tiny: Callable[..., Path]) -> None:
    """One trial at a time, for two decide in the order in which they arrive."""
    path = tiny(trials=5, epochs=4, sampler="tpe", pruner="hyperband", more=ABLATION)
    here, ray = launch(path, 0), launch(path, 1)
    assert facts(here.search) == facts(ray.search)
    assert facts(here.confirm) == facts(ray.confirm)
    assert here.confirm is not None
    store = open_store(home=path.parent / "home1")
    for row in here.confirm.complete:
        curves = json.loads(store.read_artifact("tiny.ablation", row.number, "curves.json") or b"")
        assert [entry["step"] for entry in curves["steps"]] == list(range(1, 5))
        assert store.read_artifact("tiny.ablation", row.number, "predictions.npz")


def test_cells_are_arms_times_common_seeds(tiny: Callable[..., Path]) -> None:
    confirm = launch(tiny(trials=4, more=ABLATION), 0).confirm
    assert confirm is not None
    arms = [arm["id"] for arm in confirm.attrs["arms"]]
    cells = [(row.arm_id, row.seed) for row in confirm.counted]
    assert cells == [(arm, seed) for seed in (0, 1) for arm in arms], "interleaved, each seed with all arms"
    assert all(row.params == {} for row in confirm.trials), "a cell has no Optuna parameter"
    assert all(row.state is TrialState.COMPLETE for row in confirm.counted)
    splits = {row.seed: row.attrs["split_hash"] for row in confirm.counted}
    assert all(row.attrs["split_hash"] == splits[row.seed] for row in confirm.counted), (
        "arms share their split"
    )
    assert len(set(splits.values())) == 2, "each seed redraws train and validation"


def test_more_seeds_top_up(tiny: Callable[..., Path]) -> None:
    first = launch(tiny(trials=4, more=ABLATION), 0).confirm
    more = launch(tiny(trials=4, more=ABLATION.replace("seeds: 2", "seeds: 3")), 0).confirm
    assert first is not None
    assert more is not None
    assert more.trials[: len(first.trials)] == first.trials
    assert {row.seed for row in more.counted} == {0, 1, 2}


def test_several_objectives_are_pruned_on_one_and_told_as_all(tiny: Callable[..., Path]) -> None:
    path = tiny(trials=6, epochs=4, pruner="hyperband", sampler="tpe")
    text = path.read_text() + "objectives: [{metric: val/macro_f1}, {metric: model/n_params}]\n"
    path.write_text(text)
    view = api.run(
        path, home=path.parent / "home", report=False, sets=["search.prune_on=val/macro_f1"]
    ).search
    assert view.directions == ("maximize", "minimize")
    assert len(view.counted) == 6
    for row in view.complete:
        assert row.values == (row.metric("val/macro_f1"), row.metric("model/n_params"))
        assert len(row.attrs["curve"]) == 4


def test_constraints_keep_large_models_from_winning(tiny: Callable[..., Path]) -> None:
    path = tiny(trials=6, more="constraints: [{metric: model/n_params, max: 1000}]\n")
    view = api.run(path, home=path.parent / "home", report=False).search
    assert view.best is not None
    assert (view.best.metric("model/n_params") or 0) <= 1000
    assert any((row.metric("model/n_params") or 0) > 1000 for row in view.complete), (
        "the law was put to a test"
    )


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_value_is_the_best_of_the_mean_curve(tiny: Callable[..., Path], seeds: int) -> None:
    view = api.run(
        tiny(epochs=5), home=tiny().parent / "home", report=False, sets=[f"search.seeds={seeds}"]
    ).search
    for row in view.complete:
        assert row.value == max(row.curve.values())
        assert row.curve[row.attrs["best_step"]] == row.value

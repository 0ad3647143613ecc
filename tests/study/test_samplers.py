"""Every search sampler and pruner, by name, through the core."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest

from pokeopt import api
from pokeopt.registry import PRUNERS, SEARCH_SAMPLERS, Family
from pokeopt.spec import load_study
from pokeopt.store import StudyView
from pokeopt.study.samplers.exhaustive import count_configurations, enumerate_configurations

FINITE = """
name: finite
data: {source: digits, image_size: 8, channels: gray, limit: 200}
model: {family: mlp, depth: 1, width: {int: [4, 8], step: 4}}
training:
  epochs: 1
  optimizer: {choice: [adam, {sgd: {momentum: {float: [0.0, 0.8], step: 0.4}}}]}
  keep: {choice: [best, last]}
search: {sampler: brute_force, pruner: none, trials: 100}
resources: {workers: 0}
"""


def launch(path: Path, home: str = "home", **options: object) -> StudyView:
    result = api.run(path, home=path.parent / home, report=False, **options)  # type: ignore[arg-type]
    assert result.exit_code == 0, result.message
    return result.search


@pytest.mark.parametrize(
    "name", [name for name in SEARCH_SAMPLERS.names() if name not in ("grid", "brute_force")]
)
def test_a_sampler_proposes_and_repeats_itself_on_resume(name: str, tiny: Callable[..., Path]) -> None:
    """Cut after two trials and resumed, a search proposes what an uninterrupted one does."""
    sampler = "{tpe: {n_startup_trials: 2}}" if name == "tpe" else name
    whole = launch(tiny(trials=5, epochs=1, sampler=sampler), "whole")
    launch(tiny(trials=2, epochs=1, sampler=sampler), "cut")
    cut = launch(tiny(trials=5, epochs=1, sampler=sampler), "cut")
    assert [row.params for row in cut.trials] == [row.params for row in whole.trials]
    if name not in ("auto", "gp"):  # a Gaussian process may want to see its favourite again
        assert len({str(row.params) for row in whole.trials}) == 5, "no configuration is proposed twice"


@pytest.mark.parametrize("name", [name for name in PRUNERS.names() if name != "wilcoxon"])
def test_a_pruner_runs(name: str, tiny: Callable[..., Path]) -> None:
    settings = {
        "threshold": "{threshold: {lower: 0.2, n_warmup_steps: 1}}",
        "patient": "{patient: {pruner: median, patience: 1}}",
    }
    view = launch(tiny(trials=6, epochs=4, pruner=settings.get(name, name)))
    assert len(view.counted) == 6
    pruned = [row for row in view.counted if row.shown_state == "pruned"]
    assert all(row.attrs["pruner"] == name for row in pruned)
    assert all(max(row.curve) < 4 for row in pruned), "a trial at its last step is finished, not pruned"
    if name == "threshold":
        assert pruned
    if name == "none":
        assert not pruned
    if name in ("hyperband", "successive_halving"):
        assert all(row.attrs["rung"] >= 1 for row in pruned)


def test_wilcoxon_compares_seeds_in_turn(tiny: Callable[..., Path]) -> None:
    view = launch(tiny(trials=4, epochs=2, pruner="wilcoxon"), sets=["search.seeds=4"])
    for row in view.complete:
        assert sorted(row.curve) == [0, 1, 2, 3], "a step is a seed"
        assert row.value == pytest.approx(sum(row.curve.values()) / 4, abs=0.2)


def test_brute_force_tries_every_configuration_once(tmp_path: Path) -> None:
    path = tmp_path / "finite.yaml"
    path.write_text(FINITE)
    space = load_study(path).space
    expected = [str(values) for values in enumerate_configurations(space)]
    assert len(expected) == len(set(expected)) == count_configurations(space, 1000) == 2 * (1 + 3) * 2
    tried = [str(space.active(row.params)) for row in launch(path).trials]
    assert sorted(tried) == sorted(expected)


def test_grid_tries_every_configuration_once(tmp_path: Path) -> None:
    path = tmp_path / "grid.yaml"
    optimizer = next(line for line in FINITE.splitlines() if "optimizer" in line)
    path.write_text(FINITE.replace("brute_force", "grid").replace(optimizer, "  optimizer: adam"))
    view = launch(path, name="grid")
    assert len({str(row.params) for row in view.trials}) == len(view.trials) == 4


FAULTY = """
from pokeopt.registry import SEARCH_SAMPLERS
from optuna.samplers import RandomSampler


class Faulty(RandomSampler):
    def infer_relative_search_space(self, study, trial):
        raise ZeroDivisionError("nobody knows")


@SEARCH_SAMPLERS.register("faulty")
def faulty():
    return lambda context: Faulty()
"""


def test_a_sampler_that_fails_ends_the_study_in_one_line(tiny: Callable[..., Path], tmp_path: Path) -> None:
    """Somebody's own may fail at any proposal: no row stays behind as running."""
    (tmp_path / "faulty.py").write_text(FAULTY)
    result = api.run(
        tiny(sampler="faulty", more="plugins: [faulty.py]\n"), home=tmp_path / "home", report=False
    )
    assert result.exit_code == 1
    assert "no configuration could be proposed: ZeroDivisionError: nobody knows" in result.message
    assert "running" not in result.search.states()


@pytest.mark.parametrize("family", [SEARCH_SAMPLERS, PRUNERS], ids=["sampler", "pruner"])
def test_every_default_can_be_built(family: Family, tiny: Callable[..., Path]) -> None:
    """What is built to check the settings of a file must accept those that nobody writes."""
    spec = load_study(tiny())
    try_out = importlib.import_module(family.package).try_out
    for name in family.names():
        if name in ("grid", "threshold"):  # one cannot try a continuous range, one needs a setting
            continue
        try_out(spec, family.make(name))

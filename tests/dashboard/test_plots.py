"""Custom plots: they say what the report says, stay small, and take the place of those before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pokeopt.api import write_report
from pokeopt.dashboard.plots import FOREST, LEARNING, MOST_ARMS, MOST_POINTS, _line, figures_of, save_plots
from pokeopt.report.summary import StudySummary
from pokeopt.report.write import summary_of
from pokeopt.store import Store, open_store
from pokeopt.store.notes import note_of
from tests.dashboard.serving import ask, served
from tests.report.conftest import Builder

MOST_BYTES = 20_000


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = open_store(home=tmp_path_factory.mktemp("home") / ".pokeopt")
    made = Builder(store)
    made.search()
    made.confirm()
    return store


@pytest.fixture(scope="module")
def summary(whole: Store) -> StudySummary:
    return summary_of(whole, "mlp").studies[0]


def shown(store: Store, name: str) -> dict[str, Any]:
    """Return the plots as the page gets them."""
    study_id = store.study(name)._study_id
    with served(store) as url:
        detail = json.loads(ask(f"{url}/api/studies/{study_id}")[1])
    return {plot["id"]: json.loads(plot["graph_object"]) for plot in detail["plotly_graph_objects"]}


def test_a_report_gives_pages_their_plots_note_and_file(whole: Store, tmp_path: Path) -> None:
    path = write_report(whole, ["mlp"], tmp_path / "mlp.html")
    for name in ("mlp", "mlp.ablation"):
        plots = shown(whole, name)
        assert set(plots) == {FOREST, LEARNING}
        assert sum(len(json.dumps(plot)) for plot in plots.values()) < MOST_BYTES
        assert note_of(whole.study(name))
    again = {name: shown(whole, name) for name in ("mlp", "mlp.ablation")}
    write_report(whole, ["mlp"], path)
    assert {name: shown(whole, name) for name in again} == again


def test_a_shorter_plot_leaves_nothing_of_a_longer_one(whole: Store, summary: StudySummary) -> None:
    save_plots(whole, summary)
    before = shown(whole, "mlp")
    from pokeopt.dashboard.plots import _save

    _save(whole, "mlp", FOREST, {"data": [{"type": "scatter", "x": list(range(3000))}], "layout": {}})
    save_plots(whole, summary)
    assert shown(whole, "mlp") == before


def test_the_effects_are_the_report_s(summary: StudySummary) -> None:
    assert summary.ablation is not None
    data = figures_of(summary)[FOREST]["data"]
    drawn = {trace["y"][0]: trace for trace in data}
    arms = {arm.label: arm for arm in summary.ablation.arms if arm.effect and arm.effect.mean is not None}
    assert set(drawn) == set(arms)
    for label, arm in arms.items():
        assert arm.effect is not None
        assert arm.effect.mean is not None
        trace = drawn[label]
        assert trace["x"][0] == pytest.approx(arm.effect.mean, rel=1e-4)
        assert (trace["marker"]["symbol"] == "circle") == arm.is_settled
        if arm.effect.low is not None:
            low = trace["x"][0] - trace["error_x"]["arrayminus"][0]
            assert low == pytest.approx(arm.effect.low, rel=1e-3, abs=1e-4)
    assert len(data) <= MOST_ARMS


@pytest.mark.parametrize("n", [1, 2, MOST_POINTS, MOST_POINTS + 1, 20_000])
def test_a_long_curve_is_thinned_and_keeps_its_ends(n: int) -> None:
    line = _line("x", range(n), [0.123456789] * n, 0)
    assert len(line["x"]) == len(line["y"]) == min(n, MOST_POINTS)
    assert (line["x"][0], line["x"][-1]) == (0, n - 1)


def test_a_search_alone_has_its_curves(tmp_path: Path) -> None:
    store = open_store(home=tmp_path / ".pokeopt")
    Builder(store).search()
    found = figures_of(summary_of(store, "mlp").studies[0])
    assert set(found) == {LEARNING}
    assert [line["name"].partition(",")[0] for line in found[LEARNING]["data"]] == ["baseline", "best"]

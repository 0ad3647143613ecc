"""The sections on search and cost: every figure for one objective and for two, and pages that stay small."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pokeopt.report.blocks import Figure, Section, Table
from pokeopt.report.cost_section import cost_section
from pokeopt.report.render import render_html
from pokeopt.report.search_section import search_section
from pokeopt.report.summarise import summarise
from pokeopt.store import Store
from tests.report.synthetic import write_search

if TYPE_CHECKING:
    from tests.report.conftest import Builder


def blocks_of(section: Section | None) -> dict[str, Figure | Table]:
    assert section is not None
    found = [block for block in section.blocks if isinstance(block, (Figure, Table))]
    return {block.id.partition("-")[2]: block for block in found}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Store:
    from pokeopt.store import open_store

    store = open_store(home=tmp_path_factory.mktemp("home") / ".pokeopt")
    write_search(store, 150)
    return store


def test_every_figure_is_there_and_has_its_numbers(searched: Store) -> None:
    study = summarise(searched, "big").studies[0]
    assert study.search is not None
    section = search_section(study.search, "", several=False)
    assert "No effect may be read" in section.banner
    blocks = blocks_of(section)
    figures = {
        "history",
        "timeline",
        "curves",
        "distribution",
        "coverage",
        "parallel",
        "importance",
        "local",
        "maps",
    }
    assert figures | {"rungs", "early", "pairs", "trials"} <= set(blocks)
    assert all(block.table is not None for block in blocks.values() if isinstance(block, Figure))
    costs = blocks_of(cost_section(study, "", several=False))
    assert {"trials", "expected", "replay-0"} <= set(costs)


def test_two_objectives_have_their_front_and_everything_that_needs_no_curve(store: Store) -> None:
    write_search(store, 60, n_objectives=2, pruning=False)
    study = summarise(store, "big").studies[0]
    assert study.search is not None
    section = search_section(study.search, "", several=False)
    blocks = blocks_of(section)
    assert {"front", "history", "timeline", "distribution", "coverage", "importance", "maps"} <= set(blocks)
    assert not {"curves", "early", "rungs"} & set(blocks)
    assert "first objective" in str(section.blocks[0])
    for trial in study.search.trials:  # brute force
        is_beaten = any(
            o.values[0] >= trial.values[0] and o.values[1] <= trial.values[1] and o.values != trial.values
            for o in study.search.trials
            if o.values and trial.values
        )
        assert trial.is_on_front == (bool(trial.values) and not is_beaten)


def test_an_importance_names_its_evaluator_its_trials_and_the_censored_ones(searched: Store) -> None:
    search = summarise(searched, "big").studies[0].search
    assert search is not None
    figure = blocks_of(search_section(search, "", several=False))["importance"]
    assert isinstance(figure, Figure)
    words = str(figure.svgs[0]) + figure.reading
    n = search.states["complete"]
    for text in (
        f"PED-ANOVA, final scores of {n} trials", f"fANOVA, final scores of {n} trials",
        f"values at epoch 3 of {n + search.states['pruned']} trials", f"{search.states['failed']} failed", "10 seeds",
    ):  # fmt: skip
        assert text in words


def test_what_is_left_out_is_named(store: Store) -> None:
    """1,000 trials: a page of at most 7 MB, marks and lines thinned, the tables cut, and it says so."""
    write_search(store, 1000)
    summary = summarise(store, "big")
    page = render_html(summary)
    assert len(page.encode()) < 7_000_000
    search = summary.studies[0].search
    assert search is not None
    assert len(search.trials) == 1000
    curves = blocks_of(search_section(search, "", several=False))["curves"]
    assert isinstance(curves, Figure)
    assert len(re.findall("<polyline", str(curves.svgs[0]))) <= 260
    assert "evenly spaced; the CSV holds all" in curves.reading
    assert render_html(summarise(store, "big")) == page


@pytest.mark.slow
def test_ten_thousand_trials_stay_below_twenty_megabytes(store: Store) -> None:
    import time

    write_search(store, 10_000)
    begun = time.process_time()
    page = render_html(summarise(store, "big"))
    assert time.process_time() - begun < 30
    assert len(page.encode()) < 20_000_000
    assert "Listed are" in page


def test_a_confirm_study_has_its_cost(builder: Builder, store: Store) -> None:
    builder.confirm()
    study = summarise(store, "mlp.ablation").studies[0]
    section = cost_section(study, "", several=False)
    if section is not None:
        assert section.blocks  # no empty heading


def test_a_search_without_a_complete_trial_still_has_its_section(builder: Builder, store: Store) -> None:
    study = builder.study("none", "search")
    for _ in range(3):
        builder.row(study, cause="nan", params={"model.depth": 2}, curve={1: 0.1})
    found = summarise(store, "none").studies[0].search
    assert found is not None
    blocks = blocks_of(search_section(found, "", several=False))
    assert not {"importance", "maps", "local", "distribution"} & set(blocks)
    assert "trials" in blocks

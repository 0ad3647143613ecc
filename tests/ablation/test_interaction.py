"""Differences of differences."""

import numpy as np
import pytest
from scipy import stats

from pokeopt.ablation.interaction import interactions
from pokeopt.ablation.statistics import holm

SEEDS = range(6)


def cell(mean: float, rng: np.random.Generator, seed_effect: list[float]) -> dict[int, float]:
    return {s: mean + seed_effect[s] + float(rng.normal(0, 0.01)) for s in SEEDS}


def test_two_by_two_is_the_t_test_of_the_four_cells_contrast() -> None:
    rng = np.random.default_rng(0)
    lift = [0.1 * s for s in SEEDS]  # what a seed does to every cell cancels
    means = {("off", "raw"): 0.5, ("on", "raw"): 0.9, ("off", "cut"): 0.8, ("on", "cut"): 0.95}
    cells = {key: cell(mean, rng, lift) for key, mean in means.items()}
    (found,) = interactions(cells, ("off", "raw"))
    contrast = [
        cells["on", "cut"][s] - cells["off", "cut"][s] - cells["on", "raw"][s] + cells["off", "raw"][s]
        for s in SEEDS
    ]
    assert (found.first, found.second) == ("on", "cut")
    assert found.effect.mean == pytest.approx(np.mean(contrast))
    assert found.effect.p == pytest.approx(stats.ttest_1samp(contrast, 0).pvalue)
    assert found.p_holm == pytest.approx(found.effect.p)


def test_every_pair_of_levels_and_one_family() -> None:
    rng = np.random.default_rng(1)
    cells = {(a, b): cell(0.5, rng, [0.0] * 6) for a in (2, 3, 4) for b in ("x", "y", "z")}
    found = interactions(cells, (2, "x"))
    assert [(one.first, one.second) for one in found] == [(a, b) for a in (3, 4) for b in ("y", "z")]
    assert [one.p_holm for one in found] == pytest.approx(holm([one.effect.p for one in found]))


def test_effects_that_add_do_not_interact() -> None:
    """A mean gap in each factor alone is no interaction."""
    rng = np.random.default_rng(2)
    cells = {(a, b): cell(0.3 + 0.2 * a + 0.1 * b, rng, [0.0] * 6) for a in (0, 1) for b in (0, 1)}
    (found,) = interactions(cells, (0, 0))
    assert found.effect.mean == pytest.approx(0, abs=0.02)
    assert not found.effect.excludes_zero


def test_a_missing_cell_and_a_missing_seed() -> None:
    rng = np.random.default_rng(3)
    cells = {(a, b): cell(0.5, rng, [0.0] * 6) for a in (0, 1) for b in (0, 1)}
    del cells[0, 1][4]
    assert interactions(cells, (0, 0))[0].effect.n == 5
    del cells[0, 1]
    assert interactions(cells, (0, 0)) == ()

"""The planted-effect simulator: few studies at every run of the tests, 4,000 a cell in ``make test-all``."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import planted
from benchmarks.planted import Cell, draw, row, simulate
from pokeopt.ablation.estimates import estimate


def rates(cells: list[Cell], **wanted: object) -> list[Cell]:
    return [cell for cell in cells if all(getattr(cell, key) == value for key, value in wanted.items())]


def test_few_studies_of_normal_noise_are_within_their_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planted, "NOISES", ("normal",))
    monkeypatch.setattr(planted, "SEEDS", (5, 10))
    cells = list(simulate(200))
    assert [cell.failure for cell in cells] == [""] * 8
    none, large = rates(cells, effect="none"), rates(cells, effect="large")
    assert all(cell.false / cell.n <= 0.05 for cell in none)
    assert all(cell.covered / cell.n >= 0.90 for cell in cells)
    assert [cell.found for cell in none] == [None, None]
    assert all((cell.found or 0) > 0.8 for cell in large)
    for effect in ("small", "mixed"):
        few, many = rates(cells, effect=effect)
        assert (few.found or 0) < (many.found or 0)


@pytest.mark.slow
def test_four_thousand_studies_a_cell() -> None:
    cells = list(simulate(4000))
    print("\n".join((planted.HEAD, *map(row, cells))))  # noqa: T201 (the table is what this test is read for)
    assert len(cells) == 30
    assert [cell.failure for cell in cells if cell.failure] == []


def test_what_is_beyond_its_bounds_fails_and_only_on_normal_noise() -> None:
    fine = Cell("none", "normal", 5, 4000, 3800, 3900, 3800, 100, 0, None)
    assert fine.failure == ""
    assert "95 % intervals" in replace(fine, covered=3700).failure
    assert "adjusted intervals" in replace(fine, adjusted=3700).failure
    assert "false 'reproduced'" in replace(fine, false=260).failure
    assert replace(fine, covered=3765).failure == ""  # 99 %: up to 0.9500
    assert replace(fine, noise="skewed", covered=3000, false=900).failure == ""


def test_intervals_of_a_bootstrap_would_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator notices an interval that is too narrow by as much as a percentile bootstrap's at five seeds."""
    monkeypatch.setattr(planted, "estimate", lambda values: estimate(values, 0.85))
    cell = planted.run_cell("none", "normal", 5, 400, np.random.default_rng(0))
    assert "95 % intervals cover" in cell.failure


@pytest.mark.parametrize("noise", planted.NOISES)
@pytest.mark.parametrize("effect", planted.EFFECTS)
def test_drawn_scores_have_the_planted_differences(effect: str, noise: str) -> None:
    effects = np.array(planted.EFFECTS[effect])
    scores, truth = draw(effects, noise, 10, 4000, np.random.default_rng(0))
    found = (scores[:, 1:] - scores[:, :1]).mean((0, 2))
    assert found == pytest.approx(truth, abs=0.007)

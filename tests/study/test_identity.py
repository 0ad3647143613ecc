"""What a later launch may change, and what makes it another experiment."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pokeopt import api
from pokeopt.errors import IdentityError, UserError
from pokeopt.spec import load_study
from pokeopt.store import open_store
from pokeopt.study.identity import settle_precision


def launch(path: Path, **options: object) -> api.RunResult:
    return api.run(path, home=path.parent / "home", report=False, **options)  # type: ignore[arg-type]


def test_the_same_command_again_changes_nothing(tiny: Callable[..., Path]) -> None:
    first = launch(tiny()).search
    again = launch(tiny()).search
    assert again.trials == first.trials


def test_more_trials_go_on_where_it_stood(tiny: Callable[..., Path]) -> None:
    first = launch(tiny(trials=2)).search
    more = launch(tiny(trials=4)).search
    assert more.trials[:2] == first.trials
    assert len(more.counted) == 4


def test_resuming_proposes_what_an_uninterrupted_search_would(
    tiny: Callable[..., Path], tmp_path: Path
) -> None:
    launch(tiny(trials=2, sampler="tpe"))
    cut = launch(tiny(trials=6, sampler="tpe")).search
    path = tiny(trials=6, sampler="tpe")
    whole = api.run(path, home=tmp_path / "other", report=False).search
    assert [row.params for row in cut.trials] == [row.params for row in whole.trials]
    assert [row.values for row in cut.trials] == [row.values for row in whole.trials]


@pytest.mark.parametrize(
    ("sets", "key", "change"),
    [
        (["training.epochs=5"], "training.epochs", "3 -> 5"),
        (["search.seed=9"], "search.seed", "3 -> 9"),
        (["data.limit=200"], "data.limit", "300 -> 200"),
    ],
)
def test_another_experiment_is_refused(
    tiny: Callable[..., Path], sets: list[str], key: str, change: str
) -> None:
    before = launch(tiny()).search
    with pytest.raises(IdentityError) as refused:
        launch(tiny(), sets=sets)
    assert key in str(refused.value)
    assert change in str(refused.value)
    assert "--fresh" in str(refused.value)
    assert open_store(home=tiny().parent / "home").load("tiny").trials == before.trials


def test_fresh_starts_another_and_the_bare_name_means_it(tiny: Callable[..., Path]) -> None:
    launch(tiny(trials=2))
    fresh = launch(tiny(trials=3), fresh=True)
    assert fresh.name == "tiny-2"
    store = open_store(home=tiny().parent / "home")
    assert store.names() == ["tiny", "tiny-2"]
    assert len(store.load("tiny").counted) == 3
    assert launch(tiny(trials=3)).name == "tiny-2"


def test_a_warm_start_runs_the_old_best_again(tiny: Callable[..., Path]) -> None:
    old = launch(tiny(trials=4)).search
    new = launch(tiny(trials=4), name="warmer", warm_start="tiny").search
    assert new.trials[0].params == old.trials[0].params, "the baseline comes first"
    warm = [row for row in new.trials if "warm_from" in row.attrs]
    assert warm[0].attrs["warm_from"] == f"tiny#{old.best.number if old.best else None}"
    assert all(row.attrs["stop_cause"] == "budget" for row in warm), "run here: no score is copied"


def test_a_warm_start_stays_in_the_budget_and_is_of_another_study(tiny: Callable[..., Path]) -> None:
    launch(tiny(trials=4))
    warmer = launch(tiny(trials=2), name="warmer", warm_start="tiny").search
    assert len(warmer.counted) == 2
    with pytest.raises(UserError, match="this study itself"):
        launch(tiny(trials=9), warm_start="tiny")


def test_a_name_that_looks_like_a_number_is_a_name(tiny: Callable[..., Path]) -> None:
    assert launch(tiny(trials=1), name="2024").name == "2024"


def test_auto_precision_is_settled_in_every_labelled_training(tmp_path: Path) -> None:
    """The section may be a choice of whole sections."""
    space = tmp_path / "space.yaml"
    sections = "{slow: {batch_size: 16}, fast: {batch_size: 64, precision: fp32}}"
    space.write_text(f"data: {{source: digits}}\nmodel: {{family: mlp}}\ntraining: {{choice: {sections}}}\n")
    settled = settle_precision(load_study(space), "bf16")
    found = {
        label: settled.space.config({"training": label})["training"]["precision"]
        for label in ("slow", "fast")
    }
    assert found == {"slow": "bf16", "fast": "fp32"}

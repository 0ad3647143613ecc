"""What ``run`` says at its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pokeopt.api import RunResult
from pokeopt.cli.summary import as_plain, next_commands, print_summary
from pokeopt.store import Store, StudyView, open_store


@pytest.fixture
def store(home: Path) -> Store:
    return open_store(None, home)


def result_of(
    search: StudyView, confirm: StudyView | None = None, stopped_by: str | None = None
) -> RunResult:
    return RunResult(search.name, search, confirm, Path("reports/mlp.html"), 0, stopped_by, "")


def test_it_says_what_was_found_and_where(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    result = result_of(store.load("mlp"), store.load("mlp.ablation"))
    print_summary(result, store, 200.0, ["run", "mlp.yaml"])
    out = capsys.readouterr().out
    for part in (
        "mlp: 4 of 4 trials (2 complete, 1 pruned, 1 failed); this command took 3m 20s",
        "best trial 1: val/macro_f1 0.750, test/macro_f1 0.730",
        "mlp.ablation: 6 of 6 cells complete, by test/macro_f1",
        "+0.210",
        "reports/mlp.html",
        "pokeopt.db",
    ):
        assert part in out
    assert out.rstrip().splitlines()[-2:] == ["  pokeopt show mlp 1", "  pokeopt dashboard"]


def test_commands_to_copy_name_the_place(store: Store) -> None:
    result = result_of(store.load("mlp"))
    assert next_commands(result, [], ["--home", "my state"])[0] == "pokeopt show mlp 1 --home 'my state'"


def test_an_interrupted_run_is_gone_on_with_by_the_same_words(store: Store) -> None:
    typed = ["run", "mlp.yaml", "--set", "training.epochs=3", "--fresh"]
    first, _ = next_commands(result_of(store.load("mlp"), stopped_by="SIGINT"), typed)
    assert first == "pokeopt run mlp.yaml --set training.epochs=3"


def test_json_holds_the_effects(store: Store) -> None:
    plain = as_plain(result_of(store.load("mlp"), store.load("mlp.ablation")), store)
    arms = {arm["id"]: arm for arm in plain["confirm"]["arms"]}
    assert arms["best"]["effect"]["mean"] == pytest.approx(0.21)
    assert plain["best"]["number"] == 1
    json.dumps(plain["confirm"])

"""A replay repeats every number of a trial, or names the first that it does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pokeopt import api, continuing
from pokeopt.cli import main
from pokeopt.errors import UserError
from pokeopt.records import TrialState
from pokeopt.store import Store, open_store

Write = Callable[..., Path]
CODE = "code_version"  # it changes under the hands of whoever works on the package


@pytest.fixture
def searched(tiny: Write) -> Path:
    """Return the home of a search that pruned something, with a confirm study and an extension."""
    path = tiny(trials=6, epochs=4, pruner="hyperband", more="ablation: {seeds: 2, top: 1}\n")
    home = path.parent / "home"
    result = api.run(path, home=home, report=False, sets=["model.dropout=0.3", "search.seeds=2"])
    assert result.exit_code == 0, result.message
    continuing.extend("tiny", epochs=5, top=1, home=home, workers=0, report=False)
    return home


def spoil(store: Store, name: str, number: int, filename: str, change: Callable[[str], str]) -> None:
    """Change a stored file."""
    path = store.artifacts_dir / store.artifacts(name, number)[filename]
    path.write_text(change(path.read_text()))


def test_every_kind_of_trial_agrees(searched: Path) -> None:
    store = open_store(home=searched)
    before = {name: store.load(name, exact=True) for name in store.names()}
    pruned = next(row.number for row in before["tiny"].trials if row.state is TrialState.PRUNED)
    cell = next(row.number for row in before["tiny.ablation"].trials if row.seed == 1)
    for name, number in (("tiny", 0), ("tiny", pruned), ("tiny.ablation", cell), ("tiny.e5", 0)):
        found = continuing.replay(name, number, home=searched)
        assert found.agrees, found.deviations[:3]
        assert found.n_epochs == len(before[name].trials[number].curve)
        assert found.n_numbers > 20
        assert found.has_predictions == (number != pruned or name != "tiny")
        assert [one.what for one in found.differences if one.what != CODE] == []
    assert {name: open_store(home=searched).load(name, exact=True) for name in before} == before


def test_a_number_that_differs_is_named(searched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(home=searched)

    def change(text: str) -> str:
        curves = json.loads(text)
        curves["steps"][1]["metrics"]["val/macro_f1"] += 1e-12
        return json.dumps(curves)

    spoil(store, "tiny", 0, "curves.json", change)
    assert main(["replay", "tiny", "0", "--home", str(searched), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [one["what"] for one in found["deviations"]] == ["epoch 2 val/macro_f1"]
    assert main(["replay", "tiny", "0", "--home", str(searched)]) == 1
    assert "differs in 1 of" in capsys.readouterr().out


def test_what_is_not_as_it_was_is_named(searched: Path) -> None:
    store = open_store(home=searched)
    versions = {**store.load("tiny").attrs["versions"], "torch": "1.0"}
    store.study("tiny").set_user_attr("versions", versions)
    found = continuing.replay("tiny", 0, home=searched)
    assert found.agrees
    assert "torch" in [one.what for one in found.differences]


def test_what_left_nothing_is_refused(searched: Path) -> None:
    with pytest.raises(UserError, match="there is no trial 99"):
        continuing.replay("tiny", 99, home=searched)
    open_store(home=searched).study("tiny").enqueue_trial({})
    n = len(open_store(home=searched).load("tiny").trials)
    with pytest.raises(UserError, match="nothing to compare"):
        continuing.replay("tiny", n - 1, home=searched)

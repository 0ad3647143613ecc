"""``import pokeopt``: a study as a Python object."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pokeopt
from pokeopt.errors import SpecError, StoreError, UserError
from pokeopt.store import open_store
from tests.cli.conftest import home as home

SPEC: dict[str, Any] = {
    "name": "code",
    "data": {"source": "digits", "image_size": 8, "channels": "gray", "limit": 200},
    "model": {"family": "mlp", "depth": 1, "width": {"int": [4, 16]}},
    "training": {"epochs": 2, "learning_rate": 1e-5},
    "search": {"trials": 2, "sampler": "random", "pruner": "none"},
}


def test_a_table_of_trials(home: Path) -> None:
    study = pokeopt.load_study("mlp", home=home)
    table = study.trials_dataframe()
    assert list(table.index) == [0, 1, 2, 3]
    assert list(table["state"]) == ["complete", "complete", "pruned", "failed"]
    assert table["value"].notna().tolist() == [True, True, False, False], "only a COMPLETE trial has a score"
    assert table["model.dropout"].tolist() == [0.2, 0.4, 0.3, 0.1]
    assert table.loc[1, "test/macro_f1"] == pytest.approx(0.73)
    assert "error" not in table


def test_the_best(home: Path) -> None:
    study = pokeopt.load_study("mlp", home=home)
    assert (study.best_trial.number, study.best_value) == (1, 0.75)
    assert study.best_config == {"model": {"family": "mlp", "dropout": 0.4}}
    assert study.optuna_study.best_trial.number == 1
    assert repr(study) == "<Study mlp (search): 4 trials, best 0.75>"


def test_a_confirm_study_has_no_best(home: Path) -> None:
    confirm = pokeopt.load_study("mlp", home=home).ablation
    assert confirm is not None
    assert confirm.trials_dataframe()["arm"].tolist() == ["baseline", "best"] * 3
    with pytest.raises(UserError, match="load mlp"):
        confirm.best_trial  # noqa: B018 - to look is to ask
    assert confirm.ablation is None


def test_an_empty_study(home: Path) -> None:
    store = open_store(None, home)
    study = store.study("mlp")
    store.storage.create_new_study(study.directions, "fresh")
    fresh = pokeopt.load_study("fresh", home=home)
    assert fresh.trials_dataframe().empty
    with pytest.raises(StoreError, match="no trial is complete"):
        fresh.best_config  # noqa: B018 - to look is to ask


@pytest.mark.parametrize("name", ["mlp", "mlp.ablation"])
def test_notebooks_show_it_escaped(home: Path, name: str) -> None:
    store = open_store(None, home)
    store.study(name).enqueue_trial({}, user_attrs={"proposal": 9})
    study = pokeopt.load_study(name, home=home)
    assert f"<b>{name}</b>" in study._repr_html_()
    assert study._repr_html_().count("<tr>") == 3 if name == "mlp" else 6
    assert "test" in study.trials[0]._repr_html_()
    for row in study.trials:
        assert row._repr_html_().startswith("<p><b>trial")


def test_a_study_from_a_mapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = pokeopt.run(SPEC, workers=0, report=False)
    assert result.exit_code == 0
    assert "<b>code</b>" in result._repr_html_()
    study = pokeopt.load_study("code")
    assert study.best_config["training"]["learning_rate"] == 1e-5
    assert list(study.curves(0).index) == [1, 2]
    assert study.reload().trials == result.search.counted
    assert study.report(tmp_path / "x.md").read_text().startswith("#")
    with pytest.raises(UserError, match="no curve"):
        study.curves(7)


def test_the_model_after_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.datasets import load_digits

    monkeypatch.chdir(tmp_path)
    pokeopt.run(SPEC, workers=0, ablation=False, report=False)
    study = pokeopt.load_study("code")
    again = study.retrain(seeds=2, on="train")
    assert [card.seed for card in again.cards] == [0, 1]
    assert study.retrain(seeds=2, on="train").new == ()
    images = [(image * 15).astype("uint8") for image in load_digits().images[:5]]
    model = study.model(ensemble="seeds")
    assert model.predict(images).shape == (5, 10)
    done = study.export(tmp_path / "code.pt2", seed=1)
    loaded = pokeopt.load_model(done.path)
    assert loaded.predict(images) == pytest.approx(study.model(seed=1).predict(images), abs=1e-5)
    found = study.evaluate({"source": "digits", "image_size": 8, "channels": "gray", "limit": 50}, model)
    assert found.n == 50
    assert found.model == model.label
    assert "50 images" in study.report(tmp_path / "code.md").read_text()


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"name": None}, "name"),
        ({"model": {"family": "cnm"}}, "did you mean 'cnn'"),
        ({"data": {"source": object}}, "source"),
    ],
)
def test_a_wrong_mapping_is_named(
    change: dict[str, Any], part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = {key: value for key, value in {**SPEC, **change}.items() if value is not None}
    with pytest.raises(SpecError, match=part) as error:
        pokeopt.run(spec, workers=0)
    assert error.value.where.startswith("spec")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    heavy = {"optuna", "torch", "ray", "pandas", "pydantic"}
    code = f"import sys, pokeopt; print(({heavy!r}) & set(sys.modules), dir(pokeopt))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("set()")
    assert all(name in done.stdout for name in ("run", "ablate", "load_study", "extend", "replay"))
    with pytest.raises(AttributeError):
        pokeopt.nothing  # noqa: B018

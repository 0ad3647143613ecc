"""Retraining repeats the trial, learns from more where it is told to, and goes on where it was stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from pokeopt.cli import main
from pokeopt.errors import StoreError, UserError
from pokeopt.inference import export_model, open_model, retrain
from pokeopt.inference.weights import Trained, find_trial, retrained_networks, trial_networks
from pokeopt.store import Store, TrialRow
from pokeopt.training import checkpoint
from tests.families import FAMILIES
from tests.inference.conftest import Studied
from tests.inference.test_export import copied

EACH = [pytest.param(name, marks=pytest.mark.slow if name == "transfer" else ()) for name in FAMILIES]


def weights_of(network: Trained) -> dict[str, torch.Tensor]:
    return dict(network.graph.module.state_dict())


def best_of(store: Store, name: str) -> TrialRow:
    return find_trial(store.load(name), None)


@pytest.mark.parametrize("family", EACH)
def test_on_train_with_its_own_seed_it_is_the_trial(studied: Studied, family: str, tmp_path: Path) -> None:
    """Same epochs, same learning rates, same scores: the plateau schedule's drops are repeated, not guessed."""
    store = copied(studied(family), tmp_path)
    row = best_of(store, family)
    assert row.seed is not None
    result = retrain(store, family, on="train", seeds=[row.seed])
    assert result.epochs == row.attrs["best_step"]
    view = store.load(family)
    (again,) = retrained_networks(store, view, row, "train")
    first, *_ = trial_networks(store, view, row)
    for name, weights in weights_of(first).items():
        torch.testing.assert_close(weights_of(again)[name], weights, rtol=1e-4, atol=1e-5)
    shared = [name for name in result.cards[0].metrics if row.metric(name) is not None]
    assert shared
    for name in shared:
        assert result.cards[0].metrics[name] == pytest.approx(row.metric(name), rel=1e-3, abs=1e-5), name


@pytest.mark.parametrize("family", ["mlp", "unet"])
def test_on_both_parts_it_learns_from_validation_and_is_scored_on_the_same_test(
    studied: Studied, family: str, tmp_path: Path
) -> None:
    store = copied(studied(family), tmp_path)
    row = best_of(store, family)
    assert row.seed is not None
    both = retrain(store, family, seeds=[row.seed])
    alone = retrain(store, family, seeds=[row.seed], on="train")
    assert both.cards[0].trained_on == "train+val"
    assert both.cards[0].metrics.keys() == alone.cards[0].metrics.keys()
    assert both.cards[0].metrics != alone.cards[0].metrics
    if family == "mlp":
        assert both.cards[0].mean != alone.cards[0].mean, "the statistics are those of what it learnt from"


def test_the_same_call_trains_nothing_and_more_seeds_top_up(studied: Studied, tmp_path: Path) -> None:
    store = copied(studied("mlp"), tmp_path)
    first = retrain(store, "mlp", seeds=range(2))
    assert first.new == (0, 1)
    assert first.n_reads == 2, "the two trials of the search"
    again = retrain(store, "mlp", seeds=range(3))
    assert again.new == (2,)
    assert again.n_reads == 4
    assert again.cards[:2] == first.cards


def test_stopped_in_the_middle_it_goes_on(
    studied: Studied, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bit for bit as if it had never stopped."""
    monkeypatch.setattr(checkpoint, "CHECKPOINT_EVERY_S", 0.0)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole, cut = copied(studied("cnn"), tmp_path / "a"), copied(studied("cnn"), tmp_path / "b")
    row = best_of(whole, "cnn")
    retrain(whole, "cnn", seeds=[0])
    seen: list[int] = []

    def stop(_: int, epoch: int, epochs: int) -> None:
        seen.append(epoch)
        if epoch == 2 and seen.count(2) == 1 and epochs > 1:
            raise KeyboardInterrupt

    assert row.attrs["best_step"] == 3, "this family keeps its last epoch, so that there is a middle"
    with pytest.raises(KeyboardInterrupt):
        retrain(cut, "cnn", seeds=[0], tell=stop)
    retrain(cut, "cnn", seeds=[0], tell=stop)
    assert 1 not in seen[seen.index(2) + 1 :], "the first epoch was not trained again"
    (one,) = retrained_networks(whole, whole.load("cnn"), row)
    (other,) = retrained_networks(cut, cut.load("cnn"), row)
    for name, weights in weights_of(one).items():
        assert torch.equal(weights, weights_of(other)[name]), name
    assert not list((cut.home / "models").rglob(".seed-*")), "the checkpoint is gone with its purpose"


def test_export_prefers_what_was_retrained(studied: Studied, tmp_path: Path) -> None:
    store = copied(studied("mlp"), tmp_path)
    retrain(store, "mlp", seeds=range(2))
    card = export_model(store, "mlp", tmp_path / "a.pt2", seed=1).card
    assert (card.weights, card.trained_on, card.seed) == ("retrained", "train+val", 1)
    assert export_model(store, "mlp", tmp_path / "b.pt2", weights="trial").card.weights == "trial"
    assert len(open_model(store, "mlp", ensemble="seeds").members) == 2
    assert len(open_model(store, "mlp", ensemble="2").members) == 2
    with pytest.raises(UserError, match="known: 0, 1"):
        export_model(store, "mlp", tmp_path / "c.pt2", seed=7)


def test_wrong_words_are_refused(studied: Studied, tmp_path: Path) -> None:
    store = studied("mlp")
    with pytest.raises(UserError, match="give train or train\\+val"):
        retrain(store, "mlp", on="test")
    with pytest.raises(UserError, match="there is no trial 9"):
        retrain(store, "mlp", trial=9)
    with pytest.raises(StoreError, match="it was not retrained"):
        open_model(store, "mlp", ensemble="seeds")
    with pytest.raises(UserError, match="give a smaller --ensemble"):
        open_model(store, "mlp", ensemble="3")
    with pytest.raises(UserError, match="give a number from 1"):
        open_model(store, "mlp", ensemble="all")


def test_the_command_says_how_often_the_test_part_was_read(
    studied: Studied, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = copied(studied("mlp"), tmp_path)
    words = ["retrain", "mlp", "--seeds", "2", "--home", str(store.home)]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "2 networks, 2 of them new" in out
    assert "note: this test part had been scored by 2 networks of mlp before" in out
    assert main([*words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["test_scored_before"] == 4
    assert [one["seed"] for one in found["networks"]] == [0, 1]
    assert found["new"] == []

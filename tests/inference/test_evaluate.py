"""An evaluation says what the trial's own scores say of the same images, and is kept for the report."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pokeopt import load_study
from pokeopt.cli import main
from pokeopt.errors import UserError
from pokeopt.inference import evaluate, export_model, open_model
from pokeopt.inference.evaluate import keep_evaluation
from pokeopt.inference.model import Model
from pokeopt.inference.scoring import class_intervals, mean_interval
from pokeopt.report.sections import sections_of
from pokeopt.report.summarise import summarise
from pokeopt.store.evaluations import read_evaluation_file, read_evaluations
from tests.data.conftest import write_image
from tests.inference.conftest import Studied
from tests.inference.test_export import copied, stored_test


@pytest.fixture(scope="session")
def leaderboard(studied: Studied, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a table of the very images of the test part."""
    ids = stored_test(studied("mlp"), "mlp")
    table = tmp_path_factory.mktemp("tables") / "leaderboard.csv"
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([rows[0], *(row for row in rows[1:] if row[0] in ids)])
    (table.parent / "images").symlink_to(folder / "images")
    return table


def test_on_the_test_images_it_is_the_trials_own_score(
    studied: Studied, leaderboard: Path, tmp_path: Path
) -> None:
    """From a study and from its exported file alike."""
    store = studied("mlp")
    data = {"source": "csv", "images": str(leaderboard.parent / "images"), "labels": str(leaderboard)}
    best = store.load("mlp").best
    assert best is not None
    file = export_model(store, "mlp", tmp_path / "model.pt2").path
    for target in ("mlp", str(file)):
        found = evaluate(open_model(store, target), data, store.cache_dir)
        assert found.n == len(stored_test(store, "mlp"))
        for name in ("accuracy", "macro_f1", "f1/tall", "loss"):
            assert found.metrics[name] == pytest.approx(best.metric(f"test/{name}"), abs=1e-5)
            assert found.local[f"test/{name}"] == best.metric(f"test/{name}")
        low, high = found.intervals["accuracy"]
        assert low <= found.metrics["accuracy"] <= high


def test_pairs_are_scored_by_their_errors(studied: Studied, folder: Path) -> None:
    store = studied("unet")
    arrays = {"condition": "condition", "target": "target"}
    data = {"source": "npz", "path": str(folder / "pairs.npz"), **arrays}
    found = evaluate(open_model(store, "unet"), data, store.cache_dir)
    assert {"mse", "mae", "ssim", "psnr"} <= set(found.metrics)
    low, high = found.intervals["mse"]
    assert low <= found.metrics["mse"] <= high


def test_pairs_without_conditions_are_told(studied: Studied, folder: Path) -> None:
    """A network that was told what to make is scored on black."""
    store = studied("unet")
    data = {"source": "npz", "path": str(folder / "pairs.npz"), "target": "target"}
    model, says = open_model(store, "unet"), "The set has no conditions: the model is given black ones."
    assert evaluate(model, data, store.cache_dir).notes[-1] == says
    assert says not in evaluate(model, {**data, "condition": "condition"}, store.cache_dir).notes


def test_images_of_the_study_are_counted(
    studied: Studied, folder: Path, leaderboard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A set that was learnt from is no set that no study has seen; an exported file alone cannot tell."""
    store = copied(studied("mlp"), tmp_path)
    model = open_model(store, "mlp")
    whole = {"source": "csv", "images": str(folder / "images"), "labels": str(folder / "labels.csv")}
    found = evaluate(model, whole, store.cache_dir)
    assert found.own == {"train": 30, "val": 15, "test": 15}
    assert "60 of 60 images are the study's own (train 30, val 15, test 15)" in found.notes[-1]
    held_out = {**whole, "labels": str(leaderboard)}
    assert evaluate(model, held_out, store.cache_dir).own == {"train": 0, "val": 0, "test": 15}
    assert main(["evaluate", "mlp", str(folder / "labels.csv"), "--home", str(store.home)]) == 0
    assert found.notes[-1] in capsys.readouterr().out
    (one,) = summarise(store, "mlp").studies[0].evaluations
    assert one.own == 60
    rng = np.random.default_rng(9)
    for name in ("wide", "tall"):
        (tmp_path / "new" / name).mkdir(parents=True)
        pixels = rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "new" / name / "0.png")
    new = evaluate(model, {"source": "folder", "path": str(tmp_path / "new")}, store.cache_dir)
    assert not any(new.own.values())
    assert new.notes == ()
    card = replace(model.card, config={**model.card.config, "data": {**whole, "labels": "/gone.csv"}})
    alone = Model([(card, model.members[0][1])])
    assert evaluate(alone, whole, store.cache_dir).own == {}


def test_the_test_part_of_a_divided_set_is_scored(studied: Studied, tmp_path: Path) -> None:
    """A limit draws from it; the digest is of what was scored."""
    for part in ("train", "test"):
        for number in range(6):
            for name in ("wide", "tall"):
                write_image(tmp_path / part / name / f"{number}.png", number + 10 * (part == "test"))
    store = studied("mlp")
    model, data = open_model(store, "mlp"), {"source": "folder", "path": str(tmp_path)}
    whole = evaluate(model, data, store.cache_dir)
    assert whole.n == 12
    assert all(name.startswith("test/") for name in whole.ids.tolist())
    assert "The set is divided: its test part is scored, 12 of 24 images." in whole.notes
    few = evaluate(model, {**data, "limit": 4}, store.cache_dir)
    assert few.n == 4
    assert set(few.ids.tolist()) < set(whole.ids.tolist())
    assert few.data_hash != whole.data_hash


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("labels.csv", "str is no mapping"),
        ({"path": "x"}, "it names no source"),
        ({"source": "digits", "limit": "few"}, "'few' is no number of images"),
        ({"source": "digits", "limit": 0}, "0 is no number of images"),
    ],
)
def test_what_is_no_data_section_is_refused(studied: Studied, data: Any, says: str) -> None:
    store = studied("mlp")
    with pytest.raises(UserError, match=says):
        load_study("mlp", home=store.home).evaluate(data)


def test_sets_of_one_name_are_several_quantities(
    studied: Studied, leaderboard: Path, folder: Path, tmp_path: Path
) -> None:
    """Other images give other scores: that is no contradiction (PK18), and no mean of the two is anything."""
    store = copied(studied("mlp"), tmp_path)
    model = open_model(store, "mlp")
    with leaderboard.open(newline="") as file:
        rows = list(csv.reader(file))
    turned = {"square": "tall", "tall": "wide", "wide": "square"}
    for number, kept in enumerate((rows[1:6], [[name, turned[label]] for name, label in rows[6:]])):
        table = tmp_path / f"{number}" / "leaderboard.csv"
        table.parent.mkdir()
        with table.open("w", newline="") as file:
            csv.writer(file).writerows([rows[0], *kept])
        data = {"source": "csv", "images": str(folder / "images"), "labels": str(table)}
        keep_evaluation(store, model, replace(evaluate(model, data, store.cache_dir), data="leaderboard"))
    one, other = read_evaluations(store, "mlp")
    assert one["data"] == other["data"]
    assert one["metrics"]["accuracy"] != other["metrics"]["accuracy"], "else this tests nothing"
    assert "PK18" not in [check.code for check in summarise(store, "mlp").studies[0].checks]


def test_a_single_image_set_is_no_set_of_pairs(studied: Studied, folder: Path) -> None:
    store = studied("unet")
    with pytest.raises(UserError, match="the model takes pairs of images"):
        evaluate(open_model(store, "unet"), {"source": "digits"}, store.cache_dir)


def test_an_unknown_class_is_refused(studied: Studied) -> None:
    store = studied("mlp")
    with pytest.raises(UserError, match="class '0' is unknown to the model"):
        evaluate(open_model(store, "mlp"), {"source": "digits"}, store.cache_dir)


def test_a_study_keeps_its_evaluations(
    studied: Studied, leaderboard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same model on the same images is one entry, however often it is asked."""
    store = copied(studied("mlp"), tmp_path)
    words = ["evaluate", "mlp", str(leaderboard), "--home", str(store.home)]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "95 % over images" in out
    assert "stored with mlp" in out
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (entry,) = read_evaluations(store, "mlp")
    assert entry["metrics"] == found["metrics"]
    assert (entry["data"], entry["weights"], entry["n"]) == ("leaderboard", "trial", found["n"])
    content = read_evaluation_file(store, "mlp", entry["predictions"])
    assert content is not None
    model = open_model(store, "mlp", ensemble="2")
    data = {"source": "csv", "images": str(leaderboard.parent / "images"), "labels": str(leaderboard)}
    assert keep_evaluation(store, model, evaluate(model, data, store.cache_dir)) == "mlp"
    both = read_evaluations(store, "mlp")
    assert [one["weights"] for one in both] == ["trial", "ensemble"]
    assert len({one["predictions"] for one in both}) == 2


def test_the_next_report_shows_here_against_there(
    studied: Studied, leaderboard: Path, tmp_path: Path
) -> None:
    """A set whose labels say otherwise scores less: the table has both numbers, and PK04 speaks."""
    store = copied(studied("mlp"), tmp_path)
    turned = {"square": "tall", "tall": "wide", "wide": "square"}
    with leaderboard.open(newline="") as file:
        rows = list(csv.reader(file))
    table = tmp_path / "test.csv"  # called like a part of the study, which it is not
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([rows[0], *([name, turned[label]] for name, label in rows[1:])])
    data = {"source": "csv", "images": str(leaderboard.parent / "images"), "labels": str(table)}
    model = open_model(store, "mlp")
    found = evaluate(model, data, store.cache_dir)
    keep_evaluation(store, model, found)
    summary = summarise(store, "mlp")
    (one,) = summary.studies[0].evaluations
    assert (one.here, one.there) == (found.local["test/macro_f1"], found.metrics["macro_f1"])
    assert (one.here or 0) > one.there + 0.05, "else this tests nothing"
    (check,) = [check for check in summary.studies[0].checks if check.code == "PK04"]
    assert check.says.startswith("On test set, macro-F1 lies below test macro-F1")
    (section,) = [one for one in sections_of(summary) if one.id == "shift"]
    assert "evaluations" in str(section.blocks)


def test_wilsons_interval_at_its_ends() -> None:
    """Wilson (1927): 10 of 10 is no proof of 100 %; the numbers are those of the formula."""
    truth = np.zeros(10, dtype=np.int64)
    low, high = class_intervals(truth, truth, 2)["accuracy"]
    assert low == pytest.approx(0.7225, abs=1e-4)
    assert high == pytest.approx(1.0)


def test_the_bootstrap_of_a_mean_is_as_wide_as_its_standard_error() -> None:
    values = np.random.default_rng(1).normal(5, 2, 400)
    low, high = mean_interval(values)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)
    assert low < values.mean() < high

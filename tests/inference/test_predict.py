"""A submission has a row for every image, and is not begun where one of them cannot be read."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pokeopt.cli import main
from pokeopt.errors import UserError
from pokeopt.inference import export_model, load_model, open_model, predict_folder
from tests.inference.conftest import SIZE, Studied
from tests.inference.test_export import stored_test


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_submission_says_what_the_trial_said(studied: Studied, folder: Path, tmp_path: Path) -> None:
    store, output = studied("mlp"), tmp_path / "submission.csv"
    words = ["predict", "mlp", str(folder / "images"), "-o", str(output), "--home", str(store.home)]
    assert main(words) == 0
    rows = rows_of(output)
    assert list(rows[0]) == ["Id", "label"]
    assert [row["Id"] for row in rows] == sorted(path.stem for path in (folder / "images").iterdir())
    assert main([*words, "--probabilities"]) == 0
    shares = {row["Id"]: row for row in rows_of(output)}
    classes = ("square", "tall", "wide")
    for name, probabilities in stored_test(store, "mlp").items():
        found = [float(shares[name][label]) for label in classes]
        np.testing.assert_allclose(found, probabilities, atol=1e-5)
        assert shares[name]["label"] == classes[int(probabilities.argmax())]


def test_an_ensemble_is_the_mean_of_its_members(studied: Studied, folder: Path) -> None:
    store = studied("mlp")
    paths = sorted((folder / "images").iterdir())[:5]
    each = [open_model(store, "mlp", trial=number).predict(paths) for number in (0, 1)]
    both = open_model(store, "mlp", ensemble="2").predict(paths)
    np.testing.assert_allclose(both, np.mean(each, axis=0), atol=1e-6)
    np.testing.assert_allclose(both.sum(axis=1), 1, atol=1e-6)


def test_nothing_is_written_where_an_image_cannot_be_read(
    studied: Studied, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each of them has its line; the last says how many."""
    shutil.copytree(folder / "images", tmp_path / "images")
    for name in ("broken", "cut"):
        (tmp_path / "images" / f"{name}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    home, output = studied("mlp").home, tmp_path / "out" / "submission.csv"
    words = ["predict", "mlp", str(tmp_path / "images"), "-o", str(output), "--home", str(home)]
    assert main(words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [Path(line.split(":")[1].strip()).name for line in lines] == ["broken.png", "cut.png", "images"]
    assert "2 of 62 images cannot be read" in lines[-1]
    assert not output.parent.exists()


def test_two_images_of_one_id_are_refused(studied: Studied, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    image = next((folder / "images").iterdir())
    shutil.copy(image, tmp_path / "images" / "a.png")
    with Image.open(image) as opened:
        opened.save(tmp_path / "images" / "a.bmp")
    with pytest.raises(UserError, match="two images are called 'a'"):
        predict_folder(open_model(studied("mlp"), "mlp"), tmp_path / "images", tmp_path / "x.csv")


def test_a_model_that_makes_images_writes_them(studied: Studied, folder: Path, tmp_path: Path) -> None:
    """Of an image and its condition, found by their name."""
    with np.load(folder / "pairs.npz") as arrays:
        for part in ("images", "condition"):
            (tmp_path / part).mkdir()
            for i in range(3):
                Image.fromarray(arrays[part][i]).save(tmp_path / part / f"{i}.png")
    store, output = studied("unet"), tmp_path / "made"
    words = ["predict", "unet", str(tmp_path / "images"), "-o", str(output), "--home", str(store.home)]
    assert main(words) == 2, "it needs conditions"
    assert main([*words, "--condition", str(tmp_path / "condition")]) == 0
    assert sorted(path.name for path in output.iterdir()) == ["0.png", "1.png", "2.png"]
    with Image.open(output / "0.png") as made:
        assert (made.size, made.mode) == ((SIZE, SIZE), "RGB")
    assert main([*words, "--condition", str(tmp_path / "condition")]) == 2, "the folder is not empty now"
    (tmp_path / "condition" / "2.png").unlink()
    words[4] = str(tmp_path / "more")
    assert main([*words, "--condition", str(tmp_path / "condition")]) == 2
    assert not (tmp_path / "more").exists()


def test_the_python_way(studied: Studied, folder: Path, tmp_path: Path) -> None:
    """Paths, Pillow images and arrays of bytes are one; floats are refused, since their range is a guess."""
    model = load_model(export_model(studied("mlp"), "mlp", tmp_path / "model.pt2").path)
    path = sorted((folder / "images").iterdir())[0]
    with Image.open(path) as opened:
        image = opened.copy()
    found = model.predict([path, str(path), image, np.asarray(image)])
    assert found.shape == (4, 3)
    assert (found == found[0]).all() or np.allclose(found, found[0], atol=1e-6)
    assert model.classify([path])[0] in model.classes
    with pytest.raises(UserError, match="multiply by 255"):
        model.predict([np.asarray(image) / 255])
    assert "mlp trial" in repr(model)

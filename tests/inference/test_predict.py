"""A submission has a row for every image, and is not begun where one of them cannot be read."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pokeopt.cli import main
from pokeopt.data.dataset import read_source
from pokeopt.data.images import ORIENTATION
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
    """Both are named by their paths."""
    (tmp_path / "images" / "x").mkdir(parents=True)
    image = next((folder / "images").iterdir())
    shutil.copy(image, tmp_path / "images" / "x" / "a.png")
    with Image.open(image) as opened:
        opened.save(tmp_path / "images" / "x" / "a.bmp")
    with pytest.raises(UserError, match=r"two images are called 'x/a': x/a\.bmp and x/a\.png"):
        predict_folder(open_model(studied("mlp"), "mlp"), tmp_path / "images", tmp_path / "x.csv")


def test_ids_are_paths_where_names_repeat(studied: Studied, folder: Path, tmp_path: Path) -> None:
    """As in a folder of class folders; each image has its own row all the same."""
    first, second, *_ = sorted((folder / "images").iterdir())
    files = {"b/0": first, "a/0": second, "1": first}
    for name, path in files.items():
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / "images" / f"{name}.png")
    model = open_model(studied("mlp"), "mlp")
    predict_folder(model, tmp_path / "images", tmp_path / "x.csv")
    found = {row["Id"]: row["label"] for row in rows_of(tmp_path / "x.csv")}
    assert found == {name: model.classify([path])[0] for name, path in files.items()}


def test_hidden_folders_are_left_out_and_other_files_are_counted(
    studied: Studied, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A notebook's checkpoints are copies; a photograph that Pillow cannot read is missed by nobody in silence."""
    image = next((folder / "images").iterdir())
    for name in ("a.png", ".ipynb_checkpoints/a-checkpoint.png", "b/.cache/c/d.png", "b/e.png", "f.heic"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, tmp_path / "images" / name)
    output = tmp_path / "x.csv"
    words = [
        "predict",
        "mlp",
        str(tmp_path / "images"),
        "-o",
        str(output),
        "--home",
        str(studied("mlp").home),
    ]
    assert main(words) == 0
    assert [row["Id"] for row in rows_of(output)] == ["a", "e"]
    assert "1 file was passed over (.heic 1)" in capsys.readouterr().out


def test_a_name_that_no_table_can_hold_is_an_error(studied: Studied, folder: Path, tmp_path: Path) -> None:
    """In a folder to predict and in a source alike."""
    images = tmp_path / "images" / "wide"
    images.mkdir(parents=True)
    image = next((folder / "images").iterdir())
    Path(os.fsdecode(os.fsencode(images) + b"/caf\xe9.png")).write_bytes(image.read_bytes())
    with pytest.raises(UserError, match=r"caf\\xe9\.png': the file's name is not UTF-8; rename the file"):
        predict_folder(open_model(studied("mlp"), "mlp"), tmp_path / "images", tmp_path / "x.csv")
    with pytest.raises(UserError, match=r"caf\\xe9\.png': the file's name is not UTF-8; rename the file"):
        read_source({"source": "folder", "path": str(tmp_path / "images")}, tmp_path)


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
    with Image.open(tmp_path / "condition" / "2.png") as condition:
        condition.resize((50, 10)).save(tmp_path / "condition" / "2.png")
    words[4] = str(tmp_path / "distorted")
    assert main([*words, "--condition", str(tmp_path / "condition")]) == 2, "as in training"
    with pytest.raises(UserError, match="other proportions than the input's"):
        open_model(store, "unet").predict([tmp_path / "images/2.png"], [tmp_path / "condition/2.png"])
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
    turned = image.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    turned.save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as opened:
        again = model.predict([tmp_path / "turned.png", opened])
    np.testing.assert_allclose(again, found[:2], atol=1e-6)


def test_one_image_is_not_taken_for_many(studied: Studied, folder: Path) -> None:
    """The rows of one array are no images; nor is what has other axes, or other numbers than bytes."""
    model = open_model(studied("mlp"), "mlp")
    path = sorted((folder / "images").iterdir())[0]
    with Image.open(path) as opened:
        image = opened.copy()
    pixels = np.asarray(image)
    for one in (image, path, str(path), pixels, pixels[..., 0]):
        with pytest.raises(
            UserError, match=r"is one image, and several are asked for; give a list: \[image\]"
        ):
            model.predict(one)  # type: ignore[arg-type]
    several = np.stack([pixels, pixels])
    assert len(model.predict(several)) == len(model.predict(several[..., 0])) == 2  # type: ignore[arg-type]
    for wrong in (pixels.transpose(2, 0, 1), np.zeros((9, 9, 5), np.uint8), np.zeros((0, 9, 3), np.uint8)):
        with pytest.raises(UserError, match="is no image"):
            model.predict([wrong])
    for wide, mend in ((pixels.astype(np.uint16), r"array // 257"), (pixels > 9, r"array \* 255")):
        with pytest.raises(UserError, match=mend):
            model.predict([wide])

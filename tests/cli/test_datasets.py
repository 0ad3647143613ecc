"""``data make`` writes what ``data describe`` and a study can read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.cli.conftest import Run


@pytest.fixture
def made(run: Run, tmp_path: Path) -> Path:
    """Return a folder with 90 creatures and their labels."""
    folder = tmp_path / "mine"
    code, out, err = run("data", "make", "creatures", "-o", "mine", "--limit", "90")
    assert (code, err) == (0, "")
    assert "90 images of 9 classes" in out
    return folder


def test_make_writes_images_and_labels(made: Path) -> None:
    labels = pd.read_csv(made / "labels.csv", dtype=str)
    assert list(labels.columns[:2]) == ["Id", "label"]
    assert labels["label"].nunique() == 9
    files = {path.stem for path in (made / "images").iterdir()}
    assert files == set(labels["Id"])
    with Image.open(made / "images" / f"{labels['Id'][0]}.png") as image:
        assert image.size == (64, 64)


def test_make_leaves_a_full_folder_alone(run: Run, made: Path) -> None:
    before = sorted(made.rglob("*"))
    code, _, err = run("data", "make", "creatures", "-o", str(made), "--limit", "90")
    assert code == 2
    assert "not empty" in err
    assert sorted(made.rglob("*")) == before


@pytest.mark.parametrize("target", ["mine/labels.csv", "creatures"])
def test_describe(run: Run, made: Path, tmp_path: Path, target: str) -> None:
    code, out, err = run("data", "describe", target, "--set", "limit=60", "-o", "page.html")
    assert (code, err) == (0, "")
    assert "60 images of 9 classes" in out
    assert "64x64 (60)" in out
    page = (tmp_path / "page.html").read_text()
    assert "data:image/png;base64," in page
    assert "http" not in page.replace("http-equiv", ""), "it opens without a network"


def test_describe_a_file_shows_its_longest_preparation(run: Run, made: Path, tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text(
        "data: {source: csv, images: mine/images, labels: mine/labels.csv, limit: 60,\n"
        "       preprocess: {choice: {raw: [], crop: [silhouette_crop]}}}\n"
        "model: {family: mlp}\n"
    )
    code, out, _ = run("data", "describe", "space.yaml", "--json", "-o", "page.html")
    assert code == 0
    assert "silhouette_crop" in json.loads(out)["stages"]


@pytest.mark.parametrize("text", ["limit", "=3", "limit=[1"])
def test_a_setting_that_cannot_be_read(run: Run, text: str) -> None:
    code, _, err = run("data", "describe", "creatures", "--set", text)
    assert code == 2
    assert "KEY=VALUE" in err


@pytest.mark.parametrize(
    "text",
    [
        "image_size=0",
        "image_size=abc",
        "image_size={choice: [8, 16]}",
        "channels=bgr",
        "split={seeed: 0}",
        "split=0.7",
        "split={train: 0.9, val: 0.5, test: 0.3}",
        "preprocess=silhouette_crop",
        "preprocess=[silhouette_crap]",
        "sead=3",
    ],
)
@pytest.mark.parametrize("command", [("describe", "creatures"), ("make", "creatures", "-o", "there")])
def test_a_setting_obeys_the_rules_of_a_file(run: Run, command: tuple[str, ...], text: str) -> None:
    code, out, err = run("data", *command, "--set", text)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith("error: --set ")


def test_a_setting_may_be_dotted(run: Run) -> None:
    words = ("data", "describe", "creatures", "--set", "limit=60", "-o", "page.html", "--json", "--set")
    one, other = (json.loads(run(*words, f"split.seed={seed}")[1]) for seed in (0, 1))
    assert one["parts"] == other["parts"]
    assert one["samples"] == other["samples"] == []


def test_describe_takes_what_a_file_is(run: Run, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "set.npz", images=images, labels=np.arange(12) % 2)
    for folder in ("inputs", "outputs"):
        (tmp_path / "pairs" / folder).mkdir(parents=True)
        for row, image in enumerate(images):
            Image.fromarray(image).save(tmp_path / "pairs" / folder / f"{row}.png")
            image[0, 0] ^= 255
    index = [{"input": f"inputs/{row}.png", "output": f"outputs/{row}.png"} for row in range(12)]
    (tmp_path / "pairs" / "index.json").write_text(json.dumps(index))
    (tmp_path / "pairs" / "labels.csv").write_text("id,label\n" + "\n".join(f"{row},a" for row in range(12)))
    (tmp_path / "Table.CSV").write_text("Id,label\n" + "\n".join(f"{row},{row % 2}" for row in range(12)))
    (tmp_path / "pairs" / "inputs").rename(tmp_path / "images")
    assert run("data", "describe", "Table.CSV", "-o", "page.html")[::2] == (0, "")
    (tmp_path / "images").rename(tmp_path / "pairs" / "inputs")
    for target in ("set.npz", "pairs", "pairs/index.json", "pairs/labels.csv"):
        code, out, err = run("data", "describe", target, "-o", "page.html")
        assert (code, err) == (0, "")
        assert "12 images" in out
    (tmp_path / "notes.txt").write_text("?")
    assert "no source reads such a file" in run("data", "describe", "notes.txt")[2]
    code, _, err = run("data", "describe", "folder")
    assert (code, "'path' is missing" in err) == (2, True)


def test_parts_and_what_is_passed_over_are_said(run: Run, tmp_path: Path) -> None:
    for row, part in enumerate(("Train", "valid") * 6):
        folder = tmp_path / "set" / part / str(row // 2 % 2)
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), row).save(folder / f"{row}.png")
    (tmp_path / "set" / "Train" / "0" / "x.heic").write_bytes(b"?")
    code, out, err = run("data", "describe", "set", "--set", "split={train: 0.7, val: 0.3, test: 0}")
    assert (code, err) == (0, "")
    assert "The parts are as the folders Train, valid give them.\n" in out
    assert "1 file was passed over (.heic 1).\n" in out


def test_what_cannot_be_imported(run: Run, tmp_path: Path) -> None:
    assert "did you mean 'sprites'" in run("data", "import", "sprite", "package.tgz")[2]
    code, _, err = run("data", "import", "sprites", "package.tgz")
    assert code == 2
    assert err.startswith("error: package.tgz")
    assert list(tmp_path.iterdir()) == []

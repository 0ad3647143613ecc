"""``data make`` writes what ``data describe`` and a study can read."""

from __future__ import annotations

import json
from pathlib import Path

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


def test_what_cannot_be_imported(run: Run, tmp_path: Path) -> None:
    assert "did you mean 'sprites'" in run("data", "import", "sprite", "package.tgz")[2]
    code, _, err = run("data", "import", "sprites", "package.tgz")
    assert code == 2
    assert err.startswith("error: package.tgz")
    assert list(tmp_path.iterdir()) == []

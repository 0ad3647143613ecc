"""``init`` writes a file that ``plan`` accepts, for the folders that people have; of others it says what is amiss."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from pokeopt.spec import load_study
from pokeopt.spec.study import StudySpec
from tests.cli.conftest import Run

DIGITS = load_digits()


def write_digits(
    folder: Path, numbers: range, *, layout: str = "{label}/{row}.png", side_px: int = 8
) -> None:
    """Write real images of digits as PNGs."""
    for row in numbers:
        path = folder / layout.format(label=DIGITS.target[row], row=row)
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = (DIGITS.images[row] * 15.9).astype(np.uint8)
        Image.fromarray(pixels).resize((side_px, side_px)).save(path)


def outlined(path: Path, side_px: int, shade: int, *, mode: str = "RGB") -> None:
    """Write a disc with a dark outline on a light, empty ground."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows, columns = np.mgrid[:side_px, :side_px] - side_px / 2
    radius = np.hypot(rows, columns)
    pixels = np.full((side_px, side_px, 3), 230, np.uint8)
    pixels[radius < side_px / 4] = (shade, 120, 80)
    pixels[np.abs(radius - side_px / 4) < 1.5] = 0
    image = Image.fromarray(pixels)
    if mode == "RGBA":
        image.putalpha(Image.fromarray(np.where(radius < side_px / 4 + 2, 255, 0).astype(np.uint8)))
    image.save(path)


def made(run: Run, *words: str) -> StudySpec:
    """Return what ``init`` wrote, after ``plan`` has accepted it."""
    code, out, err = run("init", *words)
    assert (code, err) == (0, ""), err
    path = words[words.index("-o") + 1] if "-o" in words else f"{Path(words[0]).name}.yaml"
    assert out.rstrip().splitlines()[-2:] == [f"  pokeopt plan {path}", f"  pokeopt run {path}"]
    assert run("plan", path)[0] == 0
    return load_study(path)


def test_class_folders(run: Run, tmp_path: Path) -> None:
    write_digits(tmp_path / "digits", range(100))
    spec = made(run, "digits")
    data, model = spec.closed["data"], spec.closed["model"]
    assert (spec.name, data["image_size"], data["channels"]) == ("digits", 28, "gray")
    assert model["family"] == "mlp"
    assert spec.baseline is not None
    assert spec.ablation is not None
    text = Path("digits.yaml").read_text()
    assert text.startswith("# 100 images of 10 classes.")
    assert "path: digits\n" in text, "relative to the file"
    assert "horizontal_flip" not in text, "a mirrored digit is none"


def test_what_it_saw_is_said(run: Run, tmp_path: Path) -> None:
    write_digits(tmp_path / "digits", range(100))
    _, out, _ = run("init", "digits")
    assert "100 in 10 classes: 0 11, 1 12, 2 10, 3 12, 4 8, 5 9, 6 11, 7 10 and 2 more" in out
    assert "8 px, modes L 100" in out
    code, out, _ = run("init", "digits", "--force", "--json")
    found = json.loads(out)
    assert (code, found["images"], len(found["classes"]), found["file"]) == (0, 100, 10, "digits.yaml")
    assert 0 < found["expected_s"] <= 600


def test_a_table_beside_its_images(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "kaggle"
    write_digits(folder / "train", range(60), layout="{row}.png")
    lines = ["Id,split_of,Type1"] + [f"{row},x,number {DIGITS.target[row]}" for row in range(60)]
    (folder / "train_labels.csv").write_text("\n".join(lines))
    (folder / "sample_submission.csv").write_text("Id,label\n9001,a\n9002,b\n")
    spec = made(run, "kaggle", "-o", "configs/mine.yaml")
    data = spec.closed["data"]
    assert (data["source"], data["id"], data["label"]) == ("csv", "Id", "split_of") or data[
        "label"
    ] == "Type1"
    assert spec.name == "mine"


def test_parts_are_kept(run: Run, tmp_path: Path) -> None:
    write_digits(tmp_path / "set" / "train", range(80))
    write_digits(tmp_path / "set" / "test", range(100, 140))
    made(run, "set")
    assert "# train, test: as the folder divides them" in Path("set.yaml").read_text()


def test_the_class_folders_may_lie_one_deeper(run: Run, tmp_path: Path) -> None:
    write_digits(tmp_path / "set" / "images", range(60))
    assert made(run, "set").closed["data"]["path"].endswith("set/images")


def test_mixed_sizes_and_modes(run: Run, tmp_path: Path) -> None:
    write_digits(tmp_path / "set", range(60), side_px=40)
    outlined(tmp_path / "set" / "0" / "large.png", 90, 10, mode="RGBA")
    spec = made(run, "set")
    assert (spec.closed["data"]["image_size"], spec.closed["data"]["channels"]) == (48, "rgb")
    _, out, _ = run("init", "set", "--force")
    assert "40 to 90 px, modes L 60, RGBA 1; some are transparent" in out


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_dark_outline_suggests_a_crop(run: Run, tmp_path: Path, mode: str) -> None:
    for row in range(320):
        outlined(tmp_path / "set" / "ab"[row % 2] / f"{row}.png", 50, row % 256, mode=mode)
    spec = made(run, "set")
    text = Path("set.yaml").read_text()
    assert "preprocess: {choice: {raw: [], crop: [silhouette_crop]}}" in text
    assert "include: [data.preprocess]" in text
    assert spec.closed["model"]["family"] == "cnn"


def test_uneven_classes_suggest_weighting(run: Run, tmp_path: Path) -> None:
    for row in range(60):
        outlined(tmp_path / "set" / ("rare" if row % 6 == 0 else "usual") / f"{row}.png", 20, row)
    assert "sampler: {choice: [shuffle, weighted]}" in (made(run, "set"), Path("set.yaml").read_text())[1]


def test_a_file_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    write_digits(tmp_path / "digits", range(60))
    Path("digits.yaml").write_text("mine")
    code, out, err = run("init", "digits")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "--force" in err
    assert Path("digits.yaml").read_text() == "mine"
    assert run("init", "digits", "--force")[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digits", "digits.yaml"], (
        "no trace beside them"
    )


def empty(folder: Path) -> str:
    return "there are no class folders"


def one_class(folder: Path) -> str:
    outlined(folder / "only" / "1.png", 20, 1)
    return "all 1 images are of one class, 'only'"


def three_images(folder: Path) -> str:
    for row in range(3):
        outlined(folder / str(row) / "1.png", 20, row)
    return "class '0'"


def loose_images(folder: Path) -> str:
    outlined(folder / "1.png", 20, 1)
    return "the image lies in no class folder"


def broken_image(folder: Path) -> str:
    write_digits(folder, range(60))
    (folder / "0" / "0.png").write_bytes(b"no image")
    return "the image is broken"


def other_table(folder: Path) -> str:
    (folder / "notes.csv").write_text("day,rain\nmonday,3\n")
    return "there are no class folders"


@pytest.mark.parametrize("build", [empty, one_class, three_images, loose_images, broken_image, other_table])
def test_a_bad_folder_is_one_line(run: Run, tmp_path: Path, build: object) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    expected = build(folder)  # type: ignore[operator]
    code, out, err = run("init", "bad")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert expected in err
    assert not Path("bad.yaml").exists()


def test_a_folder_that_is_not_there(run: Run) -> None:
    code, _, err = run("init", "nowhere")
    assert (code, err) == (
        2,
        "error: nowhere: there is no such folder; name the folder that holds your images\n",
    )

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


def pairs(folder: Path) -> str:
    for name in ("inputs", "outputs"):
        write_digits(folder / name, range(12), layout="{row}.png")
    return "hold pairs, no classes; write a file with source: pairs"


def unlabeled_part(folder: Path) -> str:
    write_digits(folder / "Train", range(60))
    write_digits(folder / "unlabeled", range(60, 70), layout="{row}.png")
    return "'unlabeled' stands beside Train"


def table_of(
    folder: Path,
    text: str,
    *,
    row: str = "{row},{label}",
    n: int = 40,
    images: str = "images",
    **settings: str,
) -> None:
    """Write digits into a folder, and a table of them."""
    write_digits(folder / images, range(n), layout="{row}.png")
    rows = [row.format(row=number, label=DIGITS.target[number]) for number in range(n)]
    table = folder / settings.get("table", "labels.csv")
    table.write_text("\n".join([text, *rows]), encoding=settings.get("encoding", "utf-8"))


def semicolons(folder: Path) -> str:
    table_of(folder, "Id;label", row="{row};{label}")
    return "labels.csv: the table is separated by semicolons"


def utf_16(folder: Path) -> str:
    table_of(folder, "Id,label", encoding="utf-16")
    return "labels.csv: the table cannot be read"


def no_header(folder: Path) -> str:
    table_of(folder, "0,zero")
    return "labels.csv:1: the table has no header: its first line names the image '0'"


def missing_image(folder: Path) -> str:
    table_of(folder, "Id,label")
    (folder / "images" / "7.png").unlink()
    return "the image '7' of labels.csv:9 is missing"


def other_names(folder: Path) -> str:
    table_of(folder, "Id,label", row="digit {row},{label}")
    return "labels.csv: only 10 of 40 rows name an image of bad, by the column 'label'"


def one_hot(folder: Path) -> str:
    write_digits(folder / "images", range(40), layout="{row}.png")
    rows = [f"{row},{row % 2},{1 - row % 2}" for row in range(40)]
    (folder / "labels.csv").write_text("\n".join(["file,odd,even", *rows]))
    return "a column of 0 and 1 for each of odd, even; one column of class names is needed"


def two_homes(folder: Path) -> str:
    table_of(folder, "Id,label", images="a")
    table_of(folder, "Id,label", images="b")
    return "the images that it names are in 2 folders: a, b; call the table like the folder"


@pytest.mark.parametrize(
    "build",
    [
        pairs,
        unlabeled_part,
        semicolons,
        utf_16,
        no_header,
        missing_image,
        other_names,
        one_hot,
        two_homes,
    ],
)
def test_what_it_cannot_use_is_refused_by_its_own_fault(run: Run, tmp_path: Path, build: object) -> None:
    """Folders are not taken for classes because a table beside them has a fault."""
    test_a_bad_folder_is_one_line(run, tmp_path, build)


@pytest.mark.parametrize(
    ("table", "images", "header", "row"),
    [
        ("train.csv", "train", "id,label", "{row},{label}"),
        ("trainLabels.csv", "train", "id,label", "{row}.png,{label}"),
        ("Data.CSV", "images", "Image Index,Finding Labels", "{row},{label}"),
        ("labels.csv", "images", "path,y", "images/{row}.png,{label}"),
        ("labels.csv", "images", "split_by,file,label", "x,{row},{label}"),
    ],
)
def test_the_table_is_told_and_the_images_are_its_own(
    run: Run, tmp_path: Path, table: str, images: str, header: str, row: str
) -> None:
    """Test images of the same names, and the example of a submission for them, are no training data."""
    folder = tmp_path / "set"
    table_of(folder, header, row=row, images=images, table=table, n=60)
    write_digits(folder / "holdout", range(90, 150), layout="{row}.png")
    for number, path in enumerate(sorted((folder / "holdout").iterdir())):
        path.rename(path.with_name(f"{number}.png"))
    rows = [f"{number},{number % 3}" for number in range(60)]
    (folder / "a_sample_submission.csv").write_text("\n".join(["id,label", *rows]))
    data = made(run, "set").closed["data"]
    assert Path(data["labels"]).name == table
    where = Path(data["images"]) / ("images" if header.startswith("path") else "")
    assert where.name == images
    _, out, _ = run("init", "set", "--force")
    assert f"labels           {table}, column {data['label']}; images " in out
    assert "60 in 10 classes" in out
    assert "a_sample_submission.csv is not used: it is an example of a submission.\n" in out


def test_a_column_of_parts_is_no_class(run: Run, tmp_path: Path) -> None:
    write_digits(tmp_path / "set" / "images", range(60), layout="{row}.png")
    rows = [f"{row}.png,{'val' if row % 5 == 0 else 'train'},d{DIGITS.target[row] % 3}" for row in range(60)]
    (tmp_path / "set" / "meta.csv").write_text("\n".join(["file,split,digit", *rows]))
    data = made(run, "set").closed["data"]
    assert (data["id"], data["label"]) == ("file", "digit")
    assert "# train, val: as the table divides them" in Path("set.yaml").read_text()


def test_images_in_several_folders_of_one_table(run: Run, tmp_path: Path) -> None:
    write_digits(tmp_path / "set", range(60), layout="images_0{label}/{row}.png")
    rows = [f"{row}.png,{'even' if DIGITS.target[row] % 2 == 0 else 'odd'}" for row in range(60)]
    (tmp_path / "set" / "entries.csv").write_text("\n".join(["Image Index,Finding", *rows]))
    made(run, "set")
    assert "60 in 2 classes: even" in run("init", "set", "--force")[1]


def test_class_folders_win_over_a_table_of_something_else(run: Run, tmp_path: Path) -> None:
    write_digits(tmp_path / "set", range(60))
    rows = [f"{row}.png,{row % 2 + 10}" for row in range(60)]
    (tmp_path / "set" / "widths.csv").write_text("\n".join(["file,width", *rows]))
    assert made(run, "set").closed["data"]["source"] == "folder"
    assert "widths.csv is not used: the folders give the classes.\n" in run("init", "set", "--force")[1]


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


def test_a_classifier_needs_two_classes(run: Run, tmp_path: Path) -> None:
    """Networks that make images may be trained on one class: a folder of it is no fault in itself."""
    write_digits(tmp_path / "set", range(40), layout="all/{row}.png")
    for family, code in (("mlp", 2), ("autoencoder", 0)):
        text = f"data: {{source: folder, path: set}}\nmodel: {{family: {family}}}\n"
        (tmp_path / "space.yaml").write_text(text)
        found, _, err = run("plan", "space.yaml")
        assert (found, "space.yaml:1 (data.source): all images are of one class, 'all'" in err) == (
            code,
            code > 0,
        )

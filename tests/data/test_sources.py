"""Sources list what is there, and name what is wrong by its file."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from pokeopt.data import SourceTable, load_data
from pokeopt.data.sources.base import class_names
from pokeopt.data.sources.csv import Csv
from pokeopt.data.sources.folder import Folder
from pokeopt.errors import DataError
from pokeopt.registry import SOURCES
from tests.data.conftest import write_image


def csv(folder: Path) -> SourceTable:
    return Csv(str(folder / "images"), str(folder / "labels.csv"), group="animal").read(folder / "home")


def test_digits(tmp_path: Path) -> None:
    table = SOURCES.make("digits").read(tmp_path)
    assert table.classes == tuple("0123456789")
    assert table.open(0).size == (28, 28)
    assert len(table.ids) == len(set(table.ids.tolist())) == 1797
    assert pickle.loads(pickle.dumps(table)).open(5).tobytes() == table.open(5).tobytes()


def test_csv_reads_the_table_as_it_stands(labelled: Path) -> None:
    table = csv(labelled)
    assert table.ids[:2].tolist() == ["000", "001"]
    assert table.classes == ("fire", "water")
    assert table.labels[:4].tolist() == [1, 0, 1, 0]
    assert table.groups is not None
    assert table.groups[[0, 11]].tolist() == ["animal-0", "animal-2"]
    assert list(table.columns.columns) == ["animal"]
    assert table.open(0).size == (9, 7)
    assert pickle.loads(pickle.dumps(table)).open(3).tobytes() == table.open(3).tobytes()


def test_csv_finds_any_suffix_and_subfolders(tmp_path: Path) -> None:
    for number, name in enumerate(("a.jpg", "b.v2.webp", "more/c.png", "d.png")):
        write_image(tmp_path / "images" / name, number)
    text = "\ufeffId,label\na,10\nb.v2,9\nmore/c,9\n\nd.png,10\n\n"  # as spreadsheets save it, blank lines and all
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8")
    table = Csv(str(tmp_path / "images"), str(tmp_path / "labels.csv")).read(tmp_path / "home")
    assert table.ids.tolist() == ["a", "b.v2", "more/c", "d.png"]
    assert table.classes == ("9", "10")
    assert [table.open(row).size for row in range(4)] == [(9, 7)] * 4


def test_the_digest_is_that_of_the_bytes(labelled: Path) -> None:
    before = csv(labelled).content_hash
    assert csv(labelled).content_hash == before
    write_image(labelled / "images" / "003.png", seed=77)
    assert csv(labelled).content_hash != before


def edit(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        labels = folder / "labels.csv"
        labels.write_text(labels.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    return change


def cut_image(folder: Path) -> None:
    path = folder / "images" / "005.png"
    path.write_bytes(path.read_bytes()[:60])


def no_image(folder: Path) -> None:
    (folder / "images" / "005.png").write_text("not an image", encoding="utf-8")


WRONG_CSV: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing image": (
        lambda folder: (folder / "images" / "004.png").unlink(),
        r"004: .*labels\.csv:6 is missing",
    ),
    "two suffixes": (lambda folder: write_image(folder / "images" / "004.jpg", 1), r"004\.jpg or 004\.png"),
    "unlabelled": (edit("004,water", "004, "), r"labels\.csv:6: image '004' has no 'label'"),
    "short row": (edit("004,water,animal-1", "004"), r"labels\.csv:6: image '004' has no 'label'"),
    "long row": (edit("004,water,", "004,water,x,"), "the table cannot be read"),
    "nameless": (edit("004,water", ",water"), r"labels\.csv:6: the row has no 'Id'"),
    "twice": (edit("004,water", "003,water"), r"labels\.csv:6: image '003' is already in line 5"),
    "no column": (edit("Id,label", "Id,labels"), r"no column 'label'; did you mean 'labels'"),
    "no group column": (edit(",animal\n", ",creature\n"), "no column 'animal'"),
    "no rows": (
        lambda folder: (folder / "labels.csv").write_text("Id,label,animal\n"),
        "has no rows",
    ),
    "empty table": (lambda folder: (folder / "labels.csv").write_text(""), "cannot be read"),
    "latin-1": (
        lambda folder: (folder / "labels.csv").write_bytes(b"Id,label\n\xe9,1\n"),
        "cannot be read",
    ),
    "no table": (lambda folder: (folder / "labels.csv").unlink(), "no such table"),
    "no folder": (lambda folder: (folder / "images").rename(folder / "x"), "no such folder"),
    "cut image": (cut_image, r"005\.png: the image is broken"),
    "text as image": (no_image, r"005\.png: the image is broken"),
    "single": (edit("004,water", "004,ice"), "class 'ice' has 1 image to divide"),
}


@pytest.mark.parametrize("fault", WRONG_CSV)
def test_a_faulty_table_is_named_in_one_line(labelled: Path, fault: str) -> None:
    spoil, message = WRONG_CSV[fault]
    spoil(labelled)
    data = {
        "source": "csv",
        "images": str(labelled / "images"),
        "labels": str(labelled / "labels.csv"),
        "group": "animal",
    }
    with pytest.raises(DataError, match=message) as found:
        load_data(data, labelled / "home" / "cache")
    assert "\n" not in str(found.value)
    images = labelled / "home" / "cache" / "images"
    assert not images.is_dir() or not [path for path in images.iterdir() if path.is_dir()]


def test_folder_takes_the_class_from_the_folder(tmp_path: Path) -> None:
    for number, name in enumerate(("cat/1.png", "cat/deep/2.jpg", "dog/1.PNG")):
        write_image(tmp_path / name, number)
    (tmp_path / "cat" / "notes.txt").write_text("no image", encoding="utf-8")
    table = Folder(str(tmp_path)).read(tmp_path / ".home")
    assert table.ids.tolist() == ["cat/1.png", "cat/deep/2.jpg", "dog/1.PNG"]
    assert table.classes == ("cat", "dog")
    assert table.labels.tolist() == [0, 0, 1]
    assert table.given is None


def test_folder_keeps_given_parts(tmp_path: Path) -> None:
    root, number = tmp_path / "pets", 0
    for part, count in (("train", 8), ("val", 2)):
        for label in ("cat", "dog"):
            for _ in range(count):
                number += 1
                write_image(root / part / label / f"{number}.png", number)
    data = {
        "source": "folder",
        "path": str(root),
        "image_size": 8,
        "split": {"train": 0.5, "val": 0.25, "test": 0.25},
    }
    first, second = (load_data(data, tmp_path / "cache", resample=seed) for seed in (0, 1))
    assert first.split_hash == second.split_hash
    assert {str(name).split("/")[0] for name in first.ids[first.val]} == {"val"}
    assert {str(name).split("/")[0] for name in first.ids[first.test]} == {"train"}
    assert [len(first.train), len(first.val), len(first.test)] == [12, 4, 4]


def test_a_class_called_train_is_a_class(tmp_path: Path) -> None:
    for number, name in enumerate(("train/1.png", "bus/1.png")):
        write_image(tmp_path / "pictures" / name, number)
    assert Folder(str(tmp_path / "pictures")).read(tmp_path).classes == ("bus", "train")


def test_faulty_folders(tmp_path: Path) -> None:
    root = tmp_path / "pets"
    with pytest.raises(DataError, match="no such folder"):
        Folder(str(root)).read(tmp_path)
    root.mkdir()
    with pytest.raises(DataError, match="there are no class folders"):
        Folder(str(root)).read(tmp_path)
    write_image(root / "cat" / "1.png", 1)
    (root / "dog").mkdir()
    with pytest.raises(DataError, match="dog: the class folder holds no image"):
        Folder(str(root)).read(tmp_path)
    write_image(root / "loose.png", 2)
    with pytest.raises(DataError, match=r"loose\.png: the image lies in no class folder"):
        Folder(str(root)).read(tmp_path)


def test_class_names_are_sorted_by_value_where_they_are_numbers() -> None:
    assert class_names(["b", "10", "9"]) == ("10", "9", "b")
    assert class_names(["10", "9", "010"]) == ("9", "010", "10")

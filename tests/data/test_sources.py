"""Sources list what is there, and name what is wrong by its file."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import pytest

from pokeopt.data import SourceTable, load_data
from pokeopt.data.exporting import export_images
from pokeopt.data.sources.base import PART_WORDS, PARTS, class_names
from pokeopt.data.sources.csv import Csv
from pokeopt.data.sources.folder import Folder
from pokeopt.errors import DataError
from pokeopt.registry import SOURCES
from tests.data.conftest import write_image

_WORDS_OF = {part: [word.title() for word in PART_WORDS if PART_WORDS[word] == part] for part in PARTS}


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


def make_parts(root: Path, parts: Sequence[str], classes: Sequence[str] = ("cat", "dog")) -> Path:
    """Write two images of each class into each part."""
    for part, label, number in product(parts, classes, (0, 1)):
        write_image(root / part / label / f"{number}.png", hash((part, label, number)) % 2**32)
    return root


@pytest.mark.parametrize("parts", list(product(*_WORDS_OF.values())))
def test_part_folders_of_any_usual_name_are_parts(tmp_path: Path, parts: tuple[str, ...]) -> None:
    table = Folder(str(make_parts(tmp_path / "pets", parts))).read(tmp_path)
    assert table.classes == ("cat", "dog")
    assert table.given is not None
    by_folder = dict(zip((str(name).split("/")[0] for name in table.ids), table.given.tolist(), strict=True))
    assert by_folder == dict(zip(parts, _WORDS_OF, strict=True))


def test_parts_never_become_classes(tmp_path: Path) -> None:
    """Whatever stands beside train, cats and dogs are not pooled into a class called train."""
    mixed = make_parts(tmp_path / "mixed", ("Train", "test"))
    write_image(mixed / "unlabeled" / "1.png", 1)
    two = make_parts(tmp_path / "two", ("train", "val", "valid"))
    none = make_parts(tmp_path / "none", ("val", "test"))
    for root, message in (
        (mixed, "'unlabeled' stands beside Train, test; move it out"),
        (two, "val and valid are both the val part"),
        (none, "there are only test, val; add a folder train"),
    ):
        with pytest.raises(DataError, match=message):
            Folder(str(root)).read(tmp_path)


def test_a_folder_of_pairs_is_no_folder_of_classes(tmp_path: Path) -> None:
    for name in ("inputs/1.png", "outputs/1.png", "conditions/1.png"):
        write_image(tmp_path / name, 1)
    with pytest.raises(DataError, match="use source: pairs"):
        Folder(str(tmp_path)).read(tmp_path)


def test_a_single_class_of_class_folders_is_refused(tmp_path: Path) -> None:
    for number, name in enumerate(("cat/1.png", "dog/1.png")):
        write_image(tmp_path / "set" / "images" / "all" / name, number)
    with pytest.raises(DataError, match=r"data\.path: .*images/all\?"):
        Folder(str(tmp_path / "set")).read(tmp_path)
    assert Folder(str(tmp_path / "set" / "images" / "all")).read(tmp_path).classes == ("cat", "dog")


def test_hidden_folders_are_no_data(tmp_path: Path) -> None:
    for number, name in enumerate(("cat/1.png", "dog/1.png", "dog/.ipynb_checkpoints/1-checkpoint.png")):
        write_image(tmp_path / "pets" / name, number)
    write_image(tmp_path / "pets" / "__MACOSX" / "cat" / "._1.png", 5)
    assert Folder(str(tmp_path / "pets")).read(tmp_path).ids.tolist() == ["cat/1.png", "dog/1.png"]


def test_what_is_passed_over_is_counted(tmp_path: Path) -> None:
    for number, name in enumerate(("cat/1.png", "dog/1.png")):
        write_image(tmp_path / "pets" / name, number)
    for name in ("cat/2.heic", "cat/3.HEIC", "dog/readme.pdf", "dog/bare"):
        (tmp_path / "pets" / name).write_bytes(b"?")
    table = Folder(str(tmp_path / "pets")).read(tmp_path)
    assert table.ids.tolist() == ["cat/1.png", "dog/1.png"], "Pillow only writes .pdf"
    assert table.notes == ("4 files were passed over (.heic 2, .pdf 1, without suffix 1).",)


def test_links_are_followed_and_dangling_ones_are_named(tmp_path: Path) -> None:
    for number, name in enumerate(("pets/cat/1.png", "pets/dog/1.png", "store/2.png")):
        write_image(tmp_path / name, number)
    root = tmp_path / "pets"
    (root / "dog" / "more").symlink_to(tmp_path / "store")
    (root / "cat" / "round").symlink_to(root / "cat")
    assert Folder(str(root)).read(tmp_path).ids.tolist() == ["cat/1.png", "dog/1.png", "dog/more/2.png"]
    (root / "dog" / "3.png").symlink_to("/nowhere/3.png")
    with pytest.raises(DataError, match=r"dog/3\.png: the image is missing: its link leads nowhere"):
        Folder(str(root)).read(tmp_path)


def write_table(folder: Path, text: str, **settings: str) -> SourceTable:
    (folder / "labels.csv").write_text(text, encoding="utf-8")
    return Csv(str(folder / "images"), str(folder / "labels.csv"), **settings).read(folder / "home")


def split_table(column: str, words: Sequence[str]) -> str:
    rows = [f"{row:03d},{'fire' if row % 2 else 'water'},{words[row // 2 % 3]}" for row in range(12)]
    return "\n".join([f"Id,label,{column}", *rows])


@pytest.mark.parametrize(
    ("column", "words", "settings"),
    [
        ("part", ("train", "val", "test"), {}),
        ("Split", ("TRAIN", "validation", "testing"), {}),
        ("fold", ("training", "dev", "Test"), {"part": "fold"}),
    ],
)
def test_the_parts_of_a_table_are_kept(
    labelled: Path, column: str, words: Sequence[str], settings: dict[str, str]
) -> None:
    table = write_table(labelled, split_table(column, words), **settings)
    assert table.given is not None
    assert table.given.tolist() == [("train", "val", "test")[row // 2 % 3] for row in range(12)]
    assert table.notes == (f"The parts are as the column '{column}' gives them.",)
    data = {"source": "csv", "images": str(labelled / "images"), "labels": str(labelled / "labels.csv")}
    for split in ({}, {"by": column, "seed": 3}):
        found = load_data({**data, **settings, "image_size": 4, "split": split}, labelled / "home" / "cache")
        for part in ("train", "val", "test"):
            expected = table.ids[table.given == part].tolist()
            assert found.ids[getattr(found, part)].tolist() == expected


def test_a_column_with_other_words_is_no_division(labelled: Path) -> None:
    text = split_table("split", ("train", "val", "later"))
    table = write_table(labelled, text)
    assert table.given is None
    assert table.notes == ("The parts are drawn: the column 'split' is not taken, it says 'later', too.",)
    with pytest.raises(DataError, match=r"labels\.csv:6: 'later' in the column 'split' is no part"):
        write_table(labelled, text, part="split")


def test_what_is_made_of_a_source_keeps_its_parts(tmp_path: Path) -> None:
    source = Folder(str(make_parts(tmp_path / "pets", ("train", "val", "test")))).read(tmp_path)
    export_images(source, tmp_path / "made")
    again = Csv(str(tmp_path / "made/images"), str(tmp_path / "made/labels.csv")).read(tmp_path)
    assert source.given is not None
    assert again.given is not None
    assert again.given.tolist() == source.given.tolist()


def test_images_of_a_table_may_lie_in_several_folders(labelled: Path) -> None:
    images = labelled / "images"
    for path in sorted(images.iterdir()):
        folder = images / f"images_{int(path.stem) % 3:03d}"
        folder.mkdir(exist_ok=True)
        path.rename(folder / path.name)
    table = csv(labelled)
    assert table.open(5).size == (9, 7)
    write_image(images / "images_000" / "005.png", 1)
    with pytest.raises(DataError, match=r"'005' may be images_000/005\.png or images_002/005\.png"):
        csv(labelled)


def test_files_beside_an_image_are_not_it(labelled: Path) -> None:
    for suffix in (".xml", ".txt"):
        (labelled / "images" / f"004{suffix}").write_text("a box")
    write_image(labelled / "images" / "unlabelled.png", 1)
    table = csv(labelled)
    assert table.open(4).size == (9, 7)
    assert table.notes == ("1 image in images not named in labels.csv, and not used.",)


def test_a_row_after_a_line_break_in_quotes_has_its_line(labelled: Path) -> None:
    with pytest.raises(DataError, match=r"labels\.csv:5: image '001' has no 'label'"):
        write_table(labelled, 'Id,label,note\n000,fire,"two\nlines"\n\n001,,\n')


def test_a_fault_is_counted(labelled: Path) -> None:
    text = (labelled / "labels.csv").read_text()
    (labelled / "labels.csv").write_text(text.replace("water,animal-1", ",animal-1"))
    with pytest.raises(DataError, match=r"csv:6: image '004' has no 'label' \(and 1 more, in line 8\)"):
        csv(labelled)
    (labelled / "labels.csv").write_text(text)
    for name in ("001", "005", "009"):
        (labelled / "images" / f"{name}.png").unlink()
    with pytest.raises(DataError, match=r"'001' .*:3 is missing \(and 2 more, in lines 7, 11\)"):
        csv(labelled)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Id;label\n000;a\n", "separated by semicolons; save it as comma-separated"),
        ("Id\tlabel\n000\ta\n", "separated by tabs; save it as comma-separated"),
        ("000,a\n001,b\n", r"labels\.csv:1: the table has no header: .* '000'; write Id,label above it"),
    ],
)
def test_a_table_of_another_form_is_told_apart(labelled: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        write_table(labelled, text)


def test_images_without_a_group_are_no_group(labelled: Path) -> None:
    edit("animal-1\n", "\n")(labelled)
    with pytest.raises(DataError, match=r"labels\.csv:6: image '004' has no 'animal' \(and 3 more"):
        csv(labelled)
    data = {"source": "csv", "images": str(labelled / "images"), "labels": str(labelled / "labels.csv")}
    with pytest.raises(DataError, match=r"'004' has no 'animal'; so it is with 3 other images"):
        load_data({**data, "split": {"by": "animal"}}, labelled / "home" / "cache")

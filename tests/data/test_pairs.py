"""Sources of pairs: what they list, and how they name what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pokeopt.data import SourceTable, load_data
from pokeopt.data.exporting import export_images
from pokeopt.data.sources.creatures import Creatures
from pokeopt.data.sources.pairs import Pairs, painted
from pokeopt.registry import SOURCES
from tests.data.conftest import write_image
from tests.data.source_laws import assert_travels, refused

N_PAIRS = 8

# Pairs in a folder


@pytest.fixture
def paired(tmp_path: Path) -> Path:
    """Return a folder of pairs with conditions and labels."""
    lines = ["id,label,overlap,place"]
    for row in range(N_PAIRS):
        for number, folder in enumerate(("inputs", "conditions", "outputs")):
            write_image(tmp_path / "set" / folder / f"{row}.png", 10 * row + number)
        lines.append(
            f"{row},{'disc' if row % 2 else 'box'},{'true' if row == 3 else 'False'},corner {row // 4}"
        )
    (tmp_path / "set" / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path / "set"


def pairs(path: Path, **settings: str) -> SourceTable:
    return Pairs(str(path), **settings).read(path.parent / "home")


def test_pairs_of_a_folder(paired: Path) -> None:
    (paired / "inputs" / "notes.txt").write_text("no image", encoding="utf-8")
    table = pairs(paired)
    assert table.ids.tolist() == [str(row) for row in range(N_PAIRS)]
    assert table.classes == ("box", "disc")
    assert table.labels.tolist() == [0, 1] * (N_PAIRS // 2)
    assert table.groups is None
    assert table.columns["overlap"].dtype == bool
    assert np.flatnonzero(table.columns["overlap"]).tolist() == [3]
    assert table.columns["place"].tolist() == ["corner 0"] * 4 + ["corner 1"] * 4
    assert table.open_pair is not None
    for opened, folder in zip(table.open_pair(5), ("inputs", "conditions", "outputs"), strict=True):
        with Image.open(paired / folder / "5.png") as image:
            assert opened.tobytes() == image.tobytes()
    assert_travels(table, 4)


def test_pairs_may_do_without_conditions_and_labels(paired: Path) -> None:
    for path in (paired / "conditions").iterdir():
        path.unlink()
    (paired / "conditions").rmdir()
    (paired / "labels.csv").unlink()
    table = pairs(paired)
    assert table.classes == ("image",)
    assert table.open_pair is not None
    _, condition, _ = table.open_pair(0)
    assert (condition.size, condition.mode, condition.getextrema()) == ((9, 7), "RGB", ((0, 0),) * 3)


def test_any_column_may_be_the_class(paired: Path) -> None:
    table = pairs(paired, label="place")
    assert table.classes == ("corner 0", "corner 1")
    assert list(table.columns.columns) == ["label", "overlap"]
    refused(lambda: pairs(paired, label="plaice"), "no pair has a 'plaice'; did you mean 'place'")


@pytest.mark.parametrize("folder", ["inputs", "conditions", "outputs", "labels"])
def test_the_digest_of_pairs_is_that_of_all_bytes(paired: Path, folder: str) -> None:
    before = pairs(paired).content_hash
    assert pairs(paired).content_hash == before
    if folder == "labels":
        spell(paired, "5,disc,False", "5,disc,True")
    else:
        write_image(paired / folder / "5.png", seed=99)
    assert pairs(paired).content_hash != before


def test_pairs_are_decoded_together(paired: Path) -> None:
    data = {"source": "pairs", "path": str(paired), "image_size": 8, "split": {"train": 0.5, "val": 0.25}}
    dataset = load_data(
        data | {"split": {"train": 0.5, "val": 0.25, "test": 0.25}}, paired / "home" / "cache"
    )
    assert dataset.images.shape == (N_PAIRS, 9, 8, 8)
    assert SOURCES.get("pairs").task == "translation"


def spell(folder: Path, old: str, new: str) -> None:
    labels = folder / "labels.csv"
    text = labels.read_text(encoding="utf-8")
    assert old in text
    labels.write_text(text.replace(old, new), encoding="utf-8")


WRONG_FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no folder": (lambda folder: folder.rename(folder.with_name("x")), "there is no such folder or index"),
    "no outputs": (
        lambda folder: (folder / "outputs").rename(folder / "x"),
        "outputs: there is no such folder",
    ),
    "no output": (
        lambda folder: (folder / "outputs" / "3.png").unlink(),
        r"inputs/3\.png: outputs has no file",
    ),
    "no input": (
        lambda folder: (folder / "inputs" / "3.png").unlink(),
        r"outputs/3\.png: inputs has no file",
    ),
    "no condition": (lambda folder: (folder / "conditions" / "3.png").unlink(), "conditions has no file"),
    "more conditions": (lambda folder: write_image(folder / "conditions" / "x.png", 1), "conditions/x.png"),
    "two of a stem": (lambda folder: write_image(folder / "inputs" / "3.jpg", 1), "has the same stem"),
    "no row": (
        lambda folder: spell(folder, "3,disc,true,corner 0\n", ""),
        r"labels\.csv: there is no row for '3'",
    ),
    "row too many": (
        lambda folder: spell(folder, "3,disc", "x,disc"),
        r"labels\.csv:5: .* no input called 'x'",
    ),
    "row twice": (lambda folder: spell(folder, "3,disc", "2,disc"), r"labels\.csv:5: '2' has a row already"),
    "unlabelled": (lambda folder: spell(folder, "3,disc", "3,"), r"inputs/3\.png: the pair has no 'label'"),
    "neither": (lambda folder: spell(folder, "true", ""), "neither true nor false of 'overlap'"),
    "short row": (
        lambda folder: spell(folder, ",true", ""),
        r"labels\.csv:5: the row has 3 values, the header 4",
    ),
    "no ids": (lambda folder: spell(folder, "id,", "ids,"), "no column 'id'; did you mean 'ids'"),
    "latin-1": (lambda folder: (folder / "labels.csv").write_bytes(b"id\n\xe9\n"), "table cannot be read"),
}


@pytest.mark.parametrize("fault", WRONG_FOLDERS)
def test_faulty_folders_of_pairs(paired: Path, fault: str) -> None:
    spoil, message = WRONG_FOLDERS[fault]
    spoil(paired)
    refused(lambda: pairs(paired), message)


def test_an_index_is_pointed_at_where_stems_differ(paired: Path) -> None:
    (paired / "data.json").write_text("[]", encoding="utf-8")
    (paired / "outputs" / "3.png").unlink()
    refused(lambda: pairs(paired), r"or set data\.path to .*data\.json")


def test_broken_images_and_other_proportions_are_told_when_they_are_opened(paired: Path) -> None:
    (paired / "outputs" / "1.png").write_bytes(b"no image")
    write_image(paired / "outputs" / "2.png", 1, size=(7, 9))
    write_image(paired / "conditions" / "3.png", 1, size=(30, 10))
    write_image(
        paired / "outputs" / "4.png", 1, size=(27, 22)
    )  # three times as large, a pixel of rounding off
    open_pair = pairs(paired).open_pair
    assert open_pair is not None
    refused(lambda: open_pair(1), r"outputs/1\.png: the image is broken")
    refused(lambda: open_pair(2), r"outputs/2\.png: 7x9 pixels have other proportions than the input's 9x7")
    refused(lambda: open_pair(3), r"conditions/3\.png: 30x10 pixels have other proportions")
    assert open_pair(4)[2].size == (27, 22)
    refused(lambda: load_data({"source": "pairs", "path": str(paired)}, paired / "cache"), r"1\.png")


# Pairs in an index


def write_index(folder: Path, entries: Any) -> Path:
    for number, name in enumerate(("box", "disc")):
        write_image(folder / "inputs" / f"{name}.png", number)
        for other, colour in enumerate(("red", "cyan")):
            write_image(folder / "outputs" / f"{colour}_{name}.png", 10 + 2 * number + other)
    index = folder / "data.json"
    index.write_text(json.dumps(entries), encoding="utf-8")
    return index


def polygons() -> list[dict[str, Any]]:
    """Return the rows of a set of polygons to be coloured."""
    return [
        {"input_polygon": f"{name}.png", "colour": colour, "output_image": f"{colour}_{name}.png"}
        for name in ("box", "disc")
        for colour in ("red", "cyan")
    ]


def test_pairs_of_an_index(tmp_path: Path) -> None:
    index = write_index(tmp_path / "training", polygons())
    table = pairs(index)
    assert table.name == "training/data.json"
    assert table.ids.tolist() == ["red_box", "cyan_box", "red_disc", "cyan_disc"]
    assert table.classes == ("image",)
    assert table.groups is not None
    assert table.groups.tolist() == ["inputs/box.png"] * 2 + ["inputs/disc.png"] * 2
    assert table.columns["condition"].tolist() == ["red", "cyan"] * 2
    assert pairs(index, label="input_polygon").classes == ("box.png", "disc.png")
    assert_travels(table, 3)
    assert table.open_pair is not None
    given, condition, made = table.open_pair(1)
    assert condition.tobytes() == painted(given, "cyan").tobytes()
    with Image.open(tmp_path / "training" / "outputs" / "cyan_box.png") as image:
        assert made.tobytes() == image.tobytes()


def test_other_keys_of_an_index_become_columns(tmp_path: Path) -> None:
    entries = [
        {
            "id": f"pair {row}",
            "input": "inputs/box.png",
            "condition": ["outputs/cyan_box.png", "#f00", None, ""][row],
            "output": "outputs/red_box.png",
            "label": row % 2,
            "edge": row == 2,
            "corners": 4,
        }
        for row in range(4)
    ]
    table = pairs(write_index(tmp_path, entries))
    assert table.ids.tolist() == [f"pair {row}" for row in range(4)]
    assert table.classes == ("0", "1")
    assert table.columns["edge"].tolist() == [False, False, True, False]
    assert table.columns["edge"].dtype == bool
    assert table.columns["corners"].tolist() == ["4"] * 4
    assert table.columns["condition"].tolist() == ["cyan_box", "#f00", "", ""]
    assert table.open_pair is not None
    conditions = [table.open_pair(row)[1] for row in range(4)]
    with Image.open(tmp_path / "outputs" / "cyan_box.png") as image:
        assert conditions[0].tobytes() == image.tobytes()
    assert conditions[1].getextrema()[0] == (0, 255)
    assert [not np.asarray(image).any() for image in conditions[2:]] == [True, True]


def test_outputs_of_one_name_are_numbered(tmp_path: Path) -> None:
    table = pairs(write_index(tmp_path, polygons()[:1] * 2))
    assert table.ids.tolist() == ["00001-red_box", "00002-red_box"]


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "1", "P", "LA"])
def test_what_is_drawn_is_painted(mode: str) -> None:
    """Dark pixels take the colour; light and transparent ones are black."""
    drawing = Image.new("RGBA", (4, 2), (255, 255, 255, 0 if mode in ("RGBA", "LA") else 255))
    drawing.putpixel((1, 0), (0, 0, 0, 255))
    drawing.putpixel((2, 1), (90, 20, 20, 255))
    condition = painted(drawing.convert(mode), "orange")
    assert (condition.mode, condition.size) == ("RGB", (4, 2))
    found = {(x, y): condition.getpixel((x, y)) for x in range(4) for y in range(2)}
    assert {place for place, colour in found.items() if colour == (255, 165, 0)} == {(1, 0), (2, 1)}
    assert {colour for place, colour in found.items()} == {(255, 165, 0), (0, 0, 0)}


def changed(**values: Any) -> list[dict[str, Any]]:
    """Return the rows with the second one changed."""
    entries = polygons()
    entries[1] |= values
    return entries


WRONG_INDICES: dict[str, tuple[Any, str]] = {
    "no list": ({"input": "a.png"}, "data.json: the index is not a list of pairs"),
    "empty": ([], "the index is not a list of pairs"),
    "text": (["a"], r"data\.json \(row 1\): the row is not an object"),
    "no input": (changed(input_polygon=None), r"\(row 2\): the row has no 'input'"),
    "no output": (changed(output_image=""), r"\(row 2\): the row has no 'output'"),
    "number": (changed(input_polygon=5), r"\(row 2\): 'input_polygon' is no text: 5"),
    "missing": (changed(output_image="x.png"), r"\(row 2\): the output 'x.png' is missing"),
    "no colour": (
        changed(colour="bleu"),
        r"\(row 2\): the condition 'bleu' is missing; name a file, or a colour",
    ),
    "some labels": (changed(label="box"), r"\(row 1\): the pair has no 'label'"),
    "some facts": (changed(edge=True), r"\(row 1\): the pair has no 'edge'"),
    "many values": ([entry | {"edge": [1]} for entry in polygons()], r"\(row 1\): 'edge' is not one value"),
}


@pytest.mark.parametrize("fault", WRONG_INDICES)
def test_faulty_indices(tmp_path: Path, fault: str) -> None:
    entries, message = WRONG_INDICES[fault]
    index = write_index(tmp_path, entries)
    refused(lambda: pairs(index), message)


def test_an_index_that_is_no_json(tmp_path: Path) -> None:
    index = write_index(tmp_path, [])
    index.write_text("[{'a'", encoding="utf-8")
    refused(lambda: pairs(index), "data.json: the index cannot be read")


def test_pairs_written_as_files_are_read_again(tmp_path: Path) -> None:
    """Inputs, conditions, outputs, labels and slices."""
    table = Creatures(kind="polygons").read(tmp_path)
    assert export_images(table, tmp_path / "written", limit=40) == 40
    again = Pairs(str(tmp_path / "written")).read(tmp_path)
    assert table.open_pair is not None
    assert again.open_pair is not None
    rows = {str(name): row for row, name in enumerate(table.ids)}
    for row, name in enumerate(again.ids):
        there = rows[str(name)]
        assert again.classes[again.labels[row]] == table.classes[table.labels[there]]
        assert bool(again.columns["edge"][row]) == bool(table.columns["edge"][there])
        for one, other in zip(again.open_pair(row), table.open_pair(there), strict=True):
            assert np.array_equal(np.asarray(one), np.asarray(other))

"""Sources of arrays and of IDX files: what they list, and how they name what is wrong."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pokeopt.data import SourceTable, load_data
from pokeopt.data.sources.npz import Npz
from pokeopt.errors import SpecError
from pokeopt.registry import SOURCES
from tests.data.source_laws import assert_travels, refused

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 6, 5, 3), dtype=np.uint8)


# Arrays


def write_arrays(path: Path, **arrays: Any) -> Path:
    """Write 12 images of two classes, with other arrays added; None leaves one out."""
    found: dict[str, Any] = {"images": IMAGES, "labels": np.arange(12) % 2} | arrays
    np.savez(path, **{name: array for name, array in found.items() if array is not None})
    return path


def npz(path: Path, **settings: Any) -> SourceTable:
    return Npz(str(path), **settings).read(path.parent / "home")


@pytest.mark.parametrize(
    ("images", "mode"),
    [(IMAGES[..., 0], "L"), (IMAGES[..., :1], "L"), (IMAGES, "RGB"), (IMAGES / 255, "RGB")],
)
def test_npz_reads_images_of_any_kind(tmp_path: Path, images: Any, mode: str) -> None:
    table = npz(write_arrays(tmp_path / "a.npz", images=images, labels=np.array(["b", "a"] * 6)))
    assert (table.name, table.classes, table.given, table.groups) == ("a", ("a", "b"), None, None)
    assert table.labels.tolist() == [1, 0] * 6
    assert len(set(table.ids.tolist())) == 12
    opened = table.open(7)
    assert (opened.mode, opened.size) == (mode, (5, 6))
    expected = IMAGES[7] if mode == "RGB" else IMAGES[7, ..., 0]
    np.testing.assert_array_equal(np.asarray(opened), expected)
    assert_travels(table, 3)


def test_npz_reads_what_else_is_known(tmp_path: Path) -> None:
    parts = np.array(["train"] * 8 + ["val"] * 2 + ["test"] * 2)
    names, animals = np.array([f"n{row}" for row in range(12)]), np.arange(12) // 4
    path = write_arrays(tmp_path / "a.npz", split=parts, ids=names, groups=animals, labels=[b"x", b"y"] * 6)
    table = npz(path)
    assert table.given is not None
    assert table.given.tolist() == parts.tolist()
    assert table.ids.tolist() == names.tolist()
    assert table.groups is not None
    assert table.groups.tolist() == [str(animal) for animal in animals]
    assert table.classes == ("x", "y")
    dataset = load_data({"source": "npz", "path": str(path), "image_size": 4}, tmp_path / "home" / "cache")
    assert [len(dataset.train), len(dataset.val), len(dataset.test)] == [8, 2, 2]


def test_npz_reads_pairs(tmp_path: Path) -> None:
    path = write_arrays(tmp_path / "a.npz", answer=IMAGES[::-1], mask=IMAGES[..., 0], labels=None)
    source = Npz(str(path), target="answer", condition="mask")
    assert source.task == "translation"
    table = source.read(tmp_path / "home")
    assert table.classes == ("image",)
    assert table.open_pair is not None
    given, condition, made = (np.asarray(image) for image in table.open_pair(2))
    np.testing.assert_array_equal(given, IMAGES[2])
    np.testing.assert_array_equal(condition, IMAGES[2, ..., 0])
    np.testing.assert_array_equal(made, IMAGES[9])
    assert_travels(table, 2)
    bare = npz(path, target="answer")
    assert bare.open_pair is not None
    assert bare.open_pair(0)[1].getextrema() == ((0, 0),) * 3
    assert bare.content_hash != table.content_hash
    assert Npz(str(path)).task == "classification"
    with pytest.raises(SpecError, match="condition must be"):
        SOURCES.make({"npz": {"path": str(path), "condition": "mask"}})


def test_the_digest_of_arrays_is_that_of_the_bytes(tmp_path: Path) -> None:
    before = npz(write_arrays(tmp_path / "a.npz"))
    assert npz(write_arrays(tmp_path / "a.npz")).content_hash == before.content_hash
    after = npz(write_arrays(tmp_path / "a.npz", images=255 - IMAGES))
    assert after.content_hash != before.content_hash
    np.testing.assert_array_equal(np.asarray(after.open(0)), 255 - IMAGES[0])  # not those read before


WRONG_ARRAYS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no images": ({"images": None, "image": IMAGES}, {}, "no array 'images'; did you mean 'image'"),
    "no labels": ({"labels": None}, {}, "no array 'labels'"),
    "no target": ({}, {"target": "answer"}, "no array 'answer'"),
    "named labels": ({"a": IMAGES}, {"target": "a", "labels": "kinds"}, "no array 'kinds'"),
    "whole numbers": ({"images": IMAGES.astype(np.int64)}, {}, r"'images' is int64 of \(12, 6, 5, 3\)"),
    "channels first": ({"images": IMAGES.transpose(0, 3, 1, 2)}, {}, r"uint8 of \(12, 3, 6, 5\); save"),
    "no rows": ({"images": IMAGES[:0]}, {}, r"'images' is uint8 of \(0, 6, 5, 3\)"),
    "few labels": ({"labels": np.arange(11)}, {}, r"'labels' is int64 of \(11\); give 12"),
    "real labels": ({"labels": np.arange(12) / 2}, {}, r"'labels' is float64 of \(12\)"),
    "objects": ({"labels": np.array([None] * 12)}, {}, "'labels' holds Python objects"),
    "parts": (
        {"split": np.array(["train", "dev"] * 6)},
        {},
        "'split' has a part 'dev'; use train, val, test",
    ),
    "other size": ({"a": IMAGES[:, 1:]}, {"target": "a"}, r"'a' is \(12, 5, 5, 3\), 'images' is"),
    "fewer": ({"a": IMAGES[1:]}, {"target": "a"}, r"'a' is \(11, 6, 5, 3\)"),
}


@pytest.mark.parametrize("fault", WRONG_ARRAYS)
def test_faulty_arrays(tmp_path: Path, fault: str) -> None:
    arrays, settings, message = WRONG_ARRAYS[fault]
    path = write_arrays(tmp_path / "a.npz", **arrays)
    refused(lambda: npz(path, **settings), rf"a\.npz: .*{message}")


def test_faulty_files_of_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    refused(lambda: npz(path), "there is no such file")
    path.write_bytes(b"")
    refused(lambda: npz(path), "cannot be read")
    path.write_text("no arrays", encoding="utf-8")
    refused(lambda: npz(path), "cannot be read")
    data = write_arrays(path).read_bytes()
    path.write_bytes(data[:-400])
    refused(lambda: npz(path), "cannot be read")
    place = data.index(IMAGES.tobytes()[:50])
    path.write_bytes(data[:place] + b"\x00" * 50 + data[place + 50 :])
    refused(lambda: npz(path).open(0), "cannot be read: Bad CRC-32")
    with path.open("wb") as file:
        np.save(file, IMAGES)
    refused(lambda: npz(path), "this is one array")
    bright = npz(write_arrays(path, images=IMAGES.astype(np.float32)))
    refused(lambda: bright.open(4), "row 4 of 'images' has values outside")


# IDX files


def idx(array: Any) -> bytes:
    """Return an array of bytes in the IDX form."""
    shape = b"".join(int(size).to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim, *shape, *array.astype(np.uint8).tobytes()])


def write_mnist(folder: Path, spelling: str = "-", suffix: str = "") -> Path:
    """Write 12 images for training and 6 for the test, of three classes."""
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, n_images in (("train", 12), ("t10k", 6)):
        images = IMAGES[:n_images, ..., 0] if prefix == "train" else IMAGES[:n_images, ..., 1]
        for name, array in (("images{}idx3", images), ("labels{}idx1", 7 - np.arange(n_images) % 3)):
            data = gzip.compress(idx(array)) if suffix else idx(array)
            (folder / f"{prefix}-{name.format(spelling)}-ubyte{suffix}").write_bytes(data)
    return folder


def mnist(folder: Path) -> SourceTable:
    table: SourceTable = SOURCES.make({"mnist": {"path": str(folder)}}).read(folder.parent / "home")
    return table


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("spelling", ["-", "."])
@pytest.mark.parametrize("subfolder", ["", "raw", "MNIST/raw"])
def test_mnist_reads_its_files(tmp_path: Path, spelling: str, suffix: str, subfolder: str) -> None:
    write_mnist(tmp_path / "set" / subfolder, spelling, suffix)
    table = mnist(tmp_path / "set")
    assert (table.name, table.classes) == ("set", ("5", "6", "7"))
    assert table.labels.tolist() == [2, 1, 0] * 6
    assert table.given is not None
    assert table.given.tolist() == ["train"] * 12 + ["test"] * 6
    assert table.ids[[0, 12]].tolist() == ["train-00000", "test-00000"]
    np.testing.assert_array_equal(np.asarray(table.open(11)), IMAGES[11, ..., 0])
    np.testing.assert_array_equal(np.asarray(table.open(14)), IMAGES[2, ..., 1])
    assert table.open(0).mode == "L"
    assert_travels(table, 13)


def test_mnist_draws_validation_from_training(tmp_path: Path) -> None:
    folder = write_mnist(tmp_path / "set")
    data = {"source": "mnist", "path": str(folder), "image_size": 4}
    dataset = load_data(
        data | {"split": {"train": 0.5, "val": 0.25, "test": 0.25}}, tmp_path / "home" / "cache"
    )
    assert {str(name).split("-")[0] for name in dataset.ids[dataset.test]} == {"test"}
    assert {str(name).split("-")[0] for name in dataset.ids[dataset.val]} == {"train"}
    assert [len(dataset.train), len(dataset.val), len(dataset.test)] == [9, 3, 6]


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_faulty_idx_files(tmp_path: Path, suffix: str) -> None:
    folder = write_mnist(tmp_path / "set", suffix=suffix)
    labels, images = (folder / f"t10k-{name}-ubyte{suffix}" for name in ("labels-idx1", "images-idx3"))

    def write(path: Path, data: bytes) -> None:
        path.write_bytes(gzip.compress(data) if suffix else data)

    write(labels, idx(np.arange(5)))
    refused(lambda: mnist(folder), rf"t10k-labels-idx1-ubyte{suffix}: the file has 5 labels, .* 6 images")
    write(labels, idx(np.arange(6))[:-1])
    refused(lambda: mnist(folder), "the file has 13 bytes, its header says 14")
    write(labels, idx(IMAGES[..., 0]))
    refused(lambda: mnist(folder), "begins with 00000803, not with 00000801")
    labels.write_bytes(b"")
    refused(lambda: mnist(folder), "labels-idx1")
    write(labels, b"\x00\x00\x08\x01")
    refused(lambda: mnist(folder), "labels-idx1")
    write(labels, idx(np.arange(6)))
    images.write_bytes(images.read_bytes()[:-9])
    refused(lambda: mnist(folder), "images-idx3")
    images.unlink()
    refused(lambda: mnist(folder), "images-idx3-ubyte: the file is missing; add it")
    home = tmp_path / "home"
    refused(lambda: SOURCES.make("mnist").read(home), r"missing; set data\.download to true")


def test_mnist_is_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from torchvision import datasets

    asked: list[str] = []

    def no_network(root: str, download: bool) -> None:
        asked.append(root)
        sys.stdout.write("trying the next one\n")
        raise RuntimeError("Error downloading:\nno route to host\n")

    def network(root: str, download: bool) -> None:
        asked.append(root)
        write_mnist(Path(root) / "MNIST" / "raw")
        write_mnist(Path(root) / "MNIST" / "raw", suffix=".gz")

    source = SOURCES.make({"mnist": {"download": True}})
    monkeypatch.setattr(datasets, "MNIST", no_network)
    refused(
        lambda: source.read(tmp_path), "cannot be downloaded: Error downloading: no route to host; try again"
    )
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(datasets, "MNIST", network)
    table = source.read(tmp_path)
    assert (table.name, len(table.ids)) == ("mnist", 18)
    assert len(list((tmp_path / "data" / "mnist").iterdir())) == 4
    assert source.read(tmp_path).content_hash == table.content_hash
    assert (
        SOURCES.make("mnist").read(tmp_path).content_hash == table.content_hash
    )  # what is there may be read
    assert len(asked) == 2
    assert not [root for root in asked if Path(root).exists()]

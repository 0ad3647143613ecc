"""The kinds of pictures that made-up creatures and imported sprites share: one suite of laws for all of them."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from pokeopt.data import SourceTable, import_sprites, load_data
from pokeopt.data.dataset import read_source
from pokeopt.data.drawing import CLASS_COUNTS, frames, fusions, photographs, polygons, tinted
from pokeopt.data.drawing.album import Album, scaled_counts
from pokeopt.data.drawing.creature_cast import CreatureCast
from pokeopt.data.drawing.joined import joined
from pokeopt.data.drawing.laying import lay, scaled
from pokeopt.data.drawing.shapes import COLOURS, UNIT_SHAPES, Shape, placed_shapes
from pokeopt.data.imports.cut_outs import FACT, INDEX, PIXELS, FrameKey, open_cut_outs, pack
from pokeopt.data.imports.sprite_cast import SpriteCast
from pokeopt.errors import DataError, SpecError
from pokeopt.registry import SOURCES
from tests.data.mini_package import GEN_I, build_mini_package

KINDS = {
    "fusions": (128, "RGBA", 2430),
    "photographs": (224, "RGB", 1200),
    "frames": (64, "RGB", 1000),
    "polygons": (128, "RGB", 1200),
}
LIMITS = {"photographs": 50, "frames": 40, "polygons": 50}
EVERY = [(source, kind) for source in ("creatures", "sprites") for kind in KINDS]
# Mean red, green and blue of what is drawn first, by kind and version: a change of the drawing must raise the version
# of its kind, or caches would go stale. A mean, because the last bit of a texture may differ by machine.
FIRST_MEANS: dict[tuple[str, int], tuple[float, float, float]] = {
    ("fusions", 1): (216.99, 216.51, 211.24),
    ("photographs", 1): (110.79, 118.85, 108.09),
    ("frames", 1): (84.33, 95.43, 85.84),
    ("polygons", 1): (150.31, 144.97, 138.13),
    ("tinted", 1): (145.96, 143.97, 144.38),
}
DRAWN = {
    "fusions": (fusions.VERSION, fusions.fusions(CreatureCast(0), 0)),
    "photographs": (photographs.VERSION, photographs.photographs(CreatureCast(0), 0)),
    "frames": (frames.VERSION, frames.frames(CreatureCast(0), 0, 4)),
    "polygons": (polygons.VERSION, polygons.polygons(0)),
    "tinted": (tinted.VERSION, tinted.tinted(CreatureCast(0), 0)),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with the imported set ``mini``: 18 of the 124 species."""
    folder = tmp_path_factory.mktemp("kinds")
    import_sprites(build_mini_package(folder / "mini.tgz"), "mini", folder / "home")
    return folder / "home"


def read(home: Path, source: str, kind: str, **settings: Any) -> SourceTable:
    named = {"name": "mini"} if source == "sprites" else {}
    return read_source({"source": source, "kind": kind, **named, **settings}, home)


def pixels(image: Image.Image) -> npt.NDArray[np.int64]:
    return np.asarray(image.convert("RGB")).astype(np.int64)


def mean_colour(album: Album) -> npt.NDArray[np.float64]:
    """Return the mean red, green and blue of all images of rows 0 to 4."""
    drawn = [image for row in range(5) for image in (album.open_pair or _alone(album))(row)]
    mean: npt.NDArray[np.float64] = np.mean([pixels(image).mean(axis=(0, 1)) for image in drawn], axis=0)
    return mean


def _alone(album: Album) -> Callable[[int], tuple[Image.Image, ...]]:
    return lambda row: (album.open(row),)


@pytest.mark.parametrize(("source", "kind"), EVERY)
def test_a_table_is_whole(home: Path, source: str, kind: str) -> None:
    table = read(home, source, kind)
    n = len(table.ids)
    assert len(set(table.ids.tolist())) == n
    assert (table.groups is None) == ((source, kind) == ("creatures", "polygons"))
    assert len(table.labels) == len(table.columns) == n
    assert table.groups is None or len(table.groups) == n
    assert list(table.classes) == sorted(table.classes)
    counts = np.bincount(table.labels, minlength=len(table.classes))
    assert len(counts) == len(table.classes)
    assert counts.min() >= 3
    assert len(set(table.labels[:30].tolist())) > 1  # neither row nor id tells the class
    assert kind in table.name
    full = KINDS[kind][2]
    assert n == full if source == "creatures" else 0.1 * full < n < 0.2 * full


@pytest.mark.parametrize(("source", "kind"), EVERY)
def test_a_picture_depends_on_seed_and_row_alone(home: Path, source: str, kind: str) -> None:
    table, again = read(home, source, kind), pickle.loads(pickle.dumps(read(home, source, kind).open))
    rows = [5, 0, 11, 5, 2, 7]
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(table.open, rows))
    side, mode, _ = KINDS[kind]
    for row, image in zip(rows, drawn, strict=True):
        assert (image.size, image.mode) == ((side, side), mode)
        assert image.tobytes() == again(row).tobytes()
        assert mode == "RGB" or image.getchannel("A").getextrema() == (255, 255)
    assert len({image.tobytes() for image in drawn}) == len(set(rows))


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_has_other_pictures(home: Path, kind: str) -> None:
    first, same, other = (read(home, "creatures", kind, seed=seed) for seed in (0, 0, 1))
    assert first.content_hash == same.content_hash != other.content_hash
    assert first.open(3).tobytes() != other.open(3).tobytes()


@pytest.mark.parametrize("source", ["creatures", "sprites"])
def test_the_hash_names_the_kind_and_its_version(
    home: Path, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = [read(home, source, kind).content_hash for kind in ("noise", *KINDS)]
    assert len(set(hashes)) == len(hashes)
    one, many = (read(home, source, "frames", scenes=scenes).content_hash for scenes in (1, 4))
    assert one != many == hashes[3]
    assert read(home, source, "fusions", scenes=1).content_hash == hashes[1]  # they know no scenes
    monkeypatch.setattr("pokeopt.data.drawing.fusions.VERSION", fusions.VERSION + 1)
    changed = [read(home, source, kind).content_hash for kind in ("noise", *KINDS)]
    assert [now != then for now, then in zip(changed, hashes, strict=True)] == [
        False,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize("kind", DRAWN)
def test_the_drawing_changes_with_its_version_only(kind: str) -> None:
    version, album = DRAWN[kind]
    assert mean_colour(album) == pytest.approx(FIRST_MEANS[kind, version], abs=0.2)


@pytest.mark.parametrize(("source", "kind"), EVERY)
def test_the_task_follows_from_the_kind(home: Path, source: str, kind: str) -> None:
    made = SOURCES.make({source: {"kind": kind}})
    assert made.task == ("translation" if kind == "polygons" else "classification")
    assert (read(home, source, kind).open_pair is not None) == (kind == "polygons")


@pytest.mark.parametrize(("source", "kind"), [pair for pair in EVERY if pair[0] == "sprites"])
def test_every_kind_can_be_divided_and_loaded(home: Path, source: str, kind: str) -> None:
    data = {"source": source, "name": "mini", "kind": kind, "image_size": 16, "limit": LIMITS.get(kind)}
    loaded = load_data(data, home / "cache")
    for part in (loaded.train, loaded.val, loaded.test):
        assert set(loaded.labels[part].tolist()) == set(range(len(loaded.classes)))
    assert loaded.images.shape[1:] == (9 if kind == "polygons" else 3, 16, 16)
    assert loaded.duplicates_across_splits == ()


# --- fusions


@pytest.mark.parametrize("source", ["creatures", "sprites"])
def test_fusions_are_of_two_and_named_by_head_and_body(home: Path, source: str) -> None:
    table = read(home, source, "fusions")
    cast = CreatureCast(0) if source == "creatures" else _cast(home)
    type_of = dict(zip(cast.names, cast.types, strict=True))
    for label, head, body in zip(table.labels, table.columns["head"], table.columns["body"], strict=True):
        assert table.classes[label] == f"{type_of[head]}-{type_of[body]}"
        assert head != body
    assert len(table.classes) == 81
    assert table.groups is not None
    assert table.groups[0] == f"{table.columns['head'][0]}+{table.columns['body'][0]}"
    assert len(set(np.bincount(table.labels).tolist())) == 1


def test_a_fusion_shows_parts_of_both() -> None:
    cast = CreatureCast(0)

    def drawn(head: int, body: int) -> npt.NDArray[np.uint8]:
        return cast.fusion(head, body, np.random.default_rng(1), 60)

    assert drawn(3, 90).tobytes() != drawn(4, 90).tobytes()
    assert drawn(3, 90).tobytes() != drawn(3, 91).tobytes()
    np.testing.assert_array_equal(drawn(3, 90), drawn(3, 90))


def _block(height: int, width: int, colour: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    cut_out = np.zeros((height, width, 4), np.uint8)
    cut_out[...] = (*colour, 255)
    return cut_out


def test_joined_cut_outs_are_as_wide_at_the_seam_and_closed_by_an_outline() -> None:
    upper, lower = _block(40, 30, (200, 0, 0)), _block(40, 24, (0, 0, 200))
    whole = joined(upper, lower)
    assert whole.shape[1] == 24
    assert (whole[..., 3] == 255).all()
    red, blue = whole[..., 0] > 100, whole[..., 2] > 100
    seam = int(np.flatnonzero(red.any(axis=1))[-1])
    assert not blue[:seam].any()
    assert not red[seam + 1 :].any()
    assert 0.25 < (seam + 1) / len(whole) < 0.65
    assert not whole[seam, [0, -1], :3].max() > 40  # the outline goes on where the two meet


def test_what_is_too_wide_to_fit_still_makes_a_creature_in_one_piece() -> None:
    whole = joined(_block(40, 90, (200, 0, 0)), _block(40, 20, (0, 0, 200)))
    assert whole[..., 3].any(axis=1).all()
    assert whole[..., 3].any(axis=0).all()


# --- photographs


def test_photographs_have_the_document_s_shares(home: Path) -> None:
    table = read(home, "creatures", "photographs")
    counts = dict(zip(table.classes, np.bincount(table.labels).tolist(), strict=True))
    assert counts == photographs.COUNTS
    assert sum(counts.values()) == 1200
    assert round(100 * counts["Water"] / 1200, 1) == 21.1
    assert counts["Fighting"] / 1200 == 0.05


def test_shares_are_kept_where_species_are_missing(home: Path) -> None:
    table = read(home, "sprites", "photographs")
    counts = dict(zip(table.classes, np.bincount(table.labels).tolist(), strict=True))
    for kind, count in photographs.COUNTS.items():
        assert counts[kind] == round(count * len(GEN_I) / 124)


def test_a_class_too_small_for_three_parts_is_left_out() -> None:
    assert scaled_counts({"Water": 300, "Rock": 20}, 0.1) == {"Water": 30}


def test_a_creature_stands_in_its_place() -> None:
    """The same place without the creature differs where it stands, and not far from it."""
    table = SOURCES.make({"creatures": {"kind": "photographs"}}).read(Path("unused"))
    widths = []
    for row in range(6):
        with_it = pixels(table.open(row))
        members = table.open.members.copy()
        members[row] = (members[row] + 1) % 124
        other = type(table.open)(table.open.cast, table.open.seed, members, table.open.places)
        changed = np.abs(with_it - pixels(other(row))).max(axis=2) > 60
        widths.append(changed.any(axis=0).mean())
    assert max(widths) < 0.95
    assert min(widths) > 0.1


def test_laying_cuts_off_what_lies_outside_and_keeps_what_is_clear() -> None:
    canvas = np.zeros((4, 5, 3), np.float32)
    cut_out = _block(3, 3, (10, 20, 30))
    cut_out[1, 1, 3] = 0
    lay(canvas, cut_out, -1, 3)
    assert canvas[0, 3].tolist() == [10, 20, 30]
    assert not canvas[0, 4].any()
    assert np.count_nonzero(canvas.any(axis=2)) == 3
    lay(canvas, cut_out, 9, 9)  # wholly outside
    assert np.count_nonzero(canvas.any(axis=2)) == 3


@pytest.mark.parametrize("size_px", [7, 24, 61])
def test_scaled_cut_outs_have_the_asked_size(size_px: int) -> None:
    assert scaled(_block(24, 12, (1, 2, 3)), size_px).shape == (size_px, round(size_px / 2), 4)


# --- frames


@pytest.mark.parametrize("source", ["creatures", "sprites"])
@pytest.mark.parametrize("scenes", [1, 2, frames.MOST_SCENES])
def test_each_scene_is_a_class_with_its_own_ground(home: Path, source: str, scenes: int) -> None:
    table = read(home, source, "frames", scenes=scenes)
    assert len(table.classes) == scenes
    counts = np.bincount(table.labels)
    assert counts.max() - counts.min() <= 1
    assert table.groups is not None
    assert set(table.groups) == set(table.classes)
    first = {label: pixels(table.open(int(np.argmax(table.labels == label)))) for label in range(scenes)}
    for row in range(3 * scenes):
        image = pixels(table.open(row))
        away = {label: np.median(np.abs(image - other)) for label, other in first.items()}
        assert min(away, key=lambda label: away[label]) == table.labels[row]


def test_one_game_is_the_table_tennis_of_the_document(home: Path) -> None:
    assert read(home, "creatures", "frames", scenes=1).classes == ("table",)


@pytest.mark.parametrize("source", ["creatures", "sprites"])
@pytest.mark.parametrize("scenes", [0, frames.MOST_SCENES + 1])
def test_too_few_or_too_many_scenes_are_refused(source: str, scenes: int) -> None:
    with pytest.raises(SpecError, match=f"scenes must be from 1 to 6, got {scenes}"):
        SOURCES.make({source: {"kind": "frames", "scenes": scenes}})


# --- polygons


@pytest.mark.parametrize("source", ["creatures", "sprites"])
def test_only_what_is_outlined_is_painted_and_in_its_colour(home: Path, source: str) -> None:
    table = read(home, source, "polygons")
    assert table.open_pair is not None
    for row in range(12):
        plain, condition, painted = (pixels(image) for image in table.open_pair(row))
        np.testing.assert_array_equal(plain, pixels(table.open(row)))
        lines = condition.max(axis=2) > 60
        assert 0 < lines.mean() < 0.3  # outlines, nothing filled
        changed = np.abs(plain - painted).max(axis=2) > 60
        rows, columns = np.flatnonzero(lines.any(axis=1)), np.flatnonzero(lines.any(axis=0))
        outside = np.ones_like(changed)
        outside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = False
        assert not changed[outside].any()
        wanted = np.array([COLOURS[name] for name in table.columns["colour"][row].split("+")])
        shown = condition[condition.max(axis=2) > 100]
        nearest = np.abs(shown[:, None] - wanted[None]).max(axis=2).min(axis=1)
        assert np.mean(nearest < 12) > 0.4  # the rest are smoothed edges
        for colour in wanted:
            near = np.abs(painted / np.maximum(1, painted.max(axis=2, keepdims=True)) - colour / colour.max())
            assert np.mean(near.max(axis=2) < 0.25) > 0.003


@pytest.mark.parametrize("source", ["creatures", "sprites"])
def test_edge_is_said_of_what_a_border_cuts(home: Path, source: str) -> None:
    table = read(home, source, "polygons")
    assert table.open_pair is not None
    for row in range(40):
        condition = np.asarray(table.open_pair(row)[1]).max(axis=2)
        border = np.concatenate([condition[[0, -1]].ravel(), condition[:, [0, -1]].ravel()])
        assert (border.max() > 60) == table.columns["edge"][row]
    assert 0.1 < table.columns["edge"].mean() < 0.35


@pytest.mark.parametrize("at_edge", [False, True])
@pytest.mark.parametrize("overlapping", [False, True])
def test_shapes_overlap_where_they_are_told_to(*, at_edge: bool, overlapping: bool) -> None:
    names = list(UNIT_SHAPES)
    for seed in range(25):
        rng = np.random.default_rng(seed)
        chosen = tuple(rng.choice(names, 3).tolist())
        shapes = placed_shapes(
            chosen, ("red", "blue", "green"), rng, 128, at_edge=at_edge, overlapping=overlapping
        )
        masks = []
        for shape in shapes:
            mask = Image.new("1", (128, 128))
            ImageDraw.Draw(mask).polygon([tuple(point) for point in shape.points.tolist()], fill=1)
            masks.append(np.asarray(mask))
            assert mask.getbbox() is not None
        assert (masks[0] & masks[1]).any() == overlapping
        assert not (masks[2] & (masks[0] | masks[1])).any()
        assert (masks[1] & ~masks[0]).any()
        assert (masks[0] & ~masks[1]).any()
        outside = [bool((shape.points < 0).any() or (shape.points > 128).any()) for shape in shapes]
        assert outside[0] == at_edge
        assert not outside[2]
        assert not outside[1] or (at_edge and overlapping)


def test_two_creatures_on_a_sheet_overlap(home: Path) -> None:
    table = read(home, "sprites", "polygons")
    two = np.flatnonzero(table.columns["overlap"])
    assert 0.1 < len(two) / len(table.ids) < 0.3
    for row in two.tolist():
        assert table.columns["colour"][row].count("+") == 1
    alone = np.flatnonzero(~table.columns["overlap"])
    assert not any("+" in table.columns["colour"][row] for row in alone.tolist())


@pytest.mark.parametrize("source", ["creatures", "sprites"])
def test_rare_are_the_classes_below_eight_percent(home: Path, source: str) -> None:
    table = read(home, source, "polygons")
    counts = polygons.COUNTS if source == "creatures" else photographs.COUNTS
    for label, rare in zip(table.labels, table.columns["rare"], strict=True):
        assert rare == (counts[table.classes[label]] / 1200 < 0.08)
    assert {str(dtype) for dtype in table.columns[["edge", "overlap", "rare"]].dtypes} == {"bool"}


def test_a_sheet_is_named_by_its_rarest_shape(home: Path) -> None:
    table = read(home, "creatures", "polygons")
    rank = list(polygons.COUNTS)
    on_each = [text.split("+") for text in table.columns["shapes"]]
    for label, shapes, colours in zip(table.labels, on_each, table.columns["colour"], strict=True):
        assert table.classes[label] == max(shapes, key=rank.index)
        assert len(set(colours.split("+"))) == len(shapes)
    assert {len(shapes) for shapes in on_each} == {1, 2, 3}
    assert dict(zip(table.classes, np.bincount(table.labels).tolist(), strict=True)) == polygons.COUNTS


def test_what_lies_over_another_hides_it_and_all_outlines_stay() -> None:
    square = UNIT_SHAPES["square"] * 40 + 64
    below, above = Shape("square", square - 12, "red"), Shape("square", square + 12, "blue")
    plain, condition, painted = map(pixels, polygons.draw_pair((below, above), np.random.default_rng(0)))
    middle = (
        np.abs(np.mgrid[:128, :128] - 76).sum(axis=0) < 34
    )  # inside the upper one, which stands on a corner
    assert not condition[middle].any()
    assert (painted[middle][:, 2] > painted[middle][:, 0]).all()
    ink = plain.max(axis=2) < 60
    assert ink.sum() > 200
    assert painted[ink].max() < 75


# --- cut-outs of sprites


def _cast(home: Path, name: str = "mini") -> SpriteCast:
    facts = json.loads((home / "data" / name / "facts.json").read_text())
    return SpriteCast(str(home / "data" / name), facts[FACT])


def test_the_cast_are_the_gen_i_species_of_the_nine_types(home: Path) -> None:
    cast = _cast(home)
    assert cast.names == tuple(f"{number:03d}" for number in sorted(GEN_I))
    assert set(cast.types) == set(CLASS_COUNTS)
    front = cast.cut_out(0, np.random.default_rng(0), 40)
    back = cast.cut_out(0, np.random.default_rng(0), 40, from_behind=True)
    assert front.shape != back.shape or front.tobytes() != back.tobytes()
    assert set(np.unique(front[..., 3]).tolist()) == {0, 255}


def test_cut_outs_are_kept_as_they_were_and_halves_are_left_out(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shown = {}
    for number in range(5):
        cut_out = rng.integers(0, 256, (6 + number, 9, 4), dtype=np.uint8)
        cut_out[..., 3] = 255
        shown[FrameKey(7, "front", number)] = cut_out
    shown[FrameKey(7, "front", 5)] = _block(2, 9, (1, 2, 3))  # it is on its way out
    shown[FrameKey(7, "front", 6)] = np.zeros((9, 9, 4), np.uint8)  # and gone
    packed = pack(shown)
    for name, data in packed.files.items():
        (tmp_path / name).write_bytes(data)
    stored = open_cut_outs(str(tmp_path), packed.digest)
    assert stored.index["frame"].tolist() == [0, 1, 2, 3, 4]
    for row in range(5):
        np.testing.assert_array_equal(stored.cut_out(row), shown[FrameKey(7, "front", row)])
    shown[FrameKey(7, "front", 0)][0, 0, 0] ^= 1
    assert pack(shown).digest != packed.digest


@pytest.mark.parametrize("part", ["new_animation", "new_species"])
def test_the_other_parts_are_on_noise_alone(home: Path, part: str) -> None:
    with pytest.raises(SpecError, match=f"kind must be noise for the part {part}, got frames"):
        SOURCES.make({"sprites": {"part": part, "kind": "frames"}})
    assert len(read(home, "sprites", "noise", part=part).ids)


def test_an_older_import_serves_its_own_kind_only(tmp_path: Path) -> None:
    folder = import_sprites(build_mini_package(tmp_path / "mini.tgz", (7, 10)), "mini", tmp_path).folder
    before = read(tmp_path, "sprites", "noise").content_hash
    facts = json.loads((folder / "facts.json").read_text())
    del facts[FACT]
    (folder / "facts.json").write_text(json.dumps(facts))
    (folder / PIXELS).unlink()
    (folder / INDEX).unlink()
    assert read(tmp_path, "sprites", "noise").content_hash == before
    for kind in KINDS:
        with pytest.raises(DataError, match="import it again: pokeopt data import sprites PACKAGE") as caught:
            read(tmp_path, "sprites", kind)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spoil", [PIXELS, INDEX])
@pytest.mark.parametrize("left", [0, 300])
def test_spoilt_cut_outs_are_one_line(tmp_path: Path, spoil: str, left: int) -> None:
    folder = import_sprites(build_mini_package(tmp_path / "mini.tgz", (7, 10)), "mini", tmp_path).folder
    (folder / spoil).write_bytes((folder / spoil).read_bytes()[:left])
    assert len(read(tmp_path, "sprites", "noise").ids)
    with pytest.raises(DataError, match="cut-outs are broken") as caught:
        read(tmp_path, "sprites", "photographs")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_few_species_make_fewer_pictures(tmp_path: Path, kind: str) -> None:
    import_sprites(build_mini_package(tmp_path / "mini.tgz", (7, 54, 10)), "mini", tmp_path)
    table = read(tmp_path, "sprites", kind)
    assert np.bincount(table.labels).min() >= 3
    assert kind == "frames" or {name for pair in table.classes for name in pair.split("-")} <= {
        "Bug",
        "Water",
    }
    for row in range(len(table.ids)):
        assert table.open(row).size == (KINDS[kind][0],) * 2

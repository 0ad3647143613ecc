"""Pictures of trials on the page, and pages of studies whose networks make images."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from pokeopt.report import pictures, render_html, summarise, write_report
from pokeopt.report.pictures import read_picture
from pokeopt.report.summary import Gallery
from pokeopt.store import Store, open_store
from tests.report.conftest import Builder
from tests.report.test_browser import CHROMIUM, browse

EVIL = "<script>alert(1)</script>\"'&"


def png(colour: int, size: tuple[int, int] = (40, 20), dpi: int = 192, **words: str) -> bytes:
    """Return a picture of one gray, with words."""
    chunks = PngImagePlugin.PngInfo()
    for key, text in words.items():
        chunks.add_itxt(key, text)
    file = io.BytesIO()
    Image.new("L", size, colour).save(file, "PNG", pnginfo=chunks, dpi=(dpi, dpi))
    return file.getvalue()


def worded(colour: int, name: str) -> bytes:
    return png(
        colour, Title=f"Title {name}", Description=f"Description of {name}.", Question=f"What of {name}?"
    )


def search(builder: Builder, files: Mapping[str, bytes], name: str = "mlp") -> Store:
    """A search of two trials, of which the second is the best and has left files."""
    made = builder.study(name, "search")
    builder.row(made, values=[0.2], params={"model.depth": 1}, files={"worst.png": worded(9, "the loser")})
    builder.row(made, values=[0.6], params={"model.depth": 2}, files=files)
    return builder.store


def confirm(
    builder: Builder, files: Mapping[str, Mapping[str, bytes]], seeds: int = 2, best: str = "b"
) -> Store:
    """A confirm study whose baseline fails with seed 0; ``files`` maps an arm to the files of its cell of seed 1."""
    hashes = {"baseline": "a", "best": best}
    arms = [{"id": id_, "label": id_, "changes": {}, "config_hash": hashes[id_]} for id_ in hashes]
    made = builder.study("mlp.ablation", "confirm", arms=arms, seeds=list(range(seeds)))
    for seed in range(seeds):
        for id_ in ("baseline", "best") if best != "a" else ("baseline",):
            if (id_, seed) == ("baseline", 0):
                builder.row(
                    made, cause="error", attrs={"arm_id": id_, "seed": seed, "config_hash": hashes[id_]}
                )
                continue
            attrs = {"arm_id": id_, "seed": seed, "config_hash": hashes[id_]}
            builder.row(made, values=[0.5], attrs=attrs, files=files.get(id_, {}) if seed == 1 else {})
    return builder.store


def galleries(store: Store, name: str = "mlp") -> tuple[Gallery, ...]:
    return summarise(store, name).studies[0].galleries


def test_the_best_trials_pictures_are_embedded_with_their_words(builder: Builder) -> None:
    store = search(builder, {"worst.png": worded(1, "mistakes"), "samples.png": worded(2, "samples")})
    page = render_html(summarise(store, "mlp"))
    (gallery,) = galleries(store)
    assert [group.file for group in gallery.groups] == ["samples.png", "worst.png"]
    assert "Trial 1, the best of the search mlp" in page
    assert "the loser" not in page
    assert page.count("<img ") == 2
    assert page.count('src="data:image/png;base64,') == 2
    assert '<a href="#pictures">Pictures</a>' in page
    for name in ("mistakes", "samples"):
        assert f"<h3>What of {name}?</h3>" in page
        assert f'alt="Title {name}. Description of {name}."' in page
        assert f"<figcaption>Description of {name}.</figcaption>" in page
    assert page.count('width="20" height="10" loading="lazy"') == 2  # drawn at twice its size


def test_baseline_and_best_stand_side_by_side_with_a_seed_that_both_have(builder: Builder) -> None:
    files = {arm: {"worst.png": worded(i, arm)} for i, arm in enumerate(("baseline", "best"))}
    store = confirm(builder, files)
    (gallery,) = galleries(store, "mlp.ablation")
    (group,) = gallery.groups
    assert [picture.label for picture in group.pictures] == ["baseline", "best"]
    assert gallery.of.startswith("Seed 1 of baseline and best, study mlp.ablation.")
    page = render_html(summarise(store, "mlp.ablation"))
    assert page.index(" baseline</span>") < page.index(" best</span>")
    assert page.count("<img ") == 2
    assert '<p class="caption">Description of best.</p>' in page


def test_equal_pictures_of_both_arms_stand_once(builder: Builder) -> None:
    same = {"preprocessing.png": worded(1, "steps")}
    (gallery,) = galleries(confirm(builder, {"baseline": same, "best": same}), "mlp.ablation")
    (picture,) = gallery.groups[0].pictures
    assert picture.label == "baseline and best"
    assert picture.arm_ids == ("baseline", "best")


def test_a_best_that_is_the_baseline_stands_once(builder: Builder) -> None:
    files = {"baseline": {"worst.png": worded(1, "mistakes")}}
    store = confirm(builder, files, best="a")
    (gallery,) = galleries(store, "mlp.ablation")
    (picture,) = gallery.groups[0].pictures
    assert picture.label.startswith("baseline")


def test_without_pictures_there_is_no_section(whole: Store) -> None:
    study = summarise(whole, "mlp").studies[0]
    assert study.galleries == ()
    assert "Pictures" not in render_html(summarise(whole, "mlp"))


def test_damaged_and_lost_pictures_are_left_out(builder: Builder) -> None:
    whole = worded(1, "whole")
    files = {"a.png": whole[:-20], "b.png": b"GIF89a", "c.png": b"", "samples.png": worded(2, "samples")}
    store = search(builder, {**files, "worst.png": whole})
    lost = store.artifacts("mlp", 1)["worst.png"]
    (store.artifacts_dir / lost).unlink()
    (gallery,) = galleries(store)
    assert [group.file for group in gallery.groups] == ["samples.png"]
    assert "</html>" in render_html(summarise(store, "mlp"))


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, 400), byte=st.integers(0, 255), cut=st.integers(0, 400))
def test_no_byte_of_a_file_makes_a_report_fail(place: int, byte: int, cut: int) -> None:
    content = bytearray(png(3, Title="t", Description="d" * 200, Question="q"))
    content[place % len(content)] = byte
    for damaged in (bytes(content), bytes(content[:cut])):
        found = read_picture(damaged, "worst.png")
        assert found is None or found[1].png == damaged


def test_a_picture_without_words_has_its_name(builder: Builder) -> None:
    store = search(builder, {"my_own.png": png(1, dpi=96)})
    (gallery,) = galleries(store)
    group = gallery.groups[0]
    assert (group.question, group.pictures[0].title, group.pictures[0].width_px) == ("my_own", "my_own", 40)


def test_a_gigantic_picture_is_left_out() -> None:
    size = (30_000, 10_000)
    file = io.BytesIO()
    Image.new("1", size).save(file, "PNG")
    assert read_picture(file.getvalue(), "worst.png") is None


def test_words_of_a_picture_become_no_markup(builder: Builder) -> None:
    store = search(builder, {f"{'x' * 3}.png": png(1, Title=EVIL, Description=EVIL, Question=EVIL)})
    page = render_html(summarise(store, "mlp"))
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert f'alt="{EVIL}' not in page


def test_too_many_pictures_are_named(builder: Builder) -> None:
    files = {f"traversal-{i}.png": worded(i, f"partition {i}") for i in range(15)}
    (gallery,) = galleries(search(builder, files))
    assert [group.file for group in gallery.groups] == [f"traversal-{i}.png" for i in range(12)]
    assert gallery.left_out == ("traversal-12", "traversal-13", "traversal-14")
    page = render_html(summarise(builder.store, "mlp"))
    assert "In the store, not on this page: traversal-12, traversal-13 and traversal-14." in page


def test_what_one_study_leaves_of_the_budget_is_the_next_ones(builder: Builder) -> None:
    for i, name in enumerate(("a", "b", "c")):
        search(builder, {"worst.png": worded(10 + i, name)} if name != "b" else {}, name)
    size = 4 * len(worded(10, "a")) // 3
    views = [[builder.store.load(name)] for name in ("a", "b", "c")]
    found = pictures.summarise_pictures(builder.store, views, most_bytes=2 * size)
    assert [len(own) for own in found] == [1, 0, 1]


def test_every_kind_stands_before_a_second_arm_of_any(builder: Builder) -> None:
    kinds = ("preprocessing", "worst", "snapshots")
    files = {
        arm: {f"{kind}.png": worded(10 * i + j, f"{kind[0]}{i}") for j, kind in enumerate(kinds)}
        for i, arm in enumerate(("baseline", "best"), start=1)
    }
    store = confirm(builder, files)
    size = 4 * len(files["baseline"]["worst.png"]) // 3
    views = [[store.load("mlp.ablation")]]
    ((gallery,),) = pictures.summarise_pictures(store, views, most_bytes=4 * size + 4)
    shown = {group.file: [picture.label for picture in group.pictures] for group in gallery.groups}
    assert shown == {
        "preprocessing.png": ["baseline", "best"],
        "snapshots.png": ["baseline"],
        "worst.png": ["baseline"],
    }
    assert gallery.left_out == ("snapshots of best", "worst of best")


def test_a_page_without_room_for_all_shows_them_in_fewer_colours(builder: Builder) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 250, (40, 200, 3), dtype=np.uint8)
    pixels[:20] = 255
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    store = search(builder, {"worst.png": file.getvalue()})
    views = [[store.load("mlp")]]
    ((gallery,),) = pictures.summarise_pictures(store, views, most_bytes=len(file.getvalue()))
    (picture,) = gallery.groups[0].pictures
    assert picture.description == "Shown in 256 colours."
    with Image.open(io.BytesIO(picture.png)) as image:
        assert image.convert("RGB").getpixel((5, 5)) == (255, 255, 255)
    ((whole,),) = pictures.summarise_pictures(store, views)
    assert whole.groups[0].pictures[0].png == file.getvalue()


def test_a_picture_is_embedded_once_and_named_or_drawn_again_by_its_id(builder: Builder) -> None:
    same, other = worded(1, "same"), worded(2, "other")
    search(builder, {"preprocessing.png": same}, "a")
    search(builder, {"preprocessing.png": same, "worst.png": worded(3, "b")}, "b")
    confirm(builder, {"baseline": {"worst.png": same}, "best": {"worst.png": other}})
    page = render_html(summarise(builder.store, ["a", "b", "mlp.ablation"]))
    embedded = re.findall(r"data:image/png;base64,([^\"]+)", page)
    assert len(embedded) == len(set(embedded)) == 3
    assert 'What of same? As in <a href="#pictures-0-0">a</a>.' in page
    (used,) = re.findall(r'<use href="#([^"]+)"/>', page)
    assert page.count(f'<image id="{used}" ') == 1
    assert 'aria-label="Title same. Description of same."' in page


def test_a_study_whose_pictures_are_all_left_out_has_no_heading(builder: Builder) -> None:
    store = search(builder, {"worst.png": worded(1, "mistakes")})
    summary = summarise(store, "mlp")
    ((gallery,),) = pictures.summarise_pictures(store, [[store.load("mlp")]], most_bytes=10)
    assert gallery.left_out == ("worst",)
    page = render_html(replace(summary, studies=(replace(summary.studies[0], galleries=(gallery,)),)))
    assert 'id="pictures"' not in page


def test_the_search_leaves_room_for_the_ablation(builder: Builder) -> None:
    search(builder, {f"{i}.png": worded(i, "much") for i in range(6)})
    confirm(builder, {"best": {"worst.png": worded(9, "little")}})
    views = [[builder.store.load(name) for name in ("mlp", "mlp.ablation")]]
    size = 4 * len(worded(1, "little")) // 3 + 8
    ((first, second),) = pictures.summarise_pictures(builder.store, views, most_bytes=4 * size)
    assert [first.study, second.study] == ["mlp", "mlp.ablation"]
    assert len(second.groups) == 1
    assert first.left_out


def test_bytes_stay_out_of_the_json_and_equal_stores_give_equal_pages(builder: Builder) -> None:
    store = search(builder, {"worst.png": worded(1, "mistakes")})
    summary = summarise(store, "mlp")
    text = summary.as_json()
    (kept,) = json.loads(text)["studies"][0]["galleries"][0]["groups"][0]["pictures"]
    assert set(kept) == {"label", "arm_ids", "title", "description", "sha256", "width_px", "height_px"}
    assert len(kept["sha256"]) == 64
    assert text == summarise(store, "mlp").as_json()
    assert render_html(summary) == render_html(summarise(store, "mlp"))


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
@pytest.mark.parametrize("width", [500, 1280])
def test_a_browser_shows_them_without_a_word_and_without_a_scroll_of_the_page(
    builder: Builder, tmp_path: Path, width: int
) -> None:
    files = {arm: {"worst.png": png(i, (1296, 200), Title=arm)} for i, arm in enumerate(("baseline", "best"))}
    page = write_report(confirm(builder, files), "mlp.ablation", tmp_path / "page.html")
    probe = """<script>addEventListener("load", () => {
      const found = [...document.images].map((i) => i.complete && i.naturalWidth > 0 && i.clientWidth >= 648);
      const root = document.documentElement;
      root.setAttribute("data-shown", found.join() + " " + (root.scrollWidth - root.clientWidth));
    });</script></body>"""
    page.write_text(page.read_text(encoding="utf-8").replace("</body>", probe), encoding="utf-8")
    dom, console = browse(page, tmp_path / "profile", f"--window-size={width},900")
    assert console == ""
    assert 'data-shown="true,true 0"' in dom


# --- studies whose networks make images: an error to be minimised, no class to be named


def values_file(error: float, seed: int) -> bytes:
    """Return predictions.npz of a network that makes images: one squared error an image, and slices."""
    rng = np.random.default_rng(seed)
    arrays: dict[str, Any] = {"classes": np.array(["circle", "square", "star"])}
    for part in ("val", "test"):
        arrays[f"{part}/truth"] = np.repeat([0, 1], 20)  # no star is in any part
        arrays[f"{part}/ids"] = np.array([f"{part}-{i}" for i in range(40)])
        arrays[f"{part}/values/squared_error"] = error * rng.uniform(0.8, 1.2, (1, 40)).astype(np.float32)
        arrays[f"{part}/slices/edge"] = np.arange(40) < 10
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def making(home: Path, *, with_values: bool) -> Store:
    """A search and an ablation of a network that makes images."""
    builder = Builder(open_store(home=home / ".pokeopt"))
    spec = {"name": "unet", "data": {"source": "creatures", "kind": "polygons"}, "search": {"sampler": "tpe"}}
    spec["baseline"] = {"model.depth": 3}
    attrs: dict[str, Any] = {"metrics": ["val/mse"], "directions": ("minimize",)}
    made = builder.study("unet", "search", spec, **attrs)
    for i, error in enumerate((0.0042, 0.0051, 0.0031, 0.0038, 0.0039, 0.0044, 0.0029, 0.0035, 0.0036)):
        curve = {epoch: error * (1 + 3 / epoch) for epoch in range(1, 6)}
        files = {"predictions.npz": values_file(error, i)} if with_values else {}
        measured = {"test/mse": error, "val/mse": error, "test/psnr": 24.0}
        builder.row(
            made, values=[error], params={"model.depth": 3 + i % 3}, curve=curve, attrs=measured, files=files
        )
    arms: list[dict[str, Any]] = [
        {"id": id_, "label": id_, "changes": {}, "config_hash": id_}
        for id_ in ("baseline", "model.skips=true", "best")
    ]
    confirmed = builder.study("unet.ablation", "confirm", spec, arms=arms, seeds=[0, 1, 2, 3, 4], **attrs)
    for seed in range(5):
        for arm, error in zip(arms, (0.0042, 0.0031, 0.0029), strict=True):
            told = error + 0.00004 * ((seed * 7 + len(arm["id"])) % 5)
            cell = {"arm_id": arm["id"], "seed": seed, "config_hash": arm["config_hash"]}
            files = {"predictions.npz": values_file(told, seed)} if with_values else {}
            builder.row(confirmed, values=[told], attrs={**cell, "test/mse": told}, files=files)
    return builder.store


@pytest.fixture(scope="module")
def with_values(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return making(tmp_path_factory.mktemp("with"), with_values=True)


@pytest.fixture(scope="module")
def without_values(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return making(tmp_path_factory.mktemp("without"), with_values=False)


@pytest.mark.parametrize("fixture", ["with_values", "without_values"])
def test_a_study_of_made_images_has_a_page_without_classes_or_a_score_of_them(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    summary = summarise(request.getfixturevalue(fixture), "unet")
    study, page = summary.studies[0], render_html(summary)
    finding = " ".join(study.finding)
    assert study.ablation is not None
    assert study.ablation.confusions == ()
    assert (study.ablation.metric, study.ablation.direction) == ("test/mse", "minimize")
    assert "The best configuration beats the baseline: −0.0013" in finding
    assert re.search(r"skips = true lowers test MSE by 0\.001\d+ \[0\.00", finding)
    assert re.search(r"Test MSE by arm over \d seeds \(lower is better\)\.", page)
    assert "← better" in page
    told = page.partition("<main>")[2].partition("<h2>Provenance")[0]
    assert "Errors and likeness of the images that each arm makes" in told
    for word in ("F1", "Confusion", ">nan", ">None<"):
        assert word not in told, word
    assert "Trial 6 was chosen by validation MSE (0.00290)" in finding


def test_errors_by_class_and_by_slice_have_their_tables(with_values: Store) -> None:
    summary = summarise(with_values, "unet")
    study = summary.studies[0]
    assert study.ablation is not None
    by_class, by_slice = study.ablation.breakdowns
    assert (by_class.metric, by_slice.metric) == ("class_mse", "slice_mse")
    assert [(entry.name, entry.support) for entry in by_class.entries] == [("circle", 20), ("square", 20)]
    assert [(entry.name, entry.support) for entry in by_slice.entries] == [("edge", 10)]
    effect = by_slice.entries[0].effect
    assert effect.n == 5
    assert effect.mean == pytest.approx(-0.0013, rel=0.2)
    page = render_html(summary)
    assert "MSE by slice on the test part (lower is better), mean ± SD over seeds" in page
    assert "MSE by class on the test part (lower is better)" in page


def test_small_numbers_keep_their_figures(without_values: Store) -> None:
    page = render_html(summarise(without_values, "unet"))
    assert "0.00420" in page  # the baseline in the table of trials
    assert re.search(r"0\.00\d{3,4} ± 0\.000\d+", page)


def test_long_tables_are_folded(builder: Builder) -> None:
    names = [f"class {i}" for i in range(40)]
    data = {"classes": names, "counts": {"train": [3] * 40, "test": [1] * 40}}
    builder.study("many", "search", data=data)
    page = render_html(summarise(builder.store, "many"))
    assert "<summary>Images by class and part. 41 rows</summary>" in page

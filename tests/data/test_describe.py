"""The description of a data set: its numbers are those of the data, its page needs nothing else."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pokeopt.data.describe import DataDescription, describe, describe_html
from tests.data.conftest import write_image

STEPS = ["silhouette_crop"]


def write_classes(folder: Path, counts: dict[str, int], size: tuple[int, int] = (9, 7)) -> dict[str, object]:
    """Write a folder of class folders; return its ``data`` section."""
    seed = 0
    for name, count in counts.items():
        for number in range(count):
            seed += 1
            write_image(folder / name / f"{number:02d}.png", seed, size)
    return {"source": "folder", "path": str(folder), "image_size": 16, "channels": "rgb", "limit": None}


@pytest.fixture
def found(tmp_path: Path) -> DataDescription:
    data = write_classes(tmp_path / "images", {"fire": 30, "water": 10})
    return describe(data | {"preprocess": STEPS}, tmp_path / "cache", {"same": {"of": "test"}}, n_samples=3)


def test_numbers_add_up(found: DataDescription) -> None:
    assert [row.name for row in found.classes] == ["fire", "water"]
    assert [row.n_images for row in found.classes] == [30, 10]
    assert found.n_images == 40
    assert list(found.parts) == ["train", "val", "test", "same"]
    for part, count in found.parts.items():
        assert sum(row.counts[part] for row in found.classes) == count
        assert sum(row.shares[part] for row in found.classes) == pytest.approx(1)
    assert found.sizes == (((9, 7), 40),)
    assert found.modes == (("RGB", 40),)
    assert found.duplicates_within == found.duplicates_across == ()
    assert found.n_groups is None


def test_each_sample_shows_every_stage(found: DataDescription) -> None:
    assert found.stages == ("as found", "silhouette_crop", "16x16 rgb")
    assert [sample.class_name for sample in found.samples] == ["fire"] * 3 + ["water"] * 3
    assert len({sample.name for sample in found.samples}) == 6
    for sample in found.samples:
        pictures = [Image.open(io.BytesIO(png)) for png in sample.pictures]
        assert len(pictures) == len(found.stages)
        assert (pictures[0].size, pictures[-1].size) == ((9, 7), (16, 16))


@pytest.mark.parametrize(("channels", "mode"), [("rgb", "RGB"), ("rgba", "RGBA"), ("gray", "L")])
def test_the_last_stage_is_what_a_network_sees(tmp_path: Path, channels: str, mode: str) -> None:
    from pokeopt.data import load_data

    data = write_classes(tmp_path / "images", {"a": 10, "b": 10}) | {"channels": channels}
    loaded = load_data(data, tmp_path / "cache")
    sample = describe(data, tmp_path / "cache", n_samples=1).samples[0]
    seen = Image.open(io.BytesIO(sample.pictures[-1]))
    row = loaded.ids.tolist().index(sample.name)
    pixels = np.array(seen)
    assert seen.mode == mode
    assert np.array_equal(pixels[None] if mode == "L" else pixels.transpose(2, 0, 1), loaded.images[row])


def test_equal_images_are_found_wherever_they_lie(tmp_path: Path) -> None:
    data = write_classes(tmp_path / "images", {"a": 20, "b": 20})
    for number in range(1, 20):
        shutil.copy(tmp_path / "images" / "a" / "00.png", tmp_path / "images" / "a" / f"{number:02d}.png")
    found = describe(data, tmp_path / "cache")
    held_out = found.classes[0].counts["val"] + found.classes[0].counts["test"]
    assert len(found.duplicates_across) == held_out
    assert len(found.duplicates_within) == sum(found.classes[0].counts.values()) - 3
    page = describe_html(found)
    assert f"{held_out} of the images of val and test lie in another part as well" in page
    assert "Equal images within a part" in page


def test_mixed_sizes_and_modes_are_one_line_each(tmp_path: Path) -> None:
    data = write_classes(tmp_path / "images", {"a": 10, "b": 10})
    write_image(tmp_path / "images" / "a" / "wide.png", 99, (40, 8), "RGBA")
    found = describe(data, tmp_path / "cache")
    assert found.notes == (
        "The images have 2 sizes (9 to 40 wide, 7 to 8 high in pixels): each is resized to 16x16 without cropping.",
        "The images have 2 modes (RGB 20, RGBA 1): all are read as RGBA.",
    )
    assert all(note in describe_html(found) for note in found.notes)


def test_groups_on_both_sides_are_counted(tmp_path: Path, labelled: Path) -> None:
    data = {"source": "csv", "images": str(labelled / "images"), "labels": str(labelled / "labels.csv")}
    data |= {"label": "label", "group": "animal"}
    found = describe(data, tmp_path / "cache")
    assert found.n_groups == 3
    assert found.groups_across >= 1
    assert "For that, split by group." in describe_html(found)


def test_a_limit_holds_for_numbers_and_samples(tmp_path: Path) -> None:
    data = write_classes(tmp_path / "images", {"a": 30, "b": 30}) | {"limit": 20}
    found = describe(data, tmp_path / "cache")
    assert found.n_images == 20
    assert all(sample.name.startswith(sample.class_name) for sample in found.samples)


class _Page(HTMLParser):
    """Collects what a page refers to and whether its elements close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.names: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.sources += [value or "" for key, value in attrs if key in ("src", "href")]
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.names.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_is_whole_and_offline(found: DataDescription) -> None:
    text = describe_html(found)
    page = _Page(text)
    assert page.open == []
    assert "script" not in page.names
    assert all(source.startswith("data:") for source in page.sources)
    assert "image-rendering: pixelated" in text
    assert page.names.count("img") == len(found.samples) * (1 + len(found.stages))
    bars = len(found.classes) * len(found.parts)
    assert page.names.count("rect") == bars
    widths = [float(width) for width in re.findall(r'class="bar" width="([\d.]+)"', text)]
    assert len(widths) == bars
    assert max(widths) == pytest.approx(40)
    assert describe_html(found) == text


def test_names_are_escaped(tmp_path: Path) -> None:
    data = write_classes(tmp_path / "images", {"<b>&": 10, '"x"': 10})
    text = describe_html(describe(data, tmp_path / "cache"))
    assert "<b>&" not in text
    assert "&lt;b&gt;&amp;" in text
    assert _Page(text).open == []


def test_no_torch_is_loaded() -> None:
    code = "import sys; from pokeopt.data.describe import describe; assert not {'torch', 'ray'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

"""Pictures of a trial: words in the file, sizes that a page can hold, and the images that they promise."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pokeopt.trial import pictures
from pokeopt.trial.pictures.choosing import random_rows, spread_rows, worst_rows
from pokeopt.trial.pictures.comparisons import squared_errors, strengthened
from pokeopt.trial.pictures.lettering import MOST_LINES, lines_of, spelt, width_of
from pokeopt.trial.pictures.png import LARGEST_BYTES
from pokeopt.trial.pictures.tiles import as_bytes, as_picture

Floats = npt.NDArray[np.float32]
WORDS: dict[str, Any] = {
    "title": "Ein Titel é",
    "description": "MSE 0.02 → 5 × stärker, 水",
    "question": "Was kommt zurück?",
}
RNG_SEED = 3


def opened(content: bytes) -> Any:
    """Return the file as Pillow reads it, wholly decoded."""
    image = Image.open(io.BytesIO(content), formats=["PNG"])
    image.load()
    return image


def noise(*shape: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(RNG_SEED).integers(0, 256, shape, dtype=np.uint8)


def images(n: int = 12, channels: int = 3, side: int = 8) -> Floats:
    """N images, each of its own brightness."""
    levels = np.linspace(0.1, 0.8, n, dtype=np.float32)
    return np.broadcast_to(levels[:, None, None, None], (n, channels, side, side)).copy()


def scaled(made: Floats) -> Floats:
    """Decoded images of three rows and five scales."""
    return np.stack([made[:3] * factor for factor in (0.2, 0.4, 0.6, 0.8, 1.0)], axis=1)


RGBA = {f"image {i}": noise(20, 20, 4) // 2 + 120 for i in range(9)}
BUILDERS: dict[str, Callable[[int], dict[str, bytes]]] = {
    "augmentations": lambda c: pictures.draw_augmentations(
        images(4, c), images(28, c).reshape(4, 7, c, 8, 8), ["rotate"]
    ),
    "examples": lambda c: pictures.draw_examples({"A": RGBA, "B": RGBA}, c, 18),
    "preprocessing": lambda c: pictures.draw_preprocessing(
        RGBA, ["silhouette_crop"], 8, {1: "gray", 3: "rgb", 4: "rgba"}[c]
    ),
    "reconstructions": lambda c: pictures.draw_reconstructions(images(12, c), images(12, c) * 0.9),
    "samples": lambda c: pictures.draw_samples(images(20, c), "the standard normal distribution", images(5, c)),
    "snapshots": lambda c: pictures.draw_snapshots(images(2, c), {0: images(2, c) * 0, 3: images(2, c)}),
    "translations": lambda c: pictures.draw_translations(
        images(12, c), images(12, 3), images(12, c), images(12, c) * 0.9, {"edge": np.arange(12) < 3}
    ),
    "traversal": lambda c: pictures.draw_traversal(
        1, 4, scaled(images(3, c)), 0.02, 0.001, images(3, c)
    ),
    "worst": lambda c: pictures.draw_worst(
        images(4, c), np.eye(4, 3)[[0, 1, 2, 2]], np.array([1, 1, 0, 2]), ["a", "b", "c"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("name", BUILDERS)
def test_every_picture_has_words_a_size_for_the_page_and_equal_bytes(name: str, channels: int) -> None:
    drawn = BUILDERS[name](channels)
    assert drawn
    assert drawn == BUILDERS[name](channels)
    for file, content in drawn.items():
        assert file.startswith(name)
        assert file.endswith(".png")
        image = opened(content)
        assert image.width <= 1344
        assert len(content) < LARGEST_BYTES
        assert image.text["Question"].endswith("?")
        assert 0 < len(image.text["Title"]) < 70
        assert any(sign.isdigit() for sign in image.text["Description"])  # what was measured


def test_words_come_back_as_they_went_in() -> None:
    image = opened(pictures.sheet([[noise(3, 8, 8)]], **WORDS))
    assert image.text == {key.capitalize(): text for key, text in WORDS.items()}


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 9, 7), (9, 7, 1), (3, 5, 40), (40, 5, 3), (4, 8, 8), (8, 8, 4)]
)
def test_a_sheet_of_one_image_of_any_shape(shape: tuple[int, ...]) -> None:
    image = opened(pictures.sheet([[noise(*shape)]], **WORDS))
    assert max(image.size) <= 128  # 64 on a page, at twice that
    assert image.info["dpi"][0] == pytest.approx(192, abs=0.1)


@pytest.mark.parametrize("shape", [(2, 8, 8), (8, 8, 5), (0, 0, 3), (2, 3, 8, 8)])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="image must be"):
        pictures.sheet([[np.zeros(shape, np.uint8)]], **WORDS)
    with pytest.raises(ValueError, match="at least one image"):
        pictures.sheet([[None], []], **WORDS)


def test_small_images_are_enlarged_by_whole_pixels_and_large_ones_reduced() -> None:
    small = noise(3, 20, 20)
    pixels = np.asarray(opened(pictures.sheet([[small]], **WORDS)).convert("RGB"))
    assert (pixels == small.transpose(1, 2, 0).repeat(6, axis=0).repeat(6, axis=1)).all()
    assert opened(pictures.sheet([[noise(3, 300, 150)]], **WORDS)).size == (64, 128)


def test_a_picture_cut_out_of_another_is_as_much_enlarged() -> None:
    whole, cut = np.zeros((3, 32, 32), np.uint8), np.zeros((3, 16, 16), np.uint8)
    dark = np.asarray(opened(pictures.sheet([[whole, cut]], **WORDS)).convert("L")) == 0
    assert dark.sum() == (128**2) + 64**2


def test_transparent_pixels_are_white_and_intensities_are_cut_off() -> None:
    clear = np.zeros((4, 2, 2), np.uint8)
    assert np.asarray(as_picture(clear)).min() == 255
    assert as_bytes(np.array([-3.0, 0.0, 0.5, 1.0, 7.0, np.nan])).tolist() == [0, 0, 128, 255, 255, 0]


@settings(max_examples=10, deadline=None)
@given(n_rows=st.integers(1, 6), n_columns=st.integers(1, 12), side=st.sampled_from([8, 64, 200]))
def test_no_sheet_outgrows_the_page_or_the_store(n_rows: int, n_columns: int, side: int) -> None:
    """Noise is the worst: nothing compresses it."""
    rows = list(noise(n_rows, n_columns, 3, side, side))
    labels = ["a rather long label of a row"] * n_rows
    above = ["a word that is muchlongerthananycolumnis"] * n_columns
    content = pictures.sheet(rows, labels, above, tile_labels=[above] * n_rows, **WORDS)
    image = opened(content)
    density = round(image.info["dpi"][0] / 96)
    assert image.width <= 672 * density
    assert len(content) <= LARGEST_BYTES
    if image.mode == "P":
        assert "Shown in" in image.text["Description"]
        assert image.convert("L").getextrema()[1] == 255  # the ground is still white


def test_gray_images_lose_nothing() -> None:
    image = opened(pictures.sheet([list(noise(4, 1, 60, 60))] * 2, **WORDS))
    assert image.mode == "L"
    assert "Shown in" not in image.text["Description"]


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=80), width=st.integers(1, 300))
def test_labels_fit_their_width_in_letters_that_the_font_has(text: str, width: int) -> None:
    lines = lines_of(text, width, 2)
    assert len(lines) <= MOST_LINES
    assert all(line.isascii() for line in lines)
    assert all(width_of(line, 2) <= width for line in lines)


def test_a_name_without_a_letter_of_the_font_is_named_otherwise() -> None:
    assert spelt("水", "class 3") == "class 3"
    assert spelt("Pokémon") == "Pokemon"


def test_worst_are_the_really_worst() -> None:
    """The surest of the wrong ones: never a right one, however sure."""
    rng = np.random.default_rng(0)
    probabilities, truth = rng.dirichlet(np.full(3, 0.3), 50), rng.integers(0, 3, 50)
    content = pictures.draw_worst(images(50), probabilities, truth, ["a", "b", "水"])["worst.png"]
    wrong = np.flatnonzero(probabilities.argmax(1) != truth)
    sure = np.sort(probabilities[wrong].max(1))[::-1]
    said = opened(content).text["Description"]
    assert f"{len(wrong)} of 50 test images" in said
    assert f"(probability {sure[0]:.2f} down to {sure[11]:.2f})" in said
    assert pictures.draw_worst(images(3), np.eye(3), np.arange(3), ["a", "b", "c"]) == {}


def test_worst_shows_the_wrong_images() -> None:
    """One image is wrong, and it alone is black."""
    shown = np.ones((5, 3, 8, 8), np.float32)
    shown[3] = 0
    probabilities = np.eye(2)[[0, 0, 0, 1, 0]] * 0.8 + 0.1
    content = pictures.draw_worst(shown, probabilities, np.zeros(5, np.int64), ["a", "b"])["worst.png"]
    pixels = np.asarray(opened(content).convert("L"))
    assert (pixels == 0).sum() >= (96 * 2) ** 2  # one tile, and not a white one


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30), st.integers(1, 12))
def test_rows_are_chosen_as_promised(values: list[float], n: int) -> None:
    errors = np.array(values)
    chosen = worst_rows(errors, n)
    assert errors[chosen].tolist() == sorted(values, reverse=True)[:n]
    spread = errors[spread_rows(errors, n)]
    assert (np.diff(spread) >= 0).all()
    assert len(spread) == min(n, len(values))
    assert spread[0] == errors.min()
    assert n == 1 or spread[-1] == errors.max()
    by_chance = random_rows(len(values), n, seed=1)
    assert by_chance.tolist() == sorted(set(by_chance.tolist()))
    assert (by_chance == random_rows(len(values), n, seed=1)).all()


def test_errors_are_means_of_squares_and_differences_are_strengthened_to_be_seen() -> None:
    wanted = noise(2, 3, 4, 4)
    truth: Floats = wanted.astype(np.float32) / np.float32(255)
    made: Floats = truth + np.float32(0.1)
    assert squared_errors(made, wanted) == pytest.approx([0.01, 0.01], rel=1e-4)
    difference, factor = strengthened(made, truth)
    assert factor == 5  # 10 times 0.1 would be just above 1
    assert difference == pytest.approx(0.5, abs=1e-3)
    assert strengthened(made, made)[1] == 1
    with pytest.raises(ValueError, match="shape of wanted"):
        squared_errors(made[:1], wanted)


def test_reconstructions_say_their_errors_and_show_the_worst_first() -> None:
    wanted = images(20)
    made = wanted.copy()
    made[7] += 0.1  # the worst of all
    made[11] += 0.05
    sheets = pictures.draw_reconstructions(wanted, made)
    assert sorted(sheets) == ["reconstructions-worst.png", "reconstructions.png"]
    said = opened(sheets["reconstructions-worst.png"]).text["Description"]
    mean = (0.1**2 + 0.05**2) / 20
    assert f"it is {0.01 / mean:.1f} times the mean, {mean:.2g}" in said
    assert sorted(pictures.draw_reconstructions(wanted[:8], made[:8])) == ["reconstructions.png"]
    assert pictures.draw_reconstructions(wanted[:0], made[:0]) == {}


def test_translations_name_the_slices_of_the_worst() -> None:
    wanted = images(20)
    made = wanted.copy()
    made[:4] += 0.2
    slices = {"edge": np.arange(20) < 4, "rare": np.zeros(20, bool)}
    sheets = pictures.draw_translations(wanted, None, wanted, made, slices)
    assert (
        "4 of these 8 are edge, of all 20 %" in opened(sheets["translations-worst.png"]).text["Description"]
    )
    said = opened(sheets["translations.png"]).text["Description"]
    assert "by slice: edge 0.040 (4 images)" in said
    assert "rare" not in said


@pytest.mark.parametrize(("effect", "is_dead"), [(0.0005, True), (0.05, False)])
def test_a_dead_partition_is_called_so(effect: float, is_dead: bool) -> None:
    words = opened(pictures.draw_traversal(2, 1, scaled(images(3)), effect, 0.001)["traversal-2.png"]).text
    assert words["Title"].startswith(f"Partition 2 (1 number): effect {effect}")
    assert words["Title"].endswith("dead") == is_dead
    assert ("is dead" in words["Description"]) == is_dead


def test_samples_say_how_much_they_differ() -> None:
    halves = np.stack([np.zeros((3, 8, 8)), np.ones((3, 8, 8))]).astype(np.float32)
    said = opened(pictures.draw_samples(halves, "a normal distribution", halves * 0.5)["samples.png"]).text
    assert "Two of them differ by 1.00 on average, two real images by 0.50" in said["Description"]


def test_snapshots_go_from_the_first_to_the_last_epoch() -> None:
    wanted = images(2)
    by_epoch = {epoch: wanted + (20 - epoch) / 100 for epoch in range(21)}
    said = opened(pictures.draw_snapshots(wanted, by_epoch)["snapshots.png"]).text["Description"]
    assert "from 0.040 after epoch 0 to 0.0 after epoch 20" in said
    assert pictures.draw_snapshots(wanted, {}) == {}


def test_preprocessing_counts_what_fails_and_what_is_left_as_it_was() -> None:
    untouched = np.full((12, 12, 4), 200, np.uint8)  # no dark outline: nothing to cut
    cut = untouched.copy()
    cut[2:8, 2:8, :3] = 5
    words = opened(
        pictures.draw_preprocessing({"a": untouched, "b": cut}, ["silhouette_crop"], 8, "rgb")[
            "preprocessing.png"
        ]
    ).text
    assert "Of 2 images" in words["Description"]
    assert "leave 1 as they were and fail at 0" in words["Description"]
    failing = pictures.draw_preprocessing({"a": untouched}, ["silhouette_crop", "mask"], 8, "rgb")
    assert "fail at 1" in opened(failing["preprocessing.png"]).text["Description"]
    assert pictures.draw_preprocessing({"a": untouched}, [], 8, "rgb") == {}


def test_examples_say_which_classes_they_leave_out_and_what_names_share() -> None:
    named = {f"raw/mon-{i}.png": noise(8, 8, 4) for i in (17, 18, 104)}
    text = opened(pictures.draw_examples({"Fire": named}, 40, 900)["examples.png"]).text["Description"]
    assert "of 900." in text
    assert "The 1 largest of 40 classes" in text
    assert "after “mon-”" in text, "digits that names share stay"
    assert pictures.draw_examples({"Fire": {}}, 1, 0) == {}


def test_without_augmentation_there_is_no_sheet() -> None:
    assert pictures.draw_augmentations(images(2), images(4).reshape(2, 2, 3, 8, 8), []) == {}


@pytest.mark.parametrize("k", [2, 9, 30, 60])
def test_the_confusion_matrix_is_small_and_says_how_many_are_right(k: int) -> None:
    rng = np.random.default_rng(k)
    truth = rng.integers(0, k, 300)
    probabilities = np.eye(k)[np.where(rng.random(300) < 0.5, truth, rng.integers(0, k, 300))]
    content = pictures.draw_confusion(probabilities, truth, [f"class {i} of many" for i in range(k)])[
        "confusion.png"
    ]
    assert len(content) < 150_000
    right = int((probabilities.argmax(axis=1) == truth).sum())
    assert f"{right} of 300 test images" in opened(content).text["Description"]


def test_too_many_classes_have_no_confusion_matrix() -> None:
    assert pictures.draw_confusion(np.eye(61), np.arange(61), [str(i) for i in range(61)]) == {}


def test_a_right_answer_darkens_the_diagonal() -> None:
    content = pictures.draw_confusion(np.eye(3), np.arange(3), ["a", "b", "c"])["confusion.png"]
    pixels = np.asarray(opened(content).convert("L")).astype(int)
    start, cell = 192, 60
    shade = [[pixels[start + i * cell + 4, start + j * cell + 4] for j in range(3)] for i in range(3)]
    assert all((shade[i][j] < 128) == (i == j) for i in range(3) for j in range(3))

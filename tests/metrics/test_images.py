"""Metrics of images that were made: means of one value an image, over all, a slice or a class."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from pokeopt.errors import SpecError
from pokeopt.metrics import costly_values, find, known_names, score_images, values_for
from pokeopt.metrics.base import ImageMetric
from pokeopt.registry import METRICS

TRUTH = np.array([0, 0, 1, 1, 1])
ERRORS = np.array([0.1, 0.3, 0.0, 0.5, 0.1], dtype=np.float32)
EDGE = np.array([True, False, False, True, False])


def scores(values: dict[str, np.ndarray] | None = None) -> dict[str, float]:
    read = {"squared_error": ERRORS} if values is None else values
    return score_images(read, TRUTH, ("cat", "dog", "owl"), {"edge": EDGE, "empty": np.zeros(5, dtype=bool)})


def test_means_over_all_a_slice_and_a_class() -> None:
    found = scores()
    assert found["mse"] == pytest.approx(0.2)
    assert found["slice_mse/edge"] == pytest.approx(0.3)
    assert found["class_mse/cat"] == pytest.approx(0.2)
    assert found["class_mse/dog"] == pytest.approx(0.2)


def test_what_was_not_measured_has_no_score() -> None:
    """Neither an empty slice, nor a class without images, nor a value that is missing."""
    found = scores()
    assert not {"slice_mse/empty", "class_mse/owl", "ssim", "kl", "probe_accuracy"} & set(found)
    assert score_images({"squared_error": ERRORS[:0]}, TRUTH[:0], ("cat",), {}) == {}


def test_psnr_is_that_of_scikit_image_and_ends_at_100_db() -> None:
    """A perfect image would be infinite, and so would be its mean."""
    rng = np.random.default_rng(0)
    images = rng.random((2, 8, 8))
    noisy = images + rng.normal(0, 0.1, images.shape)
    errors = np.square(images - noisy).mean(axis=(1, 2))
    pairs = zip(images, noisy, strict=True)
    each = [peak_signal_noise_ratio(a, b, data_range=1) for a, b in pairs]  # type: ignore[no-untyped-call]
    expected = np.mean(each)
    found = score_images({"squared_error": errors}, np.zeros(2, dtype=int), ("x",), {})
    assert found["psnr"] == pytest.approx(expected)
    assert score_images({"squared_error": np.zeros(2)}, np.zeros(2, dtype=int), ("x",), {})["psnr"] == 100


def test_costly_values_are_named() -> None:
    """They are computed once, or after every epoch for the objective that reads them."""
    assert values_for("mse") == frozenset()
    assert values_for("probe_accuracy") == {"probe_hit"}
    assert costly_values("translation") == {"structural_similarity", "sharpness"}
    assert costly_values("classification") == frozenset()


def test_names_of_slices_parts_and_classes() -> None:
    """What stands at the end of a name is a class only where the metric has one value a class."""
    assert find("test/slice_mse/edge", task="translation", classes=["cat"]).class_name == "edge"
    assert find("val/partition_effect/2", task="reconstruction").class_name == "2"
    with pytest.raises(SpecError, match="no class is called"):
        find("test/class_mse/edge", task="translation", classes=["cat"])
    with pytest.raises(SpecError, match="write test/slice_mse/SLICE"):
        find("test/slice_mse", task="translation")
    for task in ("reconstruction", "translation"):
        for name in known_names(task=task, classes=["cat"]):
            assert find(name, task=task, classes=["cat"]).name == name


@pytest.mark.parametrize("name", [n for n in METRICS.names() if issubclass(METRICS.get(n), ImageMetric)])
def test_every_image_metric_is_a_mean(name: str) -> None:
    """Doubling the images changes nothing, and a metric is finite where its values are."""
    member = METRICS.get(name)
    one, two = member()(ERRORS.astype(float)), member()(np.tile(ERRORS, 2).astype(float))
    assert math.isfinite(one)
    assert two == pytest.approx(one)

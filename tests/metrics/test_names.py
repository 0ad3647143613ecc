"""Metrics by name."""

import math

import pytest

from pokeopt.errors import SpecError
from pokeopt.metrics import find, is_better, known_names


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("val/macro_f1", "maximize"),
        ("test/f1/Fighting", "maximize"),
        ("uncropped/macro_f1", "maximize"),
        ("val/loss", "minimize"),
        ("val/epochs_to_90pct", "minimize"),
        ("train/grad_norm", "minimize"),
        ("model/n_params", "minimize"),
        ("cost/wall_s", "minimize"),
    ],
)
def test_known_metrics(name: str, direction: str) -> None:
    info = find(name, parts=["uncropped"], classes=["Fighting", "Water"])
    assert (info.name, info.direction) == (name, direction)
    assert "/".join(filter(None, [info.part, info.base, info.class_name])) == name


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("val/macrof1", "val/macro_f1"),
        ("valid/macro_f1", "val/macro_f1"),
        ("macro_f1", "/macro_f1"),
        ("uncroped/accuracy", "uncropped/accuracy"),
        ("test/f1", "write test/f1/Fighting"),
        ("test/f1/Figthing", "Fighting"),
        ("val/accuracy/Water", "write val/accuracy"),
        ("test/grad_norm", "train/grad_norm"),
        ("test/epochs_to_90pct", "val/epochs_to_90pct"),
        ("model/wall_s", "cost/wall_s"),
        ("nothing", "macro_f1"),
        ("", "macro_f1"),
    ],
)
def test_unknown_metrics_name_the_nearest(name: str, mend: str) -> None:
    with pytest.raises(SpecError, match=mend):
        find(name, parts=["uncropped"], classes=["Fighting", "Water"])


def test_a_metric_of_another_task_is_refused() -> None:
    with pytest.raises(SpecError, match="no metric of translation"):
        find("val/accuracy", task="translation")
    assert "train/grad_norm" in known_names(task="translation")


def test_every_known_name_is_found() -> None:
    """With and without known classes."""
    for classes in (None, ["A", "B"]):
        for name in known_names(parts=["far"], classes=classes):
            assert find(name, parts=["far"], classes=classes).name == name


def test_is_better() -> None:
    """NaN is worse than anything; equal is not better."""
    assert is_better(2.0, 1.0, "maximize")
    assert is_better(1.0, 2.0, "minimize")
    assert not is_better(1.0, 1.0, "maximize")
    assert is_better(0.0, math.nan, "maximize")
    assert not is_better(math.nan, 0.0, "minimize")
    assert not is_better(math.nan, math.nan, "minimize")

"""Trials of every family, on images of its task: trained, scored, stopped anywhere and continued."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pokeopt import trial
from pokeopt.metrics import score_images
from pokeopt.records import EpochRecord, TrialRecord, TrialTask
from pokeopt.spec.fitting import default_loss, task_of
from tests.families import FAMILIES, MAKING, SMALL

N, SIZE = 90, 32
Make = Callable[..., TrialTask]


@pytest.fixture(scope="module")
def arrays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blocks in one of three corners, and what a colouring of them in the colour of a mask would be."""
    rng = np.random.default_rng(0)
    labels = np.arange(N) % 3
    images = rng.integers(100, 140, (N, SIZE, SIZE, 3)).astype(np.uint8)
    condition = np.zeros_like(images)
    for i, label in enumerate(labels):
        top, left = ((2, 2), (2, 18), (18, 2))[label]
        images[i, top : top + 10, left : left + 10] = 20
        condition[i, top : top + 10, left : left + 10] = rng.integers(0, 256, 3)
    target = np.where(condition.any(axis=3, keepdims=True), condition, images)
    file = tmp_path_factory.mktemp("arrays") / "blocks.npz"
    np.savez(file, images=images, labels=labels, condition=condition, target=target)
    return file


@pytest.fixture(scope="module")
def make(arrays: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Make a task of a family; keywords replace settings of ``training``, or fields of the task."""
    cache = tmp_path_factory.mktemp("home") / "cache"

    def make(family: str, loss: dict[str, Any] | None = None, **settings: Any) -> TrialTask:
        fields = {key: settings.pop(key) for key in list(settings) if key in TrialTask.__slots__}
        model = {"family": family, **SMALL[family], **settings.pop("model", {})}
        pairs = {"condition": "condition", "target": "target"} if task_of(family) == "translation" else {}
        config = {
            "data": {
                "source": "npz",
                "path": str(arrays),
                **pairs,
                "image_size": SIZE,
                "channels": "rgb",
                "limit": None,
                "split": {"train": 0.6, "val": 0.2, "test": 0.2, "by": "class", "seed": 0},
                "preprocess": [],
            },
            "external": {"again": {"of": "test", "preprocess": []}},
            "model": model,
            "loss": {"combine": "sum", "weights": {}, **default_loss(model), **(loss or {})},
            "training": {
                "epochs": 2,
                "batch_size": 16,
                "sampler": "shuffle",
                "augmentation": ["horizontal_flip", "color_jitter", "noise"],
                "optimizer": "adam",
                "learning_rate": 1e-3,
                "weight_decay": 0.0,
                "schedule": "constant",
                "early_stopping": "none",
                "keep": "best",
                "precision": "fp32",
                "gradient_clip": None,
                **settings,
            },
        }
        objective = "val/macro_f1" if task_of(family) == "classification" else "val/mse"
        task = TrialTask(config, seeds=(0,), objective=objective, cache_dir=str(cache), device="cpu")
        return replace(task, **fields)

    return make


def finished(task: TrialTask) -> tuple[list[EpochRecord], TrialRecord]:
    *epochs, last = trial.run(task)
    assert isinstance(last, TrialRecord)
    return [item for item in epochs if isinstance(item, EpochRecord) and not item.heartbeat], last


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_trained_and_scored(make: Make, family: str) -> None:
    task = make(family)
    epochs, last = finished(task)
    assert [record.step for record in epochs] == [1, 2]
    assert set(last.predictions) == {"val", "test", "again"}
    name = task.objective.partition("/")[2]
    assert {f"{part}/{name}" for part in last.predictions} <= set(last.metrics)
    assert all(np.isfinite(value) for value in last.metrics.values()), last.metrics
    assert last.metrics["train/grad_norm"] > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_stopped_in_the_middle_of_an_epoch_and_continued(make: Make, family: str, tmp_path: Path) -> None:
    """Bit for bit as if it had never stopped: augmentation, dropout and sampling draw what they would have drawn."""
    whole_epochs, whole = finished(make(family))
    task = make(family, checkpoint_dir=str(tmp_path))
    items = trial.run(task)
    first = next(item for item in items if isinstance(item, EpochRecord) and not item.heartbeat)
    assert first.step == 1
    items.close()
    rest, last = finished(task)
    assert [record.metrics for record in (first, *rest)] == [record.metrics for record in whole_epochs]
    for part, predictions in whole.predictions.items():
        again = last.predictions[part]
        assert {name: values.tolist() for name, values in predictions.values.items()} == {
            name: values.tolist() for name, values in again.values.items()
        }
        if predictions.probabilities is not None:
            assert again.probabilities is not None
            assert (predictions.probabilities == again.probabilities).all()


@pytest.mark.parametrize("family", MAKING)
def test_scores_are_those_of_the_stored_values(make: Make, family: str) -> None:
    """So that a report recomputes them; those of the kept epoch are what its record said."""
    epochs, last = finished(make(family, seeds=(0, 1)))
    for part, predictions in last.predictions.items():
        assert predictions.probabilities is None
        for seed, metrics in enumerate(last.by_seed):
            values = {name: layers[seed] for name, layers in predictions.values.items()}
            found = score_images(values, predictions.truth, last.classes, predictions.slices)
            assert found
            for name, value in found.items():
                assert metrics[f"{part}/{name}"] == pytest.approx(value)
    kept = next(record for record in epochs if record.step == last.kept_step)
    assert last.metrics["val/mse"] == pytest.approx(kept.metrics["val/mse"], rel=1e-4)


def test_a_reconstruction_knows_its_probe_head_terms_and_latent(make: Make) -> None:
    epochs, last = finished(make("autoencoder", loss={"combine": "log_sum"}))
    wanted = {"val/probe_accuracy", "test/head_accuracy", "test/ssim", "test/psnr", "again/class_mse/0"}
    assert wanted <= set(last.metrics)
    shares = [
        epochs[0].metrics[f"train/gradient_share/{role}"] for role in ("reconstruction", "classification")
    ]
    assert sum(shares) == pytest.approx(1)
    assert epochs[0].metrics["train/loss_term/reconstruction"] > 0
    assert "val/ssim" not in epochs[0].metrics, "costly values are computed once"


def test_a_costly_metric_is_measured_after_every_epoch_where_it_is_the_objective(make: Make) -> None:
    epochs, last = finished(make("autoencoder", objective="val/probe_accuracy"))
    curve = [record.metrics["val/probe_accuracy"] for record in epochs]
    assert last.metrics["val/probe_accuracy"] == max(curve)


def test_partitions_are_measured(make: Make) -> None:
    _, last = finished(make("pvae"))
    effects = [last.metrics[f"val/partition_effect/{number}"] for number in (0, 1)]
    assert last.metrics["val/dead_partitions"] == sum(effect < 1e-3 for effect in effects)


PICTURES = {
    "classification": {"examples.png", "augmentations.png", "confusion.png", "worst.png"},
    "reconstruction": {
        "examples.png",
        "augmentations.png",
        "reconstructions.png",
        "snapshots.png",
        "samples.png",
    },
    "translation": {"augmentations.png", "translations.png", "snapshots.png"},
}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_its_pictures(make: Make, family: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each a PNG with its own words; of a network whose latent has parts, one a part."""
    _, last = finished(make(family, epochs=0))  # untrained: some of the images are wrong
    assert not caplog.records
    wanted = PICTURES[task_of(family)] | (
        {"traversal-0.png", "traversal-1.png"} if family == "pvae" else set()
    )
    assert wanted <= set(last.pictures)
    for name, content in last.pictures.items():
        with Image.open(io.BytesIO(content)) as picture:
            assert {"Title", "Description", "Question"} <= set(picture.info), name


def test_a_picture_that_fails_costs_no_trial(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The training is done by then."""

    def broken(*_: Any, **__: Any) -> dict[str, bytes]:
        raise ValueError("no ink")

    monkeypatch.setattr("pokeopt.trial.pictures.draw_worst", broken)
    _, last = finished(make("mlp", epochs=1))
    assert last.pictures == {}
    assert "test/macro_f1" in last.metrics


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("precision", ["fp32", "auto"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_trained_on_a_gpu(make: Make, family: str, precision: str) -> None:
    """In full and in mixed precision: the same code, finite scores, the pictures."""
    _, last = finished(make(family, device="cuda", precision=precision))
    assert all(np.isfinite(value) for value in last.metrics.values()), last.metrics
    assert PICTURES[task_of(family)] - {"worst.png"} <= set(last.pictures)
    assert last.facts["device"].startswith("cuda")

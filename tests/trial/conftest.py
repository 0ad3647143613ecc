"""A trial on a folder of small PNG files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pokeopt.records import TrialTask

MakeTask = Callable[..., TrialTask]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def labelled_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 images, 8x8, three classes of their own brightness under noise, and ``labels.csv``."""
    folder = tmp_path_factory.mktemp("labelled")
    rng = np.random.default_rng(0)
    centres = rng.integers(60, 200, (3, 1, 1, 3))
    rows = ["Id,label"]
    for i in range(120):
        pixels = np.clip(centres[i % 3] + rng.normal(0, 60, (8, 8, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
        rows.append(f"{i},{'ABC'[i % 3]}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="session")
def make_task(labelled_images: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeTask:
    """Make a task; keywords replace settings of ``training``, or fields of the task where it has them."""
    cache = tmp_path_factory.mktemp("home") / "cache"

    def make(**settings: Any) -> TrialTask:
        fields = {key: settings.pop(key) for key in list(settings) if key in TrialTask.__slots__}
        training = {
            "epochs": 3,
            "batch_size": 16,
            "sampler": "shuffle",
            "augmentation": ["noise"],
            "optimizer": "adam",
            "learning_rate": 1e-2,
            "weight_decay": 0.0,
            "schedule": "constant",
            "early_stopping": "none",
            "keep": "best",
            "precision": "auto",
            "gradient_clip": None,
        }
        config = {
            "data": {
                "source": "csv",
                "images": str(labelled_images),
                "labels": str(labelled_images / "labels.csv"),
                "id": "Id",
                "label": "label",
                "group": None,
                "image_size": 8,
                "channels": "rgb",
                "limit": None,
                "split": {"train": 0.7, "val": 0.15, "test": 0.15, "by": "class", "seed": 0},
                "preprocess": [],
            },
            "external": {"again": {"of": "test", "preprocess": []}},
            "model": {"family": "mlp", "depth": 2, "width": [16, 8]},
            "loss": {"terms": {"classification": "cross_entropy"}, "combine": "sum", "weights": {}},
            "training": training | settings,
        }
        task = TrialTask(config, seeds=(0,), objective="val/macro_f1", cache_dir=str(cache), device="cpu")
        return replace(task, **fields)

    return make

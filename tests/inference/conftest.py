"""A small finished search of each family, run through the front door, on images that need preparing."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pokeopt import api
from pokeopt.spec.fitting import task_of
from pokeopt.store import Store, open_store
from tests.families import SMALL

N, SIZE = 60, 32
Studied = Callable[[str], Store]


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Creatures as ``labels.csv`` and ``images``, of a dark outline in one of three shapes; pairs as arrays."""
    root = tmp_path_factory.mktemp("data")
    (root / "images").mkdir()
    rng = np.random.default_rng(0)
    images = rng.integers(100, 200, (N, 40, 48, 3)).astype(np.uint8)
    condition = np.zeros_like(images)
    rows = ["Id,label"]
    for i, image in enumerate(images):
        height, width = ((12, 30), (24, 24), (30, 12))[i % 3]
        image[4 : 4 + height, 6 : 6 + width] = 10
        image[6 : 2 + height, 8 : 4 + width] = (200, 90, 60)
        condition[i, 4 : 4 + height, 6 : 6 + width] = rng.integers(0, 256, 3)
        Image.fromarray(image).save(root / "images" / f"c{i:02}.png")
        rows.append(f"c{i:02},{('wide', 'square', 'tall')[i % 3]}")
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    target = np.where(condition.any(axis=3, keepdims=True), condition, images)
    np.savez(root / "pairs.npz", images=images, labels=np.arange(N) % 3, condition=condition, target=target)
    return root


@pytest.fixture(scope="session")
def studied(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Studied:
    """Return the store that holds a study called like its family; it is run when it is first asked for."""

    @functools.cache
    def study(family: str) -> Store:
        home = tmp_path_factory.mktemp(f"home-{family}")
        space = home / f"{family}.yaml"
        space.write_text(json.dumps(space_of(family, folder)))  # JSON is YAML
        result = api.run(space, home=home / "state", workers=0, report=False)
        assert result.exit_code == 0, result.message
        return open_store(None, home / "state")

    return study


def space_of(family: str, folder: Path) -> dict[str, Any]:
    """Return a search-space file of two trials."""
    if task_of(family) == "translation":
        source: dict[str, Any] = {"source": "npz", "path": str(folder / "pairs.npz")}
        source |= {"condition": "condition", "target": "target"}
    else:
        source = {"source": "csv", "images": str(folder / "images"), "labels": str(folder / "labels.csv")}
        source |= {"preprocess": ["silhouette_crop"]}
    return {
        "name": family,
        "data": {**source, "image_size": SIZE, "split": {"train": 0.5, "val": 0.25, "test": 0.25}},
        "model": {"family": family, **SMALL[family]},
        "training": {
            "epochs": 3,
            "batch_size": 16,
            "schedule": {"plateau": {"patience": 0}},
            "learning_rate": {"float": [0.001, 0.01], "log": True},
            "precision": "fp32",
            "keep": "last" if family == "cnn" else "best",
        },
        "search": {"trials": 2, "sampler": "random", "pruner": "none"},
    }

"""What the families' benchmark trains: the baseline of each search space, as a task and as a folder of PNG files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pokeopt.records import TrialTask
from pokeopt.spec import load_study
from pokeopt.spec.fitting import task_of

SPACES = Path(__file__).parent.parent / "search_spaces"
# images to train, validate and test with: an epoch of so many takes a second or a few on two cores
LIMITS = {"mlp": 1260, "cnn": 900, "transfer": 300, "autoencoder": 405, "pvae": 1797, "unet": 300}
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
# a few epochs are too short for a schedule, and none of them may be left out
SAME_FOR_BOTH = ("training.schedule=constant", "training.early_stopping=none")


@dataclass(frozen=True)
class Facts:
    """What a user knows of the folder of images.

    Attributes:
        size: Pixels a side.
        channels: Of an image, without its condition.
        n_classes: K.
        mean: (C,) of the intensity in [0, 1] that images are standardised with; 0 where they are not.
        std: (C,) likewise; 1 where they are not.
        is_paired: Each image has a mask and a target beside it.
    """

    size: int
    channels: int
    n_classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    is_paired: bool


def baseline_task(family: str, home: Path, *, limit: int | None, epochs: int, precision: str) -> TrialTask:
    """Return the baseline of a family's search space as a task.

    Args:
        family: Name of the model family and of its search space.
        home: Folder of the state, with the image cache.
        limit: Images in all parts together; None leaves it to the search space.
        epochs: How many to train.
        precision: ``fp32`` or ``bf16``.
    """
    space = SPACES / f"{family}.yaml"
    sets = [*SAME_FOR_BOTH, f"training.precision={precision}"]
    spec = load_study(space, sets if limit is None else [*sets, f"data.limit={limit}"])
    config = spec.space.config(spec.space.baseline())
    config["training"]["epochs"] = epochs
    config["external"] = {}
    return TrialTask(config, seeds=(0,), objective=spec.prune_on, cache_dir=str(home / "cache"))


def write_images(task: TrialTask, folder: Path) -> None:
    """Write the training and validation images of a task as PNG files of their final size, a folder for each class.

    Resizing is not left to whoever reads them: both sides start from the same pixels.
    """
    import torch

    from pokeopt.trial.prepare import prepare

    prepared = prepare(task, torch.device("cpu"))
    dataset, shape = prepared.dataset, prepared.data.shape
    is_paired = task_of(task.config["model"]["family"]) == "translation"
    bounds = np.cumsum([shape.channels, shape.condition])
    for part in ("train", "val"):
        for label in range(len(dataset.classes)):
            (folder / part / f"{label:03d}").mkdir(parents=True)
        for row in getattr(dataset, part):
            name = str(folder / part / f"{dataset.labels[row]:03d}" / f"{row:05d}")
            image, condition, target = np.split(np.asarray(dataset.images[row]), bounds)
            _write(image, f"{name}.png")
            if is_paired:
                _write(condition, f"{name}.mask")
                _write(target, f"{name}.target")
    facts = {
        "size": shape.height,
        "channels": shape.channels,
        "n_classes": len(dataset.classes),
        "mean": prepared.data.mean.tolist(),
        "std": prepared.data.std.tolist(),
        "is_paired": is_paired,
    }
    (folder / "facts.json").write_text(json.dumps(facts))


def read_facts(folder: Path) -> Facts:
    """Return what ``write_images`` knew of its images."""
    facts: Mapping[str, Any] = json.loads((folder / "facts.json").read_text())
    return Facts(**{**facts, "mean": tuple(facts["mean"]), "std": tuple(facts["std"])})


def _write(pixels: npt.NDArray[np.uint8], name: str) -> None:
    """Write bytes (C, H, W)."""
    image = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    Image.fromarray(np.ascontiguousarray(image), MODES[len(pixels)]).save(name, format="PNG")

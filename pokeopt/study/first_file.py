"""The YAML of a first search-space file, with a comment where a reader may want to change something."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pokeopt.data.survey import Survey

CROPS = "{choice: {raw: [], crop: [silhouette_crop]}}"
TURNS = (
    "{choice: {none: [], turn: [rotate, shift]}}"  # drawings and digits: a mirror image may be another class
)
MIRRORS = "{choice: {none: [], flip: [horizontal_flip], full: [horizontal_flip, rotate, color_jitter]}}"
MODELS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "mlp": (
        (
            "  family: mlp",
            "  depth: {int: [1, 3]}",
            "  width: {int: [32, 256], log: true, per: model.depth}  # of each layer",
            "  dropout: {float: [0.0, 0.5]}",
            "  batch_norm: true",
        ),
        {"model.depth": "2", "model.width": "[128, 64]", "model.dropout": "0.2"},
    ),
    "cnn": (
        (
            "  family: cnn",
            "  depth: {int: [2, 4]}",
            "  channels: {int: [8, 48], log: true, per: model.depth}  # of each stage; more on a GPU",
            "  head: {choice: [flatten, pool]}",
            "  dropout: {float: [0.0, 0.5]}",
        ),
        {
            "model.depth": "3",
            "model.channels": "[16, 32, 32]",
            "model.head": "pool",
            "model.dropout": "0.2",
        },
    ),
    "transfer": (
        (
            "  family: transfer",
            "  backbone: efficientnet_lite0  # or resnet18, resnet50, vit_b_16, ... of torchvision",
            "  weights: {choice: [DEFAULT, none]}",
            "  trainable: {choice: {head: [], last: [4], all: [0, 1, 2, 3, 4]}}  # stages of the backbone that learn",
            "  head_width: {choice: [0, 128]}",
        ),
        {"model.weights": "DEFAULT", "model.trainable": "head", "model.head_width": "0"},
    ),
}


@dataclass(frozen=True)
class FirstFile:
    """What was decided.

    Attributes:
        family: mlp, cnn or transfer.
        limit: Of the images; None for all.
        seeds: Of each arm of the ablation.
        top: Arms of the ablation between baseline and best.
        is_cropped: Whether cropping to a dark outline is tried.
        is_uneven: Whether weighting rare classes is tried.
    """

    name: str
    family: str
    size_px: int
    epochs: int
    trials: int
    limit: int | None
    seeds: int
    top: int
    is_cropped: bool
    is_uneven: bool

    def text(self, seen: Survey, target: Path) -> str:
        """Return the YAML, to lie at ``target``."""
        what = f"# {seen.n_images} images of {len(seen.counts)} classes."
        lines = [
            f"{what} Any value may be searched: write a range or a choice in its place.",
            f"name: {self.name}",
            *self._data(seen, target),
            "model:",
            *MODELS[self.family][0],
            *self._training(seen.is_gray),
            "# trial 0, and what every change is compared with",
            "baseline:",
            *(f"  {key}: {value}" for key, value in self._baseline().items()),
            *self._search(),
        ]
        return "\n".join(lines) + "\n"

    def _data(self, seen: Survey, target: Path) -> list[str]:
        channels = "gray" if seen.is_gray and self.family != "transfer" else "rgb"
        lines = ["data:"]
        lines += [f"  {key}: {_quoted(_path(value, key, target))}" for key, value in seen.source.items()]
        lines.append(f"  image_size: {self.size_px}  # pixels; images are made square")
        lines.append(f"  channels: {channels}  # rgb, rgba or gray")
        if self.limit is not None:
            lines.append(
                f"  limit: {self.limit}  # of {seen.n_images}; take the line out where there is time"
            )
        if seen.given:
            parts = ", ".join(seen.given)
            divider = "table" if seen.source["source"] == "csv" else "folder"
            lines.append(f"  # {parts}: as the {divider} divides them; a missing part is drawn from train")
        lines.append("  split: {train: 0.70, val: 0.15, test: 0.15, by: class, seed: 0}")
        if self.is_cropped:
            lines.append(f"  preprocess: {CROPS}  # crop: cut to the dark outline")
        return lines

    def _training(self, is_gray: bool) -> list[str]:
        sampler = "  sampler: {choice: [shuffle, weighted]}  # weighted: rare classes as often as others"
        return [
            "training:",
            f"  epochs: {self.epochs}",
            f"  batch_size: {16 if self.family == 'transfer' else 32}",
            *([sampler] if self.is_uneven else []),
            f"  augmentation: {TURNS if is_gray else MIRRORS}",
            "  optimizer: adam",
            "  learning_rate: {float: [3e-4, 1e-2], log: true}",
            "  schedule: cosine",
        ]

    def _baseline(self) -> dict[str, str]:
        values = {"data.preprocess": "raw"} if self.is_cropped else {}
        values |= MODELS[self.family][1]
        values |= {"training.sampler": "shuffle"} if self.is_uneven else {}
        return values | {"training.augmentation": "none", "training.learning_rate": "1e-3"}

    def _search(self) -> list[str]:
        include = ", include: [data.preprocess]" if self.is_cropped else ""
        return [
            "objective: {metric: val/macro_f1}  # the mean of the classes' F1, on images that are not trained on",
            f"search: {{sampler: tpe, pruner: hyperband, trials: {self.trials}, seed: 0}}",
            "# after the search: the baseline, the best trial and changes between them, each with several seeds",
            f"ablation: {{mode: one-at-a-time, seeds: {self.seeds}, top: {self.top}{include}}}",
        ]


def _path(value: str, key: str, target: Path) -> str:
    """Return a path as the file at ``target`` names it; other values as they are."""
    if key not in ("path", "images", "labels"):
        return value
    relative = os.path.relpath(value, target.absolute().parent)
    return value if relative.count("..") > 2 else Path(relative).as_posix()


def _quoted(text: str) -> str:
    """Return text as a YAML scalar: plain where it can be nothing else.

    >>> _quoted("images/pets"), _quoted("it's: #1")
    ('images/pets', "'it''s: #1'")
    """
    if re.fullmatch(r"[A-Za-z_./][\w./-]*", text) and text.lower() not in ("true", "false", "null"):
        return text
    return "'" + text.replace("'", "''") + "'"

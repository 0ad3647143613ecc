"""What a data set holds, seen before any study: classes, sizes, duplicates, samples, and what each step does."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pokeopt.data.dataset import Dataset, load_data, read_source
from pokeopt.data.description import ClassRow, DataDescription, Sample
from pokeopt.data.description_page import describe_html
from pokeopt.data.images import apply_steps, to_rgba, to_square
from pokeopt.data.oddities import strange_images
from pokeopt.data.sources.base import PARTS, SourceTable
from pokeopt.data.split import choose_limited
from pokeopt.registry import PREPROCESSING, split_component

__all__ = ["DataDescription", "describe", "describe_html"]

LARGEST_PX = 128  # a picture on the page is no larger: a photograph would make the page heavy


def describe(
    data: Mapping[str, Any],
    cache_dir: Path,
    external: Mapping[str, Mapping[str, Any]] | None = None,
    n_samples: int = 6,
) -> DataDescription:
    """Load a resolved ``data`` section and say what it holds.

    Args:
        data: The section, see ``load_data``.
        cache_dir: Folder of the image cache; its parent is the folder of all state.
        external: Further sets, counted by class.
        n_samples: Images shown of each class, evenly spaced over its train part.

    Raises:
        DataError: If images or labels cannot be used.
        SpecError: If a name or setting does not exist.
    """
    dataset = load_data(data, cache_dir, external=external)
    labels = {part: dataset.labels[getattr(dataset, part)] for part in PARTS}
    labels |= {name: part.labels for name, part in dataset.external.items()}
    table = read_source(data, Path(cache_dir).parent)
    rows = choose_limited(table, data.get("limit"), data.get("split", {}).get("seed", 0))
    sizes = Counter((width, height) for width, height in dataset.sizes.tolist()).most_common()
    modes = Counter(dataset.modes.tolist()).most_common()
    return DataDescription(
        name=dataset.name,
        classes=tuple(_class_row(name, label, labels) for label, name in enumerate(dataset.classes)),
        parts={part: len(values) for part, values in labels.items()},
        n_groups=None if dataset.groups is None else len(np.unique(dataset.groups)),
        groups_across=_groups_across(dataset),
        sizes=tuple(sizes),
        modes=tuple(modes),
        duplicates_within=_within(dataset.pixel_hashes, dataset),
        duplicates_across=dataset.duplicates_across_splits,
        stages=_stages(data),
        samples=tuple(_samples(data, table, rows, dataset, n_samples)),
        notes=(
            *table.notes,
            *_notes(sizes, modes, int(data.get("image_size", 64))),
            *strange_images(dataset),
        ),
    )


def _class_row(name: str, label: int, labels: Mapping[str, npt.NDArray[np.int64]]) -> ClassRow:
    counts = {part: int((values == label).sum()) for part, values in labels.items()}
    shares = {part: counts[part] / max(1, len(values)) for part, values in labels.items()}
    return ClassRow(name, counts, shares)


def _groups_across(dataset: Dataset) -> int:
    if dataset.groups is None:
        return 0
    held_out = dataset.groups[np.concatenate([dataset.val, dataset.test])]
    return len(np.intersect1d(dataset.groups[dataset.train], held_out))


def _within(hashes: npt.NDArray[np.str_], dataset: Dataset) -> tuple[tuple[str, str], ...]:
    """Return pairs (first image, a later one equal to it) that lie in the same part."""
    pairs = []
    for part in PARTS:
        first_seen: dict[str, str] = {}
        for row in getattr(dataset, part).tolist():
            name = str(dataset.ids[row])
            twin = first_seen.setdefault(str(hashes[row]), name)
            if twin != name:
                pairs.append((twin, name))
    return tuple(pairs)


def _stages(data: Mapping[str, Any]) -> tuple[str, ...]:
    size_px, channels = int(data.get("image_size", 64)), data.get("channels", "rgb")
    steps = [split_component(component)[0] for component in data.get("preprocess") or ()]
    return ("as found", *steps, f"{size_px}x{size_px} {channels}")


def _samples(
    data: Mapping[str, Any],
    table: SourceTable,
    rows: npt.NDArray[np.int64],
    dataset: Dataset,
    n_samples: int,
) -> list[Sample]:
    steps = [PREPROCESSING.make(component) for component in data.get("preprocess") or ()]
    size_px, channels = int(data.get("image_size", 64)), str(data.get("channels", "rgb"))
    samples = []
    for label, name in enumerate(dataset.classes):
        own = dataset.train[dataset.labels[dataset.train] == label]
        spaced = np.unique(np.linspace(0, len(own) - 1, min(n_samples, len(own))).astype(int))
        for row in own[spaced].tolist():
            identity = str(dataset.ids[row])
            original = to_rgba(table.open(int(rows[row])))
            # Each stage from the start: the state that steps hand on then is the one they would see.
            stages = [apply_steps(original, steps[:count], identity) for count in range(len(steps) + 1)]
            seen = to_square(stages[-1], size_px, channels)
            pixels = seen[0] if len(seen) == 1 else seen.transpose(1, 2, 0)
            pictures = (*(_png(stage) for stage in stages), _png(pixels))
            samples.append(Sample(identity, name, pictures))
    return samples


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((LARGEST_PX, LARGEST_PX))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _notes(
    sizes: list[tuple[tuple[int, int], int]], modes: list[tuple[str, int]], image_size: int
) -> list[str]:
    notes = []
    if len(sizes) > 1:
        widths, heights = zip(*(size for size, _ in sizes), strict=True)
        spread = f"{min(widths)} to {max(widths)} wide, {min(heights)} to {max(heights)} high"
        resized = f"each is resized to {image_size}x{image_size} without cropping"
        notes.append(f"The images have {len(sizes)} sizes ({spread} in pixels): {resized}.")
    elif sizes[0][0][0] != sizes[0][0][1]:
        notes.append(f"The images are not square: resizing to {image_size}x{image_size} stretches them.")
    if len(modes) > 1:
        listed = ", ".join(f"{mode} {count}" for mode, count in modes)
        notes.append(f"The images have {len(modes)} modes ({listed}): all are read as RGBA.")
    return notes

"""The images of one configuration: decoded, divided, ready to be batched."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pokeopt.data.cache import Recipe, cached_images, channels_of
from pokeopt.data.duplicates import across_parts, of_two_classes
from pokeopt.data.sources.base import SourceTable
from pokeopt.data.split import Rows, SplitRule, choose_limited, draw_split
from pokeopt.errors import DataError
from pokeopt.registry import SOURCES, nearest

FIXED_KEYS = ("source", "image_size", "channels", "limit", "split", "preprocess")


@dataclass(frozen=True)
class Part:
    """Images that nothing is chosen on.

    Attributes:
        images: uint8 (N, C, H, W), memory-mapped.
        labels: (N,) int64, indices into the classes of training.
        ids: (N,) names.
        slices: Name to which images (N,) are in it.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    ids: npt.NDArray[np.str_]
    slices: Mapping[str, npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class Dataset:
    """All images of one data configuration, with their parts.

    Attributes:
        name: What the report calls it.
        classes: Class names, in the order of the labels.
        images: uint8 (N, C, H, W), memory-mapped, read-only; of a pair, the channels of the input, of the condition
            (red, green, blue) and of the output follow each other.
        channels: How many are the image's, its condition's and its target's.
        labels: (N,) int64.
        ids: (N,) names, each once.
        groups: (N,) what belongs together, or None.
        columns: What else the source knows of each image, N rows.
        train, val, test: Sorted, disjoint rows.
        external: Further sets that are scored once per finished trial.
        data_hash: Digest of the images' bytes, the labels and how they are prepared.
        split_hash: Digest of which image lies in which part.
        duplicates_across_splits: Pairs of identical images in different parts, by id. An external set counts as a part
            beside train and val, unless it is the test part in another preparation; its images are named NAME/ID.
        contradictions: Pairs of identical images of different classes, by id; empty where there are pairs to translate.
        sizes: (N, 2) width and height of the originals in pixels.
        modes: (N,) Pillow's mode of the originals.
        pixel_hashes: (N,) digests of the decoded originals.
        turned: (N,) bool, whether the original was turned as its EXIF orientation says.
        levels: (N, R, 2) the lowest and highest value of a colour in the original; R is 1, of pairs 2: input, output.
    """

    name: str
    classes: tuple[str, ...]
    images: npt.NDArray[np.uint8]
    channels: tuple[int, int, int]
    labels: npt.NDArray[np.int64]
    ids: npt.NDArray[np.str_]
    groups: npt.NDArray[np.str_] | None
    columns: pd.DataFrame
    train: Rows
    val: Rows
    test: Rows
    external: dict[str, Part]
    data_hash: str
    split_hash: str
    duplicates_across_splits: tuple[tuple[str, str], ...]
    contradictions: tuple[tuple[str, str], ...]
    sizes: npt.NDArray[np.int64]
    modes: npt.NDArray[np.str_]
    pixel_hashes: npt.NDArray[np.str_]
    turned: npt.NDArray[np.bool_]
    levels: npt.NDArray[np.uint8]

    def slices(self, rows: Rows) -> dict[str, npt.NDArray[np.bool_]]:
        """Return which of some rows are in each slice: a slice is a yes-or-no column of the source."""
        return _slices(self.columns, rows)


def load_data(
    data: Mapping[str, Any],
    cache_dir: Path,
    *,
    external: Mapping[str, Mapping[str, Any]] | None = None,
    resample: int | None = None,
) -> Dataset:
    """Load the images of a resolved ``data`` section; they are decoded at the first call and mapped from then on.

    Args:
        data: The section: source, its settings, image_size, channels, limit, split, preprocess.
        cache_dir: Folder of the image cache; its parent is the folder of all state.
        external: Name to ``{of: test}`` or a ``data``-like mapping; without ``preprocess`` it is prepared as ``data``.
        resample: Seed that redraws train and val from their union.

    Raises:
        DataError: If images or labels cannot be used.
        SpecError: If a name or setting does not exist.
    """
    home = Path(cache_dir).parent
    table = read_source(data, home)
    rule = SplitRule(**data.get("split", {}))
    rows = choose_limited(table, data.get("limit"), rule.seed)
    split = draw_split(table, rows, rule, resample)
    recipe = make_recipe(data)
    images = cached_images(table, rows, recipe, Path(cache_dir))
    position = np.full(len(table.ids), -1, dtype=np.int64)  # row of the source -> row of the data set
    position[rows] = np.arange(len(rows))
    train, val, test = (position[part] for part in (split.train, split.val, split.test))
    ids = table.ids[rows]
    found = {
        name: _external(name, entry, table, split.test, rule.seed, recipe, Path(cache_dir))
        for name, entry in (external or {}).items()
    }
    return Dataset(
        name=table.name,
        classes=table.classes,
        images=images.pixels,
        channels=channels_of(recipe.channels, is_paired=table.open_pair is not None),
        labels=table.labels[rows],
        ids=ids,
        groups=None if table.groups is None else table.groups[rows],
        columns=table.columns.iloc[rows].reset_index(drop=True)
        if len(table.columns.columns)
        else _no_columns(rows),
        train=train,
        val=val,
        test=test,
        external={name: part for name, (part, _) in found.items()},
        data_hash=_data_hash(table, rows, recipe, is_turned=bool(images.turned.any())),
        split_hash=split.digest(table.ids),
        duplicates_across_splits=across_parts(images.pixel_hashes, ids, (train, val, test))
        + tuple(
            pair
            for name, (part, hashes) in found.items()
            if hashes is not None
            for pair in _shared(name, part.ids, hashes, (ids, images.pixel_hashes), (train, val))
        ),
        contradictions=()
        if table.open_pair is not None
        else of_two_classes(images.pixel_hashes, ids, table.labels[rows]),
        sizes=images.sizes,
        modes=images.modes,
        pixel_hashes=images.pixel_hashes,
        turned=images.turned,
        levels=images.levels,
    )


def prepare(
    data: Mapping[str, Any], cache_dir: Path, external: Mapping[str, Mapping[str, Any]] | None = None
) -> Dataset:
    """Decode the images of a configuration once, so that the trials only map them; several processes may."""
    return load_data(data, cache_dir, external=external)


def read_source(data: Mapping[str, Any], home: Path) -> SourceTable:
    """List the images that a ``data``-like mapping names and check the list.

    Raises:
        DataError: If it is empty, two images have one name, or a file's name is no UTF-8.
    """
    own = {key: value for key, value in data.items() if key not in FIXED_KEYS}
    try:
        table: SourceTable = SOURCES.make({data["source"]: own}).read(home)
    except UnicodeEncodeError as error:
        raise no_utf8(error.object) from error
    where = f"data ({table.name})"
    if not len(table.ids):
        raise DataError(where, "there are no images", "give a source with labelled images")
    names, counts = np.unique(table.ids, return_counts=True)
    if counts.max() > 1:
        twice = names[np.argmax(counts > 1)]
        raise DataError(where, f"two images are called '{twice}'", "give each image its own name")
    return table


def no_utf8(name: str) -> DataError:
    """Return the error on a file whose name no table can hold; old zip archives have such names."""
    return DataError(repr(os.fsencode(name)), "the file's name is not UTF-8", "rename the file")


def make_recipe(data: Mapping[str, Any]) -> Recipe:
    """Return how a ``data`` section turns images into bytes."""
    preprocess = data.get("preprocess") or ()
    return Recipe(int(data.get("image_size", 64)), str(data.get("channels", "rgb")), tuple(preprocess))


def _external(
    name: str,
    entry: Mapping[str, Any],
    table: SourceTable,
    test: Rows,
    seed: int,
    recipe: Recipe,
    cache_dir: Path,
) -> tuple[Part, npt.NDArray[np.str_] | None]:
    """Load one external set with the classes of training, and the digests of its originals; None of the test part's."""
    preprocess = entry.get("preprocess")
    recipe = recipe if preprocess is None else Recipe(recipe.size_px, recipe.channels, tuple(preprocess))
    if entry.get("of") == "test":
        if not len(test):
            raise DataError(f"external.{name}", "the test part is empty", "give split.test a share above 0")
        pixels = cached_images(table, test, recipe, cache_dir).pixels
        return Part(pixels, table.labels[test], table.ids[test], _slices(table.columns, test)), None
    other = read_source({key: value for key, value in entry.items() if key != "of"}, cache_dir.parent)
    if (other.open_pair is None) != (table.open_pair is None):
        what = f"{other.name} and {table.name} are not of one kind: only one of them holds pairs"
        raise DataError(f"external.{name}", what, "use a source like that of data")
    unknown = sorted(set(other.classes) - set(table.classes))
    if unknown:
        what = f"class '{unknown[0]}' is unknown to training"
        raise DataError(f"external.{name}", what, nearest(unknown[0], table.classes))
    rows = choose_limited(other, entry.get("limit"), seed)
    to_training = np.array([table.classes.index(label) for label in other.classes], dtype=np.int64)
    images = cached_images(other, rows, recipe, cache_dir)
    labels = to_training[other.labels[rows]]
    return Part(images.pixels, labels, other.ids[rows], _slices(other.columns, rows)), images.pixel_hashes


def _shared(
    name: str,
    ids: npt.NDArray[np.str_],
    hashes: npt.NDArray[np.str_],
    own: tuple[npt.NDArray[np.str_], npt.NDArray[np.str_]],
    parts: tuple[Rows, ...],
) -> tuple[tuple[str, str], ...]:
    """Return pairs (image of the study's parts, the same image in an external set); ``own`` are ids and digests."""
    known = np.concatenate(parts)
    every = np.concatenate([own[1][known], hashes])
    names = np.concatenate([own[0][known], np.array([f"{name}/{one}" for one in ids.tolist()])])
    return across_parts(every, names, (np.arange(len(known)), np.arange(len(known), len(every))))


def _data_hash(table: SourceTable, rows: Rows, recipe: Recipe, *, is_turned: bool) -> str:
    """Return the digest of a data set; images that are turned are others than those of the same files that are not."""
    named = [table.content_hash, recipe.describe(), *(["upright"] if is_turned else [])]
    hashed = json.dumps(named, sort_keys=True).encode()
    return hashlib.sha256(hashed + rows.tobytes()).hexdigest()[:16]


def _slices(columns: pd.DataFrame, rows: Rows) -> dict[str, npt.NDArray[np.bool_]]:
    return {
        str(name): columns[name].to_numpy(dtype=bool)[rows]
        for name in columns.columns
        if columns[name].dtype == bool
    }


def _no_columns(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame(index=range(len(rows)))

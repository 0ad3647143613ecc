"""What a person points at when they say "this data": a search-space file, a table, a folder, a source's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pokeopt.errors import SpecError, UserError

YAML_SUFFIXES = (".yaml", ".yml")
READERS = {".npz": "npz", ".json": "pairs"}  # the source of a single file, by its suffix
PREPROCESS = "data.preprocess"
DataSection = tuple[dict[str, Any], dict[str, Any]]


def data_of(target: str, sets: Sequence[str] = ()) -> DataSection:
    """Return the ``data`` section that a target names, and its external sets.

    Args:
        target: A search-space file (its baseline's data), a ``.csv`` table of labels with the images in a folder
            ``images`` beside it or in its own folder, an ``.npz`` file, a JSON index of pairs, a folder with one folder
            a class, a folder of pairs, or a source's name.
        sets: ``KEY=VALUE``: changes to the file, or settings of the source.

    Raises:
        UserError: If it is none of these, or a setting is wrong.
    """
    path = Path(target)
    suffix = path.suffix.lower()
    if suffix in YAML_SUFFIXES:
        return _of_file(path, sets)
    if suffix == ".csv" and path.is_file():
        if _source_of(path.parent) == "pairs":  # the table of a folder of pairs
            return with_settings({"source": "pairs", "path": str(path.parent.absolute())}, sets), {}
        beside = path.parent / "images"
        images = beside if beside.is_dir() else path.parent
        found = {"source": "csv", "images": str(images.absolute()), "labels": str(path.absolute())}
        return with_settings(found, sets), {}
    if suffix in READERS and path.is_file():
        return with_settings({"source": READERS[suffix], "path": str(path.absolute())}, sets), {}
    if path.is_dir():
        return with_settings({"source": _source_of(path), "path": str(path.absolute())}, sets), {}

    from pokeopt.registry import SOURCES, nearest

    if path.is_file():
        mend = "give a table (.csv), .npz, a JSON index of pairs, a search-space file (.yaml) or a folder"
        raise UserError(target, "no source reads such a file by itself", mend)
    if target not in SOURCES.names():
        if suffix or len(path.parts) > 1:  # a path: no source is called so
            raise UserError(target, "there is no such file or folder", "check the path")
        what = "this is no file, no folder and no source"
        raise UserError(target, what, nearest(target, SOURCES.names()))
    return with_settings({"source": target}, sets), {}


def with_settings(data: Mapping[str, Any], sets: Sequence[str]) -> dict[str, Any]:
    """Return a ``data`` section with ``KEY=VALUE`` settings added and checked; values are YAML.

    Raises:
        UserError: If one cannot be read, is unknown, wrong or missing.
    """
    from pokeopt.spec.checker import Checker
    from pokeopt.spec.collect import is_marker
    from pokeopt.spec.nodes import Node, Place, node_of
    from pokeopt.spec.overrides import put_all, read_sets
    from pokeopt.spec.whole import check_data

    place = Place("--set", None, Path.cwd())
    root = Node({"data": node_of(dict(data), place)}, place)
    root = put_all(root, read_sets([_as_key_of_data(text) for text in sets]))
    section: dict[str, Any] = check_data(Checker(), root.mapping["data"])
    for key, value in section.items():
        if is_marker(value):
            raise UserError(f"--set {key}", "one value is needed, not a choice of several", "give one")
    _check_built(section)
    return section


def _as_key_of_data(text: str) -> str:
    """Return ``KEY=VALUE`` with the key as a file has it, ``data.KEY``."""
    from pokeopt.spec.overrides import read_sets

    key, equals, value = text.partition("=")
    whole = f"data.{key.removeprefix('data.')}={value}"
    try:
        if not key or not equals:
            raise SpecError(text, "", "")
        read_sets([whole])
    except SpecError as error:
        mend = "write KEY=VALUE, the value as in YAML"
        raise UserError(f"--set {text}", "this cannot be read", mend) from error
    return whole


def _check_built(section: Mapping[str, Any]) -> None:
    """Build what the section names: what a component says of its settings is heard before an image is opened."""
    from pokeopt.registry import PREPROCESSING, SOURCES

    SOURCES.make({section["source"]: {key: section[key] for key in SOURCES.settings(section["source"])}})
    for step in section["preprocess"]:
        PREPROCESSING.make(step)


def _source_of(folder: Path) -> str:
    from pokeopt.data.sources.folder import holds_pairs

    return "pairs" if holds_pairs(folder) else "folder"


def _of_file(path: Path, sets: Sequence[str]) -> DataSection:
    """Return the baseline's data; of several searched ways to prepare it the one with the most steps to look at."""
    from pokeopt.spec import load_study
    from pokeopt.study.planning import start_values

    spec = load_study(path, sets)
    values = start_values(spec)
    ways = next((param.choices for param in spec.space.params if param.path == PREPROCESS), ())
    configs = [spec.space.config({**values, PREPROCESS: way}) for way in ways] or [spec.space.config(values)]
    config = max(configs, key=lambda config: len(config["data"]["preprocess"]))
    return config["data"], config.get("external") or {}

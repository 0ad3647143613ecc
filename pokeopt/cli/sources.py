"""What a person points at when they say "this data": a search-space file, a table, a folder, a source's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pokeopt.errors import UserError

YAML_SUFFIXES = (".yaml", ".yml")
PREPROCESS = "data.preprocess"
DataSection = tuple[dict[str, Any], dict[str, Any]]


def data_of(target: str, sets: Sequence[str] = ()) -> DataSection:
    """Return the ``data`` section that a target names, and its external sets.

    Args:
        target: A search-space file (its baseline's data), a ``.csv`` table of labels with the images in a folder
            ``images`` beside it or in its own folder, a folder with one folder a class, or a source's name.
        sets: ``KEY=VALUE``: changes to the file, or settings of the source.

    Raises:
        UserError: If it is none of these.
    """
    path = Path(target)
    if path.suffix in YAML_SUFFIXES:
        return _of_file(path, sets)
    if path.suffix == ".csv" and path.is_file():
        beside = path.parent / "images"
        images = beside if beside.is_dir() else path.parent
        found = {"source": "csv", "images": str(images.absolute()), "labels": str(path.absolute())}
        return with_settings(found, sets), {}
    if path.is_dir():
        return with_settings({"source": "folder", "path": str(path.absolute())}, sets), {}

    from pokeopt.registry import SOURCES, nearest

    if target not in SOURCES.names():
        what = "this is no file, no folder and no source"
        raise UserError(target, what, nearest(target, SOURCES.names()))
    return with_settings({"source": target}, sets), {}


def with_settings(data: Mapping[str, Any], sets: Sequence[str]) -> dict[str, Any]:
    """Return a ``data`` section with ``KEY=VALUE`` settings added; values are YAML."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    result = dict(data)
    for text in sets:
        key, equals, value = text.partition("=")
        try:
            result[key.removeprefix("data.")] = YAML(typ="safe", pure=True).load(value)
        except YAMLError:
            equals = ""
        if not key or not equals:
            raise UserError(f"--set {text}", "this cannot be read", "write KEY=VALUE, the value as in YAML")
    return result


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

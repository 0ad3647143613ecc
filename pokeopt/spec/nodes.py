"""What was read: values that remember where they stand, so that every complaint can name file and line."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from pokeopt.errors import SpecError

Scalar: TypeAlias = bool | int | float | str | None
MARKERS = ("int", "float", "choice")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written.

    Attributes:
        file: As a message names it: a path, or ``--set KEY``.
        line: From 1; None outside files.
        folder: What relative paths in the value start from.
    """

    file: str
    line: int | None
    folder: Path

    @property
    def is_set(self) -> bool:
        """Whether the value came from ``--set``."""
        return self.line is None

    def at(self, key: str) -> str:
        """Return the ``where`` of a message about ``key``: ``space.yaml:12 (training.optimizer)``."""
        if self.line is None:
            return self.file if not key or self.file.endswith(f" {key}") else f"{self.file} ({key})"
        return f"{self.file}:{self.line} ({key})" if key else f"{self.file}:{self.line}"

    def error(self, key: str, what: str, mend: str) -> SpecError:
        """Return the error to raise about ``key``."""
        return SpecError(self.at(key), what, mend)


def where_in(places: Mapping[str, Place], key: str) -> str:
    """Return the ``where`` of a message about a key: where it, or the nearest above it, was written; else the key.

    >>> where_in({"data": Place("space.yaml", 2, Path())}, "data.split.by")
    'space.yaml:2 (data.split.by)'
    """
    path = key
    while path not in places and "." in path:
        path = path.rpartition(".")[0]
    place = places.get(path, places.get(""))
    return key if place is None else place.at(key)


@dataclass(frozen=True)
class Node:
    """One value of a file: a scalar, a list or a mapping of nodes.

    Attributes:
        label: The label under which ``--set`` chose this value among the labelled values of a choice.
    """

    value: Scalar | tuple[Node, ...] | Mapping[str, Node]
    place: Place
    label: str | None = None

    @property
    def mapping(self) -> Mapping[str, Node]:
        """The entries of a mapping; empty for anything else."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def items(self) -> tuple[Node, ...]:
        """The items of a list; empty for anything else."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def is_mapping(self) -> bool:
        """Whether the value is a mapping."""
        return isinstance(self.value, Mapping)

    @property
    def is_list(self) -> bool:
        """Whether the value is a list."""
        return isinstance(self.value, tuple)

    @property
    def is_scalar(self) -> bool:
        """Whether the value is neither."""
        return not self.is_mapping and not self.is_list

    @property
    def is_marker(self) -> bool:
        """Whether the value is searched: a mapping with one of the keys int, float and choice."""
        return any(key in self.mapping for key in MARKERS)

    def with_value(self, value: Scalar | tuple[Node, ...] | Mapping[str, Node]) -> Node:
        """Return a node of another value at the same place."""
        return replace(self, value=value)

    def plain(self) -> Any:
        """Return the value as plain Python."""
        if self.is_mapping:
            return {key: node.plain() for key, node in self.mapping.items()}
        return [node.plain() for node in self.items] if self.is_list else self.value


def show(value: Any) -> str:
    """Return a value as a message writes it: short, and text in quotes."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        text = "[" + ", ".join(show(item) for item in value) + "]"
        return text if len(text) <= 60 else f"a list of {len(value)}"
    return f"'{value}'" if isinstance(value, str) else repr(value)


def join(path: str, key: str) -> str:
    """Return the path of a key below another: ``model`` and ``depth`` make ``model.depth``."""
    return f"{path}.{key}" if path else key


def node_of(value: Any, place: Place) -> Node:
    """Return plain Python as a node, as if it were written at a place."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return Node({key: node_of(item, place) for key, item in value.items()}, place)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return Node(tuple(node_of(item, place) for item in value), place)
    return Node(str(value) if isinstance(value, Path) else value, place)

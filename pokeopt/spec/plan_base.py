"""What a plan's arms start from: a search-space file, or a stored trial; and how an arm changes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pokeopt.errors import SpecError
from pokeopt.spec.load import study_of
from pokeopt.spec.nodes import Node, Place, node_of
from pokeopt.spec.overrides import put_all
from pokeopt.spec.space import SECTIONS
from pokeopt.spec.study import StudySpec

Changes = Mapping[str, Node]


class Base(Protocol):
    """A starting point."""

    def with_changes(self, changes: Changes, arm: Changes) -> StudySpec:
        """Return the study after the plan's changes, then the arm's.

        Raises:
            SpecError: If one does not fit.
        """


@dataclass(frozen=True)
class FileBase:
    """A search-space file, each searched leaf at its baseline."""

    path: Path
    root: Node

    def with_changes(self, changes: Changes, arm: Changes) -> StudySpec:
        """Return the study after the changes."""
        return _study(self.path, self.root, _still(changes, arm), arm)


@dataclass(frozen=True)
class TrialBase:
    """A stored trial.

    A searched key takes a label or a value of its space; every other key is changed in the resolved configuration.
    """

    path: Path
    place: Place
    spec: StudySpec
    values: Mapping[str, Any]

    def with_changes(self, changes: Changes, arm: Changes) -> StudySpec:
        """Return the study after the changes: nothing in it is searched."""
        space, values = self.spec.space, dict(self.values)
        rest: list[dict[str, Node]] = []
        for part in (_still(changes, arm), dict(arm)):
            left = {}
            for key, node in part.items():
                try:
                    reference = space.baseline() if self.spec.baseline is not None else {}
                    values = space.complete({**values, **space.expand({key: node.plain()})}, reference)
                except SpecError:  # not searched, or not to this value
                    left[key] = node
            rest.append(left)
        config = space.config(values)
        closed = self.spec.resolved()
        kept = ("objective", "objectives", "constraints", "plugins")
        tree = {section: config[section] for section in SECTIONS}
        tree |= {key: closed[key] for key in kept if closed.get(key)}
        tree["search"] = {"prune_on": self.spec.search.prune_on, "pruner": "none"}
        return _study(self.path, node_of(tree, self.place), *rest)


def _study(path: Path, root: Node, *parts: Changes) -> StudySpec:
    keys: frozenset[str] = frozenset()
    for part in parts:
        root = put_all(root, part)
        keys |= frozenset(part)
    mapping = {key: node for key, node in root.mapping.items() if key not in ("ablation", "name")}
    return study_of(path, root.with_value(mapping), keys, "plan")


def _still(changes: Changes, arm: Changes) -> dict[str, Node]:
    """Return the plan's changes that the arm does not replace: an arm's label is one of the file's choice."""
    return {
        key: node
        for key, node in changes.items()
        if not any(key == one or key.startswith(f"{one}.") for one in arm)
    }

"""What a plan's arms start from: a search-space file, or a stored trial; and how an arm changes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pokeopt.errors import SpecError
from pokeopt.registry import MODELS, import_plugins
from pokeopt.spec.layers import fit_layers
from pokeopt.spec.load import study_of
from pokeopt.spec.nodes import Node, Place, node_of
from pokeopt.spec.overrides import put_all
from pokeopt.spec.space import SECTIONS
from pokeopt.spec.study import StudySpec

Changes = Mapping[str, Node]
KEPT = (
    "objective",
    "objectives",
    "constraints",
    "plugins",
)  # of a stored study; its resources were another machine's


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
        values, parts = dict(self.values), []
        for part in (_still(changes, arm), arm):
            searched = self._searched(part)
            if searched:
                values = self._changed(values, searched)
            parts.append({key: node for key, node in part.items() if key not in searched})
        rest = {key: self.spec.closed[key] for key in KEPT if self.spec.closed.get(key)}
        rest["search"] = {"prune_on": self.spec.search.prune_on, "pruner": "none"}
        return study_at(self.path, self.place, self.spec.space.config(values), rest, *parts)

    def _searched(self, part: Changes) -> dict[str, Node]:
        """Return the keys that are searched, and to such a value; a list and what counts its layers stay together."""
        space = self.spec.space
        found = {key: node for key, node in part.items() if self._fits(key, node)}
        for key in part:
            counter = space.counter_of(key)
            if counter in part and (key in found) != (counter in found):
                found.pop(key, None)
                found.pop(str(counter), None)
        return found

    def _fits(self, key: str, node: Node) -> bool:
        try:
            self.spec.space.expand({key: node.plain()})
        except SpecError:
            return False
        return True

    def _changed(self, values: Mapping[str, Any], searched: Changes) -> dict[str, Any]:
        try:
            return self.spec.space.changed(values, {key: node.plain() for key, node in searched.items()})
        except SpecError as error:
            above = [key for key in searched if f"{error.where}.".startswith(f"{key}.")]
            node = searched[max(above, key=len)] if above else next(iter(searched.values()))
            raise node.place.error(error.where, error.what, error.mend) from error


def study_at(
    path: Path, place: Place, config: Mapping[str, Any], rest: Mapping[str, Any], *parts: Changes
) -> StudySpec:
    """Return the study of one configuration: only what the changes search is searched.

    Args:
        path: The file that errors name.
        place: Where the configuration is named.
        config: Resolved.
        rest: The other sections, as in a file.
        parts: Changes, one after the other.

    Raises:
        SpecError: If a change does not fit.
    """
    import_plugins(rest.get("plugins", ()))  # the model may be one of them
    changes = {key: node for part in parts for key, node in part.items()}
    return _study(path, node_of({**as_written(config, changes), **rest}, place), *parts)


def as_written(config: Mapping[str, Any], changes: Changes | None = None) -> dict[str, Any]:
    """Return the sections of a resolved configuration as a file would have them.

    A list whose layers agree becomes one value for every layer, and another follows the number of layers that the
    changes set: with every key written out, the layers could not be changed otherwise.
    """
    model = dict(config["model"])
    settings = MODELS.settings(model["family"])
    for name, setting in settings.items():
        values = model.get(name)
        if setting.per is None or not isinstance(values, list) or not values:
            continue
        others = [one for one, other in settings.items() if other.per == setting.per]
        n_layers = _layers_set(changes or {}, setting.per, others)
        fitted = values if n_layers is None else fit_layers(values, n_layers)
        model[name] = values[0] if len(set(values)) == 1 else fitted
    return {**{section: config[section] for section in SECTIONS}, "model": model}


def _layers_set(changes: Changes, counter: str, names: Iterable[str]) -> int | None:
    """Return the number of layers that changes set, by a list or by the counter."""
    lists = [changes[f"model.{name}"] for name in names if f"model.{name}" in changes]
    counts = [len(node.items) for node in lists if node.is_list]
    value = changes[f"model.{counter}"].value if f"model.{counter}" in changes else None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        counts.append(value)
    return counts[0] if counts else None


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

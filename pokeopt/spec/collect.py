"""The leaves of a closed form: what is searched, what is fixed, and which choice each belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pokeopt.errors import SpecError
from pokeopt.spec.checker import Tree
from pokeopt.spec.nodes import MARKERS, Scalar, join
from pokeopt.spec.params import Condition, Param

WEIGHTS, COMBINE = "loss.weights", "loss.combine"  # weights exist only while the terms are summed


@dataclass(frozen=True)
class Fixed:
    """A leaf with one value, and the choices under which it exists.

    Attributes:
        names: What a ``when`` may call the value: its label, its component's name, or itself.
    """

    value: Any
    names: tuple[Any, ...]
    when: tuple[Condition, ...]


@dataclass(frozen=True)
class Searched:
    """A marker as it was found; ``when`` holds the choices around it, ``own`` the marker's conditions."""

    path: str
    marker: Mapping[str, Any]
    when: tuple[Condition, ...]

    @property
    def own(self) -> Mapping[str, list[Scalar]]:
        """The marker's ``when``, path to values as they were written."""
        own: Mapping[str, list[Scalar]] = self.marker.get("when", {})
        return own

    def param(self, path: str) -> Param:
        """Return the axis that this marker draws, without the conditions of its own."""
        marker = self.marker
        if "choice" in marker:
            return Param(path, "categorical", choices=tuple(marker["choice"]), when=self.when)
        kind = "int" if "int" in marker else "float"
        low, high = marker[kind]
        return Param(path, kind, low, high, marker.get("log", False), marker.get("step"), when=self.when)  # type: ignore[arg-type]


@dataclass
class Found:
    """What a walk over the closed form found, in file order.

    Attributes:
        counted: Path of a counter to that of the list whose length it follows.
        trees: Path of a marker to its closed form.
    """

    searched: list[Searched] = field(default_factory=list)
    fixed: dict[str, list[Fixed]] = field(default_factory=dict)
    counted: dict[str, str] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)

    def walk(self, tree: Tree, path: str, when: tuple[Condition, ...], names: tuple[Any, ...] = ()) -> None:
        """Enter the leaves at and below a path."""
        if is_marker(tree):
            self._enter_marker(tree, path, when)
        elif isinstance(tree, dict) and "$value" in tree:
            self.walk(tree["$value"], path, when, (*names, tree["$label"]) if "$label" in tree else names)
        elif isinstance(tree, dict) and "$length" in tree:
            self.counted[path] = tree["$length"]
        else:
            one_key = tuple(tree) if isinstance(tree, dict) and len(tree) == 1 else ()
            value = Fixed(tree, (*names, *one_key, tree), when)
            self.fixed.setdefault(path, []).append(value)
            self._enter_below(tree, path, when)

    def paths(self) -> list[str]:
        """Return the paths of all leaves."""
        return [*self.fixed, *self.counted, *(one.path for one in self.searched)]

    def _enter_below(self, tree: Tree, path: str, when: tuple[Condition, ...]) -> None:
        if path == WEIGHTS:
            when = (*when, Condition(COMBINE, ("sum",)))
        if isinstance(tree, dict):
            for key, value in tree.items():
                self.walk(value, join(path, key), when)
        elif isinstance(tree, list):
            for i, item in enumerate(tree):
                if is_marker(item):
                    self.walk(item, f"{path}.{i}", when)
                elif isinstance(item, dict):  # a component: named by itself, never by its position
                    self._enter_below(item, path, when)

    def _enter_marker(self, marker: Tree, path: str, when: tuple[Condition, ...]) -> None:
        self._enter(Searched(path, marker, when))
        self.trees[path] = marker
        if not isinstance(marker.get("choice"), dict) or "per" in marker:
            return
        for label, entry in marker["choice"].items():
            self._enter_below(unwrapped(entry), path, (Condition(path, (label,)),))

    def _enter(self, new: Searched) -> None:
        """Enter a marker; one that stands under several labels of a choice, each time the same, is one leaf."""
        for i, old in enumerate(self.searched):
            if old.path != new.path:
                continue
            if old.marker != new.marker:
                mend = "give it the same range in each, or search it in one of them"
                raise SpecError(new.path, f"'{new.path}' is searched in two places, differently", mend)
            merged = _either(old.when, new.when)
            if merged is None:
                mend = "search it in one of them only"
                raise SpecError(new.path, f"two components of one list are called '{new.path}'", mend)
            self.searched[i] = replace(old, when=merged)
            return
        self.searched.append(new)


def is_marker(tree: Tree) -> bool:
    """Whether a closed form is a marker."""
    return isinstance(tree, dict) and any(key in tree for key in MARKERS)


def unwrapped(tree: Tree) -> Tree:
    """Return the value itself where a closed form says more about it."""
    return unwrapped(tree["$value"]) if isinstance(tree, dict) and "$value" in tree else tree


def plain_leaves(found: Mapping[str, list[Fixed]]) -> Iterator[tuple[str, Any]]:
    """Yield the leaves that have one value whatever is chosen."""
    for path, values in found.items():
        if len(values) == 1 and not values[0].when and not isinstance(values[0].value, dict):
            yield path, values[0].value


def _either(left: tuple[Condition, ...], right: tuple[Condition, ...]) -> tuple[Condition, ...] | None:
    """Join two conjunctions that differ in the label of one choice only."""
    if len(left) != len(right):
        return None
    joined = []
    for one, other in zip(left, right, strict=True):
        if one.path != other.path:
            return None
        joined.append(one if one == other else replace(one, values=(*one.values, *other.values)))
    differing = sum(one != other for one, other in zip(left, right, strict=True))
    shared = [
        set(one.values) & set(other.values) for one, other in zip(left, right, strict=True) if one != other
    ]
    return tuple(joined) if differing == 1 and not shared[0] else None

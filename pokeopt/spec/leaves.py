"""All leaves of a space, and what follows from the values of the searched ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from pokeopt.spec.binding import Layers, conditions_of, in_order, layers_of
from pokeopt.spec.checker import Tree
from pokeopt.spec.collect import Found, is_marker, plain_leaves
from pokeopt.spec.layers import fit_layers
from pokeopt.spec.literals import Literals
from pokeopt.spec.nodes import join
from pokeopt.spec.params import Condition, Param, Suggesting

ABSENT = object()
Values = Mapping[str, Any]


class Leaves:
    """All leaves of a closed form.

    Attributes:
        params: The searched ones that can exist, in file order, but each after what decides whether it exists.
        never: Those that cannot exist, since a fixed value rules them out.
        layers: Keys given per layer.
        literals: Finds what a written value means.

    Raises:
        SpecError: If leaves contradict each other; ``where`` is the key.
    """

    def __init__(self, tree: Tree) -> None:
        self._found = found = Found()
        for section, value in tree.items():
            found.walk(value, section, ())
        axes: dict[str, Param] = {}
        self.layers: dict[str, Layers] = {}
        for searched in found.searched:
            own = [searched.param(searched.path)]
            if "per" in searched.marker:
                own, self.layers[searched.path] = layers_of(searched, found)
            axes |= {param.path: param for param in own}
        self.literals = Literals(axes, found.trees)
        self._own = {
            one.path: conditions_of(one, axes, self.layers, found, self.literals) for one in found.searched
        }
        self._axes = {
            path: replace(param, when=(*param.when, *self._own[self.key_of(path)]))
            for path, param in axes.items()
        }
        kept: list[Param] = []
        self.never: dict[str, Param] = {}
        for param in in_order(self._axes.values(), self._needs):
            folded = self._fold(param)
            if folded is None:
                self.never[param.path] = param
            else:
                kept.append(folded)
        self.params = tuple(kept)

    @cached_property
    def by_path(self) -> dict[str, Param]:
        """The searched leaves by their names, those that cannot exist included."""
        return {**self.never, **{param.path: param for param in self.params}}

    @cached_property
    def fixed(self) -> dict[str, Any]:
        """The leaves that have one value whatever is chosen."""
        return dict(plain_leaves(self._found.fixed))

    def key_of(self, path: str) -> str:
        """Return the key that a searched leaf was written at: ``model.width`` of ``model.width.0``."""
        key, _, index = path.rpartition(".")
        return key if index.isdigit() and key in self.layers else path

    def owners(self, param: Param) -> list[str]:
        """Return the searched leaves through which a leaf exists; what counts its layers is none of them."""
        found: list[str] = []
        for condition in param.when:
            if condition.above is not None:
                continue
            if condition.path in self.by_path:
                found.append(condition.path)
            for fixed in self._found.fixed.get(condition.path, []):
                found += [one.path for one in fixed.when if one.path in self.by_path]
        return found

    def values_of(self, path: str) -> list[Any]:
        """Return the values that a leaf may have where it is fixed, and the ends of its range where searched."""
        found = [one.value for one in self._found.fixed.get(path, [])]
        return found + [end for param in self.params if param.path == path for end in param.ends()]

    def suggest(self, trial: Suggesting) -> dict[str, Any]:
        """Ask a trial for the value of every active leaf, in order."""
        values: dict[str, Any] = {}
        for param in self.params:
            if self.is_active(param, values):
                values[param.path] = param.suggest(trial)
        return values

    def is_active(self, param: Param, active: Values) -> bool:
        """Whether a leaf exists, given the values of the active leaves before it."""
        return all(self._holds(condition, active) for condition in param.when)

    def evaluate(self, tree: Tree, path: str, active: Values) -> Any:
        """Return the plain value of a closed form; ABSENT for an inactive leaf without another value."""
        if isinstance(tree, list):
            paths = (f"{path}.{i}" if is_marker(item) else path for i, item in enumerate(tree))
            return [self.evaluate(item, one, active) for item, one in zip(tree, paths, strict=True)]
        if not isinstance(tree, dict):
            return tree
        if is_marker(tree):
            return self._evaluate_marker(tree, path, active)
        if "$length" in tree:
            return self._count(path, active)
        if "$value" in tree:
            value = self.evaluate(tree["$value"], path, active)
            if "$per" not in tree:
                return value
            n_layers = self._count(tree["$per"], active)
            return fit_layers(value, n_layers) if isinstance(value, list) else [value] * n_layers
        entries = ((key, self.evaluate(value, join(path, key), active)) for key, value in tree.items())
        return {key: value for key, value in entries if value is not ABSENT}

    def _evaluate_marker(self, marker: Tree, path: str, active: Values) -> Any:
        if "per" in marker:
            if all(self._holds(condition, active) for condition in self._own[path]):
                paths = [f"{path}.{i}" for i in range(self._count(marker["per"], active))]
                return [_entry(marker, active[one]) for one in paths]
        elif path in active:
            return self.evaluate(_entry(marker, active[path]), path, active)
        return self.evaluate(marker["$otherwise"], path, active) if "$otherwise" in marker else ABSENT

    def _count(self, counter: str, active: Values) -> int:
        """Return how many layers a counter says."""
        names = self._current(counter, active)
        return int(names[-1]) if names else 0

    def _current(self, path: str, active: Values) -> tuple[Any, ...]:
        """Return what the value at a path may be called; empty if the leaf does not exist."""
        if path in active:
            return (active[path],)
        for fixed in self._found.fixed.get(path, []):
            if all(self._holds(condition, active) for condition in fixed.when):
                return fixed.names
        target = self._found.counted.get(path)
        if target is None:
            return ()
        value = self.evaluate(self._found.trees[target], target, active)
        return (len(value),) if isinstance(value, list) else ()

    def _holds(self, condition: Condition, active: Values) -> bool:
        names = self._current(condition.path, active)
        return any(condition.holds(name) for name in (names[-1:] if condition.above is not None else names))

    def _needs(self, path: str) -> Iterable[str]:
        """Return the leaves whose values decide whether a leaf exists, and how many layers come of it."""
        conditions = [*self._axes[path].when] if path in self._axes else []
        for fixed in self._found.fixed.get(path, []):
            conditions += fixed.when
        needed = [condition.path for condition in conditions]
        if path in self._found.counted:
            needed.append(self._found.counted[path])
        if self.key_of(path) != path:  # all layers stand after what counts them, the first one too
            needed.append(self.layers[self.key_of(path)].counter)
        return needed

    def _fold(self, param: Param) -> Param | None:
        """Leave out conditions that fixed values decide; None if one of them can never hold."""
        open_: list[Condition] = []
        for condition in param.when:
            fixed = self._found.fixed.get(condition.path, [])
            if condition.path in self._axes:
                if condition.path in self.never and not fixed:
                    return None
                open_.append(condition)
            elif len(fixed) == 1 and not fixed[0].when:
                if not self._holds(condition, {}):
                    return None
            else:
                if fixed and all(any(one.path in self.never for one in value.when) for value in fixed):
                    return None
                open_.append(condition)
        return replace(param, when=tuple(dict.fromkeys(open_)))


def _entry(marker: Tree, value: Any) -> Any:
    choice = marker.get("choice")
    return choice[value] if isinstance(choice, dict) else value

"""Leaves bound to each other: layers to their counter, conditions to what they name, all in an order that can be drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pokeopt.errors import SpecError
from pokeopt.registry import nearest
from pokeopt.spec.checker import Tree, join
from pokeopt.spec.collect import Fixed, Found, Searched, is_marker, plain_leaves, unwrapped
from pokeopt.spec.layers import fit_layers, lengths
from pokeopt.spec.nodes import show
from pokeopt.spec.params import Condition, Param, same

ABSENT = object()
MOST_LAYERS = 1000
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Layers:
    """A key with one searched value a layer."""

    counter: str
    paths: tuple[str, ...]


class Leaves:
    """All leaves of a closed form.

    Attributes:
        params: The searched ones that can exist, in file order, but each after what its conditions name.
        never: Those that cannot exist, since a fixed value rules them out.
        layers: Keys given per layer.
        entries: Values of the labels of each choice.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        found = Found()
        for section, value in tree.items():
            found.walk(value, section, ())
        self._found = found
        self._fixed = found.fixed
        self.layers: dict[str, Layers] = {}
        axes: dict[str, Param] = {}
        for searched in found.searched:
            for param in self._axes(searched, found):
                axes[param.path] = param
        self._axes_by_path = axes
        self._own = {one.path: self._link(one) for one in found.searched}
        linked = [
            replace(param, when=(*param.when, *self._own[self._key_of(param.path)])) for param in axes.values()
        ]
        self._axes_by_path = {param.path: param for param in linked}
        kept: list[Param] = []
        self.never: dict[str, Param] = {}
        for param in _in_order(linked, self._needs):
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
    def entries(self) -> dict[str, dict[str, Tree]]:
        """The labelled values of each choice that has any."""
        found = self._found.trees.items()
        return {path: marker["choice"] for path, marker in found if isinstance(marker.get("choice"), dict)}

    @cached_property
    def fixed(self) -> dict[str, Any]:
        """The leaves that have one value whatever is chosen."""
        return dict(plain_leaves(self._fixed))

    def is_active(self, param: Param, active: Values) -> bool:
        """Whether a leaf exists, given the values of the active leaves before it."""
        return all(self._holds(condition, active) for condition in param.when)

    def owners(self, param: Param) -> list[str]:
        """Return the searched leaves through which a leaf exists; what counts its layers is none of them."""
        found: list[str] = []
        for condition in param.when:
            if condition.above is not None:
                continue
            if condition.path in self.by_path:
                found.append(condition.path)
            for fixed in self._fixed.get(condition.path, []):
                found += [one.path for one in fixed.when if one.path in self.by_path]
        return found

    def values_of(self, path: str) -> list[Any]:
        """Return the values that a leaf may have where it is fixed, and the ends of its range where it is searched."""
        found = [one.value for one in self._fixed.get(path, [])]
        return found + [end for param in self.params if param.path == path for end in param.ends()]

    def evaluate(self, tree: Tree, path: str, active: Values) -> Any:
        """Return the plain value of a closed form; ABSENT for an inactive leaf without another value."""
        if isinstance(tree, list):
            return [
                self.evaluate(item, f"{path}.{i}" if is_marker(item) else path, active) for i, item in enumerate(tree)
            ]
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
                return [self._entry(marker, active[one]) for one in paths]
        elif path in active:
            entry = self._entry(marker, active[path])
            return self.evaluate(entry, path, active)
        return self.evaluate(marker["$otherwise"], path, active) if "$otherwise" in marker else ABSENT

    @staticmethod
    def _entry(marker: Tree, value: Any) -> Any:
        choice = marker.get("choice")
        return choice[value] if isinstance(choice, dict) else value

    def _count(self, counter: str, active: Values) -> int:
        """Return how many layers a counter says."""
        names = self._current(counter, active)
        return int(names[-1]) if names else 0

    def _current(self, path: str, active: Values) -> tuple[Any, ...]:
        """Return what the value at a path may be called; empty if the leaf does not exist."""
        if path in active:
            return (active[path],)
        for fixed in self._fixed.get(path, []):
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

    # What follows runs once, when the leaves are bound.

    def _axes(self, searched: Searched, found: Found) -> list[Param]:
        """Return the axes of a marker: one, or one for each layer that its counter can reach."""
        if "per" not in searched.marker:
            return [searched.param(searched.path)]
        counter = searched.marker["per"]
        least, most = self._reach(searched.path, counter, found)
        paths = tuple(f"{searched.path}.{i}" for i in range(most))
        self.layers[searched.path] = Layers(counter, paths)
        axes = []
        for i, path in enumerate(paths):
            param = searched.param(path)
            deeper = () if i < least else (Condition(counter, above=i),)
            axes.append(replace(param, when=(*param.when, *deeper)))
        return axes

    def _reach(self, path: str, counter: str, found: Found) -> tuple[int, int]:
        """Return how many layers there are at least and at most."""
        searched = [one for one in found.searched if one.path == counter]
        counts: list[Any] = [one.value for one in found.fixed.get(counter, [])]
        is_certain = all(not one.when for one in found.fixed.get(counter, []))
        for one in searched:
            counts += one.marker["choice"] if "choice" in one.marker else [end for end in one.param(counter).ends()]
            is_certain = is_certain and not one.when and not one.own
        if counter in found.counted:
            target = found.counted[counter]
            counts += lengths(found.trees[target])
            is_certain = is_certain and not found.trees[target].get("when")
        if not counts:
            raise SpecError(path, f"'per' names '{counter}', which does not exist", nearest(counter, _known(found)))
        if not all(isinstance(count, int) and not isinstance(count, bool) for count in counts):
            raise SpecError(path, f"'per' names '{counter}', which is no whole number", "name what counts the layers")
        if not 0 <= min(counts) <= max(counts) <= MOST_LAYERS:
            what = f"'{counter}' counts {min(counts)} to {max(counts)} layers"
            raise SpecError(path, what, f"keep it between 0 and {MOST_LAYERS}")
        return (min(counts) if is_certain else 0), max(counts)

    def _key_of(self, path: str) -> str:
        """Return the key that a searched leaf was written at: ``model.width`` of ``model.width.0``."""
        key, _, index = path.rpartition(".")
        return key if index.isdigit() and key in self.layers else path

    def _link(self, searched: Searched) -> tuple[Condition, ...]:
        """Return the conditions of a marker's own, their values as they are stored."""
        return tuple(self._condition(searched.path, key, values) for key, values in searched.own.items())

    def _condition(self, path: str, key: str, values: list[Any]) -> Condition:
        if key in self.layers:
            what = f"'when' names '{key}', which has one value a layer"
            raise SpecError(path, what, f"name a layer: {key}.0")
        param = self._axes_by_path.get(key)
        if param is None:
            if key not in self._fixed and key not in self._found.counted:
                what = f"'when' names '{key}', which does not exist"
                raise SpecError(path, what, nearest(key, {*self._axes_by_path, *_known(self._found)}))
            return Condition(key, tuple(values))
        stored = []
        for value in values:
            try:
                stored.append(self.store(key, value, param)[0])
            except SpecError as error:
                what = f"'when' waits for {key} to be {show(value)}, which it never is"
                raise SpecError(path, what, error.mend) from error
        return Condition(key, tuple(stored))

    def _needs(self, path: str) -> Iterable[str]:
        """Return the searched leaves whose values decide whether a leaf exists."""
        param = self._axes_by_path.get(path)
        conditions = [*(param.when if param is not None else ())]
        for fixed in self._fixed.get(path, []):
            conditions += fixed.when
        target = self._found.counted.get(path)
        below = [] if target is None else [target]
        return [*(condition.path for condition in conditions), *below]

    def _fold(self, param: Param) -> Param | None:
        """Leave out conditions that fixed values decide; None if one of them can never hold."""
        open_: list[Condition] = []
        for condition in param.when:
            if condition.path in self.never:
                return None
            fixed = self._fixed.get(condition.path, [])
            if condition.path in self._axes_by_path or len(fixed) != 1 or fixed[0].when:
                if condition.path not in self._axes_by_path and fixed and all(
                    any(one.path in self.never for one in value.when) for value in fixed
                ):
                    return None
                open_.append(condition)
            elif not self._holds(condition, {}):
                return None
        return replace(param, when=tuple(dict.fromkeys(open_)))

    def store(self, path: str, value: Any, param: Param | None = None) -> tuple[Any, dict[str, Any]]:
        """Return a value as it is stored, and what it says about leaves below it.

        A label is tried first, then a literal: ``{focal: {gamma: 2.0}}`` is the entry ``focal``, with gamma 2.0.

        Raises:
            SpecError: If it is neither in the range nor among the choices.
        """
        param = param or self.by_path[path]
        if any(same(value, choice) for choice in param.choices):
            return param.check(value), {}
        trees = self._found.trees
        key = path if path in trees else self._key_of(path)
        choice = trees[key].get("choice") if key in trees else None
        matches = {}
        for label, entry in (choice if isinstance(choice, dict) else {}).items():
            below = self._unify(unwrapped(entry), value, path)
            if below is not None:
                matches[label] = below
        if len(matches) > 1:
            what = f"{show(value)} may be {' or '.join(matches)}"
            raise SpecError(path, what, "name the label")
        for label, below in matches.items():
            return label, below
        return param.check(value), {}

    def _unify(self, tree: Tree, literal: Any, path: str) -> dict[str, Any] | None:
        """Return the values of searched leaves with which a closed form is the literal; None if it cannot be."""
        if is_marker(tree):
            param = self._axes_by_path.get(path)
            if param is None:
                return None
            try:
                stored, below = self.store(path, literal, param)
            except SpecError:
                return None
            return {path: stored, **below}
        tree = unwrapped(tree)
        if isinstance(tree, dict):
            if isinstance(literal, str):
                return {} if list(tree) == [literal] else None
            if literal is None:
                return {}
            if not isinstance(literal, Mapping) or not set(literal) <= set(tree):
                return None
            parts = [self._unify(tree[key], value, join(path, key)) for key, value in literal.items()]
        elif isinstance(tree, list):
            if not isinstance(literal, (list, tuple)) or len(literal) != len(tree):
                return None
            parts = [self._unify(item, value, path) for item, value in zip(tree, literal, strict=True)]
        else:
            if isinstance(literal, Mapping) and list(literal) == [tree] and not literal[tree]:
                return {}
            return {} if same(tree, literal) else None
        known = [part for part in parts if part is not None]
        return {key: value for part in known for key, value in part.items()} if len(known) == len(parts) else None


def _known(found: Found) -> list[str]:
    return [*found.fixed, *found.counted, *(one.path for one in found.searched)]


def _in_order(params: list[Param], needs: Callable[[str], Iterable[str]]) -> list[Param]:
    """Return the leaves in file order, but each after those that its conditions name."""
    by_path = {param.path: param for param in params}
    done: dict[str, Param] = {}
    settled: set[str] = set()

    def visit(path: str, trail: tuple[str, ...]) -> None:
        if path in settled:
            return
        if path in trail:
            circle = " -> ".join((*trail[trail.index(path) :], path))
            raise SpecError(path, f"these conditions go in a circle: {circle}", "drop one 'when'")
        for other in needs(path):
            visit(other, (*trail, path))
        settled.add(path)
        if path in by_path:
            done[path] = by_path[path]

    for param in params:
        visit(param.path, ())
    return list(done.values())


__all__ = ["ABSENT", "Fixed", "Layers", "Leaves", "Values"]

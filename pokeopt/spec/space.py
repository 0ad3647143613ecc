"""The search space: what may vary, and what configuration follows from the values that were drawn."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pokeopt.errors import SpecError
from pokeopt.registry import nearest
from pokeopt.spec.corners import corners_of
from pokeopt.spec.factors import Factor, factors_of
from pokeopt.spec.leaves import Leaves, Values
from pokeopt.spec.nodes import show
from pokeopt.spec.params import Param, Suggesting

SECTIONS = ("data", "external", "model", "loss", "training")


class Space:
    """All searched leaves and the closed form that they complete.

    Args:
        tree: Closed form of data, external, model, loss and training.
        reference: The study's ``baseline``, key to value; None without one.

    Raises:
        SpecError: If leaves contradict each other, or the baseline does not fit; ``where`` is the key.
    """

    def __init__(self, tree: Mapping[str, Any], reference: Mapping[str, Any] | None = None) -> None:
        self._tree = {section: tree.get(section, {}) for section in SECTIONS}
        self._leaves = Leaves(self._tree)
        self._given = None if reference is None else dict(reference)
        self._reference = {} if reference is None else self.expand(reference, "baseline.")
        if reference is not None:
            self.active(self._reference, "baseline")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and (self._tree, self._given) == (other._tree, other._given)

    def __hash__(self) -> int:
        return hash(tuple(param.path for param in self.params))

    def __repr__(self) -> str:
        return f"Space({', '.join(param.path for param in self.params)})"

    @property
    def params(self) -> tuple[Param, ...]:
        """The searched leaves in file order, each after those that decide whether it exists."""
        return self._leaves.params

    @property
    def fixed(self) -> dict[str, Any]:
        """The leaves that have one value whatever is chosen, by path."""
        return dict(self._leaves.fixed)

    @property
    def has_conditions(self) -> bool:
        """Whether some leaf exists only under others."""
        return any(param.when for param in self.params)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The searched keys as they are written: all layers of one are one."""
        return tuple(dict.fromkeys(self._leaves.key_of(param.path) for param in self.params))

    def suggest(self, trial: Suggesting) -> dict[str, Any]:
        """Ask a trial for the value of every active leaf, in order."""
        return self._leaves.suggest(trial)

    def active(self, values: Values, where: str = "") -> dict[str, Any]:
        """Return the values of the active leaves only, in the order of the space.

        Raises:
            SpecError: Naming the first active leaf without a value.
        """
        result: dict[str, Any] = {}
        for param in self.params:
            if not self._leaves.is_active(param, result):
                continue
            if param.path not in values:
                raise _missing(param, where)
            result[param.path] = values[param.path]
        return result

    def config(self, values: Values) -> dict[str, Any]:
        """Return the resolved configuration: every key of data, external, model, loss and training.

        Args:
            values: Path to value; those of inactive leaves are ignored.

        Raises:
            SpecError: Naming the first active leaf without a value.
        """
        active = self.active(values)
        config = {
            section: self._leaves.evaluate(self._tree[section], section, active) for section in SECTIONS
        }
        for part in config["external"].values():
            part.setdefault("preprocess", list(config["data"]["preprocess"]))
        loss = config["loss"]
        weights = loss.pop("weights", {})
        if loss["combine"] == "sum":  # the other ways of combining have no weights
            loss["weights"] = {role: weights[role] for role in loss["terms"]}
        return config

    def check(self, values: Values) -> None:
        """Check that each value lies in its range or choice.

        Raises:
            SpecError: Naming the first that does not, or that is no leaf.
        """
        for path, value in values.items():
            if path not in self._leaves.by_path:
                raise self._unknown(path)
            self._leaves.by_path[path].check(value)

    def baseline(self, overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the baseline's active leaves, some keys of it changed.

        Args:
            overrides: Key to value: a label or a literal, a list for a key given per layer (its length sets the
                counter), a scalar for every layer.

        Raises:
            SpecError: If there is no baseline, a key is not searched, a value does not fit, or a leaf has none.
        """
        if self._given is None:
            raise SpecError("baseline", "this space has no baseline", "add 'baseline: {...}' to the file")
        return self.complete({**self._reference, **self.expand(overrides or {})})

    def expand(self, given: Mapping[str, Any], where: str = "") -> dict[str, Any]:
        """Return leaf values from keys as people write them; inactive ones are kept."""
        values: dict[str, Any] = {}
        counts: dict[str, tuple[str, int]] = {}
        for key, value in given.items():
            try:
                self._expand_key(key, value, values, counts)
            except SpecError as error:
                raise SpecError(where + key, error.what, error.mend) from error
        for counter, (key, count) in counts.items():
            known = values.get(counter, self._leaves.fixed.get(counter))
            if known is None and counter in self._leaves.by_path:
                values[counter] = self._leaves.by_path[counter].check(count)
            elif known is not None and known != count:
                what = f"{count} layers are given, but {counter} is {known}"
                raise SpecError(where + key, what, f"give {known}, or leave {counter} out")
        return values

    def changed(self, values: Values, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values with keys changed as people write them; what becomes active takes the baseline's value.

        Raises:
            SpecError: If a key is not searched, a value does not fit, or an active leaf has none.
        """
        return self.complete({**values, **self.expand(given)}, self._reference)

    def complete(self, values: Values, *others: Values) -> dict[str, Any]:
        """Return a value for every active leaf: from ``values``, else from the others, else the layer's before it.

        Raises:
            SpecError: Naming the first leaf that has none.
        """
        result: dict[str, Any] = {}
        for param in self.params:
            if not self._leaves.is_active(param, result):
                continue
            source = next((one for one in (values, *others) if param.path in one), None)
            before = _layer_before(param.path)
            if source is not None:
                result[param.path] = source[param.path]
            elif self._leaves.key_of(param.path) != param.path and before in result:
                result[param.path] = result[before]
            else:
                raise _missing(param, "")
        return result

    def factors(self) -> tuple[Factor, ...]:
        """Return what the arms of an ablation move, in file order."""
        return factors_of(self._leaves)

    def move(self, values: Values, target: Values, factor_key: str) -> dict[str, Any]:
        """Return the values with one factor moved to the target's.

        A leaf that becomes active takes the target's value, else the baseline's, else the last layer before it; layers
        that no longer exist are left out.

        Raises:
            SpecError: If there is no such factor, or a leaf has no value.
        """
        factors = {factor.key: factor for factor in self.factors()}
        if factor_key not in factors:
            what = f"'{factor_key}' is not a factor of this space"
            raise SpecError(factor_key, what, nearest(factor_key, factors))
        moved = factors[factor_key].paths
        start, goal = self.active(values), self.active(target)
        kept = {path: value for path, value in start.items() if path not in moved}
        chosen = {path: goal[path] for path in moved if path in goal}
        spare = {path: value for path, value in values.items() if path not in start}
        return self.complete({**kept, **chosen}, goal, self._reference, spare)

    def corners(self) -> list[dict[str, Any]]:
        """Return values such that every end of every range and every choice occurs in one of them."""
        return corners_of(self._leaves)

    def values_of(self, path: str) -> list[Any]:
        """Return what a leaf may be: its values where it is fixed, the ends of its range where it is searched."""
        return self._leaves.values_of(path)

    def is_known(self, key: str) -> bool:
        """Whether a key is searched, even if fixed values rule it out."""
        return key in self._leaves.by_path or key in self._leaves.layers

    def counter_of(self, key: str) -> str | None:
        """Return what counts the layers of a key; None for other keys."""
        layers = self._leaves.layers.get(key)
        return None if layers is None else layers.counter

    def _expand_key(
        self, key: str, value: Any, values: dict[str, Any], counts: dict[str, tuple[str, int]]
    ) -> None:
        layers = self._leaves.layers.get(key)
        if layers is None:
            if key not in self._leaves.by_path:
                raise self._unknown(key)
            stored, below = self._leaves.literals.store(key, value)
            values[key] = stored
            for path, inner in below.items():
                values.setdefault(path, inner)
            return
        if isinstance(value, (list, tuple)):
            if len(value) > len(layers.paths):
                what = f"{len(value)} layers are given, but there are at most {len(layers.paths)}"
                raise SpecError(key, what, f"widen {layers.counter}, or give fewer")
            counts[layers.counter] = (key, len(value))
        each = value if isinstance(value, (list, tuple)) else [value] * len(layers.paths)
        for path, one in zip(layers.paths, each, strict=False):
            values[path], _ = self._leaves.literals.store(path, one)

    def _unknown(self, key: str) -> SpecError:
        if key in self._leaves.fixed:
            what = f"'{key}' is not searched: it is {show(self._leaves.fixed[key])}"
            return SpecError(key, what, "take it out")
        return SpecError(key, f"no searched key is called '{key}'", nearest(key, self.keys))


def _layer_before(path: str) -> str | None:
    key, _, index = path.rpartition(".")
    return f"{key}.{int(index) - 1}" if index.isdigit() and int(index) > 0 else None


def _missing(param: Param, where: str) -> SpecError:
    what = f"the {where} has no value for '{param.path}'" if where else f"'{param.path}' has no value"
    mend = f"give it one of {param}" if param.choices else f"give it one in {param}"
    return SpecError(where or param.path, what, mend)

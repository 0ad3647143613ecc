"""What a walk found, bound together: the layers of each counter, the values that conditions wait for, an order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from pokeopt.errors import SpecError
from pokeopt.registry import nearest
from pokeopt.spec.collect import Found, Searched
from pokeopt.spec.layers import lengths
from pokeopt.spec.literals import Literals
from pokeopt.spec.nodes import show
from pokeopt.spec.params import Condition, Param

MOST_LAYERS = 1000


@dataclass(frozen=True)
class Layers:
    """A key with one searched value a layer."""

    counter: str
    paths: tuple[str, ...]


def layers_of(searched: Searched, found: Found) -> tuple[list[Param], Layers]:
    """Return an axis for each layer that the counter of a ``per`` key can reach."""
    counter = searched.marker["per"]
    least, most = _reach(searched.path, counter, found)
    paths = tuple(f"{searched.path}.{i}" for i in range(most))
    axes = []
    for i, path in enumerate(paths):
        param = searched.param(path)
        deeper = () if i < least else (Condition(counter, above=i),)
        axes.append(replace(param, when=(*param.when, *deeper)))
    return axes, Layers(counter, paths)


def _reach(path: str, counter: str, found: Found) -> tuple[int, int]:
    """Return how many layers there are at least and at most."""
    counts: list[Any] = [one.value for one in found.fixed.get(counter, [])]
    is_certain = all(not one.when for one in found.fixed.get(counter, []))
    for one in found.searched:
        if one.path != counter:
            continue
        if one.own:
            what = f"'per' names '{counter}', which may be absent: it has a 'when'"
            raise SpecError(path, what, f"take 'when' from {counter}")
        counts += one.marker["choice"] if "choice" in one.marker else list(one.param(counter).ends())
        is_certain = is_certain and not one.when
    if counter in found.counted:
        target = found.trees[found.counted[counter]]
        counts += lengths(target)
        is_certain = is_certain and "when" not in target
    if not counts:
        raise SpecError(
            path, f"'per' names '{counter}', which does not exist", nearest(counter, found.paths())
        )
    if not all(isinstance(count, int) and not isinstance(count, bool) for count in counts):
        raise SpecError(
            path, f"'per' names '{counter}', which is no whole number", "name what counts the layers"
        )
    if not 0 <= min(counts) <= max(counts) <= MOST_LAYERS:
        what = f"'{counter}' counts {min(counts)} to {max(counts)} layers"
        raise SpecError(path, what, f"keep it between 0 and {MOST_LAYERS}")
    return (min(counts) if is_certain else 0), max(counts)


def conditions_of(
    searched: Searched, axes: Iterable[str], layers: Iterable[str], found: Found, literals: Literals
) -> tuple[Condition, ...]:
    """Return the conditions of a marker's own ``when``, their values as they are stored."""
    known = {*axes, *found.paths()}
    conditions = []
    for key, values in searched.own.items():
        if key in layers:
            what = f"'when' names '{key}', which has one value a layer"
            raise SpecError(searched.path, what, f"name a layer: {key}.0")
        if key not in known:
            what = f"'when' names '{key}', which does not exist"
            raise SpecError(searched.path, what, nearest(key, known))
        stored = [_awaited(searched.path, key, value, literals) if key in axes else value for value in values]
        conditions.append(Condition(key, tuple(stored)))
    return tuple(conditions)


def _awaited(path: str, key: str, value: Any, literals: Literals) -> Any:
    try:
        return literals.store(key, value)[0]
    except SpecError as error:
        what = f"'when' waits for {key} to be {show(value)}, which it never is"
        raise SpecError(path, what, error.mend) from error


def in_order(params: Iterable[Param], needs: Callable[[str], Iterable[str]]) -> list[Param]:
    """Return the leaves in file order, but each after those that decide whether it exists.

    Args:
        params: In file order.
        needs: Path to the paths that it depends on.

    Raises:
        SpecError: If they go in a circle.
    """
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

    for path in by_path:
        visit(path, ())
    return list(done.values())

"""The ``baseline`` section: from what was written, less what ``--set`` took from it, to what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pokeopt.errors import SpecError
from pokeopt.spec.layers import fit_layers
from pokeopt.spec.nodes import Node, Place, show
from pokeopt.spec.params import same
from pokeopt.spec.space import Space


@dataclass(frozen=True)
class Changes:
    """What ``--set`` changed.

    Attributes:
        keys: The keys that were set.
        counters: Path of a key given per layer to the path of what counts its layers.
    """

    keys: frozenset[str]
    counters: Mapping[str, str]

    def is_dropped(self, key: str) -> bool:
        """Whether a searched key may have gone by it: it was set, something above it, or what its layers follow."""
        counter = self.counters.get(key.rpartition(".")[0])
        return (
            self._is_at_or_below(key)
            or key in self._followed
            or (counter is not None and self.counts(counter))
        )

    def counts(self, counter: str) -> bool:
        """Whether a number of layers came from it: set itself, by something above it, or by a list."""
        return self._is_at_or_below(counter) or counter in self._followed

    @property
    def _followed(self) -> set[str]:
        return {self.counters[key] for key in self.keys if key in self.counters}

    def _is_at_or_below(self, key: str) -> bool:
        return any(key == one or key.startswith(f"{one}.") for one in self.keys)


def check_baseline(node: Node, space: Space, changes: Changes, places: dict[str, Place]) -> dict[str, Any]:
    """Return the baseline by key, labels where there are any, lists for keys given per layer.

    Args:
        node: The section.
        space: The space, which does not know its baseline yet.
        changes: Entries that these took away are dropped.
        places: Gets the place of each entry.

    Raises:
        SpecError: If an entry fits no leaf; whether it is complete, the space that is given it says.
    """
    if not node.is_mapping:
        what = f"expected a mapping, got {show(node.plain())}"
        raise node.place.error("baseline", what, "write KEY: VALUE")
    given: dict[str, Any] = {}
    for key, entry in node.mapping.items():
        places[f"baseline.{key}"] = entry.place
        value, counter = entry.plain(), space.counter_of(key)
        if not space.is_known(key) and changes.is_dropped(key):
            given |= _length_left(key, value, node, space, changes)
        elif counter is not None:
            n_layers = space.fixed.get(counter)
            if isinstance(value, list) and isinstance(n_layers, int) and changes.counts(counter):
                value = fit_layers(value, n_layers)
            given[key] = value
        else:
            given |= _stored(key, value, node, space)
    return given


def _stored(key: str, value: Any, node: Node, space: Space) -> dict[str, Any]:
    """Return an entry as it is stored, with what its literal says about leaves below it."""
    stored = space.expand({key: value}, "baseline.")
    for path, one in stored.items():
        other = node.mapping.get(path)
        if path != key and other is not None and not same(one, other.plain()):
            what = f"'{path}' is {show(one)} here and {show(other.plain())} in an entry of its own"
            raise SpecError(f"baseline.{key}", what, "keep one of them")
    return stored


def _length_left(key: str, value: Any, node: Node, space: Space, changes: Changes) -> dict[str, Any]:
    """Let a dropped list still say how many layers there are, where nothing else does."""
    counter = changes.counters.get(key)
    if (
        not isinstance(value, list)
        or counter is None
        or counter in node.mapping
        or not space.is_known(counter)
    ):
        return {}
    return {counter: len(value)}

"""Configurations at the ends of a space: what they can do, every configuration between them can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pokeopt.spec.leaves import Leaves
from pokeopt.spec.params import Condition, Param


def corners_of(leaves: Leaves) -> list[dict[str, Any]]:
    """Return values such that every end of every range and every choice occurs in one of them."""
    found = [leaves.suggest(_Corner({}, first=False)), leaves.suggest(_Corner({}, first=True))]
    for param in leaves.params:
        pins = _pins(leaves, param)
        found += [leaves.suggest(_Corner({**pins, param.path: end}, first=True)) for end in param.ends()]
    return found


def _pins(leaves: Leaves, param: Param) -> dict[str, Any]:
    """Return values under which a leaf exists."""
    pins: dict[str, Any] = {}
    for condition in param.when:
        pins |= _pins_of(leaves, condition)
    return pins


def _pins_of(leaves: Leaves, condition: Condition) -> dict[str, Any]:
    param = leaves.by_path.get(condition.path)
    if param is None:
        return {}
    value = condition.values[0] if condition.above is None else max(param.ends())  # type: ignore[type-var]
    return {**_pins(leaves, param), param.path: value}


class _Corner:
    """Stands in for a trial: takes the pinned values, else the first or the last end of each range."""

    def __init__(self, pins: Mapping[str, Any], *, first: bool) -> None:
        self._pins, self._first = pins, first

    def suggest_int(self, name: str, low: int, high: int, **_: Any) -> int:
        """Return the pinned value or an end."""
        return int(self._pins.get(name, low if self._first else high))

    def suggest_float(self, name: str, low: float, high: float, **_: Any) -> float:
        """Return the pinned value or an end."""
        return float(self._pins.get(name, low if self._first else high))

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Return the pinned value, or the first or last choice."""
        return self._pins.get(name, choices[0 if self._first else -1])

"""Markers: ``{int: [low, high]}``, ``{float: [low, high]}`` with ``log`` or ``step``, and ``{choice: ...}``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pokeopt.registry import nearest
from pokeopt.spec.nodes import MARKERS, Node, show
from pokeopt.spec.params import same
from pokeopt.spec.slots import Slot

RANGE_KEYS = ("log", "step", "when", "per")
CHOICE_KEYS = ("when", "per")


def check_keys(node: Node, path: str) -> str:
    """Return which marker this is: int, float or choice."""
    kinds = [key for key in MARKERS if key in node.mapping]
    if len(kinds) > 1:
        raise node.place.error(path, f"{' and '.join(kinds)} cannot stand in one marker", "keep one of them")
    known = (kinds[0], *(CHOICE_KEYS if kinds[0] == "choice" else RANGE_KEYS))
    for key, value in node.mapping.items():
        if key not in known:
            raise value.place.error(path, f"a marker '{kinds[0]}' has no key '{key}'", nearest(key, known))
    return kinds[0]


def conditions_of(node: Node, path: str) -> dict[str, Any]:
    """Return the marker's ``when`` in its closed form, path to a list of values; empty if it has none."""
    if "when" not in node.mapping:
        return {}
    when = node.mapping["when"]
    if not when.mapping:
        what = f"'when' is a mapping of keys to values, got {show(when.plain())}"
        raise when.place.error(path, what, "write when: {KEY: VALUE}")
    conditions: dict[str, Any] = {}
    for key, value in when.mapping.items():
        values = value.items if value.is_list else (value,)
        if not values or not all(one.is_scalar for one in values):
            what = f"'when: {key}' needs a value or a list of values"
            raise value.place.error(path, what, "name labels, components or numbers")
        conditions[key] = [one.value for one in values]
    return {"when": conditions}


def numbers_of(node: Node, kind: str, slot: Slot, path: str) -> dict[str, Any]:
    """Return the closed form of a range.

    Raises:
        SpecError: If it is none, or its ends do not fit the slot.
    """
    ends = node.mapping[kind].items
    place = node.place
    if len(ends) != 2:
        raise place.error(path, f"'{kind}' needs two ends", f"write {{{kind}: [low, high]}}")
    low, high = (_number(end, kind, path) for end in ends)
    if low >= high:
        raise place.error(
            path, f"low must be below high, got {low} and {high}", "swap them, or give one value"
        )
    if slot.kind != "scalar":
        raise place.error(
            path, f"expected {slot.expected()}, got a range of numbers", "write {choice: [...]}"
        )
    for end in (low, high):
        if (expected := slot.misfit(end)) is not None:
            mend = (
                f"write {{int: [{low:g}, {high:g}]}}" if slot.misfit(int(end)) is None else "change the range"
            )
            raise place.error(path, f"expected {expected}, got {end} as an end of the range", mend)
    marker: dict[str, Any] = {kind: [low, high]}
    log, step = node.mapping.get("log"), node.mapping.get("step")
    if log is not None and not isinstance(log.value, bool):
        raise log.place.error(path, f"'log' is true or false, got {show(log.plain())}", "write log: true")
    if log is not None and log.value:
        if step is not None:
            raise step.place.error(path, "'log' and 'step' exclude each other", "keep one of them")
        if low <= 0:
            raise place.error(path, f"a log range needs low > 0, got {low}", "raise low")
        marker["log"] = True
    if step is not None:
        marker["step"] = _step(step, kind, low, high, path)
    return marker


def choice_entries(node: Node, slot: Slot, path: str, each: Callable[[Node], Any]) -> Any:
    """Return a choice in its closed form: a list of scalars, or a mapping of labels to values; ``each`` checks one."""
    entries, place = node.mapping["choice"], node.place
    if entries.is_scalar:
        raise place.error(
            path, f"'choice' needs a list, got {show(entries.plain())}", "write {choice: [a, b]}"
        )
    if not entries.items and not entries.mapping:
        raise place.error(path, "a choice needs at least one entry", "add entries, or give one value")
    for entry in (*entries.items, *entries.mapping.values()):
        if entry.is_marker:
            what = "a choice cannot hold another marker as an entry"
            raise entry.place.error(
                path, what, "write its values as entries, or search a setting below a component"
            )
    if entries.is_mapping:
        return {label: each(entry) for label, entry in entries.mapping.items()}
    labels = "label them: {choice: {label: value, ...}}"
    if slot.kind == "component":
        chosen: dict[str, Any] = {}
        for entry in entries.items:
            tree = each(entry)
            name = tree if isinstance(tree, str) else next(iter(tree))
            if name in chosen:
                raise entry.place.error(path, f"two entries of the choice are called '{name}'", labels)
            chosen[name] = tree
        return chosen
    scalars: list[Any] = []
    for entry in entries.items:
        if not entry.is_scalar:
            raise entry.place.error(path, "a choice among lists or mappings needs labels", labels)
        value = each(entry)
        if not isinstance(value, (bool, int, float, str, type(None))):
            raise entry.place.error(path, "a choice among lists or mappings needs labels", labels)
        if any(same(value, one) for one in scalars):
            raise entry.place.error(path, f"{show(value)} stands in the choice twice", "keep one of them")
        scalars.append(value)
    return scalars


def _number(node: Node, kind: str, path: str) -> int | float:
    value = node.value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise node.place.error(
            path, f"the ends of a range are numbers, got {show(node.plain())}", "give numbers"
        )
    if not math.isfinite(value):
        raise node.place.error(path, f"the ends of a range are finite, got {value}", "give a finite end")
    if kind == "int" and isinstance(value, float):
        mend = f"write {int(value)}" if value == int(value) else "write {float: [low, high]}"
        raise node.place.error(path, f"the ends of 'int' are whole numbers, got {value}", mend)
    return float(value) if kind == "float" else value


def _step(node: Node, kind: str, low: float, high: float, path: str) -> int | float:
    step = node.value
    if (
        isinstance(step, bool)
        or not isinstance(step, (int, float))
        or not step > 0
        or not math.isfinite(step)
    ):
        raise node.place.error(path, f"'step' is a number above 0, got {show(node.plain())}", "change it")
    if kind == "int" and not isinstance(step, int):
        raise node.place.error(path, f"the step of 'int' is a whole number, got {step}", "change it")
    n_steps = (high - low) / step
    if not math.isclose(n_steps, round(n_steps), abs_tol=1e-8):
        last = low + math.floor(n_steps) * step
        what = f"steps of {step} from {low} do not arrive at {high}"
        raise node.place.error(path, what, f"end at {last:g}" if last > low else "make the step smaller")
    return float(step) if kind == "float" else step

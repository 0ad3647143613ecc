"""Settings that hold one value a layer: their lists and the counter of the layers agree here.

A list's length IS the counter; a scalar, and a marker without ``per``, mean every layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pokeopt.registry import Setting
from pokeopt.spec.nodes import Node


def fit_layers(values: list[Any], n_layers: int) -> list[Any]:
    """Return the values for ``n_layers``: surplus ones are cut, the last one is repeated.

    >>> fit_layers([256, 128], 3), fit_layers([256, 128], 1)
    ([256, 128, 128], [256])
    """
    return values[:n_layers] + values[-1:] * (n_layers - len(values))


def fill_layers(
    block: dict[str, Any], entries: Mapping[str, Node], settings: Mapping[str, Setting], path: str
) -> None:
    """Make the lists of a block and their counters agree, in place.

    Args:
        block: Closed form of each setting, defaults included.
        entries: The settings that were given.
        settings: All settings of the block.
        path: Of the block.

    Raises:
        SpecError: If they cannot agree.
    """
    for counter in dict.fromkeys(setting.per for setting in settings.values() if setting.per is not None):
        names = [name for name, setting in settings.items() if setting.per == counter]
        _set_counter(block, entries, counter, names, path)
        for name in names:
            block[name] = _per_layer(block[name], block[counter], f"{path}.{counter}")


def lengths(tree: Any) -> list[int]:
    """Return the lengths of the lists that a value may be; empty if it is none."""
    if isinstance(tree, list):
        return [len(tree)]
    if isinstance(tree, dict) and "$value" in tree:
        return lengths(tree["$value"])
    if isinstance(tree, dict) and "per" not in tree and isinstance(tree.get("choice"), dict):
        return [n for entry in tree["choice"].values() for n in lengths(entry)]
    return []


def _set_counter(
    block: dict[str, Any], entries: Mapping[str, Node], counter: str, names: list[str], path: str
) -> None:
    lists = {name: lengths(block[name]) for name in names if name in entries and lengths(block[name])}
    for name in lists:
        chosen = block[name].get("choice", {}) if isinstance(block[name], dict) else {}
        if chosen and len(lists[name]) != len(chosen):
            what = "some labels hold a list and some a single value"
            raise entries[name].place.error(f"{path}.{name}", what, "give every label a list")
    if not lists:
        return
    given = entries.get(counter)
    if given is not None and not given.place.is_set and any(entries[name].place.is_set for name in lists):
        given = None  # --set of the list sets the counter
    for name, found in lists.items():
        place, key = entries[name].place, f"{path}.{name}"
        if given is None:
            continue
        if not isinstance(block[counter], int):
            what = f"a list fixes the number of layers, but {path}.{counter} is searched"
            mend = f"take {path}.{counter} out, or search {key} with per: {path}.{counter}"
            raise place.error(key, what, mend)
        if set(found) != {block[counter]}:
            what = f"'{name}' has {_values(found)}, but {path}.{counter} is {block[counter]}"
            raise place.error(key, what, f"take {path}.{counter} out: the list's length sets it")
    if given is not None:
        return
    if len({n for found in lists.values() for n in found}) == 1:
        block[counter] = next(iter(lists.values()))[0]
    elif len(lists) == 1:
        block[counter] = {"$length": f"{path}.{next(iter(lists))}"}
    else:
        name = list(lists)[-1]
        what = f"the lists {', '.join(lists)} have different lengths"
        raise entries[name].place.error(
            f"{path}.{name}", what, f"give each one value for each of {path}.{counter}"
        )


def _per_layer(tree: Any, counter: Any, path: str) -> Any:
    """Return a setting's closed form, bound to its counter where its length is not fixed."""
    if isinstance(tree, dict) and "per" in tree:
        if "$otherwise" in tree:
            tree["$otherwise"] = _per_layer(tree["$otherwise"], counter, path)
        return tree
    if isinstance(counter, int) and isinstance(tree, (list, bool, int, float, str)):
        return fit_layers(tree, counter) if isinstance(tree, list) else [tree] * counter
    return {"$value": tree, "$per": path}


def _values(found: list[int]) -> str:
    counts = sorted(set(found))
    return " or ".join(map(str, counts)) + (" value" if counts == [1] else " values")

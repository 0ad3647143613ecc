"""``--set key=value``: changes the file before it is checked, so that a set key obeys every rule of a written one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pokeopt.errors import SpecError
from pokeopt.registry import nearest
from pokeopt.spec.document import read_text
from pokeopt.spec.nodes import Node, Place, show
from pokeopt.spec.params import same

FLAT = ("baseline",)  # its keys are paths themselves


def apply_sets(root: Node, sets: Sequence[str]) -> tuple[Node, frozenset[str]]:
    """Return the changed file and the keys that were set.

    The order does not matter: a key is set before those below it.

    Args:
        root: The file.
        sets: ``key=value`` each, the value in YAML; paths in it start at the working directory.

    Raises:
        SpecError: If one cannot be read, has no place in the file, or a key is set to two values.
    """
    values = read_sets(sets)
    return put_all(root, values), frozenset(values)


def read_sets(sets: Sequence[str]) -> dict[str, Node]:
    """Return the value of each ``key=value``.

    Raises:
        SpecError: If one cannot be read, or a key is set to two values.
    """
    values: dict[str, Node] = {}
    for text in sets:
        key, value = _parse(text)
        if key in values and not _equal(values[key], value):
            raise value.place.error(key, "this key is set twice, to different values", "keep one of them")
        values[key] = value
    return values


def put_all(root: Node, values: Mapping[str, Node]) -> Node:
    """Return the file with each dotted key set, a key before those below it; a mapping replaces its whole subtree.

    Raises:
        SpecError: If a key has no place in the file.
    """
    for key in sorted(values, key=lambda one: (one.count("."), one)):
        root = _put(root, _keys(key), values[key], "")
    return root


def _parse(text: str) -> tuple[str, Node]:
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not key or not all(key.split(".")):
        raise SpecError(f"--set {text}", "this is not KEY=VALUE", "write --set training.epochs=5")
    return key, read_text(value, f"--set {key}", Path.cwd(), is_set=True)


def _keys(key: str) -> list[str]:
    head, _, tail = key.partition(".")
    return [head, tail] if head in FLAT and tail else key.split(".")


def _put(node: Node, keys: list[str], value: Node, path: str) -> Node:
    """Return the node with the value at the path below it."""
    if not keys:
        return _chosen(node, value)
    key = keys[0]
    below = f"{path}.{key}" if path else key
    if node.is_marker:
        return _put_in_choice(node, keys, value, path)
    if node.value is None:
        return node.with_value({key: _put(Node(None, value.place), keys[1:], value, below)})
    if node.is_mapping:
        old = node.mapping.get(key, Node(None, value.place))
        return node.with_value({**node.mapping, key: _put(old, keys[1:], value, below)})
    if node.is_list:
        if not any(_is_component(item, key) for item in node.items):
            raise _absent(node, key, value, path, _names(node.items))
        return node.with_value(tuple(_put_in_entry(item, keys, value, path) for item in node.items))
    if node.value == key and len(keys) > 1:
        return _put_in_entry(node, keys, value, path)
    raise _absent(node, key, value, path, [])


def _put_in_choice(node: Node, keys: list[str], value: Node, path: str) -> Node:
    """Set a key below a choice, in every entry that has its component."""
    entries = node.mapping.get("choice")
    below = [] if entries is None else [*entries.items, *entries.mapping.values()]
    flat = [item for entry in below for item in (entry.items if entry.is_list else (entry,))]
    if entries is None or not any(_is_component(item, keys[0]) for item in flat):
        raise _absent(node, keys[0], value, path, _names(flat))

    def changed(entry: Node) -> Node:
        if entry.is_list:
            return entry.with_value(tuple(_put_in_entry(item, keys, value, path) for item in entry.items))
        return _put_in_entry(entry, keys, value, path)

    if entries.is_mapping:
        new = entries.with_value({label: changed(entry) for label, entry in entries.mapping.items()})
    else:
        new = entries.with_value(tuple(changed(entry) for entry in entries.items))
    return node.with_value({**node.mapping, "choice": new})


def _put_in_entry(item: Node, keys: list[str], value: Node, path: str) -> Node:
    """Set a key of a component if this is it, and leave the others as they are."""
    if not _is_component(item, keys[0]):
        return item
    if item.is_mapping:
        return _put(item, keys, value, path)
    settings = _put(Node(None, value.place), keys[1:], value, f"{path}.{keys[0]}")
    return item.with_value({keys[0]: settings})


def _chosen(old: Node, value: Node) -> Node:
    """Return what a set value stands for: a label of the old choice is tried first, then a literal."""
    entries = old.mapping.get("choice") if old.is_marker else None
    if entries is None:
        return value
    if entries.is_list and isinstance(value.value, str):
        for entry in entries.items:
            if entry.is_mapping and list(entry.mapping) == [value.value]:
                return Node(entry.value, value.place)
    for label, entry in entries.mapping.items():
        if value.value == label:
            return Node(entry.value, value.place, label)
    for label, entry in entries.mapping.items():
        if _equal(entry, value):
            return Node(entry.value, value.place, label)
    return value


def _is_component(node: Node, name: str) -> bool:
    return node.value == name or (node.is_mapping and name in node.mapping)


def _names(nodes: Sequence[Node]) -> list[str]:
    return [
        name for node in nodes for name in ([node.value] if isinstance(node.value, str) else node.mapping)
    ]


def _absent(node: Node, key: str, value: Node, path: str, known: list[str]) -> SpecError:
    place = Place(value.place.file, None, value.place.folder)
    is_layer = key.isdigit()
    what = (
        f"'{path}' has no '{key}'"
        if not node.is_scalar
        else f"'{path}' is {show(node.plain())}, it has no '{key}'"
    )
    mend = f"set {path} as a whole" if is_layer else (nearest(key, known) if known else f"set {path} first")
    return place.error("", what, mend)


def _equal(left: Node, right: Node) -> bool:
    return _same_tree(left.plain(), right.plain())


def _same_tree(left: object, right: object) -> bool:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_same_tree(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same_tree, left, right))
    return same(left, right)

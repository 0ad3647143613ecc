"""Nodes against slots: what comes out is the closed form of a file, with every default and no place left in it.

The closed form is plain JSON. It is the YAML again, with these differences: every default is written out, a choice
among components is labelled by their names, paths are absolute, and four keys that no user writes say what only
families know:

- ``{"$value": X, "$label": L}``: the value X, which ``--set`` chose by its label;
- ``{"$value": X, "$per": COUNTER}``: X, repeated or cut to as many layers as the counter says;
- ``{"$length": PATH}``: a counter that follows the length of the list chosen at PATH;
- ``"$otherwise"`` in a marker: the value while its ``when`` does not hold.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pokeopt.errors import SpecError
from pokeopt.registry import REQUIRED, Family, Setting, nearest, settings_of
from pokeopt.spec.layers import fill_layers
from pokeopt.spec.markers import check_keys, choice_entries, conditions_of, numbers_of
from pokeopt.spec.nodes import Node, Place, join, node_of, show
from pokeopt.spec.sections import SEARCHABLE
from pokeopt.spec.slots import Slot, slot_of

Tree = Any
Each = Callable[[Node], Tree]


class Checker:
    """Turns the nodes of one file into its closed form; remembers where each key stands.

    Attributes:
        places: Path to where its value was written.
        counters: Path of a key given per layer to the path of what counts its layers.
    """

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        self.counters: dict[str, str] = {}

    def place_of(self, path: str) -> Place:
        """Return where a key, or the nearest above it, was written."""
        while path not in self.places and "." in path:
            path = path.rpartition(".")[0]
        return self.places.get(path, self.places[""])

    def value(self, node: Node, slot: Slot, path: str, counter: str | None = None) -> Tree:
        """Check one value; ``counter`` is the path of what counts the layers, if it is given per layer."""
        self.places.setdefault(path, node.place)
        if node.label is not None:
            unlabelled = dataclasses.replace(node, label=None)
            return {"$value": self.value(unlabelled, slot, path, counter), "$label": node.label}
        if node.is_marker:
            return self._marker(node, slot, path, counter)
        if node.value is None and slot.takes_null:
            return None
        if slot.kind == "component" and slot.family is not None:
            return self.component(node, slot.family, path)
        if slot.kind == "list":
            return self._list(node, slot, path, counter)
        if slot.kind == "mapping":
            return self._mapping(node, slot, path)
        if slot.kind == "block" and slot.block is not None:
            return self.section(node, slot.block, path)
        return self._scalar(node, slot, path)

    def section(self, node: Node, cls: type, path: str) -> dict[str, Tree]:
        """Check the keys of a fixed section, given as a dataclass."""
        if not node.is_mapping:
            raise self._misfit(node, "a mapping", path)
        block = self.block(node.mapping, settings_of(cls), path, node.place, f"'{path}'")
        if not _holds_markers(block):
            known = {field.name for field in dataclasses.fields(cls)}
            try:
                cls(**{key: value for key, value in block.items() if key in known})
            except ValueError as error:
                raise node.place.error(path, str(error), "change it") from error
        return block

    def component(self, node: Node, family: Family, path: str) -> Tree:
        """Check a component: a name, or one key with settings."""
        name, settings = self.split(node, family, path)
        known = self.look_up(family, name, node.place, path)
        block = self.block(settings, known, f"{path}.{name}", node.place, f"'{name}'", family)
        return {name: block} if block else name

    def split(self, node: Node, family: Family, path: str) -> tuple[str, Mapping[str, Node]]:
        """Return the name and the settings of a component as it was written."""
        if isinstance(node.value, str):
            return node.value, {}
        if not node.is_mapping:
            mend = "write 'none'" if node.value is None and "none" in family.names() else "name one"
            raise node.place.error(path, f"expected {_a(family.kind)}, got {_show(node)}", mend)
        if len(node.mapping) != 1:
            keys = ", ".join(node.mapping) or "none"
            what = f"{_a(family.kind)} is a name or one key with its settings, got the keys {keys}"
            raise node.place.error(path, what, "keep one key, its settings below it")
        ((name, settings),) = node.mapping.items()
        if settings.value is not None and (not settings.is_mapping or settings.is_marker):
            what = f"the settings of '{name}' are a mapping, got {_show(settings)}"
            raise settings.place.error(f"{path}.{name}", what, f"write {{{name}: {{setting: value}}}}")
        return name, settings.mapping

    def look_up(self, family: Family, name: str, place: Place, path: str) -> dict[str, Setting]:
        """Return the settings of a component; the error of an unknown one says where it was named."""
        try:
            return family.settings(name)
        except SpecError as error:
            raise place.error(path, error.what, error.mend) from error

    def block(
        self,
        entries: Mapping[str, Node],
        settings: Mapping[str, Setting],
        path: str,
        place: Place,
        title: str,
        family: Family | None = None,
    ) -> dict[str, Tree]:
        """Check settings by name and fill in the defaults, the given ones first and in their order."""
        for key, node in entries.items():
            if key not in settings:
                raise node.place.error(join(path, key), f"{title} has no key '{key}'", nearest(key, settings))
        block: dict[str, Tree] = {}
        for name in [*entries, *(name for name in settings if name not in entries)]:
            setting = settings[name]
            key, slot = join(path, name), slot_of(setting.annotation, _wrapped(setting, family))
            counter = join(path, setting.per) if setting.per is not None else None
            if counter is not None:
                self.counters[key] = counter
            if name not in entries:
                block[name] = self._default(setting, slot, key, place, counter)
                continue
            block[name] = self.value(entries[name], slot, key, counter)
            if isinstance(block[name], dict) and "when" in block[name] and entries[name].is_marker:
                if setting.default is REQUIRED:
                    what = f"'{name}' has no default, so it cannot be left out by 'when'"
                    raise entries[name].place.error(key, what, "take 'when' out")
                block[name]["$otherwise"] = self._default(setting, slot, key, place, counter)
        fill_layers(block, entries, settings, path)
        return block

    def _default(self, setting: Setting, slot: Slot, path: str, place: Place, counter: str | None) -> Tree:
        if setting.default is REQUIRED:
            raise place.error(
                path, f"'{setting.name}' is missing", f"add '{setting.name}: ...', {slot.expected()}"
            )
        if setting.default is None:
            return None
        known = self.places.copy()
        tree = self.value(node_of(setting.default, place), slot, path, counter)
        self.places = known  # a default stands nowhere
        return tree

    def _scalar(self, node: Node, slot: Slot, path: str) -> Tree:
        value = node.plain()
        expected = slot.misfit(value)
        if expected is not None:
            raise self._misfit(node, expected, path, slot)
        if slot.is_path and isinstance(value, str):
            return str((node.place.folder / Path(value).expanduser()).absolute())
        if slot.may_be_path and isinstance(value, str):
            file = (node.place.folder / Path(value).expanduser()).absolute()
            return str(file) if file.is_file() else value
        return slot.convert(value)

    def _list(self, node: Node, slot: Slot, path: str, counter: str | None) -> Tree:
        if node.is_scalar and slot.takes_scalar:
            return self._scalar(node, slot, path)
        if node.is_scalar and counter is not None:
            return self.value(node, slot.item, path)  # one value for every layer
        if not node.is_list:
            mend = f"write [{node.value}]" if isinstance(node.value, str) else "write it in [ ]"
            raise node.place.error(path, f"expected a list, got {_show(node)}", mend)
        if slot.length is not None and len(node.items) != slot.length:
            raise node.place.error(
                path, f"expected {slot.length} values, got {len(node.items)}", "count them"
            )
        result = []
        for i, item in enumerate(node.items):
            item_slot = slot.item if slot.length is None else slot.items[i]
            if item.is_marker and item_slot.kind != "scalar":
                what = "a list of components cannot hold a searched entry"
                raise item.place.error(path, what, "put the choice around the list: {choice: {label: [...]}}")
            if item.is_marker and {"when", "per"} & set(item.mapping):
                raise item.place.error(
                    path, "'when' and 'per' cannot stand inside a list", "put them around it"
                )
            result.append(self.value(item, item_slot, f"{path}.{i}" if item.is_marker else path))
        return result

    def _mapping(self, node: Node, slot: Slot, path: str) -> Tree:
        if not node.is_mapping:
            raise self._misfit(node, "a mapping", path)
        for key, entry in node.mapping.items():
            if slot.keys and key not in slot.keys:
                raise entry.place.error(
                    join(path, key), f"'{path}' has no key '{key}'", nearest(key, slot.keys)
                )
        return {key: self.value(entry, slot.item, join(path, key)) for key, entry in node.mapping.items()}

    def _marker(self, node: Node, slot: Slot, path: str, counter: str | None) -> Tree:
        self.check_searchable(node, path)
        kind = check_keys(node, path)
        tail = conditions_of(node, path)
        inner = slot
        if "per" in node.mapping:
            tail["per"] = self._counter_named(node.mapping["per"], slot, path, counter)
            inner = slot.item
        elif slot.kind == "list" and counter is not None and _is_one_for_all(node, kind):
            inner = slot.item
        if kind != "choice":
            return {**numbers_of(node, kind, inner, path), **tail}
        if node.mapping["choice"].is_mapping and slot.kind == "mapping":
            raise node.place.error(
                path, f"'{path}' cannot be searched as a whole", f"search its keys: {path}.KEY"
            )
        each = lambda entry: self.value(entry, inner, path, None if inner is not slot else counter)  # noqa: E731
        return {"choice": choice_entries(node, inner, path, each), **tail}

    def labelled(self, node: Node, path: str, each: Each) -> Tree:
        """Check a labelled choice among whole sections, each by its own rule."""
        self.check_searchable(node, path)
        kind = check_keys(node, path)
        if kind != "choice" or not node.mapping["choice"].is_mapping or len(node.mapping) > 1:
            raise node.place.error(
                path, f"'{path}' is a mapping", f"write {path}: {{choice: {{label: {{...}}}}}}"
            )
        return {"choice": {label: each(entry) for label, entry in node.mapping["choice"].mapping.items()}}

    def check_searchable(self, node: Node, path: str) -> None:
        """Refuse a marker at a key whose value makes the study what it is."""
        if not any(path == key or path.startswith(f"{key}.") for key in SEARCHABLE):
            mend = f"give it one value; searchable are {', '.join(SEARCHABLE)}"
            raise node.place.error(path, f"'{path}' cannot be searched", mend)

    def _counter_named(self, node: Node, slot: Slot, path: str, counter: str | None) -> str:
        if not isinstance(node.value, str):
            raise node.place.error(path, "'per' names a key", "write per: model.depth")
        if not slot.is_layered:
            raise node.place.error(path, f"'{path}' is one value, not one a layer", "take 'per' out")
        if counter is not None and node.value != counter:
            raise node.place.error(
                path, f"'{path}' is given per {counter}, not {node.value}", f"write per: {counter}"
            )
        return node.value

    def _misfit(self, node: Node, expected: str, path: str, slot: Slot | None = None) -> SpecError:
        literals = slot.literals() if slot is not None else ()
        mend = nearest(str(node.value), literals) if literals else f"give {expected}"
        if isinstance(node.value, float) and node.value.is_integer() and "whole" in expected:
            mend = f"write {int(node.value)}"
        if node.value == "none" and slot is not None and slot.takes_null:
            mend = "write null"
        if node.value is None and "none" in literals:
            mend = "write 'none'"
        return node.place.error(path, f"expected {expected}, got {_show(node)}", mend)


def _wrapped(setting: Setting, family: Family | None) -> Family | None:
    """Return the family itself if the setting is another component of it, like ``patient``'s ``pruner``."""
    return family if family is not None and setting.name == family.kind else None


def _is_one_for_all(node: Node, kind: str) -> bool:
    """Whether a marker at a key given per layer draws one value for all layers."""
    entries = node.mapping[kind]
    values = entries.items if entries.is_list else tuple(entries.mapping.values())
    return kind != "choice" or all(value.is_scalar for value in values)


def _holds_markers(tree: Tree) -> bool:
    if isinstance(tree, dict):
        return bool({"int", "float", "choice"} & set(tree)) or any(map(_holds_markers, tree.values()))
    return isinstance(tree, list) and any(map(_holds_markers, tree))


def _show(node: Node) -> str:
    if node.is_mapping and node.mapping:
        return "a mapping of " + ", ".join(list(node.mapping)[:4])
    return show(node.plain())


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"

"""The JSON schema of a search-space file, for editors: written from the same sections and families that check it."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pokeopt.registry import MODELS, REQUIRED, SOURCES, TRACKERS, Family, Setting, settings_of
from pokeopt.spec.load import OBJECTIVES
from pokeopt.spec.nodes import Place, join, node_of
from pokeopt.spec.sections import (
    SEARCHABLE,
    Ablation,
    CheckCode,
    Data,
    ExternalData,
    Limits,
    Loss,
    Objective,
    Resources,
    Search,
    TestPart,
    Training,
)
from pokeopt.spec.slots import Slot, scalar_schema, slot_of

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
EXCLUSIVE = {"objective": "object", "objectives": "array"}  # at most one, unless it is null
NOWHERE = Place("", None, Path())


def json_schema() -> Schema:
    """Return the schema of a search-space file, every default in it; families are looked up, so torch is loaded."""
    return _Writer().document()


class _Writer:
    def __init__(self) -> None:
        self.defs: dict[str, Schema] = {}

    def document(self) -> Schema:
        """Return the whole schema."""
        several = {"type": "array", "items": self.section(Objective, "objectives"), "minItems": 1}
        properties = {
            "name": {"type": "string", "description": "Name of the study. Default: the file's stem."},
            "data": self.beside("source", SOURCES, Data, "data"),
            "external": self.external(),
            "model": _or_labelled(self.beside("family", MODELS, None, "model")),
            "loss": _or_labelled(self.section(Loss, "loss")),
            "training": _or_labelled(self.section(Training, "training")),
            "baseline": {
                "type": ["object", "null"],
                "description": "Trial 0 and the reference of the ablation: searched key to value.",
                "default": None,
            },
            "objective": {
                **self.section(Objective, "objective"),
                "default": {"metric": OBJECTIVES["classification"]},
            },
            "objectives": several,
            "constraints": {"type": "array", "items": self.section(Limits, "constraints"), "default": []},
            "search": self.section(Search, "search"),
            "ablation": {**self.section(Ablation, "ablation"), "type": ["object", "null"]},
            "resources": self.section(Resources, "resources"),
            "plugins": {"type": "array", "items": {"type": "string"}, "default": []},
            "tracking": {"type": "array", "items": self.component(TRACKERS, "tracking"), "default": []},
            "mute": {
                "type": "object",
                "description": "Code of a check to the reason why it does not matter here.",
                "propertyNames": {"enum": list(get_args(CheckCode))},
                "additionalProperties": {"type": "string", "minLength": 1},
                "default": {},
            },
        }
        return {
            "$schema": DIALECT,
            "title": "pokeopt search space",
            "type": "object",
            "properties": properties,
            "required": ["data", "model"],
            "not": {
                "required": ["objective", "objectives"],
                "properties": {one: {"type": kind} for one, kind in EXCLUSIVE.items()},
            },
            "additionalProperties": False,
            "$defs": {**self.defs, **_marker_defs()},
        }

    def section(self, cls: type, path: str) -> Schema:
        """Return the schema of a fixed section."""
        return {**self.object(settings_of(cls), path), "description": _first_line(cls)}

    def object(self, settings: Mapping[str, Setting], path: str, family: Family | None = None) -> Schema:
        """Return the schema of a mapping of settings."""
        properties = {}
        for name, setting in settings.items():
            own = family if family is not None and name == family.kind else None
            slot = slot_of(setting.annotation, own)
            schema = self.leaf(slot, join(path, name), is_layered=setting.per is not None)
            properties[name] = {**schema, **_default(setting)}
        required = [name for name, setting in settings.items() if setting.default is REQUIRED]
        return {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }

    def beside(self, key: str, family: Family, section: type | None, path: str) -> Schema:
        """Return the schema of a section that holds a component's settings beside its own keys."""
        fixed = settings_of(section) if section is not None else {}
        options = []
        for name in family.names():
            settings = {**family.settings(name), **{one: fixed[one] for one in fixed if one != key}}
            option = self.object(settings, path, family)
            option["properties"] = {key: {"const": name}, **option["properties"]}
            option["required"] = [key, *option["required"]]
            options.append({**option, "title": name, "description": _first_line(family.get(name))})
        choice = {"type": "object", "properties": {key: {"enum": family.names()}}, "required": [key]}
        return {**choice, "anyOf": options}

    def external(self) -> Schema:
        """Return the schema of the external sets."""
        part = {
            "anyOf": [
                self.section(TestPart, "external"),
                self.beside("source", SOURCES, ExternalData, "external"),
            ]
        }
        return {
            "type": "object",
            "description": "Sets that nothing selects on; scored once per finished trial.",
            "additionalProperties": part,
            "default": {},
        }

    def leaf(self, slot: Slot, path: str, *, is_layered: bool = False) -> Schema:
        """Return the schema of one key: its values, and its markers where it may be searched."""
        is_searchable = any(path == key or path.startswith(f"{key}.") for key in SEARCHABLE)
        value = self.value(slot, path)
        options = [value]
        if is_layered:
            options.append(self.value(slot.item, path))
        if slot.takes_scalar:
            options = [scalar_schema(slot.annotation)]
        if is_searchable and slot.kind != "mapping":
            entry = {"anyOf": list(options)} if len(options) > 1 else value
            numeric = slot.item if slot.kind == "list" and slot.item.kind == "scalar" else slot
            if numeric.kind == "scalar" and not (numeric.misfit(1) and numeric.misfit(0)):
                options += [{"$ref": "#/$defs/int"}]
            if numeric.kind == "scalar" and numeric.misfit(0.5) is None:
                options += [{"$ref": "#/$defs/float"}]
            options.append(_choice(entry, slot))
        if slot.takes_null and not any(one.get("type") == "null" for one in options):
            options.append({"type": "null"})
        return options[0] if len(options) == 1 else {"anyOf": options}

    def value(self, slot: Slot, path: str) -> Schema:
        """Return the schema of a fixed value; settings below it may be searched."""
        if slot.kind == "component" and slot.family is not None:
            return self.component(slot.family, path)
        if slot.kind == "list":
            items = self.value(slot.item, path)
            return {"type": "array", "items": items}
        if slot.kind == "mapping":
            keys = slot.keys or ("",)
            values = {key: self.leaf(slot.item, join(path, key)) for key in keys}
            return {"type": "object", "properties": values, "additionalProperties": False}
        if slot.kind == "block" and slot.block is not None:
            return self.section(slot.block, path)
        return scalar_schema(slot.annotation)

    def component(self, family: Family, path: str) -> Schema:
        """Return a reference to the schema of a family's components."""
        key = family.kind.replace(" ", "_")
        if key not in self.defs:
            self.defs[key] = {}  # a component may wrap another of its family
            names = [{"const": name, "description": _first_line(family.get(name))} for name in family.names()]
            with_settings = []
            for name in family.names():
                settings = {
                    **self.object(family.settings(name), join(path, name), family),
                    "type": ["object", "null"],
                }
                with_settings.append(
                    {
                        "type": "object",
                        "properties": {name: settings},
                        "required": [name],
                        "additionalProperties": False,
                    }
                )
            self.defs[key] = {"anyOf": [*names, *with_settings]}
        return {"$ref": f"#/$defs/{key}"}


def _choice(entry: Schema, slot: Slot) -> Schema:
    listed = {"type": "array", "items": entry, "minItems": 1}
    labelled = {"type": "object", "additionalProperties": entry, "minProperties": 1}
    values = labelled if slot.kind == "block" else {"anyOf": [listed, labelled]}
    tail = {"when": {"$ref": "#/$defs/when"}, "per": {"type": "string"}}
    return {
        "type": "object",
        "properties": {"choice": values, **tail},
        "required": ["choice"],
        "additionalProperties": False,
    }


def _or_labelled(section: Schema) -> Schema:
    """A section, or a labelled choice among several."""
    labelled = {"type": "object", "additionalProperties": section, "minProperties": 1}
    choice = {"type": "object", "properties": {"choice": labelled}, "required": ["choice"]}
    return {"anyOf": [section, {**choice, "additionalProperties": False}]}


def _marker_defs() -> dict[str, Schema]:
    scalar = {"type": ["string", "number", "boolean", "null"]}
    when = {
        "type": "object",
        "description": "Key to a value, or to a list of which any will do; all must hold for the leaf to exist.",
        "additionalProperties": {"anyOf": [scalar, {"type": "array", "items": scalar, "minItems": 1}]},
        "minProperties": 1,
    }
    defs: dict[str, Schema] = {"when": when}
    for kind, number in (("int", "integer"), ("float", "number")):
        ends = {"type": "array", "items": {"type": number}, "minItems": 2, "maxItems": 2}
        properties = {
            kind: {**ends, "description": "The ends, both included."},
            "log": {"type": "boolean", "description": "Drawn uniformly in its logarithm.", "default": False},
            "step": {"type": number, "exclusiveMinimum": 0, "description": "Distance of neighbours."},
            "when": {"$ref": "#/$defs/when"},
            "per": {"type": "string", "description": "A key that counts layers: one value for each."},
        }
        defs[kind] = {
            "type": "object",
            "properties": properties,
            "required": [kind],
            "additionalProperties": False,
        }
    return defs


def _default(setting: Setting) -> Schema:
    return {} if setting.default is REQUIRED else {"default": node_of(setting.default, NOWHERE).plain()}


def _first_line(component: Any) -> str:
    """Return the first line of a docstring that was written: not what a dataclass writes itself."""
    text = inspect.getdoc(component) or ""
    is_made = dataclasses.is_dataclass(component) and text.startswith(f"{component.__name__}(")  # type: ignore[union-attr]
    return "" if is_made else text.partition("\n")[0]

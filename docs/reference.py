"""Writes reference.md, every key of a search-space file, from the JSON schema: ``python docs/reference.py``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pokeopt.spec import json_schema

PAGE = Path(__file__).with_name("reference.md")
MARKERS = ("int", "float")
WORDS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "null": "nothing",
    "array": "list",
    "object": "mapping",
}
HEAD = """# Every key of a search-space file

Made from the JSON schema by `python docs/reference.py`; [yaml.md](yaml.md) explains how to write them. A searched value
may stand wherever the last column says so: `{int: [low, high]}`, `{float: [low, high]}` or `{choice: [...]}`.
"""
Schema = dict[str, Any]


def reference() -> str:
    """Return the page."""
    schema = json_schema()
    parts = [HEAD]
    for section, found in schema["properties"].items():
        parts.append("\n".join([f"## {section}", "", *_told(found), *_section(found)]))
    parts.append("## Components\n\nA name, or a name with settings: `{focal: {gamma: 2.0}}`.")
    for family, found in schema["$defs"].items():
        if family not in (*MARKERS, "when"):
            parts.append("\n".join([f"### {family.replace('_', ' ')}", "", *_members(found)]))
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _section(found: Schema) -> list[str]:
    """Return a section's keys; of data and model those of each source and family."""
    forms = [form for form in _forms(found) if "properties" in form]
    kinds = [
        (key, form)
        for form in forms
        for key in ("source", "family")
        if "const" in form["properties"].get(key, {})
    ]
    if kinds:
        lines = []
        for key, form in kinds:
            lines += [f"`{key}: {form['properties'][key]['const']}`", ""]
            lines += [*_table({name: one for name, one in form["properties"].items() if name != key}), ""]
        return lines
    keys = {key: one for form in forms for key, one in form["properties"].items()}
    default = f", default {_default(found)}" if "default" in found else ""
    return _table(keys) if keys else [f"A {_allowed(found)}{default}."]


def _forms(found: Schema) -> Iterator[Schema]:
    """Yield the forms that a value may have, those of a choice left out."""
    inside = found.get("anyOf", found.get("oneOf"))
    if inside is None:
        yield found
    else:
        for form in inside:
            if not _is_choice(form):
                yield from _forms(form)


def _table(keys: Mapping[str, Schema]) -> list[str]:
    lines = ["| key | is | default | searched |", "| --- | --- | --- | --- |"]
    for key, found in keys.items():
        searched = "yes" if "#/$defs/when" in json.dumps(found) or "#/$defs/int" in json.dumps(found) else ""
        lines.append(f"| `{key}` | {_allowed(found)} | {_default(found)} | {searched} |")
    return lines


def _members(found: Schema) -> list[str]:
    """Return a family's table: each member once, with its settings where it has some."""
    described: dict[str, tuple[str, str]] = {}
    for form in found.get("anyOf", []):
        if "const" in form:
            described.setdefault(form["const"], (form.get("description", ""), ""))
        for name, settings in form.get("properties", {}).items():
            inside = ", ".join(
                f"`{key}` {_default(one)}".strip() for key, one in settings.get("properties", {}).items()
            )
            told = described.get(name, (form.get("description", ""), ""))[0] or settings.get(
                "description", ""
            )
            described[name] = (told, inside)
    lines = ["| name | settings and defaults | |", "| --- | --- | --- |"]
    return lines + [f"| `{name}` | {inside} | {_line(told)} |" for name, (told, inside) in described.items()]


def _allowed(found: Schema) -> str:
    """Return what a value may be, in words, markers left out."""
    if "enum" in found:
        return " or ".join(f"`{json.dumps(one)}`".replace('"', "") for one in found["enum"])
    if "const" in found:
        return f"`{found['const']}`"
    if "$ref" in found:
        name = found["$ref"].rpartition("/")[2]
        article = "an" if name[0] in "aeiou" else "a"
        return "" if name in (*MARKERS, "when") else f"{article} {name.replace('_', ' ')}"
    if "anyOf" in found or "oneOf" in found:
        inside = found.get("anyOf") or found.get("oneOf") or []
        forms = [_allowed(form) for form in inside if not _is_choice(form)]
        return " or ".join(dict.fromkeys(word for form in forms for word in form.split(" or ") if word))
    types = found.get("type", "")
    kind = " or ".join(WORDS[one] for one in ([types] if isinstance(types, str) else types) if one)
    if found.get("type") == "array" and isinstance(found.get("items"), dict):
        inside = _allowed(found["items"])
        return f"list of: {inside}" if inside else "list"
    low, high = found.get("minimum", found.get("exclusiveMinimum")), found.get("maximum")
    if low is not None:
        kind += f" above {low}" if "exclusiveMinimum" in found else f" from {low}"
    return kind + (f" to {high}" if high is not None else "")


def _is_choice(form: Schema) -> bool:
    return "choice" in form.get("required", ())


def _default(found: Schema) -> str:
    return f"`{json.dumps(found['default'])}`" if "default" in found else ""


def _told(found: Schema) -> list[str]:
    return [_line(found["description"]), ""] if found.get("description") else []


def _line(text: str) -> str:
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")

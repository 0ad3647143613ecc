"""YAML 1.2 to nodes. ruamel.yaml parses; plain scalars are read by the core schema of YAML 1.2, to the letter.

So ``on`` and ``yes`` are text, ``1e-5`` is a number, ``1:30`` is no number to base 60, ``2024_05`` no integer.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from pokeopt.errors import SpecError
from pokeopt.spec.nodes import Node, Place, Scalar

NULL = re.compile(r"|~|null|Null|NULL")
TRUE, FALSE = re.compile(r"true|True|TRUE"), re.compile(r"false|False|FALSE")
INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
CORE = "tag:yaml.org,2002:"
PLAIN = {f"{CORE}{kind}" for kind in ("null", "bool", "int", "float", "str", "timestamp", "value", "merge")}
DEEPEST = 40  # no search space is nested deeper; an alias that names itself is


def read_document(path: Path) -> Node:
    """Read a YAML file.

    Raises:
        SpecError: If it cannot be read, is no YAML 1.2, or holds a key twice.
    """
    name = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise SpecError(name, "there is no such file", "check the path") from error
    except UnicodeDecodeError as error:
        raise SpecError(name, "this file is not text in UTF-8", "give a YAML file") from error
    except OSError as error:
        raise SpecError(name, f"this file cannot be read: {error.strerror}", "give a YAML file") from error
    root = read_text(text, name, path.resolve().parent)
    if not root.is_mapping:
        raise SpecError(name, "this file holds no keys", "begin with 'data:' and 'model:'")
    return root


def read_text(text: str, file: str, folder: Path, *, is_set: bool = False) -> Node:
    """Read YAML text; ``file`` and ``folder`` are what its places say.

    Raises:
        SpecError: If it is no YAML 1.2, or holds a key twice.
    """
    yaml = YAML(typ="safe", pure=True)
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        place = Place(file, None if is_set else line, folder)
        what = "this is not YAML: " + _one_line(error.problem or error.context or "it cannot be parsed")
        raise place.error("", what, _mend_of(error)) from error
    except (YAMLError, ValueError) as error:
        raise SpecError(
            file, f"this is not YAML: {_one_line(str(error))}", "save it as plain text"
        ) from error
    except RecursionError as error:
        counts = [sum(map(line.count, "[{")) for line in text.split("\n")]  # what went too deep knows no line
        place = Place(file, None if is_set else counts.index(max(counts)) + 1, folder)
        raise place.error("", "this is nested too deeply", "write it flatter") from error
    if root is None:
        return Node(None, Place(file, None if is_set else 1, folder))
    return _Reader(file, folder, is_set).read(root, "", 0)


class _Reader:
    def __init__(self, file: str, folder: Path, is_set: bool) -> None:
        self.file, self.folder, self.is_set = file, folder, is_set

    def read(self, node: Any, key: str, depth: int, line: int | None = None) -> Node:
        """Read a node; ``line`` is its key's, where it has one."""
        if line is None:
            line = node.start_mark.line + 1
        place = Place(self.file, None if self.is_set else line, self.folder)
        if depth > DEEPEST:
            raise place.error(key, "this is nested too deeply", "an alias may not name what it stands in")
        if isinstance(node, SequenceNode):
            self._check_tag(node, "seq", place, key)
            return Node(tuple(self.read(item, key, depth + 1) for item in node.value), place)
        if isinstance(node, MappingNode):
            self._check_tag(node, "map", place, key)
            return Node(self._entries(node, key, depth), place)
        return Node(self._scalar(node, place, key), place)

    def _entries(self, node: Any, key: str, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            place = Place(self.file, None if self.is_set else line, self.folder)
            name = self._scalar(key_node, place, key) if isinstance(key_node, ScalarNode) else None
            if not isinstance(name, str):
                if not isinstance(key_node, ScalarNode):
                    what = "a key must be text, got a list or a mapping"
                    raise place.error(key, what, "write KEY: VALUE, without '?' and brackets before the ':'")
                text = key_node.value
                raise place.error(key, f"a key must be text, got {text}", f"write it in quotes: '{text}'")
            if name == "<<" and key_node.style is None:
                raise place.error(key, "YAML 1.2 has no merge key '<<'", "write the keys out")
            path = f"{key}.{name}" if key else name
            if name in entries:
                first = entries[name].place.line
                seen = f", first in line {first}" if first is not None else ""
                raise place.error(path, f"the key '{name}' stands here twice{seen}", "keep one of them")
            entries[name] = self.read(value_node, path, depth + 1, line)
        return entries

    def _scalar(self, node: Any, place: Place, key: str) -> Scalar:
        text = str(node.value)
        if str(node.tag) not in PLAIN:
            raise place.error(key, f"the tag '{node.tag}' is not known", "take it out")
        if node.style is not None or str(node.tag) == f"{CORE}str":
            return text  # quoted, or tagged as text
        if NULL.fullmatch(text):
            return None
        if TRUE.fullmatch(text) or FALSE.fullmatch(text):
            return bool(TRUE.fullmatch(text))
        if INT.fullmatch(text):
            return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        if FLOAT.fullmatch(text) or NOT_FINITE.fullmatch(text):
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        return text

    def _check_tag(self, node: Any, kind: str, place: Place, key: str) -> None:
        if str(node.tag) != f"{CORE}{kind}":
            raise place.error(key, f"the tag '{node.tag}' is not known", "take it out")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _mend_of(error: MarkedYAMLError) -> str:
    problem = str(error.problem)
    if "\\t" in problem:
        return "indent with spaces, not tabs"
    if "another document" in problem:
        return "one file holds one study: take out the '---', and a '%YAML' line before it"
    if "mapping values" in problem:
        return "put text that holds ': ' in quotes"
    return "check the brackets, quotes and indentation near this line"

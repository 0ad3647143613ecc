"""What a setting takes, read from its annotation: a scalar, a component of some family, a list, a mapping, a block."""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from pokeopt.registry import IS_PATH, MAY_BE_PATH, Family
from pokeopt.spec.nodes import show

Kind = Literal["scalar", "component", "list", "mapping", "block"]
STRICT = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)
WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    Path: "a path",
    type(None): "null",
}


@dataclass(frozen=True)
class Slot:
    """What may stand at one place of a file.

    Attributes:
        annotation: All of it, for the check of scalars.
        family: Of a component.
        items: Slots of a list: one for all, or one each where ``length`` is set; of a mapping: its values'.
        keys: Keys of a mapping; empty takes any.
        block: Dataclass whose fields are the keys of a block.
        takes_null: Whether null may stand here.
        takes_scalar: Whether a list may also be given as a scalar of another type (``seeds: 5`` or ``[3, 7]``).
    """

    kind: Kind
    annotation: Any
    family: Family | None = None
    items: tuple[Slot, ...] = ()
    length: int | None = None
    keys: tuple[str, ...] = ()
    block: type | None = None
    takes_null: bool = False
    takes_scalar: bool = False

    @property
    def item(self) -> Slot:
        """The slot of a list's items or of a mapping's values."""
        return self.items[0]

    @property
    def is_layered(self) -> bool:
        """Whether this is a list of any length, which ``per`` can fill."""
        return self.kind == "list" and self.length is None

    @property
    def is_path(self) -> bool:
        """Whether a text here is a path, relative to the file that names it."""
        return Path in _alternatives(self.annotation) or IS_PATH in _metadata(self.annotation)

    @property
    def may_be_path(self) -> bool:
        """Whether a text here is such a path if there is such a file, else a word."""
        return MAY_BE_PATH in _metadata(self.annotation)

    def misfit(self, value: Any) -> str | None:
        """Return what this slot expects if a scalar does not fit it, else None."""
        if self.is_path:
            return None if isinstance(value, str) or (value is None and self.takes_null) else self.expected()
        try:
            _adapter(self.annotation).validate_python(value)
        except ValidationError:
            return self.expected()
        return None

    def convert(self, value: Any) -> Any:
        """Return a fitting scalar in its own type: a whole number given for a real one becomes real."""
        alternatives = _alternatives(self.annotation)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return float(value) if is_whole and float in alternatives and int not in alternatives else value

    def expected(self) -> str:
        """Return what may stand here, in words."""
        if self.kind == "component" and self.family is not None:
            return f"the name of a {self.family.kind}, or one key with its settings"
        if self.kind == "list":
            return f"{_words(self.annotation)} or a list" if self.takes_scalar else "a list"
        if self.is_path:
            return "a path or null" if self.takes_null else "a path"
        return "a mapping" if self.kind in ("mapping", "block") else _words(self.annotation)

    def literals(self) -> tuple[str, ...]:
        """Return the texts that may stand here, if only named ones may."""
        found = [
            arg
            for one in _alternatives(self.annotation)
            if get_origin(one) is Literal
            for arg in get_args(one)
        ]
        return tuple(str(text) for text in found)


@lru_cache(maxsize=512)
def slot_of(annotation: Any, own: Family | None = None) -> Slot:
    """Return the slot that an annotation describes.

    Args:
        annotation: ``Annotated[Component, FAMILY]`` is a component, ``tuple[X, ...]`` a list, ``dict[str, X]`` a
            mapping, a dataclass a block; everything else is a scalar that pydantic checks.
        own: Family of the component that this setting wraps (``patient``'s ``pruner``), if it wraps one.
    """
    options = [one for one in _alternatives(annotation) if one is not type(None)]
    takes_null = type(None) in _alternatives(annotation)
    if own is not None:
        return Slot("component", annotation, family=own, takes_null=takes_null)
    family = next((m for m in _metadata(annotation) if isinstance(m, Family)), None)
    if family is not None:
        return Slot("component", annotation, family=family, takes_null=takes_null)
    for option in options:
        origin, args = get_origin(option), get_args(option)
        if origin in (tuple, list):
            is_open = origin is list or (len(args) == 2 and args[1] is Ellipsis)
            items = tuple(slot_of(arg) for arg in args if arg is not Ellipsis)
            length = None if is_open else len(items)
            return Slot(
                "list", annotation, None, items, length, takes_null=takes_null, takes_scalar=len(options) > 1
            )
        if origin is dict and get_args(option)[1] is not Any:
            names = get_args(args[0]) if get_origin(args[0]) is Literal else ()
            return Slot("mapping", annotation, items=(slot_of(args[1]),), keys=names, takes_null=takes_null)
        if isinstance(option, type) and dataclasses.is_dataclass(option):
            return Slot("block", annotation, block=option, takes_null=takes_null)
    return Slot("scalar", annotation, takes_null=takes_null)


@lru_cache(maxsize=512)
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(annotation, config=STRICT)
    except PydanticUserError:  # an annotation that pydantic cannot check is the component's to check
        return TypeAdapter(Any)


def scalar_schema(annotation: Any) -> dict[str, Any]:
    """Return the JSON schema of a scalar slot."""
    if Path in _alternatives(annotation):
        return {"type": "string"}
    try:
        return _adapter(annotation).json_schema()
    except PydanticUserError:
        return {}


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the annotation alone; what ``Annotated`` adds is left out."""
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (typing.Union, types.UnionType):
        return tuple(one for arg in get_args(annotation) for one in _alternatives(arg))
    return (annotation,)


def _metadata(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Annotated:
        inner, *extras = get_args(annotation)
        return (*extras, *_metadata(inner))
    if get_origin(annotation) in (typing.Union, types.UnionType):
        return tuple(extra for arg in get_args(annotation) for extra in _metadata(arg))
    return ()


def _words(annotation: Any) -> str:
    """Say what fits: ``a whole number >= 1 or 'auto'``."""
    words = []
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(str(arg) for arg in get_args(annotation))
    for one in _alternatives(annotation):
        if get_origin(one) in (tuple, list):
            continue
        if get_origin(one) is Literal:
            words += [show(arg) for arg in get_args(one)]
        else:
            words.append(WORDS.get(one, "a value"))
    bounds = [
        f"{sign} {getattr(bound, name):g}"
        for extra in _metadata(annotation)
        for bound in getattr(extra, "metadata", [extra])
        for name, sign in (("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<"))
        if getattr(bound, name, None) is not None
    ]
    if bounds:
        words = [f"{word} {' and '.join(bounds)}" if "number" in word else word for word in words]
    return " or ".join(words)

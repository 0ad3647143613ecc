"""Families of components: name -> component. They feed the YAML check, the JSON schema, the CLI and the docs."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import hashlib
import importlib
import importlib.util
import inspect
import pkgutil
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pokeopt.errors import SpecError

T = TypeVar("T")
REQUIRED = inspect.Parameter.empty

Component: typing.TypeAlias = str | Mapping[str, Any]
"""A component in a file: its name, or one key with settings. ``Annotated[Component, PRUNERS]`` says of which family."""

IS_PATH = "path"
PathText: typing.TypeAlias = typing.Annotated[str, IS_PATH]
"""A setting that names a file or folder: relative to the file that names it, absolute once that is loaded."""

MAY_BE_PATH = "path or word"
PathOrWord: typing.TypeAlias = typing.Annotated[str, MAY_BE_PATH]
"""A setting that is a word or names a file: the same where there is such a file, left as it is where there is none."""


@dataclasses.dataclass(frozen=True)
class Setting:
    """One setting of a component: annotation, default (REQUIRED if none) and the counter that it is given per."""

    name: str
    annotation: Any
    default: Any
    per: str | None = None


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a mend: the nearest known name, or the list of them."""
    options = sorted(known)
    close = difflib.get_close_matches(str(name), options, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(options) or 'none'}"


def per_layer(counter: str, default: tuple[Any, ...]) -> Any:
    """Declare a dataclass field that holds one value a layer; ``counter`` names the field that counts the layers."""
    return dataclasses.field(default=default, metadata={"per": counter})


class Family:
    """Components of one kind. Its package's modules are imported at the first look-up, so a new member is one new file.

    A component is a frozen dataclass (its fields are its settings) or a function (its keyword parameters are); where
    ``has_settings`` is false, any class.
    """

    def __init__(self, kind: str, package: str, *, has_settings: bool = True) -> None:
        self.kind, self.package, self.has_settings = kind, package, has_settings
        self._members: dict[str, Any] = {}
        self._is_loaded = False

    def __repr__(self) -> str:
        return f"Family({self.kind!r})"

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that enters a component under ``name``; a second one of that name is refused."""

        def enter(component: T) -> T:
            self._check(name, component)
            self._members[name] = component
            return component

        return enter

    def _check(self, name: str, component: Any) -> None:
        """Refuse a component whose settings cannot be told, and a second one of a name."""
        if self.has_settings and not (dataclasses.is_dataclass(component) or inspect.isfunction(component)):
            what = f"the {self.kind} '{name}' has no settings that can be told"
            raise SpecError(_origin(component), what, "add @dataclass(frozen=True) above it")
        if not component.__module__.startswith("pokeopt."):
            self._load()  # so that a plugin's name clashes here, and not wherever the family is looked up next
        known = self._members.get(name)
        if known is not None and _origin(known) != _origin(component):
            what = f"two {self.kind}s are called '{name}': {_origin(known)} and {_origin(component)}"
            raise SpecError(str(_origin(component)), what, "rename one of them")

    def names(self) -> list[str]:
        """Return all names, sorted."""
        self._load()
        return sorted(self._members)

    def get(self, name: str) -> Any:
        """Return the component called ``name``; SpecError with the nearest known name if there is none."""
        self._load()
        if name not in self._members:
            raise SpecError(self.kind, f"no {self.kind} is called '{name}'", nearest(name, self._members))
        return self._members[name]

    def settings(self, name: str) -> dict[str, Setting]:
        """Return the settings of a component by name, in the order of its declaration."""
        return settings_of(self.get(name))

    def make(self, component: str | Mapping[str, Any]) -> Any:
        """Build a component from its YAML form: ``"adam"`` or ``{"sgd": {"momentum": 0.9}}``."""
        name, settings = split_component(component)
        known = self.settings(name)
        unknown = [key for key in settings if key not in known]
        if unknown:
            what = f"'{name}' has no setting '{unknown[0]}'"
            raise SpecError(f"{self.kind} {name}", what, nearest(unknown[0], known))
        missing = [
            key for key, setting in known.items() if setting.default is REQUIRED and key not in settings
        ]
        if missing:
            what = f"'{name}' needs the setting {' and '.join(missing)}"
            raise SpecError(f"{self.kind} {name}", what, f"give {missing[0]}")
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
        try:
            return self.get(name)(**values)
        except (TypeError, ValueError) as error:
            raise SpecError(f"{self.kind} {name}", str(error), "change the setting") from error

    def _load(self) -> None:
        if self._is_loaded:
            return
        self._is_loaded = True  # before the imports: they call register, and may look up
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.package}.{module.name}")


def settings_of(component: Any) -> dict[str, Setting]:
    """Return the settings of a frozen dataclass (its fields) or of a function (its keyword-only parameters)."""
    return dict(_settings_of(component))


@functools.lru_cache(maxsize=512)
def _settings_of(component: Any) -> Mapping[str, Setting]:
    if dataclasses.is_dataclass(component):
        hints = typing.get_type_hints(component, include_extras=True)
        return {
            f.name: Setting(f.name, hints[f.name], _default(f), f.metadata.get("per"))
            for f in dataclasses.fields(component)
            if f.init
        }
    parameters = [p for p in inspect.signature(component).parameters.values() if p.kind is p.KEYWORD_ONLY]
    # only theirs: the other parameters may be annotated with names that exist for the type checker alone
    annotated = types.SimpleNamespace(__annotations__={p.name: p.annotation for p in parameters})
    hints = typing.get_type_hints(annotated, component.__globals__, include_extras=True)
    return {p.name: Setting(p.name, hints[p.name], p.default) for p in parameters}


def split_component(component: str | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return (name, settings) of a component in its YAML form."""
    if isinstance(component, str):
        return component, {}
    ((name, settings),) = component.items()
    return name, dict(settings or {})


def import_plugins(paths: Iterable[str]) -> None:
    """Import Python files that register components of the user's own; each file is imported once a process."""
    for path in paths:
        file = Path(path).resolve()
        name = f"pokeopt_plugin_{file.stem}_{hashlib.sha1(str(file).encode()).hexdigest()[:8]}"
        if name in sys.modules:
            continue
        module_spec = importlib.util.spec_from_file_location(name, file)
        if module_spec is None or module_spec.loader is None or not file.is_file():
            raise SpecError(str(path), "this plugin is not a Python file", "give the path of a .py file")
        module = importlib.util.module_from_spec(module_spec)
        sys.modules[name] = module
        try:
            module_spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            del sys.modules[name]
            what = f"the plugin cannot be imported: {type(error).__name__}: {' '.join(str(error).split())}"
            raise SpecError(str(path), what, "mend the plugin") from error


def _origin(component: Any) -> str:
    return f"{component.__module__}.{component.__qualname__}"


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return REQUIRED


MODELS = Family("model", "pokeopt.models")
LOSSES = Family("loss term", "pokeopt.losses.terms")
SOURCES = Family("data source", "pokeopt.data.sources")
PREPROCESSING = Family("preprocessing step", "pokeopt.data.preprocess")
AUGMENTATIONS = Family("augmentation", "pokeopt.data.augment")
IMAGE_SAMPLERS = Family("image sampler", "pokeopt.data.samplers")
OPTIMIZERS = Family("optimizer", "pokeopt.training.optimizers")
SCHEDULES = Family("schedule", "pokeopt.training.schedules")
STOPPING_RULES = Family("stopping rule", "pokeopt.training.stopping")
SEARCH_SAMPLERS = Family("search sampler", "pokeopt.study.samplers")
PRUNERS = Family("pruner", "pokeopt.study.pruners")
METRICS = Family("metric", "pokeopt.metrics", has_settings=False)
TRACKERS = Family("tracker", "pokeopt.tracking", has_settings=False)

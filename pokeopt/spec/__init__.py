"""From a YAML file to a frozen study: what is fixed, what is searched, and what configuration follows."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pokeopt.spec.factors import Factor
    from pokeopt.spec.load import load_study
    from pokeopt.spec.params import Condition, Param
    from pokeopt.spec.plan import PlanSpec, load_plan
    from pokeopt.spec.schema import json_schema
    from pokeopt.spec.space import Space
    from pokeopt.spec.study import AblationSpec, Constraint, ResourcesSpec, SearchSpec, StudySpec

_HOMES = {
    "AblationSpec": "study",
    "Condition": "params",
    "Constraint": "study",
    "Factor": "factors",
    "Param": "params",
    "PlanSpec": "plan",
    "ResourcesSpec": "study",
    "SearchSpec": "study",
    "Space": "space",
    "StudySpec": "study",
    "json_schema": "schema",
    "load_plan": "plan",
    "load_study": "load",
}

__all__ = [
    "AblationSpec",
    "Condition",
    "Constraint",
    "Factor",
    "Param",
    "PlanSpec",
    "ResourcesSpec",
    "SearchSpec",
    "Space",
    "StudySpec",
    "json_schema",
    "load_plan",
    "load_study",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)

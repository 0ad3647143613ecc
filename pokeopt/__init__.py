"""Find good values for an image model's settings, then measure why they are good.

In Python:

    import pokeopt

    result = pokeopt.run("search_spaces/mlp.yaml", trials=8)
    study = pokeopt.load_study("mlp")
    study.trials_dataframe()
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pokeopt.api import ablate, run
    from pokeopt.continuing import extend, replay
    from pokeopt.handle import Study, list_studies, load_study
    from pokeopt.inference.model import load_model

_HOMES = {
    "ablate": "api",
    "run": "api",
    "extend": "continuing",
    "replay": "continuing",
    "Study": "handle",
    "list_studies": "handle",
    "load_model": "inference.model",
    "load_study": "handle",
}

__all__ = ["Study", "ablate", "extend", "list_studies", "load_model", "load_study", "replay", "run"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__

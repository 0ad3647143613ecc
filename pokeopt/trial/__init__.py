"""Trials: one configuration in, EpochRecords out, a TrialRecord last. torch is loaded at the first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pokeopt.trial.execute import Abandoned, abandon, history, run
    from pokeopt.trial.measure import ModelSize, sizes, time_batches

_HOMES = {
    "Abandoned": "execute",
    "abandon": "execute",
    "history": "execute",
    "run": "execute",
    "ModelSize": "measure",
    "sizes": "measure",
    "time_batches": "measure",
}

__all__ = ["Abandoned", "ModelSize", "abandon", "history", "run", "sizes", "time_batches"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)

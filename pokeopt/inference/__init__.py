"""The model after the search: retrain, export, evaluate, predict. torch is loaded at the first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pokeopt.inference.card import Card
    from pokeopt.inference.evaluate import Evaluation, evaluate
    from pokeopt.inference.export import ExportResult, export_model
    from pokeopt.inference.model import Model, load_model
    from pokeopt.inference.opening import open_model
    from pokeopt.inference.predict import predict_folder
    from pokeopt.inference.retrain import RetrainResult, retrain

_HOMES = {
    "Card": "card",
    "Evaluation": "evaluate",
    "ExportResult": "export",
    "Model": "model",
    "RetrainResult": "retrain",
    "evaluate": "evaluate",
    "export_model": "export",
    "load_model": "model",
    "open_model": "opening",
    "predict_folder": "predict",
    "retrain": "retrain",
}

__all__ = [
    "Card",
    "Evaluation",
    "ExportResult",
    "Model",
    "RetrainResult",
    "evaluate",
    "export_model",
    "load_model",
    "open_model",
    "predict_folder",
    "retrain",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    # a function may be called like its module, which the import enters here under that name
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value

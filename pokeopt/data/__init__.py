"""Images: where they come from, how they are prepared, divided, drawn and kept."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pokeopt.data.dataset import Dataset, Part, load_data, prepare
    from pokeopt.data.description import DataDescription
    from pokeopt.data.description_page import describe_html
    from pokeopt.data.imports.sprites import ImportSummary, import_sprites
    from pokeopt.data.sources.base import ImageFiles, Source, SourceTable

_HOMES = {
    "DataDescription": "description",
    "Dataset": "dataset",
    "ImageFiles": "sources.base",
    "ImportSummary": "imports.sprites",
    "Part": "dataset",
    "Source": "sources.base",
    "SourceTable": "sources.base",
    "describe_html": "description_page",
    "import_sprites": "imports.sprites",
    "load_data": "dataset",
    "prepare": "dataset",
}

__all__ = [
    "DataDescription",
    "Dataset",
    "ImageFiles",
    "ImportSummary",
    "Part",
    "Source",
    "SourceTable",
    "describe_html",
    "import_sprites",
    "load_data",
    "prepare",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)

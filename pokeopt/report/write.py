"""Write the report to its file, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pokeopt.report.render import render_html
from pokeopt.report.summarise import summarise

if TYPE_CHECKING:
    from pokeopt.store import Store


def write_report(store: Store, names: str | Sequence[str], output: Path | str) -> Path:
    """Write the report on studies as one HTML file and return its path; an old one is replaced.

    Args:
        store: Where the studies lie.
        names: One name or several; NAME includes NAME.ablation.
        output: The file, like ``reports/mlp.html``; its folder is made.

    Raises:
        UserError: If no study is called so.
    """
    path = Path(output)
    page = render_html(summarise(store, names))
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(page, encoding="utf-8")
    fresh.replace(path)
    return path

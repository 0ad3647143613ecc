"""The page that sets pokeopt beside other tools: each of our cells leads to a test or a page that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
LINES = [
    line
    for line in (DOCS / "comparison.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ")
]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in LINES if "**" not in line][2:]


def test_the_table_is_there() -> None:
    assert len(ROWS) >= 40


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_our_cell_is_shown_by_something(row: list[str]) -> None:
    assert len(row) == 9
    assert re.match(r"[YPN]\b", row[7])
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", row[8])
    assert links
    for link in links:
        assert (DOCS / link).resolve().is_file(), link

"""The page on the search-space file names what there is: every member of every family, and every setting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pokeopt.registry import (
    AUGMENTATIONS,
    IMAGE_SAMPLERS,
    LOSSES,
    METRICS,
    MODELS,
    OPTIMIZERS,
    PREPROCESSING,
    PRUNERS,
    SCHEDULES,
    SEARCH_SAMPLERS,
    SOURCES,
    STOPPING_RULES,
    TRACKERS,
    Family,
)
from pokeopt.spec import load_study

PAGE = (Path(__file__).parents[1] / "docs" / "yaml.md").read_text(encoding="utf-8")
IN_TABLES = (MODELS, LOSSES, SOURCES, PREPROCESSING, AUGMENTATIONS, OPTIMIZERS, SCHEDULES, STOPPING_RULES)
IN_SENTENCES = (IMAGE_SAMPLERS, SEARCH_SAMPLERS, PRUNERS, TRACKERS)


def table_rows() -> Iterator[set[str]]:
    """Yield what each row of a table has in backticks."""
    for line in PAGE.splitlines():
        if line.startswith("|"):
            yield set(re.findall(r"`([^`]+)`", line))


def members(families: tuple[Family, ...]) -> list[tuple[Family, str]]:
    return [(family, name) for family in families for name in family.names()]


@pytest.mark.parametrize(("family", "name"), members(IN_TABLES), ids=lambda one: getattr(one, "kind", one))
def test_a_row_names_the_component_and_its_settings(family: Family, name: str) -> None:
    wanted = {name, *family.settings(name)}
    lacking = min((wanted - row for row in table_rows() if name in row), key=len, default=wanted)
    assert not lacking, f"docs/yaml.md: no row of '{name}' has {', '.join(sorted(lacking))}"


@pytest.mark.parametrize(("family", "name"), members(IN_SENTENCES), ids=lambda one: getattr(one, "kind", one))
def test_the_page_names_the_component(family: Family, name: str) -> None:
    assert re.search(rf"\b{name}\b", PAGE), f"docs/yaml.md: no {family.kind} is called '{name}' there"


@pytest.mark.parametrize("name", METRICS.names())
def test_a_row_names_the_metric(name: str) -> None:
    named = {word.split("/")[0] for row in table_rows() for word in row}
    assert name in named, f"docs/yaml.md: no row has '{name}'"


def test_the_example_loads(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    path = tmp_path / "example.yaml"
    path.write_text(example[1], encoding="utf-8")
    assert load_study(path).name == "mlp"

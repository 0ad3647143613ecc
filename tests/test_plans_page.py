"""The page on plans names every key, design and kind of claim, and its example loads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pokeopt.spec import load_plan
from pokeopt.spec.claims import KINDS
from pokeopt.spec.designs import DESIGNS
from pokeopt.spec.plan_reader import KEYS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "plans.md").read_text(encoding="utf-8")
FIRST_CELLS = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("|")]


@pytest.mark.parametrize("key", KEYS)
def test_every_key_has_a_row(key: str) -> None:
    assert any(f"`{key}`" in cell for cell in FIRST_CELLS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_claim_has_a_row(kind: str) -> None:
    assert any(f"`{kind}:" in cell for cell in FIRST_CELLS)


@pytest.mark.parametrize("design", DESIGNS)
def test_every_design_is_explained(design: str) -> None:
    assert re.search(rf"`{design}`[^.]*: ", PAGE)


@pytest.mark.parametrize("quick", [False, True])
def test_the_example_loads(tmp_path: Path, quick: bool) -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    path = tmp_path / "t3-balance.yaml"
    path.write_text(example[1].replace("../../search_spaces", str(ROOT / "search_spaces")))
    plan = load_plan(path, quick=quick)
    assert [arm.id for arm in plan.arms] == ["sampler", "class_weights", "focal"]
    assert plan.claims[0].reported["focal"] == (0.4293,)

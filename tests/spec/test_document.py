from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pokeopt.errors import SpecError
from pokeopt.spec.document import read_text


def read(text: str) -> Any:
    return read_text(text, "a.yaml", Path("/here")).plain()


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("No", "No"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("1e-5", 1e-5),
        ("1e3", 1000.0),
        ("+1.5E+2", 150.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("-3", -3),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2024_05", "2024_05"),
        ("2020-01-01", "2020-01-01"),
        ("none", "none"),
        ("null", None),
        ("~", None),
        ("", None),
        ("=", "="),
        ("'5'", "5"),
        ('"true"', "true"),
        ("!!str 5", "5"),
        ("-.inf", -math.inf),
    ],
)
def test_scalars_are_yaml_1_2(written: str, value: Any) -> None:
    found = read(f"a: {written}")["a"]
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_read() -> None:
    assert math.isnan(read("a: .nan")["a"])


@pytest.mark.parametrize(
    "text", ["a: !foo 5", "a: !!python/name:os.system x", "a: !foo [1]", "a: !foo {b: 1}", "1: a"]
)
def test_tags_and_keys_that_are_no_text_are_refused(text: str) -> None:
    with pytest.raises(SpecError):
        read(text)


def test_alias_shares_a_value_and_may_not_name_itself() -> None:
    assert read("a: &x [1, 2]\nb: *x") == {"a": [1, 2], "b": [1, 2]}
    with pytest.raises(SpecError, match="nested too deeply"):
        read("a: &x [*x]")


def test_every_value_knows_its_keys_line() -> None:
    root = read_text("a:\n  b:\n\n    - 1\nc: 2\n", "a.yaml", Path("/here"))
    assert root.mapping["a"].mapping["b"].place.line == 2
    assert root.mapping["c"].place.at("c") == "a.yaml:5 (c)"


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    complaint = ""
    try:
        read(text)
    except SpecError as error:
        complaint = str(error)
    assert len(complaint.splitlines()) <= 1

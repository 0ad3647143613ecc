"""The drawing primitives."""

import math
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pokeopt.report.svg import SHAPES, Scale, marker, spanning, tag, tick_text, x_axis

numbers = st.floats(-1e6, 1e6, allow_nan=False)


@given(numbers, st.floats(1e-6, 1e6))
def test_ticks_are_round_few_and_inside(low: float, span: float) -> None:
    scale = Scale(low, low + span, 0, 100)
    ticks = scale.ticks()
    assert len(ticks) <= 11
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)


@given(st.lists(numbers, min_size=1, max_size=5))
def test_a_scale_holds_its_values_within_the_drawing(values: list[float]) -> None:
    scale = spanning([*values, math.nan], 10, 90)
    assert all(10 - 1e-6 <= scale(value) <= 90 + 1e-6 for value in values)


def test_zero_in_the_scale_gets_no_air_beyond_it() -> None:
    assert spanning([0.2, 0.9], 0, 100, include=[0.0]).low == 0.0


def test_tick_labels_have_the_decimals_of_their_step() -> None:
    assert [tick_text(v, 0.2) for v in (-0.2, -0.0, 0.4)] == ["−0.2", "0", "0.4"]
    assert tick_text(20.0, 10) == "20"
    assert tick_text(0.05, 0.05) == "0.05"


@given(st.floats(-0.01, 0.01), st.floats(1e-4, 10), st.floats(60, 600))
def test_labels_of_an_axis_stand_apart(low: float, span: float, width: float) -> None:
    axis = ElementTree.fromstring(f"<g>{x_axis(Scale(low, low + span, 0, width), 9, 'x', signed=True)}</g>")
    found = [(float(e.attrib["x"]), len(e.text or "")) for e in axis if e.get("class") == "tick"]
    for (left, n), (right, m) in pairwise(found):
        assert right - left > 3.5 * (n + m)


@pytest.mark.parametrize("shape", SHAPES)
def test_markers_are_centred(shape: str) -> None:
    element = ElementTree.fromstring(str(marker(shape, 50, 50, "dot", "a < b", radius=5)))
    assert element.findtext("title") == "a < b"
    if shape != "circle":
        points = [tuple(map(float, point.split(","))) for point in element.attrib["points"].split()]
        assert all(abs(x - 50) <= 7 and abs(y - 50) <= 7 for x, y in points)


def test_text_and_attributes_are_escaped() -> None:
    assert str(tag("text", "<b>", class_='"')) == '<text class="&#34;">&lt;b&gt;</text>'
    assert "<script>" not in str(x_axis(Scale(0, 1, 0, 9), 9, "<script>"))

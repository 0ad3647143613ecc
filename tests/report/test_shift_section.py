"""External sets: what is said of the order of the arms, and of an arm that is trained on the very same images."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pokeopt.report import summarise
from pokeopt.report.blocks import Section, Table, Text
from pokeopt.report.shift import summarise_shifts
from pokeopt.report.shift_section import section
from tests.report.plans import plan_study

if TYPE_CHECKING:
    from tests.report.conftest import Builder

CHANGES = {"crop": {"data.preprocess": [[], ["silhouette_crop"]]}}


@pytest.fixture
def shown(builder: Builder) -> Section:
    """Return the section of a study whose first arm is trained without preprocessing, as the external set is."""
    plan_study(builder, "p", {"raw": 0.3, "crop": 0.8}, changes=CHANGES, parts=("val", "test", "uncropped"))
    (study,) = summarise(builder.store, "p").studies
    assert study.ablation is not None
    external: dict[str, Any] = {"uncropped": {"of": "test", "preprocess": []}}
    shifts = tuple(dataclasses.replace(one, flips=(("raw", "crop"),)) for one in study.ablation.shifts)
    ablation = dataclasses.replace(study.ablation, external=external, shifts=shifts)
    found = section(dataclasses.replace(study, ablation=ablation), "", several=False)
    assert found is not None
    return found


def test_the_table_of_preprocessings_has_scores_of_the_test_images(shown: Section) -> None:
    (table,) = [block for block in shown.blocks if isinstance(block, Table) and block.id == "shift-skew"]
    assert table.caption.startswith("Macro-F1 by the preprocessing"), "not of the part that the metric is of"
    assert [str(column.title) for column in table.columns[1:]] == [
        "scored with: the same (test)",
        "scored with: not preprocessed (uncropped)",
    ]
    raw, crop = table.rows
    assert (raw[0].text, raw[2].text) == ("raw: not preprocessed", "the same images")
    assert crop[0].text == "crop: silhouette_crop"
    assert "±" in crop[2].text


def test_an_arm_is_not_said_to_hold_elsewhere_on_its_own_images(shown: Section) -> None:
    (text,) = [block for block in shown.blocks if isinstance(block, Text)]
    assert (
        "The set uncropped holds the test images as raw is trained on them (not preprocessed)"
        in text.paragraphs[0]
    )
    assert "1 pair of means changes its order between the two: raw/crop." in text.paragraphs[0]


@pytest.mark.parametrize(
    ("there", "flips"),
    [((0.2, 0.4), ()), ((0.4, 0.2), (("a", "b"),)), ((0.3, 0.3), (("a", "b"),))],
)
def test_arms_that_are_equal_in_one_set_do_not_keep_their_order(
    there: tuple[float, float], flips: tuple[tuple[str, str], ...]
) -> None:
    scores = {("a", "test/f1"): {0: 0.5}, ("b", "test/f1"): {0: 0.6}}
    scores |= {("a", "photos/f1"): {0: there[0]}, ("b", "photos/f1"): {0: there[1]}}
    cells = SimpleNamespace(scores=lambda arm, metric: scores[arm, metric])
    arms = [SimpleNamespace(id=id_, same_as=None, prefix_of=None) for id_ in "ab"]
    (shift,) = summarise_shifts(cells, arms, "test/f1", ("test", "photos"), None)  # type: ignore[arg-type]
    assert shift.flips == flips


def test_a_kept_order_is_said_of_means(builder: Builder) -> None:
    plan_study(builder, "p", {"a": 0.3, "b": 0.8}, parts=("val", "test", "photos"))
    (study,) = summarise(builder.store, "p").studies
    assert study.ablation is not None
    for flips, words in (
        ((), "No two means change their order between test and photos."),
        ((("a", "b"),), "1 pair of means changes its order between the two: a/b (equal on photos)."),
    ):
        shifts = tuple(dataclasses.replace(one, flips=flips) for one in study.ablation.shifts)
        level = study.ablation.arms[0].parts["photos"]
        arms = tuple(
            dataclasses.replace(arm, parts={**arm.parts, "photos": level}) for arm in study.ablation.arms
        )
        ablation = dataclasses.replace(
            study.ablation, shifts=shifts, arms=arms if flips else study.ablation.arms
        )
        found = section(dataclasses.replace(study, ablation=ablation), "", several=False)
        assert found is not None
        assert any(words in str(block.paragraphs[0]) for block in found.blocks if isinstance(block, Text))

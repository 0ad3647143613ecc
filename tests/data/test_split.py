"""Parts are disjoint, hold every class, and the test part never moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pokeopt.data.sources.base import SourceTable
from pokeopt.data.split import Rows, Split, SplitRule, choose_limited, draw_split
from pokeopt.errors import DataError
from tests.data.conftest import make_table


def everything(table: SourceTable) -> Rows:
    return np.arange(len(table.labels))


def assert_divides(table: SourceTable, split: Split) -> None:
    rows = np.concatenate([split.train, split.val, split.test])
    np.testing.assert_array_equal(np.sort(rows), everything(table))
    for part in (split.train, split.val, split.test):
        np.testing.assert_array_equal(part, np.sort(part))


counts_of_classes = st.lists(st.integers(3, 60), min_size=2, max_size=6)


@given(counts_of_classes, st.integers(0, 99))
def test_every_class_lies_in_every_part(counts: list[int], seed: int) -> None:
    table = make_table(counts)
    split = draw_split(table, everything(table), SplitRule(seed=seed))
    assert_divides(table, split)
    for part in (split.train, split.val, split.test):
        assert set(table.labels[part]) == set(range(len(counts)))


@given(counts_of_classes, st.integers(0, 99))
def test_resample_never_touches_test(counts: list[int], resample: int) -> None:
    table, rule = make_table(counts), SplitRule(seed=4)
    kept = draw_split(table, everything(table), rule)
    redrawn = draw_split(table, everything(table), rule, resample)
    np.testing.assert_array_equal(redrawn.test, kept.test)
    assert_divides(table, redrawn)


def test_resample_redraws_val_and_repeats_itself() -> None:
    table, rule = make_table([60, 60]), SplitRule()
    vals = [draw_split(table, everything(table), rule, seed).val.tolist() for seed in (None, 0, 1, 2, 2)]
    assert vals[3] == vals[4]
    assert len({tuple(val) for val in vals}) == 4


def test_shares_hold_in_total_and_in_each_class() -> None:
    table = make_table([420, 390, 361, 29])
    split = draw_split(table, everything(table), SplitRule())
    assert [len(split.train), len(split.val), len(split.test)] == [840, 180, 180]
    for part, share in ((split.train, 0.7), (split.val, 0.15), (split.test, 0.15)):
        found = np.bincount(table.labels[part])
        np.testing.assert_allclose(found, share * np.array([420, 390, 361, 29]), atol=1)


@given(st.lists(st.integers(12, 60), min_size=2, max_size=5), st.integers(1, 4), st.integers(0, 99))
def test_groups_stay_together(counts: list[int], group_size: int, seed: int) -> None:
    table = make_table(counts, group_size=group_size)
    split = draw_split(table, everything(table), SplitRule(by="group", seed=seed), resample=seed)
    assert_divides(table, split)
    assert table.groups is not None
    parts = [set(table.groups[part]) for part in (split.train, split.val, split.test)]
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]
    for part in (split.train, split.val, split.test):
        assert set(table.labels[part]) == set(range(len(counts)))


def test_few_large_groups_still_reach_every_part() -> None:
    table = make_table([90, 90], group_size=30)
    split = draw_split(table, everything(table), SplitRule(by="group"))
    assert [len(split.train), len(split.val), len(split.test)] == [60, 60, 60]


@pytest.mark.parametrize(("by", "unit"), [("class", "2 images"), ("group", "2 groups")])
def test_a_class_that_is_too_small_is_named(by: str, unit: str) -> None:
    table = make_table([20, 2], group_size=1)
    with pytest.raises(
        DataError, match=f"class 'class-1' has {unit} to divide, and each of 3 parts needs one"
    ):
        draw_split(table, everything(table), SplitRule(by=by))


@pytest.mark.parametrize("by", ["group", "animal"])
def test_an_unknown_column_is_refused(by: str) -> None:
    table = make_table([20, 20])
    with pytest.raises(DataError, match=r"data\.split\.by"):
        draw_split(table, everything(table), SplitRule(by=by))


def test_given_val_ignores_resample() -> None:
    parts = (["train"] * 14 + ["val"] * 3 + ["test"] * 3) * 2
    table = make_table([20, 20], given=parts)
    for resample in (None, 0, 1):
        split = draw_split(table, everything(table), SplitRule(), resample)
        for name in ("train", "val", "test"):
            np.testing.assert_array_equal(getattr(split, name), np.flatnonzero(np.array(parts) == name))


def test_a_missing_part_is_drawn_from_train_by_its_share() -> None:
    parts = (["train"] * 80 + ["val"] * 20) * 2
    table = make_table([100, 100], given=parts)
    split = draw_split(table, everything(table), SplitRule())
    np.testing.assert_array_equal(split.val, np.flatnonzero(np.array(parts) == "val"))
    assert [len(split.train), len(split.test)] == [136, 24]

    parts = (["train"] * 80 + ["test"] * 20) * 2
    table = make_table([100, 100], given=parts)
    first, second = (draw_split(table, everything(table), SplitRule(), seed) for seed in (0, 1))
    np.testing.assert_array_equal(first.test, np.flatnonzero(np.array(parts) == "test"))
    assert len(first.val) == len(second.val) == 24
    assert first.val.tolist() != second.val.tolist()


def test_a_class_that_is_only_tested_is_refused() -> None:
    table = make_table([20, 4], given=["train"] * 15 + ["val"] * 5 + ["test"] * 4)
    with pytest.raises(DataError, match="class 'class-1' is in test but not in train"):
        draw_split(table, everything(table), SplitRule())


def test_no_test_part_on_request() -> None:
    table = make_table([20, 20])
    split = draw_split(table, everything(table), SplitRule(train=0.8, val=0.2, test=0.0))
    assert [len(split.train), len(split.val), len(split.test)] == [32, 8, 0]


@given(counts_of_classes, st.integers(0, 99))
def test_a_limit_keeps_the_shares(counts: list[int], seed: int) -> None:
    table, limit = make_table(counts), max(len(counts), sum(counts) // 2)
    rows = choose_limited(table, limit, seed)
    assert len(set(rows.tolist())) == len(rows) == limit
    np.testing.assert_allclose(
        np.bincount(table.labels[rows]), np.array(counts) * limit / sum(counts), atol=1
    )


def test_a_limit_below_the_number_of_classes_is_refused() -> None:
    with pytest.raises(DataError, match="a limit of 2"):
        choose_limited(make_table([5, 5, 5]), 2, 0)


def test_the_digest_says_which_image_lies_where() -> None:
    table = make_table([20, 20])
    same = [draw_split(table, everything(table), SplitRule(seed=1)).digest(table.ids) for _ in range(2)]
    other = draw_split(table, everything(table), SplitRule(seed=2)).digest(table.ids)
    assert same[0] == same[1] != other


def test_a_limit_is_blamed_for_what_it_took() -> None:
    table = make_table([30, 6, 6])
    rows = choose_limited(table, 12, 0)
    with pytest.raises(
        DataError, match=r"2 images to divide.*; so it is with 1 other class; raise data\.limit"
    ) as found:
        draw_split(table, rows, SplitRule())
    assert "it keeps 2 of the 6 images of that class" in str(found.value)
    with pytest.raises(DataError, match="add images of that class"):
        draw_split(make_table([30, 1]), np.arange(31), SplitRule())

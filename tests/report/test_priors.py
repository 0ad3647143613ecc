"""Prior verdicts: what the documents' own tables say, one run a cell, before anything is trained again."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pokeopt.ablation.single_run import accuracy_run, compare_runs
from pokeopt.report.audit import audit_section, audits
from pokeopt.report.blocks import Table
from pokeopt.report.priors import Prior, fewest_images, priors_of

STUDIES = Path(__file__).parents[2] / "studies"
LIKELY = "likely, single run"


@cache
def priors() -> tuple[Prior, ...]:
    return tuple(prior for audit in audits().values() for table in audit.tables for prior in priors_of(table))


def word_of(study: str, first: str, second: str) -> str:
    (word,) = [one.word for one in priors() if (one.study, one.first, one.second) == (study, first, second)]
    return word


@pytest.mark.parametrize(
    ("study", "first", "second", "word"),
    [
        ("Task 1, cropped images", "crop", "raw", LIKELY),
        ("Task 2, convolutional layers", "three", "two", LIKELY),
        ("Task 2, convolutional layers", "four, at least", "three", LIKELY),
        ("Task 3, stages", "transfer", "untrained", LIKELY),
        ("background and centring", "centred", "background removed", LIKELY),
        ("Task 2, number of epochs", "150 epochs", "50 epochs", "inconclusive"),
        ("Task 3, class imbalance", "class weights", "sampler", "inconclusive"),
        ("Task 3, class imbalance", "class weights", "focal", "inconclusive"),
        ("early stopping", "without early stopping", "with early stopping", "inconclusive"),
    ],
)
def test_what_the_numbers_say_by_themselves(study: str, first: str, second: str, word: str) -> None:
    assert word_of(study, first, second).startswith(word)


def test_sampler_against_weights_rests_on_120_images() -> None:
    (prior,) = [one for one in priors() if (one.first, one.second) == ("class weights", "sampler")]
    assert prior.scores[0] - prior.scores[1] == pytest.approx(0.036, abs=0.001)
    assert prior.sd == pytest.approx(0.067, abs=0.003)
    assert prior.p_ahead == pytest.approx(0.72, abs=0.03)
    assert "120 test images" in prior.why


def test_no_number_is_new() -> None:
    """Each is reported beside a claim of a plan, or logged in the audit itself."""
    texts = [file.read_text(encoding="utf-8") for file in STUDIES.rglob("*.yaml")]
    reported = {float(x) for text in texts for part in re.findall(r"reported: \{[^}]*\}", text)
                for x in re.findall(r"(?<![\w.])\d+\.\d+", part)}  # fmt: skip
    for audit in audits().values():
        for table in audit.tables:
            for each in table.get("runs", {}).values():
                assert set(each if isinstance(each, list) else [each]) <= reported, table["study"]


def test_class_scores_have_the_reported_means() -> None:
    (table,) = [one for audit in audits().values() for one in audit.tables if "classes" in one]
    totals = {arm: sum(each.values()) / 9 for arm, each in table["classes"].items()}
    assert totals == pytest.approx({"focal": 0.4293, "class weights": 0.5268, "sampler": 0.4904}, abs=1e-4)
    assert sum(table["support"].values()) == 120


@given(st.integers(1, 99), st.integers(1, 99))
def test_the_fewest_images_are_where_the_word_turns(first: int, second: int) -> None:
    a, b = first / 100, second / 100
    n = fewest_images(a, b)
    if n is None:
        assert first == second
        return
    assert compare_runs(accuracy_run(a, n), accuracy_run(b, n)).word == LIKELY
    if n > 1:
        assert compare_runs(accuracy_run(a, n - 1), accuracy_run(b, n - 1)).word == "inconclusive"


def test_a_difference_within_the_repeats_of_one_setting_is_noise() -> None:
    table = {
        "study": "s", "section": "t", "score": "accuracy", "pairs": [["a", "b"]], "runs": {"a": [0.9, 0.8], "b": 0.7},
    }  # fmt: skip
    assert priors_of(table)[0].word.startswith(LIKELY)
    (prior,) = priors_of({**table, "runs": {"a": [0.9, 0.8], "b": 0.8}})
    assert prior.word == "inconclusive"
    assert "Runs of one setting (a) differ by 0.100, these two by 0.050" in prior.why


def test_the_table_stands_beside_the_items() -> None:
    section = audit_section(audits())
    assert section is not None
    tables = {block.id: block for block in section.blocks if isinstance(block, Table)}
    (rocket, llmh) = [table for id_, table in tables.items() if id_.endswith("priors")]
    assert len(rocket.rows) == 13
    assert len(llmh.rows) == 2
    ids = list(tables)
    assert ids.index(rocket.id) == ids.index(rocket.id.replace("priors", "items")) + 1

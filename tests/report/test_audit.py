"""The documents' logged numbers raise their contradictions by the checks that look at stored runs."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from importlib import resources
from typing import Any

import pytest
from ruamel.yaml import YAML

from pokeopt.report.audit import audit_section, audits, evidence_of
from pokeopt.report.blocks import Table
from pokeopt.report.checks import check_evidence

ROCKET = "001_7f7c1d607897ad18.txt"
RAISED = {2, 3, 4, 6, 7, 8, 10}
NOTES = {1, 5, 9, 11, 12, 13}


def logged(study: str) -> dict[str, Any]:
    """Return the numbers of one study of document 001."""
    text = (resources.files("pokeopt.report") / "audits" / "001.yaml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(text)["evidence"]
    return copy.deepcopy(next(one for one in found if one["study"] == study))


def codes(plain: Mapping[str, Any]) -> set[str]:
    return {check.code for check in check_evidence(evidence_of(plain))}


def test_the_numbers_raise_their_items_by_themselves() -> None:
    items = [item for audit in audits().values() for item in audit.items]
    assert {item.number for item in items} == RAISED | NOTES
    assert {item.number for item in items if item.raised} == RAISED
    assert {item.number for item in items if item.is_note} == NOTES
    assert all(item.quotes for item in items)


@pytest.mark.parametrize(
    ("number", "raised"),
    [
        (2, [("PK09", "0.253"), ("PK09", "0.0195")]),
        (3, [("PK09", "0.9022"), ("PK09", "0.9966")]),
        (
            4,
            [
                ("PK18", "0.9944 (output) and 0.9981 (Kaggle Submission)"),
                ("PK18", "39.1 (Kaggle Submission), 42.8"),
            ],
        ),
        (6, [("PK19", "variance of the last 5 epochs is 5.5e-06, their range 0.0074")]),
        (7, [("PK08", "30 of 50 epochs (60 %)")]),
        (8, [("PK04", "0.159 (focal), 0.276 (class_weights) and 0.194 (sampler)"), ("PK04", "is −0.33")]),
    ],
)
def test_the_sentences_have_the_numbers(number: int, raised: list[tuple[str, str]]) -> None:
    (item,) = [item for item in audits()[ROCKET].items if item.number == number]
    for code, words in raised:
        assert any(check.code == code and words in check.says for check in item.raised), (code, words)


def test_every_check_that_an_item_names_is_there() -> None:
    """A sentence of a check may change; an item that names it must not lose it in silence."""
    for file in (resources.files("pokeopt.report") / "audits").iterdir():
        plain = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
        for item in plain["items"]:
            raised = {one.number: one.raised for one in audits()[plain["document"]].items}[item["number"]]
            for sought in item.get("raised_by", ()):
                assert any(
                    check.code == sought["code"] and sought["says"] in check.says for check in raised
                ), sought


def test_no_note_is_what_a_check_says_below_it() -> None:
    """Checks that no item names are of other things than the notes beside them."""
    named = {
        (document, check.code, check.says)
        for document, audit in audits().items()
        for item in audit.items
        for check in item.raised
    }
    rest = {
        (document[:3], check.code)
        for document, audit in audits().items()
        for check in audit.checks
        if (document, check.code, check.says) not in named
    }
    assert rest == {
        ("001", "PK10"),  # hardly any use of the GPU
        ("001", "PK04"),  # 0.95 here, 0.19 on Kaggle
        ("001", "PK11"),  # one submission far below the others
        ("001", "PK05"),  # one run an arm
        ("002", "PK01"),  # chosen by test accuracy
        ("002", "PK05"),
    }


def test_other_numbers_raise_nothing() -> None:
    """Each item hangs on its own numbers: without them the check is silent."""
    mlp = logged("Task 1, final MLP")
    mlp["runs"][1]["metrics"] |= {"val/loss": 0.301, "val/accuracy": 0.9055}
    mlp["runs"][0]["schedule"]["step"]["every"] = 20
    assert codes(mlp) == {"PK10"}
    cnn = logged("Task 2, final CNN")
    output, page, table, text = cnn["runs"]
    table["metrics"] = {"cost/duration_min": 39.1}
    page["metrics"], text["metrics"] = dict(output["metrics"]), {"cost/duration_min": 39}
    output["stopping"] = {"range": {"below": 0.02, "over": 5}}
    output["curve"] = [0.8, *output["curve"]]
    assert codes(cnn) == {"PK10"}
    balance = logged("Task 3, class imbalance")
    for run in balance["runs"]:
        run["metrics"] = dict.fromkeys(run["metrics"], run["metrics"]["test/macro_f1"])
    balance["chosen"] = "class_weights"
    assert codes(balance) == {"PK05", "PK09"}, "one score under three names is a fault of its own"


def test_the_accuracy_of_540_images_is_a_share() -> None:
    """0.9037 is 488 / 540 to four digits, 0.9030 is no k / 540."""
    mlp = logged("Task 1, final MLP")
    mlp["runs"][0]["metrics"]["test/accuracy"] = 0.9030
    assert "PK17" in codes(mlp)
    assert "PK17" not in codes(logged("Task 1, final MLP"))


def test_the_section_shows_the_documents_that_are_asked_for() -> None:
    section = audit_section([ROCKET, "nobody.txt", ROCKET])
    assert section is not None
    tables = [block for block in section.blocks if isinstance(block, Table)]
    assert [len(table.rows) for table in tables] == [9, 13, len(audits()[ROCKET].checks)]
    assert audit_section(["nobody.txt", ""]) is None
    every = audit_section(audits())
    assert every is not None
    assert len({table.id for table in every.blocks if isinstance(table, Table)}) == 9, (
        "000 has none, 004 no numbers"
    )


def test_the_items_of_a_document_are_counted_from_1() -> None:
    for document, audit in audits().items():
        section = audit_section([document])
        assert section is not None
        tables = [
            block for block in section.blocks if isinstance(block, Table) and block.id.endswith("items")
        ]
        numbers = [row[0].text for table in tables for row in table.rows]
        assert numbers == [str(i + 1) for i in range(len(audit.items))]

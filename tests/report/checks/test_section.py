"""The section on checks: a fault that studies have in common is one sentence."""

from __future__ import annotations

from pokeopt.report.blocks import Section, Text
from pokeopt.report.checks import Check
from pokeopt.report.checks.section import checks_section


def check(study: str, says: str, place: str = "") -> Check:
    return Check("PK07", "tip", f"{study}, {place}" if place else study, says, "why.", "mend.")


def sentences(section: Section) -> list[tuple[str, str]]:
    """Return where and what of every finding."""
    (found,) = [block for block in section.blocks if isinstance(block, Text) and block.title]
    return [item for item in found.items if item[0] not in ("Why it matters", "How to reduce it")]


def test_equal_sentences_of_studies_stand_once() -> None:
    studies = [(name, [check(name, "few.", "val"), check(name, f"only {name}.")]) for name in "abcd"]
    section = checks_section(studies)
    assert sentences(section) == [
        ("all 4 studies, val", "few."),
        *((name, f"only {name}.") for name in "abcd"),
    ]
    (intro,) = [block for block in section.blocks if isinstance(block, Text) and not block.title]
    assert (
        intro.paragraphs[1] == "0 issues, 5 tips, 0 muted. What is the same in several studies counts once."
    )


def test_the_studies_without_a_fault_are_named_where_they_are_fewer() -> None:
    with_it = {name: [check(name, "few.")] for name in "abc"}
    assert sentences(checks_section([*with_it.items(), ("d", [])])) == [("all 4 studies but d", "few.")]
    pair = [(name, with_it.get(name, [])) for name in "abd"]
    assert sentences(checks_section(pair)) == [("a and b", "few.")]
    assert sentences(checks_section(pair[:1])) == [("a", "few.")]

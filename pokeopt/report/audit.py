"""The source audit: where a document contradicts itself, found by the checks in its own numbers, or noted by hand.

The documents' logged numbers and the notes lie in ``audits/``, a YAML file a document. A logged run is evidence like a
stored trial; the rules are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from pokeopt.registry import SCHEDULES, split_component
from pokeopt.report.blocks import Block, Cell, Column, Section, Table, Text, cells, present
from pokeopt.report.checks import Check, Evidence, check_evidence
from pokeopt.report.checks.evidence import ArmFacts, Run
from pokeopt.report.checks.section import checks_table
from pokeopt.report.priors import priors_of, priors_table
from pokeopt.report.words import joined, plural

INTRO = (
    "What a source document says against itself. Its logged numbers went through the checks that look at stored runs: "
    "an item is raised where a check finds it in those numbers; the others are notes of somebody who read the document."
    " Where it compares scores, prior verdicts say what these can tell by themselves."
)


@dataclass(frozen=True)
class Quote:
    """A passage, word for word, and the section that it stands in."""

    section: str
    text: str


@dataclass(frozen=True)
class Item:
    """One contradiction.

    Attributes:
        number: In the list of all documents' contradictions.
        says: In one or two sentences.
        raised: What the checks found in the document's numbers; empty for a note.
        is_note: Whether somebody wrote it, and no check is meant to find it.
    """

    number: int
    says: str
    quotes: tuple[Quote, ...]
    raised: tuple[Check, ...]
    is_note: bool


@dataclass(frozen=True)
class Audit:
    """All of one document.

    Attributes:
        document: Its file name.
        note: What there is to say without an item.
        checks: Everything that the checks find in its numbers.
        tables: Its reported scores, one run a cell, as ``priors_of`` reads them.
    """

    document: str
    title: str
    note: str
    items: tuple[Item, ...]
    checks: tuple[Check, ...]
    tables: tuple[Mapping[str, Any], ...] = ()


def audits() -> dict[str, Audit]:
    """Return the audit of every document that has one, by the document's file name."""
    folder = resources.files("pokeopt.report") / "audits"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name
    )
    read = [_read(file.read_text(encoding="utf-8")) for file in files]
    return {audit.document: audit for audit in read}


def title_of(document: str) -> str:
    """Return what a document is called; empty where there is no audit of it."""
    for file in (resources.files("pokeopt.report") / "audits").iterdir():
        if file.name.endswith(".yaml"):
            text = file.read_text(encoding="utf-8")
            if re.search(rf"^document: {re.escape(document)}$", text, re.MULTILINE):
                found = re.search(r'^title: "(.*)"$', text, re.MULTILINE)
                return found[1] if found else ""
    return ""


def audit_section(documents: Iterable[str]) -> Section | None:
    """Return the section on these documents, in their order; None if none of them has an audit."""
    known = audits()
    found = [known[document] for document in dict.fromkeys(documents) if document in known]
    if not found:
        return None
    blocks: list[Block | None] = [Text((INTRO,))]
    for i, audit in enumerate(found):
        id_ = f"audit-{i}"
        blocks.append(Text((audit.note,) if audit.note else (), title=f"{audit.title} ({audit.document})"))
        blocks.append(_items_table(f"{id_}-items", audit))
        priors = [prior for table in audit.tables for prior in priors_of(table)]
        blocks.append(priors_table(f"{id_}-priors", priors, audit.document))
        caption = f"What the checks find in the numbers of {audit.document}."
        fold = f"What the checks find in its numbers: {plural(len(audit.checks), 'sentence')}"
        blocks.append(checks_table(f"{id_}-checks", caption, audit.checks, fold))
    return Section("audit", "Source audit: what the documents say against themselves", present(blocks))


def _items_table(id_: str, audit: Audit) -> Table | None:
    if not audit.items:
        return None
    n_raised = sum(bool(item.raised) for item in audit.items)
    caption = f"{plural(len(audit.items), 'contradiction')}, {n_raised} of them raised by checks."
    titles = ("Contradiction", "How it was found", "Where it stands")
    columns = (Column("Item"), *(Column(title, is_number=False) for title in titles))
    rows = tuple(
        cells(
            Cell(str(i), float(i)),
            Cell(item.says, look="wrap"),
            Cell(_how(item), look="wrap narrow"),
            Cell(_where(item.quotes), look="wrap"),
        )
        for i, item in enumerate(audit.items, 1)
    )
    return Table(id_, caption, columns, rows)


def _how(item: Item) -> str:
    """Return the checks that raised an item, and in which of the document's numbers."""
    if item.is_note:
        return "A note: no check looks for this."
    if not item.raised:
        return "No check raised it."
    codes: dict[str, list[str]] = {}
    for check in item.raised:
        codes.setdefault(check.code, []).append(check.where)
    return "; ".join(f"{code} in {joined(dict.fromkeys(where))}" for code, where in codes.items())


def _where(quotes: Sequence[Quote]) -> str:
    by_section: dict[str, list[str]] = {}
    for quote in quotes:
        by_section.setdefault(quote.section, []).append(f"“{' '.join(quote.text.split())}”")
    return "; ".join(f"{section}: {', '.join(texts)}" for section, texts in by_section.items())


@cache
def _read(text: str) -> Audit:
    from ruamel.yaml import YAML

    plain = YAML(typ="safe", pure=True).load(text)
    checks = tuple(check for one in plain["evidence"] for check in check_evidence(evidence_of(one)))
    items = tuple(
        Item(
            number=int(item["number"]),
            says=item["says"],
            quotes=tuple(Quote(quote["section"], quote["text"]) for quote in item["quotes"]),
            raised=tuple(
                check for sought in item.get("raised_by", ()) for check in checks if _is_it(check, sought)
            ),
            is_note="raised_by" not in item,
        )
        for item in plain["items"]
    )
    tables = tuple(plain.get("single_runs", ()))
    return Audit(plain["document"], plain["title"], plain.get("note", ""), items, checks, tables)


def _is_it(check: Check, sought: Mapping[str, str]) -> bool:
    """Whether a raised check is what an item stands for: its code, its study, and words of its sentence."""
    return (
        check.code == sought["code"]
        and f"{check.where}, ".startswith(f"{sought['study']}, ")
        and sought["says"] in check.says
    )


def evidence_of(plain: Mapping[str, Any]) -> Evidence:
    """Return logged numbers as evidence: fields of ``Evidence`` and ``Run``, with a schedule in place of its rates."""
    given = {key: value for key, value in plain.items() if key not in ("section", "runs", "arms")}
    for key in ("selected_on", "compared"):
        given[key] = tuple(plain.get(key, ()))
    arms = tuple(ArmFacts(**arm) for arm in plain.get("arms", ()))
    return Evidence(
        kind="document", runs=tuple(_run(run) for run in plain.get("runs", ())), arms=arms, **given
    )


def _run(plain: Mapping[str, Any]) -> Run:
    given = dict(plain)
    schedule = given.pop("schedule", None)
    if schedule is not None:
        given["learning_rates"] = _rates(schedule)
    if "stopping" in given:
        given["stopping"] = split_component(given["stopping"])
    given["curve"] = tuple(given.get("curve", ()))
    given["metrics"] = {name: float(value) for name, value in given.get("metrics", {}).items()}
    return Run(**given)


def _rates(schedule: Mapping[str, Any]) -> tuple[float, ...]:
    """Return the learning rate of each epoch, as the schedule's own class gives it."""
    component = {key: value for key, value in schedule.items() if key not in ("epochs", "learning_rate")}
    made, epochs = SCHEDULES.make(component), int(schedule["epochs"])
    return tuple(schedule["learning_rate"] * made.factor([0.0] * epoch, epochs) for epoch in range(epochs))

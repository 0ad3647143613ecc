"""The section "Checks": issues first, tips after them, what is muted last and folded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pokeopt.report.blocks import Block, Cell, Column, Section, Table, Text, cells, present
from pokeopt.report.checks.base import Check
from pokeopt.report.checks.run import rules
from pokeopt.report.words import joined, plural

INTRO = (
    "Coded checks look at what the runs stored: their curves, predictions, settings and endings. An issue makes a "
    "number wrong or unsafe to read; a tip says what would make it say more. What a run does not record is not checked."
)


def checks_section(studies: Sequence[tuple[str, Sequence[Check]]]) -> Section:
    """Return the section on the checks of the page's studies, by their titles; equal sentences stand once."""
    checks = _once(studies)
    muted = [check for check in checks if check.muted]
    grouped: dict[tuple[str, str], list[Check]] = {}
    for check in checks:
        if not check.muted:
            grouped.setdefault((check.level, check.code), []).append(check)
    n_issues, n_tips = (sum(c.level == level and not c.muted for c in checks) for level in ("issue", "tip"))
    counted = f"{plural(n_issues, 'issue')}, {plural(n_tips, 'tip')}, {len(muted)} muted."
    if len(checks) < sum(len(set(found)) for _, found in studies):
        counted += " What is the same in several studies counts once."
    blocks: list[Block | None] = [Text((INTRO, counted if checks else "None of the checks found anything."))]
    blocks += [_group(grouped[key]) for key in sorted(grouped)]
    fold = f"Muted: {plural(len(muted), 'check')}"
    caption = "Muted by the author of the study, with the reason."
    blocks.append(checks_table("checks-muted", caption, muted, fold))
    return Section("checks", "Checks: what to know before reading the numbers", present(blocks))


def _once(studies: Sequence[tuple[str, Sequence[Check]]]) -> list[Check]:
    """Return each sentence once, with all studies that it was found in.

    Studies that were run with the same images and the same settings have most of their faults in common.
    """
    alike: dict[Check, dict[str, list[str]]] = {}
    for title, checks in studies:
        for check in checks:
            name, _, place = check.where.partition(", ")
            names = alike.setdefault(replace(check, where=place), {}).setdefault(title, [])
            names += [name] if name not in names else []
    once = []
    for check, by_study in alike.items():
        others = [title for title, _ in studies if title not in by_study]
        whose = joined(name for found in by_study.values() for name in found)
        if len(by_study) > 2 * max(1, len(others)):
            whose = f"all {len(studies)} studies" + (f" but {joined(others)}" if others else "")
        once.append(replace(check, where=", ".join(filter(None, (whose, check.where)))))
    return once


def _group(checks: Sequence[Check]) -> Text:
    """Return all that one check found: the sentences, then once why it matters and how to reduce it."""
    first = checks[0]
    items = [(check.where, check.says) for check in checks]
    items += [("Why it matters", first.why), ("How to reduce it", first.mend)]
    return Text(title=f"{first.code}, {first.level}: {rules()[first.code].title}", items=tuple(items))


def checks_table(id_: str, caption: str, checks: Sequence[Check], fold: str = "") -> Table | None:
    """Return the folded table of some checks, with the reason where they are muted; None without any."""
    if not checks:
        return None
    has_reason = any(check.muted for check in checks)
    titles = ("Check", "Where", "What was found", *(("Why it is muted",) if has_reason else ()))
    columns = tuple(Column(title, is_number=False) for title in titles)
    rows = tuple(
        cells(
            f"{check.code}, {check.level}",
            Cell(check.where, look="wrap narrow"),
            Cell(check.says, look="wrap"),
            *((Cell(check.muted, look="wrap"),) if has_reason else ()),
        )
        for check in checks
    )
    return Table(id_, caption, columns, rows, fold=fold)

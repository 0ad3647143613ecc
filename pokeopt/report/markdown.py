"""Document -> GitHub's Markdown: every table of the page, and of every figure its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from pokeopt.report.blocks import Block, Figure, Picture, Section, Sheet, Table, Text
from pokeopt.report.document import Document, shortened, text_of

MOST_ROWS = 500  # of a table: GitHub shows no file above half a megabyte
# signs that would be read as such where they stand; an underscore within a word, or a lone bracket, is none
SPECIAL = re.compile(r"[\\`*|~$]|\](?=[(:\[])|!(?=\[)|<(?=[A-Za-z/!?])|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])")
AT_START = re.compile(r"(#{1,6}|[+\->]|=)(?=$|[\s>=-])|(\d+)(?=[.)](?:\s|$))")
FENCE = re.compile(r"`{3,}")


def render_markdown(document: Document) -> str:
    """Return the document as Markdown text; equal documents give equal text."""
    lines = [f"# {_line(document.title)}"]
    for section in document.sections:
        lines += _section(section, "##")
    return "\n\n".join(line for line in lines if line) + "\n"


def _section(section: Section, heading: str) -> Iterator[str]:
    yield f"{heading} {_line(section.title)}"
    if section.banner:
        yield f"**{_line(section.banner)}**"
    for block in section.blocks:
        yield from _block(block, f"{heading}#")
    for part in section.parts:
        yield from _section(part, f"{heading}#")


def _block(block: Block, heading: str) -> Iterator[str]:
    match block:
        case Table():
            yield from _table(block, block.fold)
        case Figure():
            yield f"{heading} {_line(block.question)}"
            yield _line(block.reading)
            if block.table is not None:
                yield from _table(block.table, "The numbers")
        case Picture():
            yield f"{heading} {_line(block.question)}"
            yield "\n".join(f"- {_line(_of_sheet(sheet, block.reading))}" for sheet in block.sheets)
            yield _line(block.reading)
        case Text():
            yield from _text(block, heading)


def _text(block: Text, heading: str) -> Iterator[str]:
    if block.title:
        yield f"{heading} {_line(block.title)}"
    yield from (_line(text_of(paragraph)) for paragraph in block.paragraphs)
    yield "\n".join(f"- **{_line(name)}**: {_line(value)}" for name, value in block.items)
    if block.code:
        fence = "`" * (1 + max([2, *map(len, FENCE.findall(block.code))]))
        yield from _folded([f"{fence}text\n{block.code.rstrip()}\n{fence}"], block.fold)


def _table(table: Table, fold: str) -> Iterator[str]:
    shown, missing = shortened(table, MOST_ROWS)
    heads = [_line(text_of(column.title)) for column in shown.columns]
    rules = ["---:" if column.is_number else "---" for column in shown.columns]
    rows = [[_line(text_of(cell.text)) for cell in row] for row in shown.rows]
    drawn = "\n".join(f"| {' | '.join(row)} |" for row in (heads, rules, *rows))
    yield from _folded([_line(f"{table.caption} {table.note}".strip()), drawn, missing], fold)


def _folded(lines: list[str], fold: str) -> Iterator[str]:
    if fold:
        yield f"<details><summary>{escape(fold)}</summary>"
    yield from lines
    if fold:
        yield "</details>"


def _of_sheet(sheet: Sheet, reading: str) -> str:
    """Return what a picture shows, each sentence once: what is said of all stands below them."""
    own = sheet.alt.removesuffix(reading).strip() if reading else sheet.alt
    said = ": ".join(part for part in (text_of(sheet.label), own) if part)
    return f"{said} ({sheet.caption})" if sheet.caption and sheet.caption not in own else said


def _line(text: str) -> str:
    r"""Return text on one line in which no letter is a sign of Markdown's.

    >>> _line("val/macro_f1 of *all* [0.1, 0.2] < 1 | 2"), _line("1. first"), _line("-0.1")
    ('val/macro_f1 of \\*all\\* [0.1, 0.2] < 1 \\| 2', '1\\. first', '-0.1')
    """
    flat = " ".join(str(text).split("\n")).replace("\r", " ").strip()
    safe = SPECIAL.sub(lambda found: "\\" + found.group(), flat)
    start = AT_START.match(safe)
    if start is None:
        return safe
    at = start.end(2) if start.group(2) else 0
    return f"{safe[:at]}\\{safe[at:]}"

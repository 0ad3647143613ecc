"""Summary -> a document of plain sections: what the formats without drawings are written from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html.parser import HTMLParser

from markupsafe import Markup

from pokeopt.report.blocks import Section, Table, Text, present
from pokeopt.report.summary import Summary

LEFT_OUT = "further rows are left out; --format csv holds all"
LINE_BREAK = " = "  # of a label that the page sets as a key over its value


@dataclass(frozen=True)
class Document:
    """A title, and sections whose first is the finding."""

    title: str
    sections: tuple[Section, ...]


def document_of(summary: Summary) -> Document:
    """Return the report as the page shows it: its first screen, then every section."""
    from pokeopt.report.overall import head_of
    from pokeopt.report.sections import sections_of

    head = head_of(summary)
    by_study = tuple((name, text) for name, _, text in head.by_study)
    blocks = (
        Text((" ".join(head.findings),)) if head.findings else None,
        head.forest,
        Text(items=head.facts) if head.facts else None,
        Text(title="What each study says", items=by_study) if by_study else None,
    )
    finding = Section("finding", "Finding", present(blocks), head.warning)
    return Document(head.title, (finding, *sections_of(summary)))


def text_of(text: str | Markup) -> str:
    """Return what a reader sees of a cell: markup without its tags, drawings left out.

    >>> text_of(Markup("<svg><title>a dot</title></svg><span class='key'>depth</span><br/>a &lt; b"))
    'depth = a < b'
    >>> text_of(Markup("reproduced<span class='why'>it lies above 0.3</span>"))
    'reproduced; it lies above 0.3'
    >>> text_of(Markup("<span class='why key'>F1</span><span class='line'>a 1</span><span class='line'>b 2</span>"))
    'F1: a 1; b 2'
    """
    if not isinstance(text, Markup):
        return str(text)
    reader = _Seen()
    reader.feed(str(text))
    reader.close()
    return "".join(reader.parts).strip()


def shortened(table: Table, most: int) -> tuple[Table, str]:
    """Return a table of at most so many rows, and the line that says how many are missing."""
    missing = len(table.rows) - most
    if missing <= 0:
        return table, ""
    return replace(table, rows=table.rows[:most]), f"{missing} {LEFT_OUT}."


class _Seen(HTMLParser):
    """Collects the text outside of drawings."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.drawings = 0
        self.is_head = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.drawings += tag == "svg"
        looks = (dict(attrs).get("class") or "").split()
        if tag == "br":
            self.parts.append(LINE_BREAK)
        elif "why" in looks:  # a line of its own on the page
            self.parts += ["; "] if self.parts else []
            self.is_head = "key" in looks
        elif "line" in looks and self.parts and self.parts[-1] != ": ":
            self.parts.append("; ")

    def handle_endtag(self, tag: str) -> None:
        self.drawings -= tag == "svg"
        if tag == "span" and self.is_head:
            self.parts.append(": ")
            self.is_head = False

    def handle_data(self, data: str) -> None:
        if not self.drawings:
            self.parts.append(data)

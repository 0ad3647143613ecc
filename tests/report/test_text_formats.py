"""Markdown and LaTeX: the words of the page, whatever letters they hold, in text that the other program reads."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markupsafe import Markup

from pokeopt.report.blocks import Cell, Column, Figure, Picture, Section, Sheet, Table, Text
from pokeopt.report.document import Document, text_of
from pokeopt.report.latex import render_latex, tex
from pokeopt.report.markdown import MOST_ROWS, render_markdown

PDFLATEX = shutil.which("pdflatex")
EVIL = (
    "a|b *c* _d_ `e` [f](g) ![h](i) <b>j</b> & &lt; # $k$ ~~l~~ \\m {n} ^o %p \"q\" --r −1 ± é ß τ Δ ✓ 日 \u202f \x07",
    "# no heading", "- no item", "1. no item", "+ no item", "=== no rule", "[0.1, 0.2]", "*", "\\end{tabular}",
    "||", "", "---", "> no quote", "+0.5 [0.1, 0.9]",
)  # fmt: skip


def evil_document(n_rows: int = 3) -> Document:
    """A document whose every word is hostile."""
    columns = (Column(EVIL[0], is_number=False), Column("value"), Column("why", is_number=False))
    rows = [(Cell(text), Cell(f"{i}"), Cell(text * 9)) for i, text in enumerate(EVIL)]
    rows += [(Cell(f"row {i}"), Cell(str(i)), Cell("")) for i in range(n_rows)]
    table = Table("t", EVIL[0], columns, tuple(rows), note=EVIL[4], fold=EVIL[0])
    figure = Figure("f", EVIL[0], (Markup("<svg/>"),), EVIL[0], table)
    sheet = Sheet(Markup("<svg><title>no</title></svg>best"), EVIL[0], "data:,", 1, 1, EVIL[0])
    code = Text(code="```\na: \\end{verbatim}\n  b: ---")
    facts = Text(title=EVIL[1], items=((EVIL[0], EVIL[0]),))
    blocks = (table, figure, Picture("p", EVIL[0], (sheet,)), Text(EVIL), facts, code)
    return Document(EVIL[0], (Section("s", EVIL[0], blocks, banner=EVIL[0]),))


class _Cells(HTMLParser):
    """The text of every cell of a page's tables."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.is_inside = False
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.is_inside = True

    def handle_endtag(self, tag: str) -> None:
        self.is_inside = self.is_inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.is_inside:
            self.rows[-1][-1] += data


def test_a_cell_read_from_markdown_is_the_cell_that_was_written() -> None:
    text = render_markdown(evil_document())
    reader = _Cells()
    reader.feed(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))
    table = reader.rows[: len(EVIL) + 4]
    assert {len(row) for row in table} == {3}
    told = [" ".join(row[0].split()) for row in table[1 : len(EVIL) + 1]]
    assert told == [" ".join(text.split()) for text in EVIL]
    assert reader.tags <= {
        "h1", "h2", "h3", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "details", "summary",
        "pre", "code",
    }  # fmt: skip


def test_a_long_table_says_how_much_is_missing() -> None:
    text = render_markdown(evil_document(MOST_ROWS))
    assert f"{len(EVIL)} further rows are left out; --format csv holds all." in text


def test_a_part_has_a_heading_below_its_sections() -> None:
    told = Text((Markup('As in <a href="#p">b &amp; c</a>.'),), title="Reading")
    part = Section("p", "Pictures", (told,), banner="Few.")
    document = Document("d", (Section("s", "Study", (Text(("one",)),), parts=(part,)),))
    text = render_markdown(document)
    assert "## Study\n\none\n\n### Pictures\n\n**Few.**\n\n#### Reading\n\nAs in b & c." in text
    assert "\\section*{Study}\n\none\n\n\\subsection*{Pictures}" in render_latex(document)


@pytest.mark.parametrize("is_same", [True, False])
def test_what_a_picture_shows_is_said_once(is_same: bool) -> None:
    said = "Rows: images, and what was made of them."
    sheets = tuple(
        Sheet(label, f"{label}, seed 0. {said}", "data:,", 1, 1, "" if is_same else said) for label in "ab"
    )
    section = Section("x", "X", (Picture("p", "What?", sheets, said if is_same else ""),))
    text = render_markdown(Document("x", (section,)))
    assert text.count(said) == (1 if is_same else 2)
    assert "- a: a, seed 0." in text


def test_a_label_of_two_lines_is_one_and_drawings_have_no_text() -> None:
    label = Markup("<svg><title>dot</title><text>1</text></svg><span>model.depth</span><br/>3 &amp; 4")
    assert text_of(label) == "model.depth = 3 & 4"
    assert text_of("<b>") == "<b>", "text that is no markup stays as it is"


def test_latex_is_ascii_balanced_and_every_row_has_its_columns() -> None:
    text = render_latex(evil_document(80))
    assert text.isascii()
    for environment in set(re.findall(r"\\begin\{(\w+)\}", text)):
        assert text.count(f"\\begin{{{environment}}}") == text.count(f"\\end{{{environment}}}")
    bare = re.sub(r"\\[\\{}&%#_$]", "", text)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    rows = re.findall(r"^(?!\\newcommand).*\\tabularnewline$", bare, re.MULTILINE)
    assert len(rows) > 80
    assert {row.count("&") for row in rows} == {2}


@pytest.mark.parametrize(
    ("plain", "written"),
    [
        ("50 % & #1_2", r"50 \% \& \#1\_2"),
        ("[0, 1]", "{[}0, 1{]}"),
        ("--format", "-{}-format"),
        ("a\N{EN DASH}b", "a--b"),
        ("Pokémon", r"Pok\'{e}mon"),
        ("λ Λ Α ο", r"$\lambda$ $\Lambda$ (U+0391) (U+03BF)"),
        ("x\ny", "x y"),
        ("10\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT THREE}", "10$^{-}$$^{3}$"),
        ("\N{LATIN SMALL LIGATURE FI}n \N{VULGAR FRACTION ONE HALF}", "fin 1/2"),
    ],
)
def test_latex_signs(plain: str, written: str) -> None:
    assert tex(plain) == written


@pytest.mark.skipif(PDFLATEX is None, reason="no LaTeX on this machine")
def test_latex_compiles(tmp_path: Path) -> None:
    assert PDFLATEX is not None
    (tmp_path / "r.tex").write_text(render_latex(evil_document(80)), encoding="ascii")
    command = [PDFLATEX, "-interaction=nonstopmode", "-halt-on-error", "r.tex"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")

"""Document -> LaTeX: every table with booktabs' rules, to be compiled as it is or cut from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from pokeopt.report.blocks import Block, Figure, Picture, Section, Table, Text
from pokeopt.report.document import Document, shortened, text_of
from pokeopt.report.words import MINUS

MOST_ROWS = 200  # of a table
ROWS_A_PAGE = 36
LONG_WORD = 24
LONG = 40  # letters; a column of text that has longer ones breaks its lines
HEAD = r"""\documentclass{article}
\usepackage{booktabs,graphicx}
\setlength{\textwidth}{17cm}\setlength{\oddsidemargin}{-0.5cm}\setlength{\textheight}{24cm}\setlength{\topmargin}{-1.5cm}
\setlength{\parindent}{0pt}\setlength{\parskip}{0.6em}\sloppy
\newsavebox{\tablebox}
% a table that is wider than the text is made smaller
\newcommand{\fittable}[1]{\sbox{\tablebox}{#1}\ifdim\wd\tablebox>\linewidth
  \resizebox{\linewidth}{!}{\usebox{\tablebox}}\else\usebox{\tablebox}\fi}
% a caption without a float: tables stay where they are read
\makeatletter\newcommand{\tablecaption}[1]{\def\@captype{table}\caption{#1}}\makeatother
"""
SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    '"': "''",
    "`": r"\textasciigrave{}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    MINUS: "$-$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{MIDDLE DOT}": r"$\cdot$",
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    "\N{LEFT DOUBLE QUOTATION MARK}": "``",
    "\N{RIGHT DOUBLE QUOTATION MARK}": "''",
    "\N{LEFT SINGLE QUOTATION MARK}": "`",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": r"\,",
    "\N{THIN SPACE}": r"\,",
    "\N{RIGHTWARDS ARROW}": r"$\rightarrow$",
    "\N{LEFTWARDS ARROW}": r"$\leftarrow$",
    "\N{GREATER-THAN OR EQUAL TO}": r"$\geq$",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
    "\N{ALMOST EQUAL TO}": r"$\approx$",
    "\N{NOT EQUAL TO}": r"$\neq$",
    "\N{INFINITY}": r"$\infty$",
    "\N{CHECK MARK}": r"$\surd$",
    "\N{BALLOT X}": r"$\times$",
    "\N{FRACTION SLASH}": "/",
    "\N{DEGREE SIGN}": r"$^\circ$",
    "\N{BLACK CIRCLE}": r"$\bullet$",
    "\N{WHITE CIRCLE}": r"$\circ$",
    "\N{LATIN SMALL LETTER SHARP S}": r"\ss{}",
    "\N{LATIN SMALL LETTER AE}": r"\ae{}",
    "\N{LATIN SMALL LETTER O WITH STROKE}": r"\o{}",
    "\N{MICRO SIGN}": r"$\mu$",
}
ACCENTS = {  # combining letter to command
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0308": '"',
    "\u030a": "r",
    "\u030c": "v",
    "\u0327": "c",
}
GREEK = re.compile(r"GREEK (SMALL|CAPITAL) LETTER (\w+)$")
# Greek capitals that look like Latin ones have no command; neither has omicron
GREEK_CAPITALS = {"GAMMA", "DELTA", "THETA", "LAMDA", "XI", "PI", "SIGMA", "UPSILON", "PHI", "PSI", "OMEGA"}


def render_latex(document: Document) -> str:
    """Return the document as LaTeX source in plain ASCII; equal documents give equal text."""
    lines = [HEAD + f"\\title{{{tex(document.title)}}}\\date{{}}", r"\begin{document}", r"\maketitle"]
    lines.append("Drawings and pictures are in the HTML report; here are their numbers.")
    for section in document.sections:
        lines += _section(section, "section")
    lines.append(r"\end{document}")
    return "\n\n".join(line for line in lines if line) + "\n"


def tex(text: str) -> str:
    r"""Return text in which no letter is a sign of LaTeX's, and every one is ASCII.

    >>> print(tex("50 % of val/macro_f1: +0.5 [0.4, 0.6], −0.1 é τ"))
    50 \% of val/macro\_f1: +0.5 {[}0.4, 0.6{]}, $-$0.1 \'{e} $\tau$
    """
    flat = " ".join(str(text).split("\n"))
    written, word = [], 0
    for letter, following in zip(flat, f"{flat[1:]} ", strict=False):
        word = 0 if letter == " " else word + 1
        written.append(_letter(letter))
        if letter == following == "-":
            written.append("{}")  # two hyphens, as in --format, would be set as a dash
        if word and word % LONG_WORD == 0:
            written.append(r"\allowbreak{}")  # a hash would run out of the page
    return "".join(written)


def _letter(letter: str) -> str:
    if letter in SIGNS:
        return SIGNS[letter]
    if letter.isascii():
        return letter if letter.isprintable() else " "
    parts = unicodedata.normalize("NFKD", letter)
    name = unicodedata.name(letter, "")
    if name.startswith(("SUPERSCRIPT", "SUBSCRIPT")):
        return f"${'^' if name.startswith('SUPER') else '_'}{{{parts.replace(MINUS, '-')}}}$"
    base, marks = parts[0], parts[1:]
    if base.isascii() and base.isprintable():
        inside = SIGNS.get(base, base)
        if marks in ACCENTS:
            return f"\\{ACCENTS[marks]}{{{inside}}}"
        return inside + "".join(_letter(mark) for mark in marks if not unicodedata.combining(mark))
    greek = GREEK.match(unicodedata.name(base, ""))
    if greek is not None and ((greek[1] == "SMALL" and greek[2] != "OMICRON") or greek[2] in GREEK_CAPITALS):
        word = {"LAMDA": "LAMBDA", "FINAL": "SIGMA"}.get(greek[2], greek[2])
        return f"$\\{word.lower() if greek[1] == 'SMALL' else word.capitalize()}$"
    return f"(U+{ord(letter):04X})"  # the fonts of a plain article have no such letter


def _section(section: Section, command: str) -> Iterator[str]:
    yield f"\\{command}*{{{tex(section.title)}}}"
    if section.banner:
        yield f"\\textbf{{{tex(section.banner)}}}"
    for block in section.blocks:
        yield from _block(block)
    for part in section.parts:
        yield from _section(part, "subsection")


def _block(block: Block) -> Iterator[str]:
    match block:
        case Table():
            yield from _table(block)
        case Figure():
            yield f"\\textbf{{{tex(block.question)}}} {tex(block.reading)}"
            if block.table is not None:
                yield from _table(block.table)
        case Picture():
            labels = "; ".join(dict.fromkeys(text_of(sheet.label) or sheet.alt for sheet in block.sheets))
            yield f"\\textbf{{{tex(block.question)}}} {tex(labels)}. {tex(block.reading)}"
        case Text():
            yield from _text(block)


def _text(block: Text) -> Iterator[str]:
    if block.title:
        yield f"\\textbf{{{tex(block.title)}}}"
    yield from (tex(text_of(paragraph)) for paragraph in block.paragraphs)
    if block.items:
        facts = [f"\\item[] \\textbf{{{tex(name)}}}: {tex(value)}" for name, value in block.items]
        yield "\n".join([r"\begin{itemize}\setlength{\itemsep}{0pt}", *facts, r"\end{itemize}"])
    if block.code:
        yield tex(block.fold)
        lines = "\n".join(map(_code, block.code.splitlines()))
        yield f"{{\\ttfamily\\footnotesize\\raggedright\\setlength{{\\parskip}}{{0pt}}\n{lines}\n}}"


def _code(line: str) -> str:
    indent = len(line) - len(line.lstrip(" "))
    return f"\\mbox{{}}{'~' * indent}{tex(line.strip())}\\par"


def _table(table: Table) -> Iterator[str]:
    shown, missing = shortened(table, MOST_ROWS)
    rows = [[text_of(cell.text) for cell in row] for row in shown.rows]
    heads = [text_of(column.title) for column in shown.columns]
    is_long = [
        not column.is_number and any(len(row[i]) > LONG for row in rows)
        for i, column in enumerate(shown.columns)
    ]
    form = "".join(
        "p{6cm}" if long else "r" if column.is_number else "l"
        for column, long in zip(shown.columns, is_long, strict=True)
    )
    caption = tex(f"{table.caption} {table.note} {missing}".strip())
    for i, some in enumerate(_pages(rows, is_long)):
        title = caption if i == 0 else f"{tex(table.caption)} (continued)"
        body = [_row(row, is_long) for row in some]
        yield "\n".join(
            [
                r"\noindent\begin{minipage}{\linewidth}\centering\small",
                f"\\tablecaption{{{title}}}",
                f"\\fittable{{\\begin{{tabular}}{{{form}}}",
                r"\toprule",
                _row(heads, [False] * len(heads)),
                r"\midrule",
                *body,
                r"\bottomrule",
                r"\end{tabular}}",
                r"\end{minipage}",
            ]
        )


def _pages(rows: list[list[str]], is_long: list[bool]) -> Iterator[list[list[str]]]:
    """Yield the rows in portions that fit on a page: a box does not break."""
    portion: list[list[str]] = []
    lines = 0
    for row in rows:
        height = max([1, *(-(-len(text) // LONG) for text, long in zip(row, is_long, strict=True) if long)])
        if portion and lines + height > ROWS_A_PAGE:
            yield portion
            portion, lines = [], 0
        portion.append(row)
        lines += height
    yield portion


def _row(texts: list[str], is_long: list[bool]) -> str:
    set_ = [f"\\raggedright {tex(t)}" if long else tex(t) for t, long in zip(texts, is_long, strict=True)]
    return " & ".join(set_) + r" \tabularnewline"

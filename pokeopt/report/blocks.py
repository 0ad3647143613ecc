"""What a page is made of: tables and figures, already in words, not yet in HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup


@dataclass(frozen=True)
class Column:
    """A column: numbers are set right-aligned; ``note`` is its tooltip."""

    title: str | Markup
    is_number: bool = True
    note: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell: its text, what it is sorted by (its text if None), and a class for its look."""

    text: str | Markup
    sort: float | None = None
    look: str = ""


@dataclass(frozen=True)
class Table:
    """A table; its first column names the row. A long one may be folded under a line."""

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    is_sortable: bool = False
    fold: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure under the question that it answers, over the line that says how to read it.

    Attributes:
        svgs: One drawing, or a few side by side.
        table: The same as numbers, folded.
    """

    id: str
    question: str
    svgs: tuple[Markup, ...]
    reading: str
    table: Table | None = None


@dataclass(frozen=True)
class Sheet:
    """An image within a figure.

    Attributes:
        label: Whose it is; empty where it stands alone.
        alt: The same in words, for those who do not see it.
        source: A data URI: the page fetches nothing. Empty where the image stands further up.
        width: In CSS pixels; so is ``height``.
        caption: What it shows, where the others of its figure show something else.
        id: The image's, where it is shown more than once: it is embedded once, and drawn again by its id.
    """

    label: str | Markup
    alt: str
    source: str
    width: int
    height: int
    caption: str = ""
    id: str = ""


@dataclass(frozen=True)
class Picture:
    """Images under the question that they answer, over the line that says how to read them."""

    id: str
    question: str
    sheets: tuple[Sheet, ...]
    reading: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page with its own heading and entry in the contents.

    Attributes:
        banner: What a reader must know before the first figure.
        entry: Its name in the contents; empty for the title up to its colon.
        parts: What follows its blocks under headings of their own.
    """

    id: str
    title: str
    blocks: tuple[Figure | Picture | Table | Text, ...]
    banner: str = ""
    entry: str = ""
    parts: tuple[Section, ...] = ()

    @property
    def contents(self) -> str:
        """What the contents call it."""
        return self.entry or self.title.split(":")[0]


@dataclass(frozen=True)
class Text:
    """A paragraph, a list, or preformatted text that may be folded under a line."""

    paragraphs: tuple[str | Markup, ...] = ()
    title: str = ""
    code: str = ""
    fold: str = ""
    items: tuple[tuple[str, str], ...] = field(default=())


Block = Figure | Picture | Table | Text


def present(blocks: Iterable[Block | None]) -> tuple[Block, ...]:
    """Return the blocks that are there."""
    return tuple(block for block in blocks if block is not None)


def headed(heading: str, title: str, *, several: bool) -> str:
    """Return a heading that says whose it is where several studies share the page.

    >>> headed("Search: how the best was found", "mlp", several=True)
    'Search of mlp: how the best was found'
    """
    first, colon, rest = heading.partition(":")
    return f"{first} of {title}{colon}{rest}" if several else heading


def cells(*texts: str | Markup | Cell) -> tuple[Cell, ...]:
    """Return a row; plain text becomes a cell."""
    return tuple(text if isinstance(text, Cell) else Cell(text) for text in texts)


def simple_table(
    id_: str, caption: str, titles: Sequence[str], rows: Sequence[Sequence[str]], *, text_columns: int = 1
) -> Table:
    """Return a table whose first columns are text and whose others are numbers."""
    columns = tuple(Column(title, is_number=i >= text_columns) for i, title in enumerate(titles))
    return Table(id_, caption, columns, tuple(cells(*row) for row in rows))

"""The page that leads from the documents to the keys: every row of it is tried."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from pokeopt import metrics
from pokeopt.cli.app import app
from pokeopt.errors import SpecError
from pokeopt.spec import StudySpec, load_study
from pokeopt.spec.document import read_text

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "source-documents.md"
TRIED = ("in pokeopt", "the other reading")  # columns whose settings must load
CODE, TITLE = re.compile(r"`([^`]+)`"), re.compile("“([^”]+)”")
SETTING = re.compile(r"[a-z_]+(\.[\w-]+)*=\S.*")
AS_IN_FILE = re.compile(r"([a-z_]+(?:\.[\w-]+)*): (.+)")
SPACE = re.compile(r"search_spaces/\w+\.yaml")


@dataclass(frozen=True)
class Row:
    """One row of a table: the line, the file that it starts from, and its cells by column."""

    line: int
    base: str
    cells: dict[str, str]

    def words(self, column: str) -> list[str]:
        """Return what stands in backticks in a column; nothing where there is no such column."""
        return CODE.findall(self.cells.get(column, ""))

    def of(self, form: re.Pattern[str], *columns: str) -> list[str]:
        """Return those of a form."""
        return [word for column in columns for word in self.words(column) if form.fullmatch(word)]


def rows() -> Iterator[Row]:
    """Yield the rows of all tables but the first, which names the documents."""
    base, header = "", None
    for number, line in enumerate(PAGE.read_text(encoding="utf-8").splitlines(), start=1):
        if found := re.fullmatch(r"From `([^`]+)`\.", line):
            base = found[1]
        if line.startswith("## "):
            base = ""
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            header = None
        elif header is None:
            header = cells
        elif "---" not in cells and header[0] == "the document":
            row = Row(number, base, dict(zip(header, cells, strict=True)))
            own = row.of(SPACE, "the file", "would be")
            yield Row(number, own[0] if own else base, row.cells)


ROWS = list(rows())
TRIED_ROWS = [row for row in ROWS if any(column in row.cells for column in TRIED)]
IN_FILE_ROWS = [row for row in ROWS if "the file" in row.cells]
MISSING_ROWS = [row for row in ROWS if "would be" in row.cells]


def name_of(row: Row) -> str:
    """Return the row's line and the beginning of its text."""
    return f"{row.line}-{next(iter(row.cells.values()))[:40]}"


@cache
def loaded(base: str, sets: tuple[str, ...]) -> StudySpec:
    return load_study(ROOT / base, sets)


@cache
def titles() -> str:
    """Return the sources of everything that writes a page."""
    folders = [ROOT / "pokeopt" / "report", ROOT / "pokeopt" / "data" / "templates"]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".j2")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@cache
def pictures() -> list[str]:
    """Return the names of the files that trials leave, as regular expressions."""
    names = []
    for path in (ROOT / "pokeopt" / "trial" / "pictures").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant | ast.JoinedStr):
                parts = node.values if isinstance(node, ast.JoinedStr) else [node]
                texts = [str(part.value) if isinstance(part, ast.Constant) else None for part in parts]
                names.append("".join(".+" if text is None else re.escape(text) for text in texts))
    return [name for name in names if name.endswith(r"\.png")]


def command(words: Sequence[str]) -> Any:
    """Return the command that the words after ``pokeopt`` name, and the words left for it."""
    found, left = typer.main.get_command(app), list(words)
    while hasattr(found, "commands"):
        found = found.commands[left.pop(0)]  # KeyError: there is no such command
    return found, left


def is_there(word: str, spec: StudySpec) -> bool:
    """Whether a word in backticks that is no setting is something that pokeopt has."""
    if word.startswith("pokeopt "):
        found, left = command(shlex.split(word)[1:])
        found.make_context(word, left)
        return True
    if word.endswith(".png"):
        return any(re.fullmatch(pattern, word) for pattern in pictures())
    if SPACE.fullmatch(word):
        return bool(loaded(word, ()).name)
    return metrics.find(word, task=spec.task, parts=spec.external).name == word


def test_the_page_has_what_it_promises() -> None:
    """A change of its form must not leave a test without rows."""
    bases = {row.base for row in TRIED_ROWS}
    families = ("autoencoder", "mlp", "cnn", "transfer", "pvae", "unet")
    assert {f"search_spaces/{family}.yaml" for family in families} <= bases
    assert len(TRIED_ROWS) > 200
    assert len(IN_FILE_ROWS) >= 12
    assert MISSING_ROWS
    assert all(cell for row in ROWS for cell in row.cells.values()), "a cell is empty"


@pytest.mark.parametrize("row", TRIED_ROWS, ids=name_of)
def test_settings_load_and_names_exist(row: Row) -> None:
    sets = row.of(SETTING, *TRIED)
    spec = loaded(row.base, tuple(sets))
    others = [word for column in TRIED for word in row.words(column) if word not in sets]
    for word in others:
        assert is_there(word, spec), f"there is no '{word}'"
    named = [title for column in TRIED for title in TITLE.findall(row.cells.get(column, ""))]
    for title in named:
        assert title in titles(), f"no page has the title '{title}'"
    if "in pokeopt" in row.cells:
        assert sets or others or named, "the row names nothing that can be tried"


@pytest.mark.parametrize("row", [row for row in TRIED_ROWS if row.of(SETTING, *TRIED)], ids=name_of)
def test_settings_are_in_the_study(row: Row) -> None:
    """A key that is accepted and then thrown away would load, too."""
    sets = row.of(SETTING, *TRIED)
    study = loaded(row.base, tuple(sets)).resolved()
    for key, _, text in (one.partition("=") for one in sets):
        wanted = read_text(text, str(PAGE), ROOT).plain()
        found: Any = study
        for part in key.split(".", 1) if key.startswith("baseline.") else key.split("."):
            found = found[part]
        assert holds(found, wanted), f"{key} is {found}"


def holds(found: Any, wanted: Any) -> bool:
    """Whether a resolved value, with all defaults in it, is what was asked for."""
    if (
        isinstance(found, dict) and "$label" in found
    ):  # an entry of a choice, which is set by its label or its value
        return found["$label"] == wanted or holds(found["$value"], wanted)
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(holds(found.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        return len(found) == len(wanted) and all(map(holds, found, wanted))
    is_path = isinstance(found, str) and found == str(Path.cwd() / str(wanted))
    return is_path or bool(found == wanted or (isinstance(found, dict) and list(found) == [wanted]))


@pytest.mark.parametrize("row", IN_FILE_ROWS, ids=name_of)
def test_the_file_takes_the_reading_that_the_page_says(row: Row) -> None:
    spec = loaded(row.base, ())
    readings = row.of(AS_IN_FILE, "the file")
    assert readings
    for reading in readings:
        key, text = AS_IN_FILE.fullmatch(reading).groups()  # type: ignore[union-attr]
        found = (spec.baseline or {}).get(key, spec.fixed.get(key))
        assert found == read_text(text, str(PAGE), ROOT).plain(), f"{row.base} has {key}: {found}"


@pytest.mark.parametrize("row", MISSING_ROWS, ids=name_of)
def test_what_is_not_there_is_refused(row: Row) -> None:
    """What has come since belongs into the tables above."""
    for word in row.words("would be"):
        if SPACE.fullmatch(word):
            continue
        if word.startswith("pokeopt "):
            with pytest.raises(KeyError):
                command(shlex.split(word)[1:])
        elif SETTING.fullmatch(word):
            with pytest.raises(SpecError):
                loaded(row.base, (word,))
        else:
            with pytest.raises(SpecError):
                metrics.find(word, task="reconstruction")


SHOWN = re.compile(r"^\| (?P<what>[^|]+) \| (?P<by>[^|]+) \| (?P<where>[^|]+) \|$")


def shown() -> list[tuple[str, str]]:
    """Return (what a document shows, where the report has it)."""
    text = PAGE.read_text(encoding="utf-8").split("## What the documents show", 1)[1].split("\n## ", 1)[0]
    found = [match for line in text.splitlines() if (match := SHOWN.match(line))]
    return [(one["what"], one["where"]) for one in found if one["what"] not in ("shown", "---")]


def _pattern(node: ast.expr) -> str:
    return re.escape(str(node.value)) if isinstance(node, ast.Constant) else ".+"


@cache
def written() -> list[str]:
    """Return every text in the source of report, pictures and data page, as regular expressions."""
    texts = []
    for folder in ("report", "trial/pictures", "data"):
        for path in (ROOT / "pokeopt" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    texts.append("".join(_pattern(part) for part in node.values))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    texts.append(_pattern(node))
    return [text for text in texts if len(text) > 8]


def test_every_element_of_the_documents_has_a_place() -> None:
    assert len(shown()) >= 30


@pytest.mark.parametrize(("what", "where"), shown(), ids=lambda text: text[:40])
def test_the_report_has_what_the_documents_show(what: str, where: str) -> None:
    for title in TITLE.findall(where):
        escaped = re.escape(title)
        is_there = any(re.fullmatch(text, title) or text.startswith(escaped) for text in written())
        assert is_there or title in titles(), f"nothing is headed {title!r}, where {what!r} should be"
    for study in re.findall(r"\b([td]\d-[a-z]+)\b", where):
        assert list((ROOT / "studies").glob(f"*/{study}.yaml")), f"there is no study {study}"
    for word in CODE.findall(where):
        if word.startswith("pokeopt "):
            command(shlex.split(word)[1:])

"""The documentation: every command in it parses, every page is in the site, the reference is what the schema says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from docs.reference import PAGE, reference
from docs.site_hooks import on_page_markdown
from pokeopt.cli.app import app

REFERENCE = reference()  # at collection, before a test imports a plugin
ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"(?:^(?: {4}|\$ )?|`)(?:\.venv/bin/)?(pokeopt [a-z][^`\n]*)", re.MULTILINE)


def commands() -> list[tuple[str, str]]:
    """Return (page, command) of every command that stands in a code block or in backticks."""
    found: list[tuple[str, str]] = []
    program: Any = typer.main.get_command(app)
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for match in COMMAND.finditer(text):
            line = match[1].split("  #")[0].split(" > ")[0].split(" && ")[0].strip()
            if line.split()[1] in program.commands:  # else a sentence that begins with our name
                found.append((page.name, line))
    return list(dict.fromkeys(found))


def parse(words: list[str]) -> None:
    """Parse the words after ``pokeopt`` as the program would; nothing is run."""
    found: Any = typer.main.get_command(app)
    while hasattr(found, "commands"):
        found = found.commands[words.pop(0)]  # KeyError: there is no such command
    if words not in (["--help"], ["-h"]):
        found.make_context("pokeopt", words)


def test_there_are_commands() -> None:
    assert len(commands()) > 60


@pytest.mark.parametrize(("page", "line"), commands(), ids=lambda text: text[:60])
def test_every_command_parses(page: str, line: str) -> None:
    words = shlex.split(re.sub(r"\s*\.\.\.", "", line).replace("TRIAL", "3"))[1:]
    if all(re.fullmatch(r"[a-z-]+", word) for word in words[:2]) and len(words) <= 1 + 2 * (
        words[0] == "data"
    ):
        return  # a command's name in a sentence
    parse(words)


def test_every_page_is_in_the_site() -> None:
    plain = YAML(typ="safe", pure=True).load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))

    def pages(entry: Any) -> list[str]:
        if isinstance(entry, str):
            return [entry]
        return [page for one in (entry if isinstance(entry, list) else entry.values()) for page in pages(one)]

    assert sorted(pages(plain["nav"])) == sorted(page.name for page in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), f"{page.name}: {link}"


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.name)
def test_the_site_has_no_link_out_of_its_folder(page: Path) -> None:
    """Outside of ``docs/`` there are no pages: a link becomes the name of its file."""
    text = page.read_text(encoding="utf-8")
    shown = on_page_markdown(text)
    assert "](../" not in shown
    for _, path in re.findall(r"\[([^\]]+)\]\(\.\./([^)#]+)", text):
        assert path in shown


def test_the_reference_is_what_the_schema_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == REFERENCE, "run python docs/reference.py"

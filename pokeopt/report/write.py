"""Write the report to its file, whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from pokeopt.errors import UserError
from pokeopt.report.summarise import summarise

if TYPE_CHECKING:
    from pokeopt.report.summary import Summary
    from pokeopt.store import Store

Format = Literal["html", "md", "tex", "csv", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)


def write_report(
    store: Store, names: str | Sequence[str], output: Path | str, format_: Format | None = None
) -> Path:
    """Write the report on studies as one file and return its path; an old one is replaced.

    Args:
        store: Where the studies lie.
        names: One name or several; NAME includes NAME.ablation.
        output: The file, like ``reports/mlp.html``; its folder is made.
        format_: What to write; by default what the file's suffix says, and HTML where it says nothing.

    Raises:
        UserError: If no study is called so.
    """
    path = Path(output)
    return write_whole(path, render(store, summary_of(store, names), format_ or format_of(path)))


def summary_of(store: Store, names: str | Sequence[str]) -> Summary:
    """Return the summary of studies; two that no plan declares are also compared with each other."""
    summary = summarise(store, names)
    if len(summary.studies) != 2 or any(study.ablation and study.ablation.plan for study in summary.studies):
        return summary
    from pokeopt.report.compare import compare_studies

    return replace(summary, comparison=compare_studies(store, *summary.studies))


def render(store: Store, summary: Summary, format_: Format) -> str:
    """Return the report in a format; equal stores give equal text."""
    match format_:
        case "html":
            from pokeopt.report.render import render_html

            return render_html(summary)
        case "json":
            return _strict(summary.as_json()) + "\n"
        case "csv":
            from pokeopt.report.tidy_csv import render_csv

            return render_csv(store, summary)
    from pokeopt.report.document import document_of

    if format_ == "md":
        from pokeopt.report.markdown import render_markdown

        return render_markdown(document_of(summary))
    from pokeopt.report.latex import render_latex

    return render_latex(document_of(summary))


def _strict(text: str) -> str:
    """Return JSON that every reader knows: NaN and infinity become null."""
    if "NaN" not in text and "Infinity" not in text:
        return text
    return json.dumps(json.loads(text, parse_constant=lambda _: None), sort_keys=True, indent=1)


def format_of(path: Path) -> Format:
    """Return the format that a file's suffix names, HTML where it names none.

    >>> format_of(Path("reports/mlp.TEX")), format_of(Path("reports/t2.depth"))
    ('tex', 'html')
    """
    suffix = path.suffix.lower().removeprefix(".")
    return next((format_ for format_ in FORMATS if format_ == suffix), "html")


def check_format(text: str) -> Format:
    """Return a format by its name.

    Raises:
        UserError: If there is none of that name.
    """
    found = next((format_ for format_ in FORMATS if format_ == text.lower()), None)
    if found is None:
        raise UserError("--format", f"'{text}' is no format of a report", f"give one of {', '.join(FORMATS)}")
    return found


def write_whole(path: Path, text: str) -> Path:
    """Write a text file by way of another, so that nobody reads half of it; its folder is made.

    Raises:
        UserError: If the path is a folder.
    """
    if path.is_dir():
        raise UserError(str(path), "this is a folder", "give the file to write")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text, encoding="utf-8", newline="\n")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return path

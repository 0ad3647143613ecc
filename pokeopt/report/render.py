"""Summary -> one HTML file that needs nothing else: no network, no script to be read."""

from __future__ import annotations

from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pokeopt.report.blocks import Figure, Picture, Table
from pokeopt.report.overall import head_of
from pokeopt.report.sections import sections_of
from pokeopt.report.summary import Summary

__all__ = ["head_of", "render_html", "sections_of"]


def render_html(summary: Summary) -> str:
    """Return the page; equal summaries give equal bytes."""
    page = _environment().get_template("page.html.j2")
    return page.render(
        head=head_of(summary),
        sections=sections_of(summary),
        one_study=len(summary.studies) == 1,  # of many, the contents would be longer than the screen
        style=_asset("style.css"),
        script=_asset("page.js"),
    )


def _asset(name: str) -> Markup:
    """Return a file of ours to be embedded as it is."""
    return Markup((resources.files("pokeopt.report") / "templates" / name).read_text(encoding="utf-8"))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pokeopt.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["figure"] = lambda block: isinstance(block, Figure)
    environment.tests["picture"] = lambda block: isinstance(block, Picture)
    environment.tests["table"] = lambda block: isinstance(block, Table)
    return environment

"""What mkdocs asks for as it builds the site: links out of ``docs/`` lead to no page, and become names of files."""

from __future__ import annotations

import re
from typing import Any

OUTWARD = re.compile(r"\[([^\]]+)\]\(\.\./([^)#]+)(?:#[^)]*)?\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return a page's text; ``[the suite](../tests/x.py)`` becomes ``the suite (tests/x.py)``."""
    return OUTWARD.sub(_named, markdown)


def _named(link: re.Match[str]) -> str:
    text, path = link[1], link[2]
    return text if path.rstrip("/") in text else f"{text} (`{path}`)"

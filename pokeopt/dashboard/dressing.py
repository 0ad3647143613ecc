"""Our few lines in optuna-dashboard's page: long words wrap, and a read-only page offers nothing that is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PAGE = "/dashboard"
FILES = "/static/pokeopt/"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
ALWAYS = ("page.css",)
READ_ONLY = (*ALWAYS, "read_only.css", "read_only.js")
CONDITIONS = ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_NONE_MATCH", "HTTP_RANGE", "HTTP_ACCEPT_ENCODING")


def dressed(page: WSGIApplication, files: tuple[str, ...]) -> WSGIApplication:
    """Serve files of ours, and name them in the head of optuna-dashboard's one HTML page.

    They are files, not lines in the page: its content security policy allows no script inside it.
    """

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer with a file of ours, with optuna-dashboard's page dressed in them, or as it answers."""
        path = environ.get("PATH_INFO", "")
        if path.startswith(FILES):
            return _file(path.removeprefix(FILES), files, start_response)
        if path != PAGE and not path.startswith(f"{PAGE}/"):
            return page(environ, start_response)
        whole = {key: value for key, value in environ.items() if key not in CONDITIONS}
        status, headers, body = _answer(page, whole)
        if status.startswith("200") and body:
            body = body.replace(b"</head>", _tags(files) + b"</head>", 1)
            headers = [
                (key, value)
                for key, value in headers
                if key.lower() not in ("content-length", "last-modified", "etag")
            ]
            headers += [("Content-Length", str(len(body))), ("Cache-Control", "no-cache")]
        start_response(status, headers)
        return [body]

    return application


def _tags(files: Iterable[str]) -> bytes:
    tags = [
        f'<script defer src="{FILES}{name}"></script>'
        if name.endswith(".js")
        else f'<link rel="stylesheet" href="{FILES}{name}">'
        for name in files
    ]
    return "".join(tags).encode()


def _file(name: str, files: tuple[str, ...], start_response: StartResponse) -> list[bytes]:
    if name not in files:
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    body = _content(name)
    headers = [("Content-Type", TYPES[Path(name).suffix]), ("Content-Length", str(len(body)))]
    start_response("200 OK", [*headers, ("Cache-Control", "no-cache")])
    return [body]


@cache
def _content(name: str) -> bytes:
    return (Path(__file__).parent / name).read_bytes()


def _answer(page: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
    """Return (status, headers, body) of an application's answer."""
    told: dict[str, Any] = {}
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        told.update(status=status, headers=headers)
        return written.append

    parts = page(environ, start_response)
    try:
        body = b"".join([*written, *parts])
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    return told["status"], list(told["headers"]), body

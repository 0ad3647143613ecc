"""Two guards around a WSGI application: one lets only reads pass, one only writes from the page itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

READS = frozenset({"GET", "HEAD"})
REFUSED_JSON = b'{"reason": "This dashboard is read-only; start it with --allow-writes to change something."}'
FOREIGN_JSON = b'{"reason": "This request comes from another site."}'


def only_reads(page: WSGIApplication) -> WSGIApplication:
    """Refuse every request but GET and HEAD: by its method, so routes of later releases are refused too."""

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] in READS:
            return page(environ, start_response)
        return _refuse(start_response, REFUSED_JSON)

    return guarded


def only_same_origin(page: WSGIApplication) -> WSGIApplication:
    """Refuse a write that another site makes the reader's browser send."""

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        origin = environ.get("HTTP_ORIGIN")
        is_read = environ["REQUEST_METHOD"] in READS
        if is_read or origin is None or urlsplit(origin).netloc == environ.get("HTTP_HOST"):
            return page(environ, start_response)
        return _refuse(start_response, FOREIGN_JSON)

    return guarded


def _refuse(start_response: StartResponse, body: bytes) -> Iterable[bytes]:
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("403 Forbidden", headers)
    return [body]

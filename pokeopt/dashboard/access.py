"""Who may reach the page: on this machine every program here, from elsewhere only who has the token."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PARAMETER = "token"
TOKEN_BYTES = 24
NO_TOKEN = b"This dashboard asks for a token: open the whole address that pokeopt dashboard printed.\n"
STRANGE_HOST = b"This dashboard answers to localhost only; give --host to serve it under another name.\n"


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine alone.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "10.0.0.4", "box")]
    [True, True, True, False, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def only_local_names(page: WSGIApplication) -> WSGIApplication:
    """Refuse a request under a foreign name: a site whose name was turned to this machine could read the store."""

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request that brings the token, redirect one that brings it in its address, refuse any other."""
        name = urlsplit(f"//{environ.get('HTTP_HOST', 'localhost')}").hostname
        if name and is_loopback(name):
            return page(environ, start_response)
        return _refuse(start_response, "403 Forbidden", STRANGE_HOST)

    return guarded


def only_with_token(page: WSGIApplication, token: str) -> WSGIApplication:
    """Refuse with 401 what brings no token.

    A browser brings it once, in the address, and is given a cookie; a script may send ``Authorization: Bearer``.
    """
    cookie = f"pokeopt_{hashlib.sha256(token.encode()).hexdigest()[:8]}"  # another server's stays as it is

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request that brings the token; set the cookie where the address brought it."""
        query = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        given = dict(query).get(PARAMETER, "")
        if _equal(given, token) and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            rest = urlencode([pair for pair in query if pair[0] != PARAMETER])
            path = "/" + quote(environ.get("PATH_INFO", "/")).lstrip("/")  # never //another.site
            headers = [
                ("Location", f"{path}?{rest}" if rest else path),
                ("Set-Cookie", f"{cookie}={token}; Path=/; HttpOnly; SameSite=Lax"),
                ("Cache-Control", "no-store"),
                ("Content-Length", "0"),
            ]
            start_response("303 See Other", headers)
            return []
        if _equal(_cookie(environ, cookie), token) or _equal(_bearer(environ), token):
            return page(environ, start_response)
        return _refuse(start_response, "401 Unauthorized", NO_TOKEN)

    return guarded


def _cookie(environ: WSGIEnvironment, name: str) -> str:
    try:
        found = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(name)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _bearer(environ: WSGIEnvironment) -> str:
    scheme, _, value = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def _equal(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), token.encode())


def _refuse(start_response: StartResponse, status: str, body: bytes) -> list[bytes]:
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    if status.startswith("401"):
        headers.append(("WWW-Authenticate", 'Bearer realm="pokeopt"'))
    start_response(status, headers)
    return [body]

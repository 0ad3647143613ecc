"""The dashboard, served for the time of a test."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from pokeopt.dashboard import make_server
from pokeopt.dashboard.server import DashboardServer
from pokeopt.store import Store


@contextmanager
def serving(
    store: Store, *, host: str = "127.0.0.1", allow_writes: bool = False
) -> Iterator[DashboardServer]:
    """Yield a server that answers in a thread."""
    with make_server(store, port=0, host=host, allow_writes=allow_writes) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def served(store: Store, *, allow_writes: bool = False) -> Iterator[str]:
    """Yield the address of a server of this machine, without a slash at its end."""
    with serving(store, allow_writes=allow_writes) as server:
        yield f"http://127.0.0.1:{server.server_port}"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def ask(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """Return the status and body of an answer."""
    code, _, content = answer(url, method, body, **headers)
    return code, content


def answer(
    url: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of an answer; a redirection is one, too."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, method=method, data=body, headers=named)
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=30) as found:
            return found.status, dict(found.headers), found.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()

"""A small threaded server around optuna-dashboard's WSGI application."""

from __future__ import annotations

import errno
import socket
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.simple_server import make_server as make_wsgi_server

from pokeopt.dashboard.access import PARAMETER, is_loopback, new_token, only_local_names, only_with_token
from pokeopt.dashboard.dressing import ALWAYS, READ_ONLY, dressed
from pokeopt.dashboard.read_only import only_reads, only_same_origin
from pokeopt.errors import UserError

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from pokeopt.store import Store

LOOPBACK = "127.0.0.1"


class DashboardServer(ThreadingMixIn, WSGIServer):
    """Answers each request in a thread of its own: one slow plot does not hold up the page.

    Attributes:
        token: What a request must bring; empty where the server is reached from this machine only.
    """

    daemon_threads = True  # Ctrl-C does not wait for a browser
    token = ""

    @property
    def url(self) -> str:
        """The address to open, the token included."""
        host = str(self.server_address[0])
        if host in ("0.0.0.0", "::"):  # every address of this machine
            host = socket.gethostname()
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.server_port}/" + (f"?{PARAMETER}={self.token}" if self.token else "")


class _SixthServer(DashboardServer):
    """The same on an IPv6 address."""

    address_family = socket.AF_INET6


class _Silent(WSGIRequestHandler):
    """The terminal is no access log."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ARG002 - the base class names them
        return


def application(store: Store, *, allow_writes: bool = False) -> WSGIApplication:
    """Return optuna-dashboard on a store and its artifacts, as a WSGI application.

    Args:
        store: What to show; it is made if it is not there yet, so that a first run can be watched.
        allow_writes: Let the page rename and delete studies, edit notes and upload files. Otherwise every
            request that could change something is refused with 403.
    """
    from optuna_dashboard import wsgi

    page: WSGIApplication = wsgi(store.storage, artifact_store=store.artifact_store)
    if allow_writes:
        return dressed(only_same_origin(page), ALWAYS)
    return dressed(only_reads(page), READ_ONLY)


def make_server(
    store: Store, port: int = 8080, *, host: str = LOOPBACK, allow_writes: bool = False
) -> DashboardServer:
    """Return a server that listens; ``serve_forever()`` answers, its ``url`` says where.

    Args:
        store: What to show.
        port: 0 takes a free one.
        host: The address to listen on. Where others can reach it, requests must bring the server's token.
        allow_writes: See ``application``.

    Raises:
        UserError: If the address is none of this machine's, or the port is taken or forbidden.
    """
    page = application(store, allow_writes=allow_writes)
    token = "" if is_loopback(host) else new_token()
    guarded = only_with_token(page, token) if token else only_local_names(page)
    kind = _SixthServer if ":" in host else DashboardServer
    try:
        server = make_wsgi_server(host, port, guarded, server_class=kind, handler_class=_Silent)
    except OSError as error:
        where = f"--host {host} --port {port}" if host != LOOPBACK else f"--port {port}"
        what = f"cannot listen there: {(error.strerror or str(error)).lower()}"
        mend = "give another --port; 0 takes a free one"
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            mend = "give --host an address of this machine, or 0.0.0.0 for all of them"
        raise UserError(where, what, mend) from error
    server.token = token
    return server

"""A small threaded server around optuna-dashboard's WSGI application."""

from __future__ import annotations

from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.simple_server import make_server as make_wsgi_server

from pokeopt.dashboard.read_only import only_reads, only_same_origin
from pokeopt.errors import UserError

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from pokeopt.store import Store

LOOPBACK = "127.0.0.1"


class DashboardServer(ThreadingMixIn, WSGIServer):
    """Answers each request in a thread of its own: one slow plot does not hold up the page."""

    daemon_threads = True  # Ctrl-C does not wait for a browser


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
    return only_same_origin(page) if allow_writes else only_reads(page)


def make_server(
    store: Store, port: int = 8080, *, host: str = LOOPBACK, allow_writes: bool = False
) -> DashboardServer:
    """Return a server that listens; ``serve_forever()`` answers, ``server_port`` says where.

    Raises:
        UserError: If the port is taken or forbidden.
    """
    page = application(store, allow_writes=allow_writes)
    try:
        return make_wsgi_server(host, port, page, server_class=DashboardServer, handler_class=_Silent)
    except OSError as error:
        what = f"cannot listen there: {(error.strerror or str(error)).lower()}"
        raise UserError(f"--port {port}", what, "give another --port; 0 takes a free one") from error

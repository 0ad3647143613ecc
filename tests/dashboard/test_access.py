"""Who is let in: this machine's own names, or who brings the token."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from pokeopt.dashboard import make_server
from pokeopt.errors import UserError
from pokeopt.store import Store, open_store
from pokeopt.store.writing import StudyWriter
from tests.dashboard.serving import answer, ask, served, serving

PATHS = ["/", "/dashboard", "/dashboard/studies/1", "/api/studies", "/static/bundle.js", "/static/pokeopt/page.css",
         "/artifacts/1/x"]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(None, tmp_path)
    StudyWriter(store, "mlp", ("maximize",), {"kind": "search", "metrics": ["val/macro_f1"]})
    return store


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nothing_is_shown(store: Store, path: str) -> None:
    with serving(store, host="0.0.0.0") as server:
        assert server.token
        url = f"http://127.0.0.1:{server.server_port}{path}"
        for extra in ("", "?token=", "?token=wrong", f"?token={server.token[:-1]}"):
            code, headers, body = answer(url + extra)
            assert (code, headers["WWW-Authenticate"]) == (401, 'Bearer realm="pokeopt"')
            assert b"mlp" not in body
        assert ask(url, Cookie="pokeopt_00000000=x; pokeopt=y")[0] == 401
        assert ask(url, Cookie='bad"cookie;;=')[0] == 401
        assert ask(url, Authorization="Bearer wrong")[0] == 401
        assert ask(url, "DELETE")[0] == 401


def test_the_printed_address_lets_a_browser_in(store: Store) -> None:
    with serving(store, host="0.0.0.0") as server:
        printed = urlsplit(server.url)
        assert parse_qs(printed.query) == {"token": [server.token]}
        base = f"http://127.0.0.1:{server.server_port}"
        code, headers, _ = answer(f"{base}/dashboard/studies/1?token={server.token}&a=b")
        assert (code, headers["Location"]) == (303, "/dashboard/studies/1?a=b"), "it leaves the address bar"
        cookie = headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert ask(f"{base}/api/studies", Cookie=cookie.partition(";")[0])[0] == 200
        assert ask(f"{base}/api/studies", Authorization=f"Bearer {server.token}")[0] == 200


def test_the_token_leads_to_no_other_site(store: Store) -> None:
    with serving(store, host="0.0.0.0") as server:
        url = f"http://127.0.0.1:{server.server_port}//evil.example/x?token={server.token}"
        assert answer(url)[1]["Location"] == "/evil.example/x"


def test_who_has_the_token_reads_only(store: Store) -> None:
    with serving(store, host="0.0.0.0") as server:
        url = f"http://127.0.0.1:{server.server_port}/api/studies/1"
        assert ask(url, "DELETE", Authorization=f"Bearer {server.token}")[0] == 403
        assert ask(f"{url}?token={server.token}", "DELETE")[0] == 401, "an address alone must not write"
    assert store.names() == ["mlp"]


def test_two_servers_have_two_tokens(store: Store) -> None:
    with make_server(store, 0, host="0.0.0.0") as one, make_server(store, 0, host="0.0.0.0") as other:
        assert one.token != other.token


def test_this_machine_needs_no_token(store: Store) -> None:
    with make_server(store, 0) as server:
        assert server.token == ""
        assert server.url == f"http://127.0.0.1:{server.server_port}/"


@pytest.mark.parametrize("path", PATHS)
def test_a_name_that_was_turned_to_this_machine_is_refused(store: Store, path: str) -> None:
    """A page of another site could otherwise read the store, or delete a study, by way of its own name."""
    with served(store, allow_writes=True) as url:
        assert ask(url + path, Host="evil.example")[0] == 403
        assert ask(url + path, Host="evil.example:80")[0] == 403
        assert ask(url + path, Host=f"localhost:{url.rpartition(':')[2]}")[0] != 403
        assert (
            ask(f"{url}/api/studies/1", "DELETE", Host="evil.example", Origin="http://evil.example")[0] == 403
        )
    assert store.names() == ["mlp"]


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_one_line(store: Store, host: str) -> None:
    with pytest.raises(UserError, match="an address of this machine") as raised:
        make_server(store, 0, host=host)
    assert len(str(raised.value).splitlines()) == 1

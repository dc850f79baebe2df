"""Who may ask, and for what."""

from __future__ import annotations

import http.client
import json
import os
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import websocket
from tests.browser import studio
from tests.browser.studio import Server
from tests.server.support import Listener

from nbcellar.server.routes import ROUTES

# Allows reading to all, the rest to nobody; loaded from the server's configuration, as an operator would.
_READER = """
from jupyter_server.auth import Authorizer

class Reader(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return resource != "nbcellar" or action == "read"

c.ServerApp.authorizer_class = Reader
"""


class Signed:
    """A browser that has signed in: a cookie instead of the token."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.cookies: dict[str, str] = {}
        self.ask("GET", f"/nbcellar/?token={server.token}")

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=60)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request(method, path, body, {"Cookie": cookies, **(headers or {})})
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        answer.text = answer.read().decode()  # type: ignore[attr-defined]
        connection.close()
        return answer


@pytest.fixture
def signed(server: Server) -> Signed:
    return Signed(server)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, own_environment: Path) -> Iterator[Server]:
    """A server whose users may only read."""
    folder = tmp_path_factory.mktemp("reader")
    config = folder / "reader.py"
    config.write_text(_READER)
    with studio.serve(folder / "root", module="nbcellar.server", options=[f"--config={config}"]) as running:
        yield running


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_no_route_answers_without_a_token(server: Server, route: Any) -> None:
    body = {} if route.method == "POST" else None
    for token in (None, "wrong"):
        status, answer = server.ask(f"nbcellar/api/{route.name}", body, token=token)
        assert status == 403
        assert set(answer) <= {"code", "message", "hint"} or "message" in answer


@pytest.mark.parametrize("address", ["api", "api/openapi.json", "api/none", ""])
def test_no_page_answers_without_a_token(server: Server, address: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", f"/nbcellar/{address}")
    answer = connection.getresponse()
    assert answer.status in (302, 403)
    assert answer.status == 403 or answer.headers["Location"].startswith("/login?next=%2Fnbcellar%2F")
    connection.close()


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "POST"], ids=lambda route: route.name)
def test_nothing_is_changed_by_a_cookie_without_the_xsrf_token(signed: Signed, route: Any) -> None:
    body, kind = b'{"path": "x"}', {"Content-Type": "application/json"}
    assert signed.ask("POST", f"/nbcellar/api/{route.name}", body, kind).status == 403
    wrong = {**kind, "X-XSRFToken": "2|00000000|00000000000000000000000000000000|0"}
    assert signed.ask("POST", f"/nbcellar/api/{route.name}", body, wrong).status == 403
    right = {**kind, "X-XSRFToken": signed.cookies["_xsrf"]}
    assert signed.ask("POST", f"/nbcellar/api/{route.name}", b'{"none": 1}', right).status == 400


def test_another_site_gets_nowhere_with_a_cookie(server: Server, signed: Signed, folder: Path) -> None:
    elsewhere = {"Origin": "http://evil.example", "Referer": "http://evil.example/"}
    headers = {**elsewhere, "Content-Type": "application/json", "X-XSRFToken": signed.cookies["_xsrf"]}
    body = json.dumps({"path": folder.name}).encode()
    assert signed.ask("POST", "/nbcellar/api/init", body, headers).status in (403, 404)
    answer = signed.ask("GET", f"/nbcellar/api/standing?path={folder.name}", headers=elsewhere)
    assert answer.headers["Access-Control-Allow-Origin"] is None
    assert not (folder / ".cellar").exists()
    cookie = "; ".join(f"{name}={value}" for name, value in signed.cookies.items())
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        Listener(server, headers={"Authorization": ""}, cookie=cookie, origin="http://evil.example")


def test_a_token_may_be_in_the_address(server: Server) -> None:
    address = f"nbcellar/api/standing?path=&token={server.token}&no_track_activity=1"
    assert server.ask(address, token=None)[0] == 200


def test_a_socket_needs_the_token(server: Server) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        Listener(server, headers={"Authorization": "token wrong"})


def test_no_route_is_asked_by_another_method(server: Server) -> None:
    for route in ROUTES:
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - {route.method}:
            status, _ = server.ask(f"nbcellar/api/{route.name}?path=x", {} if method == "POST" else None, method=method)
            assert status == 405, (method, route.name)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_an_authorizer_decides_what_may_be_done(reader: Server, route: Any) -> None:
    body = {"none": 1} if route.method == "POST" else None
    status, answer = reader.ask(f"nbcellar/api/{route.name}?none=1", body)
    refused = (400, "the request doe") if route.action == "read" else (403, "you are not all")
    assert (status, answer["message"][:15]) == refused


def test_what_runs_code_needs_more_than_what_writes() -> None:
    actions = {route.name: route.action for route in ROUTES}
    assert {name for name, action in actions.items() if action == "execute"} >= {
        *("undo", "undo-to", "redo", "checkout", "restore", "attach", "cancel"),
    }
    assert all(route.action == "read" for route in ROUTES if route.method == "GET")


# paths ---------------------------------------------------------------------------------------------------------------

_OUTSIDE = ("../", "a/../../b", "/../etc/passwd", "out/x.ipynb", "a\0b", "..", "deep/out/x.ipynb", "loop/x", "a" * 5000)


def test_no_path_leads_out_of_the_root(server: Server) -> None:
    for name in ("out", "deep/out"):
        link = server.folder / name
        link.parent.mkdir(exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(server.folder.parent)
    if not (server.folder / "loop").is_symlink():
        (server.folder / "loop").symlink_to("loop")
    for path in _OUTSIDE:
        status, answer = server.ask("nbcellar/api/init", {"path": path})
        assert status in (400, 404), (path, answer)
        status, answer = server.ask(f"nbcellar/api/standing?{urllib.parse.urlencode({'path': path})}")
        assert status in (400, 404), (path, answer)
    assert not (server.folder.parent / ".cellar").exists()


@pytest.mark.parametrize("path", ["%2e%2e/x", "..%2fx", "C:\\x.ipynb", "..\\x", "\\\\host\\share\\x"])
def test_what_is_a_name_here_is_taken_as_a_name(server: Server, path: str) -> None:
    status, answer = server.ask(f"nbcellar/api/standing?{urllib.parse.urlencode({'path': path})}")
    assert (status, answer.get("repository", "")) == (200, "") or status in (400, 404), answer


@pytest.mark.parametrize("path", [".secret/a.ipynb", "a/.cellar/meta.db", "link/a.ipynb"])
def test_hidden_files_are_not_there(server: Server, path: str) -> None:
    (server.folder / ".secret").mkdir(exist_ok=True)
    if not (server.folder / "link").is_symlink():
        (server.folder / "link").symlink_to(".secret")
    status, answer = server.ask("nbcellar/api/init", {"path": path})
    assert (status, "hidden" in answer["message"]) == (404, True)


def test_a_notebook_on_another_drive_is_said_to_be(server: Server) -> None:
    status, answer = server.ask("nbcellar/api/standing?path=s3:bucket/a.ipynb")
    assert (status, "drive 's3'" in answer["message"]) == (400, True)


def test_a_repository_above_the_root_is_used_and_not_located(tmp_path: Path, own_environment: Path) -> None:
    from nbcellar.api.repo import init

    init(tmp_path, environ=os.environ).close()
    with studio.serve(tmp_path / "inner" / "root", module="nbcellar.server") as inner:
        studio.write_notebook(inner.folder / "a.ipynb", ["x = 1"])
        status, standing = inner.ask("nbcellar/api/standing?path=a.ipynb")
        assert status == 200
        assert str(tmp_path) not in json.dumps(standing), standing
        assert standing["repository"] == "../.."


# what is sent --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_taken(server: Server, folder: Path, kind: str) -> None:
    status, _ = server.ask("nbcellar/api/init", {"path": folder.name}, headers={"Content-Type": kind})
    assert status == 415 or (status == 400 and kind == "multipart/form-data")  # tornado's own refusal
    assert not (folder / ".cellar").exists()


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b"[" * 200_000, b'{"path": 1}', b'{"path": "\\ud800"}', b"{}"],
)
def test_what_does_not_fit_is_refused(server: Server, body: bytes) -> None:
    status, answer = server.ask("nbcellar/api/init", body, method="POST")
    assert (status, answer["code"]) == (400, "invalid-input"), answer


@pytest.mark.parametrize("asked", ["log?limit", "log?skip", "history?skip", "history?have", "git-log?limit"])
@pytest.mark.parametrize("number", ["-1", "9" * 30])
def test_a_stretch_of_a_list_has_a_beginning_and_a_length(server: Server, asked: str, number: str) -> None:
    status, answer = server.ask(f"nbcellar/api/{asked}={number}&path=a.ipynb")
    assert (status, answer["code"]) == (400, "invalid-input"), answer


@pytest.mark.parametrize("depth", range(960, 1000, 5))
def test_a_notebook_that_is_nested_too_deeply_is_no_fault_of_the_server(server: Server, depth: int) -> None:
    notebook = '{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {"a": %s}}' % ("[" * depth + "]" * depth)
    after = f'{{"kind": "open", "notebook": {notebook}}}'
    body = f'{{"path": "a.ipynb", "before": {{"kind": "nothing"}}, "after": {after}}}'
    status, answer = server.ask("nbcellar/api/diff", body.encode(), method="POST")
    assert status == 200 or (status, answer["code"]) == (400, "invalid-input"), answer


def test_a_body_has_a_limit(server: Server) -> None:
    status, answer = server.ask("nbcellar/api/init", b" " * (65 << 20), method="POST")
    assert (status, answer["code"]) == (413, "http")


def test_what_is_no_route_is_not_the_page(server: Server) -> None:
    for method, body in (("GET", None), ("POST", {})):
        status, answer = server.ask("nbcellar/api/none", body, method=method)
        assert (status, answer["code"]) == (404, "http")


def test_a_socket_that_sends_anything_else_is_closed(server: Server) -> None:
    for text, code in (("{", 1003), ('{"x": 1}', 1003), ("[" * 100_000, 1003)):
        listener = Listener(server)
        listener.send(text)
        assert listener.closing_code() == code
    listener = Listener(server)
    listener.subscribe(*map(str, range(1001)))
    assert listener.closing_code() == 1008


def test_errors_say_nothing_of_other_folders(server: Server, folder: Path) -> None:
    (folder / ".cellar").mkdir(mode=0o700)
    (folder / ".cellar" / "meta.db").write_bytes(b"no database" * 100)
    studio.write_notebook(folder / "a.ipynb", [])
    status, answer = server.ask(f"nbcellar/api/log?path={folder.name}/a.ipynb")
    assert status >= 400
    assert str(server.folder) not in json.dumps(answer)
    assert "Traceback" not in json.dumps(answer)

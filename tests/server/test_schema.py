"""The description of the routes."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from tests.browser.studio import Server

from nbcellar.server.openapi import document
from nbcellar.server.reference import page, table
from nbcellar.server.routes import ROUTES

_ROOT = Path(__file__).parents[2]


def test_the_schema_is_that_of_the_routes() -> None:
    written = json.loads((_ROOT / "schema" / "openapi.json").read_text("utf-8"))
    assert written == json.loads(json.dumps(document())), "write it anew with: python schema/write.py"


def test_the_table_in_the_documentation_is_that_of_the_routes() -> None:
    spec = importlib.util.spec_from_file_location("write", _ROOT / "schema" / "write.py")
    assert spec is not None and spec.loader is not None
    write = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(write)
    written = (_ROOT / "docs" / "server.md").read_text("utf-8")
    assert written == write.page(written), "write it anew with: python schema/write.py"


def test_every_route_is_in_the_page_and_in_the_table() -> None:
    for route in ROUTES:
        assert f"{route.method} nbcellar/api/{route.name}" in page("x")
        assert f"`{route.method} nbcellar/api/{route.name}`" in table()


def test_every_route_says_what_it_does() -> None:
    assert [route.name for route in ROUTES if not route.does.__doc__] == []
    assert len({route.name for route in ROUTES}) == len(ROUTES)


def test_what_asks_a_kernel_takes_no_thread_from_what_reads_the_store() -> None:
    reading = {route.name for route in ROUTES if route.method == "GET" and route.lane == "live"}
    assert reading == {"standing", "lost-session"}, "no other route that reads asks a kernel"


def test_the_page_of_routes_is_under_the_policy(server: Server) -> None:
    status, text = server.ask("nbcellar/api")
    assert status == 200
    assert "<script" not in text and "nbcellar/api/undo" in text

"""Whatever fits the schema of a route, or nearly does: an answer or a refusal, never a fault of the server."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.browser import studio
from tests.browser.studio import Server

from nbcellar.server.route import Route
from nbcellar.server.routes import ROUTES

# What a history, a notebook or a folder may be called, right and wrong.
_WORDS = ("", "HEAD", "HEAD~1", "main", "x", "a.ipynb", "nb", "nb/a.ipynb", "..", "/", "a@b", "0" * 64, "\0", "é")
# Would end the server.
_LEFT_OUT = {"finish", "merge-end"}
_texts = st.one_of(st.sampled_from(_WORDS), st.text(max_size=20))
_numbers = st.one_of(st.integers(-3, 9), st.sampled_from([2**31, 2**63 - 1, -(2**63), 10**20]))
_anything = st.recursive(
    st.one_of(st.none(), st.booleans(), _numbers, st.floats(allow_nan=False, allow_infinity=False), _texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_texts, inner, max_size=3)),
    max_leaves=6,
)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for what a field of a struct may hold, as plain data."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return structs(kind)
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is Union or str(origin) == "<class 'types.UnionType'>":
        return st.one_of(*map(values, parts))
    if origin in (list, tuple):
        return st.lists(values(parts[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(_texts, values(parts[1]), max_size=3)
    known: dict[Any, st.SearchStrategy[Any]] = {
        str: _texts,
        int: _numbers,
        bool: st.booleans(),
        float: st.floats(-10, 10),
        type(None): st.none(),
    }
    return known.get(kind, _anything)


def structs(kind: type[msgspec.Struct]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for a struct as plain data, with any of its optional fields left out."""
    required, optional = {}, {}
    for field in msgspec.structs.fields(kind):
        (required if field.required else optional)[field.encode_name] = values(field.type)
    return st.fixed_dictionaries(required, optional=optional)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, own_environment: Path) -> Iterator[Server]:
    """A server of its own: what comes here makes repositories where others have tests."""
    with studio.serve(tmp_path_factory.mktemp("fuzzed") / "root", module="nbcellar.server") as running:
        yield running


@pytest.fixture(scope="module")
def folder(server: Server) -> None:
    """A notebook and a repository for requests to be about."""
    studio.write_notebook(server.folder / "nb" / "a.ipynb", ["x = 1"])
    server.ask("nbcellar/api/init", {"path": "nb"})


def _ask(server: Server, route: Route, asked: Any) -> tuple[int, Any]:
    if route.method == "POST":
        body = json.dumps(asked).encode("utf-8", "surrogatepass")
        return server.ask(f"nbcellar/api/{route.name}", body, method="POST")
    plain = {name: json.dumps(value) if isinstance(value, bool | int) else value for name, value in asked.items()}
    query = urllib.parse.urlencode({k: v for k, v in plain.items() if v is not None}, errors="surrogatepass")
    return server.ask(f"nbcellar/api/{route.name}?{query}")


@pytest.mark.slow
@pytest.mark.parametrize("route", [r for r in ROUTES if r.name not in _LEFT_OUT], ids=lambda route: route.name)
def test_no_request_is_a_fault_of_the_server(server: Server, folder: None, route: Route) -> None:
    @settings(max_examples=25, database=None)
    @given(structs(route.takes))
    def ask(asked: Any) -> None:
        status, answer = _ask(server, route, asked)
        assert status < 500 or answer["code"] != "internal", (route.name, asked, answer)
        if status == 200:
            msgspec.convert(answer, route.gives)

    ask()

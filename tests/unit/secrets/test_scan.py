"""A secret is found wherever a history can keep it, and never shown."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.search.conftest import Past, bundle, document, make_past, stream

from nbcellar.api import Repo, secret_scan
from nbcellar.history.model import CellError, CellRun, CommitKind
from nbcellar.history.repository import Repository
from nbcellar.secrets.scan import Finding, Scan, scan
from nbcellar.secrets.strings import pickled_strings, runs_of_text

TOKEN = "gh" + "p_" + "Zk3fVq81LmXc72RtYw0BnHs94JdPoEuAi65G"
PASSWORD = "Zw3!" + "bear-Qx"


def find(past: Past, **options: Any) -> Scan:
    return scan(
        past.repo,
        read_value=lambda data, limit: secret_scan.read_value(past.repo, data, limit),
        read_environment=secret_scan.environment_texts,
        **options,
    )


def places(found: Iterable[Finding]) -> set[tuple[str, str, int, int]]:
    """Return (where, name, cell, line) of every place."""
    return {(p.where, p.name, p.cell, p.line) for finding in found for p in finding.places}


def test_a_token_is_found_in_every_place_that_keeps_texts(past: Past) -> None:
    environ = msgspec.msgpack.encode(([[b"SOME_NAME", TOKEN.encode()]], []))
    past.cell(
        f"a = 1\nclient = connect('{TOKEN}')",
        outputs=[stream(f"one\ntwo {TOKEN}\n"), bundle(text_html=f"<a href='{TOKEN}'>x</a>")],
        put={"shown": f"<Client {TOKEN}>", "held": pickle.dumps(({"client": ["x", TOKEN]},), 5)},
        file=document("pass", f"draft('{TOKEN}')"),
        ambient={"environ": environ},
        notes=(f"wrote {TOKEN}",),
    )
    past.cell(cell=None, kind=CommitKind.NAMED, message=f"with {TOKEN}")
    past.cell(cell=CellRun("c", "1/0", 1, error=CellError("ValueError", f"bad {TOKEN}", 1)))
    found = find(past)
    (finding,) = found.findings
    assert (finding.text, finding.kind) == (TOKEN, "GitHub token")
    assert places(found.findings) == {
        ("code", "", 0, 2),
        ("output", "", 0, 2),
        ("output", "", 0, 1),
        ("preview", "shown", 0, 1),
        ("value", "held", 0, 0),
        ("document", "", 2, 1),
        ("environment", "SOME_NAME", 0, 0),
        ("note", "", 0, 1),
        ("message", "", 0, 1),
    }


def test_a_password_is_known_by_the_variable_or_the_key_that_holds_it(past: Past) -> None:
    past.cell(
        put={
            "db_pwd": pickle.dumps((PASSWORD,), 5),
            "title": pickle.dumps((PASSWORD + "1",), 5),
            "config": pickle.dumps(({"user": "ana", "password": PASSWORD + "2"},), 5),
            "configs": pickle.dumps(([{"password": "none"}, {"password": PASSWORD + "3"}],), 5),
        }
    )
    assert {f.text for f in find(past).findings} == {PASSWORD, PASSWORD + "2", PASSWORD + "3"}


def test_an_environment_variable_is_judged_by_its_name(past: Past) -> None:
    environ = msgspec.msgpack.encode(([[b"DB_PASS", PASSWORD.encode()], [b"TITLE", (PASSWORD + "x").encode()]], []))
    past.cell(ambient={"environ": environ})
    assert [f.text for f in find(past).findings] == [PASSWORD]


def test_a_secret_that_only_a_deleted_branch_holds_is_found(past: Past) -> None:
    start = past.cell("start")
    past.cell(f"x = '{TOKEN}'")
    past.cell("aside", parent=start)
    past.repo.delete_branch(past.notebook, "main")
    assert len(find(past).findings) == 1
    assert find(past, commits={start}).findings == ()


@pytest.mark.parametrize(
    "comment", ["# pragma: allowlist secret", "#cellar: not-a-secret", "# noqa  # cellar:not-a-secret"]
)
def test_a_line_that_says_that_it_is_no_secret_is_believed_wherever_the_text_stands(past: Past, comment: str) -> None:
    past.cell(f"x = '{TOKEN}'  {comment}", outputs=[stream(TOKEN)])
    found = find(past)
    assert (found.findings, found.allowed) == ((), 1)


def test_ids_and_patterns_that_are_allowed_are_left_out_and_counted(past: Past) -> None:
    past.cell(f"x = '{TOKEN}'\npassword = '{PASSWORD}'")
    first, second = find(past).findings
    assert [f.text for f in find(past, allow=[first.fingerprint]).findings] == [second.text]
    found = find(past, allow=[first.fingerprint, second.text[:3] + "*"])
    assert (found.findings, found.allowed) == ((), 2)


def test_an_id_is_of_one_repository_only() -> None:
    ids = set()
    for _ in range(2):
        with make_past() as made:
            made.past.cell(f"x = '{TOKEN}'")
            ids.add(find(made.past).findings[0].fingerprint)
    assert len(ids) == 2


def test_of_a_large_value_the_beginning_is_looked_at_and_it_is_counted(past: Past) -> None:
    past.cell(put={"big": pickle.dumps((TOKEN + " " + "x" * 2_000_000,), 5)})
    found = find(past)
    assert ([f.text for f in found.findings], found.values_in_part) == ([TOKEN], 1)


@pytest.mark.parametrize(
    "payload", [b"", b"\x80", b"\x80\x05\x8c\xff", b"\xff" * 100, b"cos\nsystem\n(S'x'\ntR.", b"\x8d" * 50]
)
def test_a_stream_that_is_no_pickle_is_looked_at_all_the_same(past: Past, payload: bytes) -> None:
    past.cell(put={"x": payload + TOKEN.encode()})
    assert [f.text for f in find(past).findings] == [TOKEN]


def test_a_manifest_that_is_none_is_named_and_the_rest_is_looked_at(past: Past) -> None:
    past.cell(f"x = '{TOKEN}'")
    with past.repo.begin(past.notebook, past.key) as recorder:
        from nbcellar.history.model import COMMIT_FORMAT, Commit, Covariable, StateDelta
        from nbcellar.store.interface import Kind

        value = recorder.put(Kind.VALUE, b"no manifest")
        head = past.head
        assert head is not None
        state = StateDelta(None, (Covariable(("x",), value, b"1" * 16),))
        recorder.commit(Commit(COMMIT_FORMAT, past.notebook, (head,), CommitKind.AUTO, 1, state=state))
        recorder.finish()
    found = find(past)
    assert (len(found.findings), len(found.damaged)) == (1, 1)


def test_a_report_shows_no_secret(tmp_path: Path, local: Past) -> None:
    local.cell(f"x = '{TOKEN}'\npassword = '{PASSWORD}'", put={"token_of_ana": pickle.dumps((TOKEN,), 5)})
    local.repo.close()
    with Repository.open(tmp_path) as repo:
        shown = Repo(repo, environ={"NBCELLAR_CONFIG_DIR": str(tmp_path / "config")}, folder=tmp_path).scan_secrets()
        text = msgspec.json.encode(shown).decode()
        assert len(shown.secrets) == 2
        assert secret_scan.text_of(Repo(repo, environ={}, folder=tmp_path), shown.secrets[0].id[:6]) == TOKEN
    for secret in (TOKEN, PASSWORD):
        assert not any(secret[at : at + 5] in text for at in range(len(secret) - 4))
    assert json.loads(text)["secrets"][0]["forget"].startswith("cellar forget --secret ")


@given(st.lists(st.one_of(st.text(max_size=40), st.integers(), st.binary(max_size=20)), max_size=10), st.integers(0, 5))
def test_the_strings_of_a_pickle_are_its_strings(values: list[object], protocol: int) -> None:
    values = [value.encode("utf-8", "replace").decode() if isinstance(value, str) else value for value in values]
    stream = pickle.dumps(values, protocol)
    found = pickled_strings(stream)
    if protocol:  # 0 writes bytes as text, too
        assert [text for text in found if text in values] == found or protocol < 3
    assert {value for value in values if isinstance(value, str)} <= set(found)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-32-le"])
def test_text_in_memory_is_found_in_one_two_and_four_bytes_a_letter(encoding: str) -> None:
    memory = b"\x00\x01\xfe\xff" * 10 + f"__{TOKEN}__".encode(encoding) + bytes(64)
    assert any(TOKEN in text for text in runs_of_text(memory))

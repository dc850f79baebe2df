"""The routes about archives of results: written, looked into, taken in; whatever is wrong with one is refused whole."""

from __future__ import annotations

import gzip
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.studio import Server, add_kernelspec, write_notebook
from tests.pipeline.archives import MALLORY, changed, contents, manifest_of, members_of, pack, signed_anew

import nbcellar
from nbcellar import config
from nbcellar.history.repository import Repository
from nbcellar.trust.decisions import TrustStore, Verdict
from nbcellar.trust.keys import fingerprint

SOURCES = ("x = 1", "y = x + 1", "def z():\n    return y")
NAME = "results.tar.gz"
STRANGER = fingerprint(MALLORY.key_id)


class Results:
    """A notebook whose pipeline was run, and what is asked about archives of its results."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.path = f"{folder.name}/a.ipynb"
        self.file = write_notebook(folder / "a.ipynb", SOURCES)
        self.archive = folder / NAME

    def record(self) -> Results:
        assert self.server.ask("nbcellar/api/init", {"path": self.path})[0] == 200
        return self

    def run(self) -> Results:
        assert {step.state for step in nbcellar.run_pipeline(self.file).steps} == {"done"}
        return self

    def export(self, name: str = NAME, **asked: Any) -> tuple[int, Any]:
        return self.server.ask("nbcellar/api/pipeline-results-export", {"path": self.path, "name": name, **asked})

    def look(self, archive: str = "") -> tuple[int, Any]:
        archive = archive or f"{self.folder.name}/{NAME}"
        return self.server.ask(f"nbcellar/api/pipeline-results-look?path={self.path}&archive={archive}")

    def take_in(self, *trust: str, archive: str = "") -> tuple[int, Any]:
        asked = {"path": self.path, "archive": archive or f"{self.folder.name}/{NAME}", "trust": trust}
        return self.server.ask("nbcellar/api/pipeline-results-import", asked)

    def clear(self) -> None:
        assert len(nbcellar.clear_results(self.file).cleared) == len(SOURCES)
        assert self.cached() == []

    def cached(self) -> list[str]:
        return [found.name for found in nbcellar.list_results(self.file).components if found.cached]

    def by_a_stranger(self) -> None:
        """Have somebody else sign what was exported."""
        members = members_of(self.archive)
        pack(self.archive, signed_anew(manifest_of(members), members, MALLORY))


@pytest.fixture
def results(server: Server, folder: Path) -> Results:
    return Results(server, folder).record().run()


@pytest.fixture(scope="module")
def exported(server: Server) -> tuple[Results, bytes]:
    """A notebook whose results are in an archive only, and the archive's bytes: for what is refused."""
    made = server.folder / secrets.token_hex(4)
    made.mkdir()
    results = Results(server, made).record().run()
    assert results.export()[0] == 200
    results.clear()
    return results, results.archive.read_bytes()


@pytest.fixture
def refusing(exported: tuple[Results, bytes]) -> Iterator[Results]:
    """That notebook, with the archive as it was; what a test refuses has changed nothing."""
    results, data = exported
    if results.archive.is_dir():
        results.archive.rmdir()
    results.archive.write_bytes(data)
    before = contents(results.folder)
    yield results
    assert contents(results.folder) == before


def test_what_is_exported_is_looked_into_and_taken_in_again(results: Results) -> None:
    status, exported = results.export()
    assert status == 200, exported
    assert (exported["archive"]["file"], exported["left_out"]) == (f"{results.folder.name}/{NAME}", {})
    status, shown = results.look()
    assert status == 200, shown
    assert shown == exported["archive"]
    assert (shown["checked"], shown["signer"]["trust"]) == (True, "own")
    assert {found["component"] for found in shown["results"]} == {"x", "y", "z"}
    runs = {value["name"]: value["runs_code"] for found in shown["results"] for value in found["values"]}
    assert runs == {"x": False, "y": False, "z": True}
    results.clear()
    assert results.take_in() == (200, {"new": 3, "known": 0, "trusted": []})
    assert results.cached() == ["x", "y", "z"]
    assert results.take_in() == (200, {"new": 0, "known": 3, "trusted": []})


def test_a_stranger_is_trusted_only_when_the_request_names_the_whole_key(results: Results) -> None:
    assert results.export()[0] == 200
    results.by_a_stranger()
    results.clear()
    before = contents(results.folder)
    status, shown = results.look()
    assert (status, shown["signer"]) == (200, {"key": STRANGER, "name": "", "trust": "untrusted"})
    status, refused = results.take_in()
    assert (status, refused["code"]) == (403, "not-trusted"), refused
    assert STRANGER in refused["message"]
    assert str(results.server.folder) not in str(refused)
    for key, expected in ((STRANGER[:13], 400), (STRANGER[::-1], 404), ("", 400), ("*", 400)):
        assert results.take_in(key)[0] in (400, expected), key
    assert contents(results.folder) == before
    assert results.look()[1]["signer"]["trust"] == "untrusted"
    assert results.take_in(STRANGER) == (200, {"new": 3, "known": 0, "trusted": [STRANGER]})
    assert results.cached() == ["x", "y", "z"]
    assert results.look()[1]["signer"]["trust"] == "trusted"


def test_a_blocked_signer_stays_blocked(results: Results) -> None:
    assert results.export()[0] == 200
    results.by_a_stranger()
    results.clear()
    with Repository.open(results.folder, by="") as repo:
        decided = TrustStore(config.user_folder(os.environ))
        decided.add(repo.project, MALLORY.key_id, now_ns=1, verdict=Verdict.BLOCKED)
    assert results.look()[1]["signer"]["trust"] == "blocked"
    status, refused = results.take_in(STRANGER)
    assert (status, refused["code"], "is blocked" in refused["message"]) == (403, "not-trusted", True)
    assert results.cached() == []


def _flipped(path: Path) -> None:
    members = members_of(path)
    name, data = members[-1]
    pack(path, [*members[:-1], (name, bytes([data[0] ^ 1]) + data[1:])])


def _said_otherwise(path: Path) -> None:
    members = members_of(path)
    (name, manifest), *rest = members
    pack(path, [(name, manifest.replace(b'"a.ipynb"', b'"b.ipynb"')), *rest])


def _newer(path: Path) -> None:
    pack(path, changed(members_of(path), format=99))


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (_flipped, "does not match its digest"),
        (_said_otherwise, "its signature does not hold"),
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "is cut off"),
        (lambda path: path.write_bytes(path.read_bytes()[:1]), "is no archive of results"),
        (lambda path: path.write_bytes(path.read_bytes() + b"more"), "something after its end"),
        (_newer, "it is of format 99; this Cellar reads up to 1"),
        (lambda path: path.write_bytes(gzip.compress(b"words" * 500)), "is no archive of results"),
        (lambda path: path.write_bytes(b"\x80\x04cos\nsystem\n."), "which is never loaded"),
        (lambda path: path.write_bytes(b"PK"), "a zip archive"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: (path.unlink(), path.mkdir()), "is no file"),
        (lambda path: path.unlink(), "there is no file"),
    ],
)
def test_what_is_wrong_with_an_archive_is_said_and_nothing_is_kept(
    refusing: Results, harm: Callable[[Path], Any], told: str
) -> None:
    harm(refusing.archive)
    for status, answer in (refusing.look(), refusing.take_in()):
        assert status in (400, 404), answer
        assert told in answer["message"], answer
        assert str(refusing.server.folder) not in str(answer)


@pytest.mark.parametrize(
    "archive", ["../x.tar.gz", "a/../../x.tar.gz", "out.tar.gz", ".hidden/x.tar.gz", "", "a\0b", "x" * 5000]
)
def test_no_archive_outside_or_hidden_is_read(refusing: Results, tmp_path: Path, archive: str) -> None:
    results, data = refusing, refusing.archive.read_bytes()
    (results.server.folder.parent / "x.tar.gz").write_bytes(data)
    (tmp_path / "x.tar.gz").write_bytes(data)
    (results.folder / "out.tar.gz").unlink(missing_ok=True)
    (results.folder / "out.tar.gz").symlink_to(tmp_path / "x.tar.gz")
    (results.folder / ".hidden").mkdir(exist_ok=True)
    (results.folder / ".hidden" / "x.tar.gz").write_bytes(data)
    inside = archive if archive.startswith("..") else f"{results.folder.name}/{archive}"
    status, answer = results.take_in(archive=inside)
    assert status in (400, 404), answer
    if "\0" not in archive:
        assert results.look(inside)[0] in (400, 404)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", ".tar.gz", "x", "x.ipynb", "a.ipynb", "../x.tar.gz", "/x.tar.gz", "sub/x.tar.gz"),
        *(
            "..\\x.tar.gz",
            "a\0.tar.gz",
            "a\n.tar.gz",
            "\ud800.tar.gz",
            "x" * 250 + ".tar.gz",
            "link.tar.gz",
            "dir.tar.gz",
        ),
    ],
)
def test_an_archive_is_written_beside_the_notebook_or_not_at_all(refusing: Results, tmp_path: Path, name: str) -> None:
    results = refusing
    (results.folder / "sub").mkdir(exist_ok=True)
    (results.folder / "dir.tar.gz").mkdir(exist_ok=True)
    (results.folder / "link.tar.gz").unlink(missing_ok=True)
    (results.folder / "link.tar.gz").symlink_to(tmp_path / "x.tar.gz")
    there = sorted(results.server.folder.parent.rglob("*.tar.gz"))
    status, answer = results.export(name)
    assert (status, answer["code"]) == (400, "invalid-input"), answer
    assert sorted(results.server.folder.parent.rglob("*.tar.gz")) == there
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_archive_of_results_is_never_written_over(results: Results) -> None:
    for data in (gzip.compress(b"somebody's data" * 99), b"plain"):
        results.archive.write_bytes(data)
        for replace in (False, True):
            status, answer = results.export(replace=replace)
            assert (status, answer["code"], "not written over" in answer["message"]) == (400, "invalid-input", True)
        assert results.archive.read_bytes() == data
    results.archive.unlink()
    assert results.export()[0] == 200
    status, answer = results.export()
    assert (status, answer["code"]) == (409, "already-exists")
    assert results.export(replace=True)[0] == 200


def test_without_a_repository_a_file_or_a_result_that_is_said(server: Server, folder: Path) -> None:
    results = Results(server, folder)
    results.archive.write_bytes(b"x")
    for status, answer in (results.export(), results.look(), results.take_in()):
        assert (status, answer["code"]) == (404, "no-repository"), answer
    results.archive.unlink()
    status, answer = results.record().export()
    assert (status, answer["code"]) == (404, "not-found"), answer
    assert "has no result to export" in answer["message"]
    assert str(server.folder) not in str(answer)
    assert not results.archive.exists()
    results.path = f"{folder.name}/none.ipynb"
    assert results.export()[0] == results.take_in()[0] == 404
    results.path = folder.name
    assert results.export()[0] == results.look()[0] == 400


def test_in_another_environment_the_results_are_those_of_that_one(results: Results) -> None:
    name = f"elsewhere-{results.folder.name}"
    add_kernelspec(name, [sys.executable, "-m", "ipykernel_launcher"], env={"ELSEWHERE": "yes"})
    status, exported = results.export("-odd.tar.gz", kernel=name)
    assert status == 200, exported
    assert len(exported["archive"]["results"]) == 3
    status, shown = results.look(f"{results.folder.name}/-odd.tar.gz")
    assert (status, shown) == (200, exported["archive"])
    assert results.export("b.tar.gz", kernel="nobody")[0] == 404

"""Checkout of code: nothing is lost, nothing that is open is overwritten."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest


@pytest.fixture
def file(shell: Any, analysis: Any) -> Path:
    """The notebook's file; its code is that of v1 at first."""
    path: Path = shell.folder / "analysis.ipynb"
    return path


def source_of(path: Path) -> str:
    return "".join(json.loads(path.read_text())["cells"][1]["source"])


def test_the_code_of_a_commit_comes_back(shell: Any, file: Path) -> None:
    assert shell.run("checkout HEAD --code") == 0
    assert source_of(file) == "x = 2"
    assert shell.run("checkout v1 --code") == 0
    assert source_of(file) == "x = 1"


def test_a_file_that_was_never_recorded_is_recorded_before_it_is_replaced(shell: Any, file: Path) -> None:
    mine = file.read_bytes().replace(b"x = 1", b"precious = 1")
    file.write_bytes(mine)
    file.chmod(0o640)
    assert shell.run("checkout v1 --code") == 0
    assert "note: analysis.ipynb as it was comes back with: cellar checkout --code " in shell.out
    assert source_of(file) == "x = 1"
    assert file.stat().st_mode & 0o777 == 0o640
    assert shell.run(shell.out.split("cellar ")[-1]) == 0
    assert file.read_bytes() == mine


def test_a_file_that_cannot_be_recorded_is_not_replaced(shell: Any, file: Path) -> None:
    file.write_text("<<<<<<< ours")
    assert shell.run("checkout v1 --code") == 2
    assert "cannot be recorded first" in shell.err
    assert file.read_text() == "<<<<<<< ours"


def test_a_deleted_file_comes_back(shell: Any, file: Path) -> None:
    file.unlink()
    assert shell.run("checkout HEAD --code") == 0
    assert source_of(file) == "x = 2"


def test_a_commit_without_a_document_has_that_of_the_commits_before(shell: Any, file: Path) -> None:
    file.unlink()
    assert shell.run("checkout trial --code") == 0
    assert source_of(file) == "x = 1"


def test_the_notebook_of_a_live_kernel_is_not_written_but_copied(shell: Any, file: Path, analysis: Any) -> None:
    entry = {
        "protocol": 1,
        "version": "0.1.0",
        "pid": os.getpid(),
        "connection_file": "k.json",
        "notebook": analysis.notebook,
        "path": "analysis.ipynb",
        "started_ns": time.time_ns(),
    }
    folder = shell.folder / ".cellar" / "kernels"
    folder.mkdir(exist_ok=True)
    (folder / "k.json").write_text(json.dumps(entry))
    before = file.read_bytes()
    for _ in range(2):  # the second time the same copy serves
        found = shell.json("checkout HEAD --code")
    assert file.read_bytes() == before
    copies = list(shell.folder.glob("analysis-*.ipynb"))
    assert [str(path) for path in copies] == [found["code_file"]]
    assert source_of(copies[0]) == "x = 2"
    assert "so it was not changed" in found["notes"][0]


class Sessions(BaseHTTPRequestHandler):
    """Answers as a Jupyter server does that holds the notebook open."""

    def do_GET(self) -> None:
        allowed = self.headers["Authorization"] == "token secret" and self.path == "/base/api/sessions"
        session = {"type": "notebook", "path": "project/analysis.ipynb", "kernel": {"id": "abc"}}
        body = json.dumps([session]).encode()
        self.send_response(200 if allowed else 403)
        self.end_headers()
        self.wfile.write(body if allowed else b"")

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def jupyter(shell: Any) -> Iterator[HTTPServer]:
    """A server whose file lies where Jupyter's servers leave theirs."""
    with HTTPServer(("127.0.0.1", 0), Sessions) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        runtime = Path(shell.environ["JUPYTER_RUNTIME_DIR"])
        runtime.mkdir()
        info = {
            "pid": os.getpid(),
            "url": f"http://127.0.0.1:{server.server_address[1]}/base/",
            "token": "secret",
            "root_dir": str(shell.folder.parent),
        }
        (runtime / "jpserver-1.json").write_text(json.dumps(info))
        (runtime / "jpserver-2.json").write_text("{")
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("jupyter")
def test_a_notebook_that_a_server_holds_open_is_not_written(shell: Any, file: Path) -> None:
    before = file.read_bytes()
    assert shell.run("checkout HEAD --code") == 0
    assert file.read_bytes() == before
    assert "open in a Jupyter server" in shell.out


def test_commit_without_a_kernel_names_the_last_state_and_the_file(shell: Any, file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"x = 1", b"y = 9"))
    assert shell.run("commit -m 'by hand'") == 0
    assert "names the last recorded state" in shell.out
    assert shell.run("show") == 0
    assert "by hand" in shell.out and "holds variables and code" in shell.out
    file.unlink()
    assert shell.run("checkout HEAD --code") == 0
    assert source_of(file) == "y = 9"


def test_detach_and_attach_are_kept_in_the_settings(shell: Any, file: Path) -> None:
    assert shell.run("detach analysis.ipynb") == 0
    assert shell.run("status") == 0
    assert "off: record.off_notebooks has 'analysis.ipynb'" in shell.out
    assert shell.run("attach analysis.ipynb") == 0
    assert shell.run("status") == 0
    assert "off:" not in shell.out
    assert shell.run("detach --all") == 0
    assert shell.run("attach analysis.ipynb") == 1
    assert shell.out.startswith(
        "not recording analysis.ipynb\n  its next kernel will not record, because record.enabled is false"
    )


@pytest.mark.usefixtures("file")
def test_a_notebook_with_brackets_in_its_name_is_switched_off_and_on(shell: Any, analysis: Any) -> None:
    (shell.folder / "trial [1].ipynb").write_bytes((shell.folder / "analysis.ipynb").read_bytes())
    analysis.repository.notebook_for(Path("trial [1].ipynb"), create=True)
    assert shell.run("detach 'trial [1].ipynb'") == 0
    assert "cellar attach 'trial [1].ipynb'" in shell.out
    assert {line["path"]: line["off"] for line in shell.json("status")["notebooks"]} == {
        "analysis.ipynb": "",
        "trial [1].ipynb": "record.off_notebooks has 'trial [[]1].ipynb'",
    }
    assert shell.run("attach 'trial [1].ipynb'") == 0
    assert shell.run("config record.off_notebooks") == 0 and shell.out == "[]\n"

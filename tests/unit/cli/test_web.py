"""`cellar web` and `cellar diff --web`: what is refused, and what is said then. The pages are in tests/browser."""

from __future__ import annotations

import importlib.util
import io
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from nbcellar.cli import exit_codes
from nbcellar.cli.console import Console
from nbcellar.cli.main import run
from nbcellar.cli.web_server import WebServer

NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def cellar(folder: Path, *words: str) -> tuple[int, str]:
    err = io.StringIO()
    console = Console(out=io.StringIO(), err=err, environ={"HOME": str(folder)}, folder=folder)
    return run(list(words), console), err.getvalue()


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    code, said = cellar(tmp_path, "web", "nothing.ipynb")
    assert code != exit_codes.OK
    assert "no file or folder nothing.ipynb" in said


@pytest.mark.parametrize("port", ["0", "70000", "-1", "x"])
def test_what_is_no_port(tmp_path: Path, port: str) -> None:
    code, said = cellar(tmp_path, "web", "--port", port)
    assert code == exit_codes.USAGE
    assert "port" in said


def test_without_jupyter_server_the_command_to_install_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec

    def without(name: str, *rest: Any) -> Any:
        return None if name == "jupyter_server" else found(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    code, said = cellar(tmp_path, "web")
    assert code != exit_codes.OK
    assert "hint: pip install 'nbcellar[server]'" in said


def test_notebooks_that_are_the_same_open_nothing(tmp_path: Path) -> None:
    for name in ("a.ipynb", "b.ipynb"):
        (tmp_path / name).write_text(json.dumps(NOTEBOOK))
    assert cellar(tmp_path, "diff", "--web", "a.ipynb", "b.ipynb") == (exit_codes.OK, "no difference\n")


def test_what_is_no_text_is_told_before_a_server_starts(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text(json.dumps(NOTEBOOK))
    (tmp_path / "b.ipynb").write_bytes(b"\xff\xfe{")
    code, said = cellar(tmp_path, "diff", "--web", "a.ipynb", "b.ipynb")
    assert code == exit_codes.USAGE
    assert "b.ipynb is no notebook: it is no UTF-8 at byte 0" in said


def test_another_program_that_took_the_port_is_not_taken_for_the_server(tmp_path: Path) -> None:
    def greet() -> None:
        connection, _ = taken.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"\xff\0\0\0\0\0\0\0\x01\x7f")  # as sockets of kernels do

    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process,
    ):
        greeter = threading.Thread(target=greet)
        greeter.start()
        assert not WebServer(process, taken.getsockname()[1], "token", tmp_path / "log").is_up()
        greeter.join()
        process.kill()

"""Live kernels: whose entries count, and what an answer becomes."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nbcellar.api import kernels
from nbcellar.api.kernels import KernelRequests, decode_reply, find_kernel, live_kernels, to_error
from nbcellar.errors import CannotRestoreError, KernelError, NoKernelError, NotTrustedError
from nbcellar.ids import NotebookId
from nbcellar.session.entries import KernelEntry, sealed
from nbcellar.trust.keys import SigningKey

NOTEBOOK = NotebookId("ab" * 16)
KEY = SigningKey(b"k" * 32)


def write_entry(folder: Path, name: str, key: SigningKey | None = KEY, **fields: Any) -> Path:
    entry = {
        "protocol": 1,
        "version": "0.1.0",
        "pid": os.getpid(),
        "connection_file": str(folder / "kernel.json"),
        "notebook": NOTEBOOK,
        "path": "analysis.ipynb",
        "started_ns": time.time_ns(),
        **fields,
    }
    path = folder / "kernels" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    made = msgspec.convert(entry, KernelEntry)
    path.write_bytes(msgspec.json.encode(sealed(made, key) if key is not None else made))
    return path


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def reply(**fields: Any) -> str:
    return base64.b64encode(json.dumps({"protocol": 1, **fields}).encode()).decode()


def test_the_newest_live_kernel_of_the_notebook_is_found(tmp_path: Path) -> None:
    write_entry(tmp_path, "old", started_ns=time.time_ns() - 10**9, connection_file="old")
    write_entry(tmp_path, "new", connection_file="new")
    write_entry(tmp_path, "other", notebook="cd" * 16, started_ns=time.time_ns() + 10**9)
    assert find_kernel(tmp_path, NOTEBOOK).connection_file == "new"


def test_the_entry_of_a_dead_kernel_is_ignored_and_removed(tmp_path: Path) -> None:
    path = write_entry(tmp_path, "dead", pid=dead_pid())
    assert live_kernels(tmp_path) == []
    assert not path.exists()
    with pytest.raises(NoKernelError):
        find_kernel(tmp_path, NOTEBOOK)


def test_a_process_that_only_got_the_number_of_a_dead_kernel_is_not_one(tmp_path: Path) -> None:
    write_entry(tmp_path, "reused", started_ns=1)
    found = live_kernels(tmp_path)
    assert found == [] if Path("/proc/self/stat").exists() else len(found) == 1


def test_a_zombie_is_not_alive(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody took its code
    write_entry(tmp_path, "zombie", pid=process.pid)
    if Path("/proc/self/stat").exists():
        assert live_kernels(tmp_path) == []
    process.wait()


def test_a_kernel_on_another_machine_is_kept_and_named(tmp_path: Path) -> None:
    path = write_entry(tmp_path, "far", pid=dead_pid(), host="node17")
    with pytest.raises(NoKernelError, match="node17"):
        find_kernel(tmp_path, NOTEBOOK)
    assert path.exists()


def test_an_entry_that_is_being_written_is_passed_over(tmp_path: Path) -> None:
    path = write_entry(tmp_path, "torn")
    path.write_text('{"protocol": 1, "ver')
    assert live_kernels(tmp_path) == []
    assert path.exists()


@pytest.mark.parametrize("key", [None, SigningKey(b"t" * 32)])
def test_an_entry_that_somebody_else_wrote_is_not_connected_to(tmp_path: Path, key: SigningKey | None) -> None:
    write_entry(tmp_path, "theirs", key=key, connection_file=str(tmp_path / "nothing"))
    with pytest.raises(KernelError, match="not written by you") as caught:
        KernelRequests(tmp_path, key=lambda: KEY, version="0.1.0", notice=print)(NOTEBOOK, "undo", {})
    assert "%cellar" in caught.value.hint


def test_an_entry_that_was_changed_is_not_connected_to(tmp_path: Path) -> None:
    path = write_entry(tmp_path, "mine")
    path.write_text(path.read_text().replace("kernel.json", "theirs.json"))
    with pytest.raises(KernelError, match="not written by you"):
        KernelRequests(tmp_path, key=lambda: KEY, version="0.1.0", notice=print)(NOTEBOOK, "undo", {})


def test_another_protocol_is_refused_in_a_sentence(tmp_path: Path) -> None:
    write_entry(tmp_path, "newer", protocol=2, version="3.0")
    with pytest.raises(KernelError, match=r"the kernel runs Cellar 3\.0 \(protocol 2\); this is Cellar 0\.1\.0"):
        KernelRequests(tmp_path, key=lambda: KEY, version="0.1.0", notice=print)(NOTEBOOK, "undo", {})


def test_a_missing_connection_file_is_an_error_of_the_kernel(tmp_path: Path) -> None:
    write_entry(tmp_path, "gone")
    with pytest.raises(KernelError, match=r"cannot connect to the kernel of analysis\.ipynb"):
        KernelRequests(tmp_path, key=lambda: KEY, version="0.1.0", notice=print)(NOTEBOOK, "undo", {})


def test_a_result_is_returned_and_an_error_is_raised_as_its_own_class() -> None:
    assert decode_reply(reply(ok=True, result={"head": "ab"})) == {"head": "ab"}
    error = {"code": "cannot-restore", "message": "x", "hint": "y"}
    with pytest.raises(CannotRestoreError) as caught:
        decode_reply(reply(ok=False, error=error))
    assert caught.value.hint == "y"
    assert isinstance(to_error({"code": "not-trusted", "message": "m", "hint": None}), NotTrustedError)
    assert type(to_error({"code": "from the future", "message": "m"})) is KernelError


@pytest.mark.parametrize("text", ["", "?", "e30=", base64.b64encode(b"[1]").decode(), reply(ok=False)])
def test_an_answer_that_cannot_be_read_is_an_error_of_the_kernel(text: str) -> None:
    with pytest.raises(KernelError, match="cannot be read"):
        decode_reply(text)


def test_an_answer_of_another_protocol_is_refused() -> None:
    with pytest.raises(KernelError, match="protocol 7"):
        decode_reply(base64.b64encode(b'{"protocol": 7, "ok": true, "result": {}}').decode())


def test_what_the_expression_gave_is_read_or_explained() -> None:
    ok = {"user_expressions": {"r": {"status": "ok", "data": {"text/plain": "'abc='"}}}}
    assert kernels._expression_value(ok) == "abc="
    missing = {"status": "error", "ename": "ModuleNotFoundError", "evalue": "No module named 'nbcellar'"}
    with pytest.raises(KernelError) as caught:
        kernels._expression_value({"user_expressions": {"r": missing}})
    assert "%pip install nbcellar" in caught.value.hint

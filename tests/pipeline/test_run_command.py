"""`cellar pipeline run` as a process: what it prints, what it writes, how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from .support import Notebook, await_end

COMMAND = [sys.executable, "-m", "nbcellar.cli.main", "pipeline", "run", "nb.ipynb"]


def cellar(nb: Notebook, *words: str, code: int = 0) -> str:
    """Run the command to its end; return what it printed, and what it said beside."""
    done = subprocess.run(
        [*COMMAND, *words],
        cwd=nb.folder,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def without_times(printed: str) -> list[str]:
    """Return the lines without times and the blanks between columns."""
    found = re.sub(r"  [\d.]+ (ms|s)\b| in [\d.]+ (ms|s)\b", "", printed)
    return [re.sub(r"(?<=\S)  +", "  ", line).rstrip() for line in found.splitlines()]


@contextlib.contextmanager
def begun(nb: Notebook, *words: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Start the command; give it and the file that its second component makes and waits beside."""
    mark = nb.folder / "begun"
    process = subprocess.Popen(
        [*COMMAND, "--json-lines", *words], cwd=nb.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        while not mark.exists():
            assert process.poll() is None, process.communicate()
            os.sched_yield()
        yield process, mark
    finally:
        process.kill()
        process.communicate()


WAITS = (
    "__import__('pathlib').Path('new').write_text(str(__import__('os').getpid())), "
    "__import__('os').replace('new', 'begun'), __import__('time').sleep(600)"
)


def test_what_is_printed(nb: Notebook) -> None:
    nb.write("x = 2", "y = x * 2\nprint(y)", "1 / (x - 2)", parameters=None)
    assert without_times(cellar(nb, code=1)) == [
        "ran  a",
        "ran  b",
        "failed  c",
        "          cell 3, line 1: ZeroDivisionError: division by zero",
        "2 ran, 1 failed",
    ]
    nb.write("x = 3", "y = x * 2\nprint(y)", "1 / (x - 2)", "z = y")
    assert without_times(cellar(nb, "--dry-run")) == [
        "would run a  its code changed",
        "would run b  'a' runs before it",
        "would run c  'a' runs before it",
        "would run d  'b' runs before it",
        "4 would run",
    ]


def test_outputs_are_written_where_they_belong_and_nothing_else_is_touched(nb: Notebook) -> None:
    nb.write("x = 2", "print(x)")
    before = json.loads(nb.path.read_text("utf-8"))
    cellar(nb, "--write-outputs")
    after = json.loads(nb.path.read_text("utf-8"))
    shown = {"name": "stdout", "output_type": "stream", "text": ["2\n"]}
    assert [cell["outputs"] for cell in after["cells"]] == [[], [shown]]
    for document in (before, after):
        for cell in document["cells"]:
            cell.update(outputs=[], execution_count=None, source="".join(cell["source"]))
    assert after == before


def test_jupyter_goes_on_trusting_a_notebook_with_outputs_of_its_own_and_no_others(
    nb: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    with contextlib.closing(NotebookNotary(data_dir=str(tmp_path)).store) as store:
        notary = NotebookNotary(data_dir=str(tmp_path), store_factory=lambda: store)
        nb.write("from IPython.display import HTML\nHTML('<script></script>')", "print(2)")
        assert not notary.check_signature(nbformat.read(nb.path, as_version=4))
        cellar(nb, "--write-outputs")
        made = nbformat.read(nb.path, as_version=4)
        assert "<script>" in str(made.cells[0].outputs)
        assert notary.check_signature(made)
        made.cells[1].update(
            source="raise ValueError", outputs=[nbformat.v4.new_output("display_data", {"text/html": "<b>"})]
        )
        nbformat.write(made, nb.path)  # as somebody else's edit that git brought
        cellar(nb, "a", "--write-outputs")
        assert not notary.check_signature(nbformat.read(nb.path, as_version=4))


def test_outputs_of_a_cell_that_was_changed_meanwhile_are_not_written(nb: Notebook) -> None:
    edit = "text = open('nb.ipynb').read(); n = open('nb.ipynb', 'w').write(text.replace('print(12)', 'print(21)'))"
    nb.write(edit, "print(12)", "print(3)\n4")
    said = cellar(nb, "--write-outputs")
    assert "'b' was changed while it ran: its outputs are not written" in said
    cells = json.loads(nb.path.read_text("utf-8"))["cells"]
    assert [(cell["execution_count"], len(cell["outputs"])) for cell in cells[1:]] == [(None, 0), (3, 2)]
    assert cells[2]["outputs"][1]["execution_count"] == 3


def test_an_interrupt_keeps_what_is_done_and_leaves_no_process(nb: Notebook) -> None:
    nb.write("x = 2", f"y = x, {WAITS}", "z = y")
    with begun(nb) as (process, mark):
        pid = int(mark.read_text())
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    events: list[dict[str, Any]] = [json.loads(line) for line in printed.splitlines()]
    assert events[-1] == {"event": "end", "state": "cancelled"}
    assert process.returncode == 130
    await_end(pid)
    assert nb.why() == {"b": "it has not run yet", "c": "'b' runs before it"}


def test_the_end_of_the_command_is_the_end_of_its_workers(nb: Notebook) -> None:
    nb.write("x = 2", f"y = x, {WAITS}")
    with begun(nb, "--executor", "process", "--workers", "2") as (process, mark):
        pid = int(mark.read_text())
        process.kill()
        process.communicate()
    await_end(pid)
    assert nb.why() == {"b": "it has not run yet"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nobody",), "no component 'nobody'"),
        (("-p", "scale"), "is no NAME=VALUE"),
        (("-p", "scale=3"), "no parameter scale"),
        (("--workers", "-1"), "workers are 1 or more"),
        (("--address", "tcp://127.0.0.1:1"), "an address is for Dask"),
        (("--dry-run", "--write-outputs"), "no outputs to write"),
    ],
)
def test_what_cannot_be_asked(nb: Notebook, words: tuple[str, ...], said: str) -> None:
    nb.write("x = 2")
    before = nb.path.read_bytes()
    printed = cellar(nb, *words, code=2)
    assert said in printed and "Traceback" not in printed
    assert nb.path.read_bytes() == before

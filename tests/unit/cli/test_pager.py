"""The pager: what it gets, when there is none, and that leaving it early is no error."""

from __future__ import annotations

import os
import pty
import sys
from pathlib import Path

import pytest

from nbcellar.ids import CellId
from nbcellar.notebook.codec import write
from nbcellar.notebook.model import Cell, Notebook

START = "from nbcellar.cli.main import main; import sys; sys.exit(main())"


def in_terminal(folder: Path, pager: str | None, *words: str, term: str = "xterm") -> tuple[int, str]:
    """Run a command in a terminal of its own and return its exit code and what the terminal got."""
    pid, terminal = pty.fork()
    if pid == 0:  # pragma: no cover - another process
        environ = {**os.environ, "TERM": term, "NO_COLOR": "1"}
        for name in ("CELLAR_PAGER", "GIT_PAGER", "PAGER"):
            environ.pop(name, None)
        environ |= {"CELLAR_PAGER": pager} if pager is not None else {}
        os.chdir(folder)
        os.execve(sys.executable, [sys.executable, "-c", START, *words], environ)
    said = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        said += piece
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode().replace("\r\n", "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cells = tuple(Cell(type="code", source=f"x = {n}", id=CellId(f"c{n}"), outputs=()) for n in range(40_000))
    (tmp_path / "long.ipynb").write_bytes(write(Notebook(cells=cells)))
    (tmp_path / "short.ipynb").write_bytes(write(Notebook(cells=cells[:1])))
    return tmp_path


def test_the_pager_gets_the_lines(folder: Path) -> None:
    assert in_terminal(folder, "sed s/^/paged:/", "show", "short.ipynb") == (
        0,
        "paged:short.ipynb  1 cell, no kernel, nbformat 4.5\npaged:\npaged:── 1 code c0\npaged:    x = 0\n",
    )


def test_leaving_the_pager_early_is_no_error(folder: Path) -> None:
    assert in_terminal(folder, "head -n 1", "show", "long.ipynb") == (
        0,
        "long.ipynb  40,000 cells, no kernel, nbformat 4.5\n",
    )


@pytest.mark.parametrize("pager", ["", "cat", "no-such-program", "unclosed 'quote"])
def test_without_a_pager_the_lines_are_printed(folder: Path, pager: str) -> None:
    code, said = in_terminal(folder, pager, "show", "short.ipynb")
    assert (code, said) == (0, "short.ipynb  1 cell, no kernel, nbformat 4.5\n\n── 1 code c0\n    x = 0\n")


def test_a_terminal_that_can_do_nothing_has_none(folder: Path) -> None:
    assert in_terminal(folder, "sed s/^/paged:/", "show", "short.ipynb", term="dumb")[1].startswith("short.ipynb")


def test_an_error_comes_through(folder: Path) -> None:
    code, said = in_terminal(folder, "cat -n", "show", "nowhere.ipynb")
    assert code == 2
    assert said.startswith("error: no file nowhere.ipynb")

"""Files that a cell writes are seen, whatever writes them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from nbcellar.session.written import MOST_NAMES, Written

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Written:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "before.txt").write_text("1")
    found = Written()
    found.begin()
    return found


def test_files_of_python_c_and_programs_are_seen(written: Written) -> None:
    Path("a.txt").write_text("x")
    Path("there/b.txt").write_text("x")
    connection = sqlite3.connect("c.db")
    connection.execute("create table t (a)")
    connection.close()
    subprocess.run(["touch", "d.txt"], check=True)
    Path("before.txt").rename("e.txt")
    assert set(written.end()) >= {"a.txt", "there/b.txt", "c.db", "d.txt", "e.txt"}


def test_what_was_written_before_is_not_the_cells(written: Written) -> None:
    Path("a.txt").write_text("x")
    written.begin()
    assert written.end() == ()
    Path("a.txt").read_text()
    assert written.end() == ()


def test_an_open_file_counts(written: Written) -> None:
    with open("log.txt", "w") as file:
        assert written.end() == ("log.txt",)
        written.begin()
        print("line", file=file, flush=True)
        assert written.end() == ("log.txt",)


def test_a_folder_that_appears_is_watched_and_the_working_folder_followed(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("new").mkdir()
    written.begin()
    Path("new/a.txt").write_text("x")
    assert written.end() == ("new/a.txt",)
    monkeypatch.chdir(tmp_path / "new")
    written.begin()
    Path("b.txt").write_text("x")
    assert written.end() == ("b.txt",)


def test_notebooks_and_hidden_files_are_not_the_cells(written: Written) -> None:
    for name in ("a.ipynb", ".hidden", "x~"):
        Path(name).write_text("x")
    assert written.end() == ()


def test_very_many_files_are_cut(written: Written) -> None:
    for number in range(500):
        Path(f"{number}.txt").write_text("x")
    assert len(written.end()) == MOST_NAMES


def test_a_folder_that_is_gone_is_no_error(written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path / "there")
    (tmp_path / "there").rmdir()
    written.begin()
    assert written.end() == ()
    written.close()
    assert written.end() == ()

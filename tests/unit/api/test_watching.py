"""What changed around a folder is noticed, whoever changed it, and told once."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbcellar.api import init
from nbcellar.api.watching import Watched


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path, os.environ)
    yield made
    made.close()


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def test_nothing_is_told_while_nothing_changes(watched: Watched, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    assert watched.changes() == []
    assert watched.changes() == []


def test_a_repository_that_is_made_later_is_noticed_and_so_is_its_end(watched: Watched, tmp_path: Path) -> None:
    with init(tmp_path, environ=os.environ):
        assert "history" in watched.changes()
        assert watched.changes() == []
    shutil.rmtree(tmp_path / ".cellar")
    assert "history" in watched.changes()
    assert watched.changes() == []


def test_git_is_noticed_when_it_is_made_and_when_it_moves(watched: Watched, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert watched.changes() == ["git"]
    git(tmp_path, "commit", "-qm", "m", "--allow-empty")
    assert watched.changes() == ["git"]
    (tmp_path / "a.txt").write_text("x")
    assert watched.changes() == []
    git(tmp_path, "add", "a.txt")
    assert watched.changes() == ["git"]
    assert watched.changes() == []


def test_a_change_by_another_connection_is_noticed(tmp_path: Path) -> None:
    with init(tmp_path, environ=os.environ) as repo:
        watched = Watched(tmp_path, os.environ)
        try:
            assert watched.changes() == []
            with repo.repository.store.begin() as transaction:
                transaction.append("scope", b"an operation")
                transaction.commit()
            assert watched.changes() == ["history"]
            assert watched.changes() == []
        finally:
            watched.close()

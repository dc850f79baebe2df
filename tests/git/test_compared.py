"""More notebooks than git compares by content: where it refuses there is a way on, and nothing is lost."""

from __future__ import annotations

import os
import shutil

import pytest

from nbcellar.git import index
from nbcellar.git.compared import NOTE
from nbcellar.git.repository import find_git_repository

from .support import SOURCES, Worktree, cellar

LONG = "x" * 120_000  # five of them are more than half of the MiB that is compared


@pytest.fixture
def large(repo: Worktree, monkeypatch: pytest.MonkeyPatch) -> Worktree:
    """`old.ipynb`, which is beyond the limit, and `new.ipynb`; the branch `other` has other sources in both."""
    monkeypatch.setenv("NBCELLAR_NOTEBOOKS_COMPARE_MB", "1")
    for name in ("old.ipynb", "new.ipynb"):
        repo.write(output=LONG, name=name)
    os.utime(repo.folder / "old.ipynb", (1, 1))
    repo.commit("first")
    repo.git("switch", "-qc", "other")
    before = {name: repo.bytes(name) for name in ("old.ipynb", "new.ipynb")}
    for name in ("old.ipynb", "new.ipynb"):
        repo.write((*SOURCES[:4], "e = 50"), name=name)
    repo.commit("other")
    shutil.rmtree(repo.folder / ".git" / "cellar" / "outputs")  # that is somebody else's work
    repo.git("switch", "-q", "main")
    for name, data in before.items():
        (repo.folder / name).write_bytes(data)
    os.utime(repo.folder / "old.ipynb", (1, 1))
    repo.git("status")
    return repo


def compared_by_content(repo: Worktree) -> list[bytes]:
    git = find_git_repository(repo.folder, os.environ).git
    return [entry.path for entry in index.entries(git, [b"old.ipynb", b"new.ipynb"]) if entry.size == 0]


def test_the_newest_are_compared_and_the_doctor_says_what_is_not(large: Worktree) -> None:
    assert compared_by_content(large) == [b"new.ipynb"]
    said = cellar(large.folder, "doctor")[1]
    assert "1 notebook is beyond the newest 1 MiB" in said and "notebooks.compare_mb" in said


def test_what_is_beyond_refuses_once_and_loses_nothing(large: Worktree) -> None:
    for name in ("old.ipynb", "new.ipynb"):
        large.write(output=f"again {LONG}", name=name)
    mine = large.bytes("old.ipynb")
    done = large.git("merge", "other", check=False)
    assert done.returncode and "old.ipynb" in done.stderr and "new.ipynb" not in done.stderr
    assert large.bytes("old.ipynb") == mine
    large.git("merge", "-q", "other")
    assert large.outputs("old.ipynb") == [f"again {LONG}"] * 4 + [""]
    assert large.outputs("new.ipynb") == [f"again {LONG}"] * 4 + [""]


def test_a_look_at_the_status_is_enough_and_does_not_last(large: Worktree) -> None:
    large.write(output=f"again {LONG}", name="old.ipynb")
    os.utime(large.folder / "old.ipynb", (2, 2))
    assert large.status() == " M old.ipynb\n"
    assert large.status() == ""
    assert large.status() == ""
    assert compared_by_content(large) == [b"new.ipynb"]
    large.write((*SOURCES[:4], "e = 7"), f"again {LONG}", name="old.ipynb")
    assert [large.status() for _ in range(3)] == [" M old.ipynb\n"] * 3


def test_uninstall_takes_the_note_of_these_away(large: Worktree) -> None:
    own = large.folder / ".git" / "cellar"
    assert (own / NOTE).read_bytes() == b"old.ipynb"
    assert cellar(large.folder, "uninstall")[0] == 0
    assert not own.exists()


def test_with_a_higher_limit_nothing_refuses(large: Worktree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBCELLAR_NOTEBOOKS_COMPARE_MB", "2")
    large.install()
    assert cellar(large.folder, "install")[0] == 0  # once for what is checked out already
    assert sorted(compared_by_content(large)) == [b"new.ipynb", b"old.ipynb"]
    large.write(output=f"again {LONG}", name="old.ipynb")
    large.git("merge", "-q", "other")
    assert large.outputs("old.ipynb") == [f"again {LONG}"] * 4 + [""]

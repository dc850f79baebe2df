"""Repositories of real git, with a configuration of their own, in which Cellar is installed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .support import SOURCES, Worktree, make


@pytest.fixture
def bare_repo(tmp_path: Path) -> Worktree:
    """A repository with nothing in it, without Cellar."""
    return make(tmp_path / "repo")


@pytest.fixture
def repo(bare_repo: Worktree) -> Worktree:
    """A repository with nothing in it, and Cellar."""
    bare_repo.install()
    return bare_repo


@pytest.fixture(scope="session")
def _branched(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, bool], Worktree]:
    made: dict[bool, Path] = {}

    def copy(target: Path, differs: bool) -> Worktree:
        if differs not in made:
            folder = tmp_path_factory.mktemp("branched") / "repo"
            _make_branches(make(folder), differs)
            made[differs] = folder
        shutil.copytree(made[differs], target, symlinks=True)
        copied = Worktree(target)
        copied.git("status")  # files of a copy are new to git
        return copied

    return copy


@pytest.fixture
def branched(_branched: Callable[[Path, bool], Worktree], tmp_path: Path) -> Callable[[bool], Worktree]:
    """Makes a repository with branches main and other; the notebook may differ between them."""
    return lambda differs: _branched(tmp_path / "branched", differs)


def _make_branches(made: Worktree, differs: bool) -> None:
    made.install()
    made.write(output="old")
    (made.folder / "x.txt").write_text("1\n")
    made.commit("base")
    made.git("switch", "-qc", "other")
    (made.folder / "x.txt").write_text("2\n")
    if differs:
        made.write(("a = 10", *SOURCES[1:]))
    made.commit("other")
    if differs:
        # Somebody else's: nothing of this version was ever run here.
        shutil.rmtree(made.folder / ".git" / "cellar" / "outputs")
    made.git("format-patch", "-q", "-1", "-o", str(made.folder / ".git" / "patch"))
    made.git("switch", "-q", "main")
    made.write(output="old")
    (made.folder / "y.txt").write_text("1\n")
    made.commit("main")

"""A merge that stopped can be taken back, and once it is committed notebooks are compared by content again."""

from __future__ import annotations

import os

import pytest

from .support import SOURCES, Worktree

OURS = ("a = 'ours'", *SOURCES[1:])
THEIRS = ("a = 'theirs'", *SOURCES[1:])

STARTS = {
    "merge": ["merge", "other"],
    "merge --no-commit": ["merge", "--no-commit", "other"],
    "merge --squash": ["merge", "--squash", "other"],
    "cherry-pick": ["cherry-pick", "other"],
    "revert": ["revert", "--no-edit", "undone"],
    "rebase": ["rebase", "other"],
    "stash pop": ["stash", "pop"],
}
ABORTS = {
    "merge --squash": ["reset", "--merge"],
    "merge --no-commit": ["merge", "--abort"],
    "stash pop": ["reset", "--merge"],
}


@pytest.fixture
def stopped(repo: Worktree) -> Worktree:
    """A repository where bringing `other` is a conflict in n.ipynb and merges in k.ipynb."""
    repo.write(output="old")
    repo.write(output="old", name="k.ipynb")
    repo.commit("base")
    repo.write(THEIRS, "old")
    repo.write((*SOURCES[:4], "e = 50"), "old", name="k.ipynb")
    repo.git("stash")
    repo.git("switch", "-qc", "other")
    repo.write(THEIRS, "old")
    repo.write((*SOURCES[:4], "e = 50"), "old", name="k.ipynb")
    repo.commit("theirs")
    repo.git("switch", "-q", "main")
    repo.write(("a = 0", *SOURCES[1:]), "old")
    repo.write(("a = 0", *SOURCES[1:]), "old", name="k.ipynb")
    repo.commit("to be undone")
    repo.git("tag", "undone")
    repo.write(OURS, "old")
    repo.commit("ours")
    return repo


@pytest.mark.parametrize("first", [["status"], ["add", "n.ipynb"]], ids=" ".join)
@pytest.mark.parametrize("command", STARTS)
def test_what_stopped_can_be_taken_back(stopped: Worktree, command: str, first: list[str]) -> None:
    before = stopped.bytes(), stopped.bytes("k.ipynb"), stopped.git("rev-parse", "HEAD").stdout
    assert stopped.git(*STARTS[command], check=False).returncode == 1
    assert stopped.git("ls-files", "-u").stdout.count("n.ipynb") == 3
    stopped.git(*first)
    stopped.git(*ABORTS.get(command, [command, "--abort"]))
    assert (stopped.bytes(), stopped.bytes("k.ipynb"), stopped.git("rev-parse", "HEAD").stdout) == before
    assert stopped.status() == ""


@pytest.mark.parametrize("command", ["merge", "cherry-pick", "rebase"])
def test_afterwards_outputs_alone_stand_in_nobodys_way(stopped: Worktree, command: str) -> None:
    stopped.git(*STARTS[command], check=False)
    stopped.write((*OURS, "f = 6"), "old")
    stopped.git("add", "n.ipynb")
    stopped.git(command, "--continue")
    stopped.git("switch", "-qc", "third", "HEAD~1")
    stopped.git("switch", "-q", "main")
    stopped.write((*OURS, "f = 6"), "a longer output, which makes another size")
    stopped.git("switch", "-q", "third")
    stopped.git("switch", "-q", "main")
    assert stopped.status() == ""


def test_a_merge_of_the_only_notebook_is_compared_by_content_when_it_is_committed(repo: Worktree) -> None:
    repo.write(output="old")
    repo.commit("base")
    repo.git("switch", "-qc", "other")
    repo.write(THEIRS, "old")
    repo.commit("theirs")
    repo.git("switch", "-q", "main")
    repo.write(OURS, "old")
    repo.commit("ours")
    repo.git("merge", "other", check=False)
    repo.write((*OURS, "f = 6"), "old")
    os.utime(repo.folder / "n.ipynb", (1_700_000_000, 1_700_000_000))  # git looks into files as new as its index
    repo.git("add", "n.ipynb")
    repo.git("commit", "-qm", "merged")
    repo.write((*OURS, "f = 6"), "a longer output, which makes another size")
    repo.git("switch", "-q", "other")
    repo.git("switch", "-q", "main")
    assert repo.outputs()[1:5] == ["a longer output, which makes another size"] * 4
    assert repo.status() == ""


def test_a_commit_that_is_given_up_can_be_taken_back_after_a_look(stopped: Worktree) -> None:
    stopped.git("merge", "other", check=False)
    stopped.write((*OURS, "f = 6"), "old")
    stopped.git("add", "n.ipynb")
    stopped.environ["GIT_EDITOR"] = "false"
    assert stopped.git("commit", check=False).returncode == 1
    stopped.git("status")
    stopped.git("merge", "--abort")
    assert stopped.sources() == list(OURS)

"""A merge, rebase or pick that changes the rules of cleaning leaves the outputs of the working copy where they are."""

from __future__ import annotations

import shutil

import pytest

from .support import SOURCES, Worktree

OUTPUTS_IN_COMMITS = "outputs = true\n"
EDITED = (*SOURCES[:4], "e = 50")

WORDS = {
    "merge": ["merge", "-q", "other"],
    "forward": ["merge", "-q", "--ff-only", "other"],
    "rebase": ["rebase", "-q", "other"],
    "pull": ["pull", "-q", "--rebase", ".", "other"],
    "pick": ["cherry-pick", "other"],
}
SECTIONS = {"cellar.toml": "clean", "pyproject.toml": "tool.cellar.clean"}  # before and after n.ipynb, as git writes

CASES = [
    *((command, "cellar.toml") for command in WORDS),
    *((command, "pyproject.toml") for command in ("merge", "forward")),
]


def write_settings(repo: Worktree, text: str, name: str = "cellar.toml") -> None:
    (repo.folder / name).write_text(f"[{SECTIONS[name]}]\n{text}")


def forget_kept(repo: Worktree) -> None:
    """Forget what was kept aside: the other branch is somebody else's work."""
    shutil.rmtree(repo.folder / ".git" / "cellar" / "outputs", ignore_errors=True)


def bring(repo: Worktree, command: str) -> str:
    """Bring the commit of the branch `other` into `main`; return what was said."""
    if command != "forward":
        (repo.folder / "mine.txt").write_text("mine\n")
        repo.git("add", "mine.txt")
        repo.git("commit", "-qm", "mine")
    return repo.git(*WORDS[command]).stderr


@pytest.mark.parametrize(("command", "file"), CASES)
@pytest.mark.parametrize("has_noise", [False, True])
def test_outputs_that_leave_the_commits_stay_in_the_file(
    repo: Worktree, command: str, file: str, has_noise: bool
) -> None:
    write_settings(repo, OUTPUTS_IN_COMMITS, file)
    repo.write(output="result")
    repo.commit("with outputs")
    if not has_noise:
        (repo.folder / "n.ipynb").write_bytes(repo.staged())
    repo.git("switch", "-qc", "other")
    write_settings(repo, "", file)
    repo.write(EDITED, "result")
    repo.commit("without outputs")
    assert b"result" not in repo.staged()
    repo.git("switch", "-q", "main")
    if not has_noise:
        (repo.folder / "n.ipynb").write_bytes(repo.staged())
    forget_kept(repo)
    said = bring(repo, command)
    assert repo.sources() == list(EDITED)
    assert repo.outputs() == ["result"] * 4 + [""]
    assert repo.status() == ""
    assert "outputs" not in said


def begin_to_commit_outputs(repo: Worktree, file: str, output: str) -> None:
    """Commit on `other` that outputs belong in commits, with a notebook that has this one; `main` has its own."""
    repo.write()
    repo.commit("first")
    repo.git("switch", "-qc", "other")
    write_settings(repo, OUTPUTS_IN_COMMITS, file)
    repo.write(EDITED, output)
    repo.commit("with outputs")
    repo.git("switch", "-q", "main")
    forget_kept(repo)
    repo.write(output="mine")


@pytest.mark.parametrize(("command", "file"), CASES)
def test_outputs_of_the_working_copy_stay_as_a_change_when_commits_begin_to_have_some(
    repo: Worktree, command: str, file: str
) -> None:
    begin_to_commit_outputs(repo, file, "")
    said = bring(repo, command)
    assert repo.sources() == list(EDITED)
    assert repo.outputs() == ["mine"] * 4 + [""]
    assert repo.status() == " M n.ipynb\n"
    assert "n.ipynb: with the settings that came, outputs belong in commits; the outputs of 4 cells stay" in said


@pytest.mark.parametrize(("command", "file"), CASES)
def test_outputs_that_give_way_to_those_of_a_commit_are_named_and_come_back(
    repo: Worktree, command: str, file: str
) -> None:
    begin_to_commit_outputs(repo, file, "theirs")
    mine = repo.bytes()
    said = bring(repo, command)
    assert repo.outputs() == ["theirs"] * 5
    assert repo.status() == ""
    assert "n.ipynb: 4 cells have outputs of a commit now" in said
    words = said.partition("to see them: git ")[2].splitlines()[0].split(" ")
    repo.git(*words)
    assert repo.bytes() == mine
    repo.git("checkout", "HEAD", "--", "n.ipynb")
    assert repo.outputs() == ["theirs"] * 5


@pytest.mark.parametrize("words", [["switch", "-q", "other"], ["reset", "-q", "--hard", "other"]])
def test_a_branch_that_is_asked_for_is_there_as_it_is(repo: Worktree, words: list[str]) -> None:
    begin_to_commit_outputs(repo, "cellar.toml", "")
    done = repo.git(*words)
    assert repo.outputs() == [""] * 5
    assert repo.status() == ""
    assert done.stderr == ""
    repo.git("reset", "-q", "--hard", "main") if "reset" in words else repo.git("switch", "-q", "main")


def test_outputs_that_a_branch_asked_for_does_not_have_come_back_with_the_one_before(repo: Worktree) -> None:
    begin_to_commit_outputs(repo, "cellar.toml", "")
    mine = repo.bytes()
    repo.git("switch", "-q", "other")
    repo.git("switch", "-q", "main")
    assert repo.bytes() == mine


def test_a_pick_that_stops_at_a_conflict_keeps_the_outputs_of_the_other_cells(repo: Worktree) -> None:
    begin_to_commit_outputs(repo, "cellar.toml", "")
    repo.write((*SOURCES[:4], "e = 7"), "mine")
    repo.git("add", "n.ipynb")
    repo.git("commit", "-qm", "mine")
    assert repo.git("cherry-pick", "other", check=False).returncode == 1
    outputs = dict(zip(repo.sources(), repo.outputs(), strict=True))
    assert [outputs[source] for source in SOURCES[:4]] == ["mine"] * 4

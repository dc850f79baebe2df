"""The filter is killed at work, by `kill -9`: whatever git does then, nothing is lost, and what to do is said."""

from __future__ import annotations

import pytest

from .support import SOURCES, Worktree, cellar

NAMES = ("a.ipynb", "b.ipynb", "c.ipynb")
EDITED = ("a = 7", *SOURCES[1:])
_KILL = """
import os
import nbcellar.git.filter as module

if sys.argv[1:2] == ["filter-process"]:
    answered = []

    def dying(answer):
        def call(*words):
            answered.append(words)
            if len(answered) == NUMBER:
                os.kill(os.getpid(), 9)
            return answer(*words)
        return call

    module.Filter.clean = dying(module.Filter.clean)
    module.Filter.smudge = dying(module.Filter.smudge)
code = main("""


@pytest.fixture
def three(repo: Worktree) -> Worktree:
    """Three notebooks with outputs; the branch `other` has other sources, of which nothing ever ran."""
    for name in NAMES:
        repo.write(output="mine", name=name)
    repo.commit("base")
    repo.git("switch", "-qc", "other")
    for name in NAMES:
        repo.write((*SOURCES[:4], "e = 50"), name=name)
    repo.commit("other")
    repo.git("switch", "-q", "main")
    assert repo.outputs("b.ipynb") == ["mine"] * 5
    return repo


def git_killed(repo: Worktree, number: int, *words: str) -> str:
    """Run git with filters that die at their n-th request, and return what was said."""
    start = repo.folder / ".git" / "cellar" / "start.py"
    text = start.read_text()
    start.write_text(text.replace("code = main(", _KILL.replace("NUMBER", str(number))))
    said = repo.git(*words, check=False).stderr
    start.write_text(text)
    return said


def check_out_again(repo: Worktree) -> None:
    """Do what is said to be done for files without outputs."""
    for name in NAMES:
        if "" in repo.outputs(name)[:4]:
            (repo.folder / name).unlink()
            repo.git("checkout", "--", name)


@pytest.mark.parametrize(("command", "number"), [*zip(["checkout", "merge"] * 3, range(1, 7), strict=True)])
def test_outputs_come_back_after_a_command_that_wrote_notebooks(three: Worktree, command: str, number: int) -> None:
    for name in NAMES:
        three.write(output="mine", name=name)  # new to git: it asks the filter for each before it writes any
    said = git_killed(three, number, command, "other")
    assert "Nothing is lost" in said and "git checkout -- FILE" in said and "install" not in said
    check_out_again(three)
    three.git(command, "other")
    check_out_again(three)
    for name in NAMES:
        assert three.sources(name)[4] == "e = 50"
        assert three.outputs(name)[:4] == ["mine"] * 4
    assert three.status() == ""


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_stash_holds_all_and_gives_it_back(three: Worktree, number: int) -> None:
    for name in NAMES:
        three.write(EDITED, "new", name=name)
    git_killed(three, number, "stash")
    three.git("stash", "pop")
    check_out_again(three)
    for name in NAMES:
        assert (three.sources(name), three.outputs(name)) == (list(EDITED), ["new"] * 5)


@pytest.mark.parametrize("number", [1, 3])
def test_outputs_that_were_staged_come_out_again(three: Worktree, number: int) -> None:
    for name in NAMES:
        three.write(EDITED, "new", name=name)
    said = git_killed(three, number, "add", "-A")
    assert "cellar git renormalize" in said
    assert any(b"new" in three.staged(name) for name in NAMES)
    assert cellar(three.folder, "renormalize")[0] == 0
    for name in NAMES:
        assert b"new" not in three.staged(name) and b"a = 7" in three.staged(name)
        assert three.outputs(name) == ["new"] * 5

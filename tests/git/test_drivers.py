"""Merging and comparing through git: both sides are always there, whatever fails."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from nbcellar.notebook.codec import read

from .support import SOURCES, Worktree, notebook

OURS = ("a = 'ours'", *SOURCES[1:])
THEIRS = ("a = 'theirs'", *SOURCES[1:])


def branches(repo: Worktree, ours: tuple[str, ...], theirs: tuple[str, ...], branch: str = "other") -> None:
    """Make two branches with a notebook each; leave main checked out."""
    repo.write()
    repo.commit("base")
    repo.git("switch", "-qc", branch)
    repo.write(theirs)
    repo.commit("theirs")
    repo.git("switch", "-q", "main")
    repo.write(ours)
    repo.commit("ours")


def test_edits_of_different_cells_merge(repo: Worktree) -> None:
    branches(repo, ("a = 10", *SOURCES[1:]), (*SOURCES[:4], "e = 50"))
    repo.git("merge", "--no-edit", "other")
    assert repo.sources() == ["a = 10", "b = 2", "c = 3", "d = 4", "e = 50"]


@pytest.mark.parametrize("style", ["merge", "diff3", "zdiff3"])
@pytest.mark.parametrize("command", ["merge", "rebase", "cherry-pick"])
def test_edits_of_one_cell_are_a_conflict_in_a_notebook_that_opens(repo: Worktree, command: str, style: str) -> None:
    repo.git("config", "merge.conflictStyle", style)
    branches(repo, OURS, THEIRS)
    assert repo.git(command, "other", check=False).returncode != 0
    assert repo.git("ls-files", "-u").stdout.count("n.ipynb") == 3
    opened = read(repo.bytes())
    assert {"a = 'ours'", "a = 'theirs'"} <= {cell.source for cell in opened.cells}


@pytest.mark.parametrize("branch", ["with-'quote", 'with-"double', "$(touch${IFS}hacked)", "`touch-hacked`", "ünï;ls"])
def test_hostile_names_of_branches_and_titles_are_only_shown(repo: Worktree, branch: str) -> None:
    branches(repo, OURS, THEIRS, branch)
    repo.git("merge", branch, check=False)
    read(repo.bytes())
    repo.git("merge", "--abort")
    repo.git("commit", "--allow-empty", "-qm", "title $(touch hacked)\n\nmore `touch hacked` '\"\n")
    assert repo.git("rebase", branch, check=False).returncode != 0
    read(repo.bytes())
    assert not (repo.folder / "hacked").exists()


@pytest.mark.parametrize("name", ["-n.ipynb", "a 'b\".ipynb", "new\nline.ipynb", "$(touch hacked).ipynb", "%A.ipynb"])
def test_hostile_names_of_files_merge(repo: Worktree, name: str) -> None:
    repo.write(name=name)
    repo.commit("base")
    repo.git("switch", "-qc", "other")
    repo.write(("a = 10", *SOURCES[1:]), name=name)
    repo.commit("theirs")
    repo.git("switch", "-q", "main")
    repo.write((*SOURCES[:4], "e = 50"), name=name)
    repo.commit("ours")
    repo.git("merge", "--no-edit", "other")
    assert repo.sources(name)[::4] == ["a = 10", "e = 50"]
    assert not (repo.folder / "hacked").exists()


def test_a_notebook_that_both_sides_added_merges(repo: Worktree) -> None:
    (repo.folder / "x").touch()
    repo.commit("base")
    repo.git("switch", "-qc", "other")
    repo.write((*SOURCES, "f = 6"))
    repo.commit("theirs")
    repo.git("switch", "-q", "main")
    repo.write()
    repo.commit("ours")
    repo.git("merge", "other", check=False)
    assert set(SOURCES) | {"f = 6"} <= set(repo.sources())


def break_program(repo: Worktree, how: str) -> None:
    """Make what git calls fail."""
    folder = repo.folder / ".git" / "cellar"
    run, start = folder / "run", folder / "start.py"
    if how == "the environment is gone":
        run.write_text(run.read_text().replace("python='", "python='/nowhere"))
    elif how == "the package is gone":
        start.write_text(start.read_text().replace("from nbcellar.cli", "from nbcellar_gone.cli"))
    elif how == "killed":
        start.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    elif how == "a crash before the start":
        start.write_text("raise SystemError('no')\n")
    elif how == "the program is gone":
        run.unlink()


FAILURES = [
    "the environment is gone",
    "the package is gone",
    "killed",
    "a crash before the start",
    "the program is gone",
]


@pytest.mark.parametrize("how", FAILURES)
def test_a_driver_that_fails_leaves_both_sides(repo: Worktree, how: str) -> None:
    branches(repo, OURS, THEIRS)
    repo.git("config", "--unset", "filter.cellar.process")
    break_program(repo, how)
    done = repo.git("merge", "other", check=False)
    assert done.returncode == 1
    text = repo.bytes().decode()
    assert "a = 'ours'" in text
    assert "a = 'theirs'" in text
    assert "\n<<<<<<< " in "\n" + text
    assert "\n>>>>>>> " in text
    assert "cellar" in done.stderr
    assert repo.git("ls-files", "-u").stdout.count("n.ipynb") == 3


@pytest.mark.parametrize("how", FAILURES)
def test_a_driver_that_fails_shows_even_what_merges_by_lines(repo: Worktree, how: str) -> None:
    branches(repo, ("a = 10", *SOURCES[1:]), (*SOURCES[:4], "e = 50"))
    repo.git("config", "--unset", "filter.cellar.process")
    break_program(repo, how)
    assert repo.git("merge", "other", check=False).returncode == 1
    text = repo.bytes().decode()
    assert "a = 10" in text
    assert "e = 50" in text
    assert "\n>>>>>>> " in text


def test_a_driver_that_is_killed_with_its_shell_leaves_a_note(repo: Worktree) -> None:
    branches(repo, OURS, THEIRS)
    start = repo.folder / ".git" / "cellar" / "start.py"
    program = start.read_text()
    start.write_text(
        f"import os, signal, sys\n"
        f"if sys.argv[1] == 'merge-driver':\n    os.kill(os.getppid(), signal.SIGKILL)\n    sys.exit(0)\n{program}"
    )
    assert repo.git("merge", "other", check=False).returncode == 1
    assert repo.bytes().startswith(b"<<<<<<< ours\nNot merged: the merge was killed.")
    start.write_text(program)
    repo.git("add", "n.ipynb")
    assert "conflict marks" in repo.git("commit", "-m", "x", check=False).stderr
    repo.git("checkout", "--merge", "n.ipynb")
    assert {"a = 'ours'", "a = 'theirs'"} <= set(repo.sources())


@pytest.mark.parametrize("how", FAILURES[:2])
def test_without_its_environment_git_goes_on_and_says_so(repo: Worktree, how: str) -> None:
    repo.write(output="old")
    repo.commit()
    break_program(repo, how)
    repo.write(("a = 0", *SOURCES[1:]), "new")
    assert "cellar" in repo.git("diff").stderr
    repo.git("stash")
    repo.git("stash", "pop")
    assert repo.outputs() == ["new"] * 5
    done = repo.git("commit", "-am", "x", check=False)
    assert done.returncode == 1
    assert "notebooks are not committed without it" in done.stderr


def test_a_filter_that_is_killed_stops_git_and_changes_nothing(repo: Worktree) -> None:
    repo.write(output="old")
    repo.commit()
    break_program(repo, "killed")
    repo.write(("a = 0", *SOURCES[1:]), "new")
    before = repo.bytes()
    assert repo.git("add", "n.ipynb", check=False).returncode != 0
    assert repo.bytes() == before
    assert repo.staged() == notebook()


def test_a_colleague_without_the_tool_is_not_disturbed(repo: Worktree, tmp_path: Path) -> None:
    repo.write(output="old")
    (repo.folder / ".gitattributes").write_text("*.ipynb filter=cellar diff=cellar merge=cellar\n")
    repo.commit()
    repo.git("clone", "-q", str(repo.folder), str(tmp_path / "clone"))
    clone = Worktree(tmp_path / "clone")
    assert clone.status() == ""
    clone.write(("a = 0", *SOURCES[1:]))
    assert "a = 0" in clone.git("diff").stdout
    clone.commit()


def driver(repo: Worktree, base: bytes, ours: bytes, theirs: bytes) -> subprocess.CompletedProcess[str]:
    """Call the merge driver as git does, on files O, A and B."""
    for name, data in zip("OAB", (base, ours, theirs), strict=True):
        (repo.folder / name).write_bytes(data)
    run = str(repo.folder / ".git" / "cellar" / "run")
    words = [run, "merge-driver", "O", "A", "B", "7", "n.ipynb"]
    return subprocess.run(words, cwd=repo.folder, capture_output=True, text=True, check=False, env=os.environ)


@pytest.mark.parametrize(
    "theirs",
    [
        b"",
        b"{",
        b"\xff\xfe\x00garbage\x00",
        b'{"nbformat": 5, "cells": []}',
        b"<<<<<<< a\n=======\n>>>>>>> b\n",
        b"[" * 5000,
    ],
    ids=["empty", "truncated", "binary", "nbformat 5", "marks", "deep"],
)
def test_what_is_no_notebook_stands_beside_the_other_side(repo: Worktree, theirs: bytes) -> None:
    done = driver(repo, notebook(), notebook(OURS), theirs)
    assert done.returncode == 2, done.stderr
    result = (repo.folder / "A").read_bytes()
    assert b"a = 'ours'" in result
    assert theirs.strip() in result
    assert b"<<<<<<< " in result


def test_exit_codes_are_merged_conflict_failed(repo: Worktree) -> None:
    assert (
        driver(repo, notebook(), notebook(("a = 10", *SOURCES[1:])), notebook((*SOURCES[:4], "e = 50"))).returncode == 0
    )
    assert driver(repo, notebook(), notebook(OURS), notebook(THEIRS)).returncode == 1
    assert driver(repo, b"", b"no", b"notebooks").returncode == 2


def test_a_conflict_is_not_committed(repo: Worktree) -> None:
    branches(repo, OURS, THEIRS)
    repo.git("merge", "other", check=False)
    repo.git("add", "n.ipynb")
    done = repo.git("commit", "-m", "x", check=False)
    assert done.returncode == 1
    assert "1 unresolved conflict" in done.stderr
    repo.write(OURS)
    repo.git("add", "n.ipynb")
    repo.git("commit", "-m", "x")


def test_text_marks_are_not_committed(repo: Worktree) -> None:
    (repo.folder / "n.ipynb").write_bytes(b"<<<<<<< a\n{}\n=======\n{ }\n>>>>>>> b\n")
    repo.git("add", "n.ipynb")
    done = repo.git("commit", "-m", "x", check=False)
    assert done.returncode == 1
    assert "holds git's conflict marks" in done.stderr


def test_diff_log_show_and_blame_speak_of_cells(repo: Worktree) -> None:
    repo.write(output="old")
    repo.commit("first")
    repo.write(("a = 10", *SOURCES[1:]), "new")
    shown = repo.git("diff").stdout
    assert [line.strip() for line in shown.splitlines()][-2:] == ["- a = 1", "+ a = 10"]
    assert "old" not in shown
    assert "new" not in shown
    repo.commit("second")
    assert "+a = 10" in repo.git("log", "-p", "-1").stdout
    assert "+a = 10" in repo.git("show").stdout
    assert "a = 10" in repo.git("blame", "n.ipynb").stdout
    assert "1 file changed" in repo.git("diff", "--stat", "HEAD~1").stdout
    repo.git("mv", "n.ipynb", "m.ipynb")
    repo.write(("a = 11", *SOURCES[1:]), name="m.ipynb")
    assert "+ a = 11" in repo.git("diff", "-M", "HEAD").stdout
    (repo.folder / "m.ipynb").unlink()
    assert "a = 10" in repo.git("diff").stdout


@pytest.mark.parametrize("call", ["merge-driver", "diff-driver", "textconv", "difftool", "mergetool"])
def test_calls_without_files_are_refused(repo: Worktree, call: str) -> None:
    run = str(repo.folder / ".git" / "cellar" / "run")
    done = subprocess.run([run, call], cwd=repo.folder, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 2
    assert done.stderr.startswith(f"cellar: {call} needs ")


def test_a_reader_that_has_seen_enough_is_no_error(repo: Worktree) -> None:
    names = [f"{number}.ipynb" for number in range(3)]
    for name in names:
        repo.write(name=name)
    repo.commit()
    for name in names:
        repo.write([f"x = {number}" for number in range(5000)], name=name)
    command = "git diff | head -1"
    done = subprocess.run(
        command, shell=True, cwd=repo.folder, env=os.environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == "0.ipynb\n"
    assert done.stderr == ""


def test_outputs_that_somebody_committed_are_compared(bare_repo: Worktree) -> None:
    bare_repo.write(output="first")
    bare_repo.commit()
    bare_repo.write(output="second")
    bare_repo.commit()
    bare_repo.install()
    assert "second" in bare_repo.git("diff", "HEAD~1", "HEAD").stdout
    assert "+    second" in bare_repo.git("log", "-p", "-1").stdout


def test_parts_of_a_notebook_can_be_staged(repo: Worktree) -> None:
    repo.write(output="old")
    repo.commit()
    repo.write(("a = 10", *SOURCES[1:4], "e = 50"), "new")
    script = "y\nn\n"
    done = subprocess.run(
        ["git", "add", "-p", "n.ipynb"], cwd=repo.folder, input=script, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    staged = json.loads(repo.staged())
    assert ["".join(cell["source"]) for cell in staged["cells"]] == ["a = 10", *SOURCES[1:]]
    assert repo.outputs() == ["new"] * 5


def test_difftool_and_mergetool_work(repo: Worktree) -> None:
    branches(repo, OURS, THEIRS)
    assert "+ a = 'ours'" in repo.git("difftool", "-y", "-t", "cellar", "HEAD~1").stdout
    repo.git("merge", "other", check=False)
    assert repo.git("mergetool", "-y", "-t", "cellar", check=False).returncode == 1
    read(repo.bytes())

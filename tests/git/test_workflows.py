"""With the filter on, outputs are dirty all day: no command of git's refuses for them, none erases them.

The table of decision 0023, one case a test.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable

import pytest

from nbcellar.cli import main
from nbcellar.cli.console import Console

from .support import SOURCES, Worktree, notebook

Branched = Callable[[bool], Worktree]

BRINGS_OTHER = {
    "merge": ["merge", "--no-edit", "other"],
    "rebase": ["rebase", "other"],
    "pull": ["pull", "--no-rebase", "--no-edit", ".", "other"],
    "pull --rebase": ["pull", "--rebase", ".", "other"],
    "switch": ["switch", "other"],
    "checkout": ["checkout", "other"],
    "cherry-pick": ["cherry-pick", "other"],
    "am": ["am", ".git/patch/0001-other.patch"],
}


@pytest.mark.parametrize("differs", [False, True], ids=["same", "differs"])
@pytest.mark.parametrize("command", BRINGS_OTHER)
def test_outputs_alone_never_stand_in_the_way(branched: Branched, command: str, differs: bool) -> None:
    repo = branched(differs)
    repo.write(output="new")
    repo.git(*BRINGS_OTHER[command])
    assert repo.sources()[0] == ("a = 10" if differs else "a = 1")
    assert repo.outputs()[1:] == ["new"] * 4
    assert repo.outputs()[0] == ("" if differs else "new")  # the source is another: nobody ran it
    assert (repo.folder / "x.txt").read_text() == "2\n"
    assert repo.status() == ""


@pytest.mark.parametrize("command", BRINGS_OTHER)
def test_a_changed_source_stands_in_the_way_as_ever_and_is_kept(branched: Branched, command: str) -> None:
    repo = branched(True)
    repo.write(("a = 1", "b = 2", "c = 33", "d = 4", "e = 5"), "new")
    before = repo.bytes()
    assert repo.git(*BRINGS_OTHER[command], check=False).returncode != 0
    assert repo.bytes() == before


def test_a_branch_has_its_outputs_again_when_it_is_checked_out_again(branched: Branched) -> None:
    repo = branched(True)
    repo.write(output="new")
    before = repo.bytes()
    repo.git("switch", "other")
    repo.write(("a = 10", *SOURCES[1:]), "of other")
    repo.git("switch", "main")
    assert repo.bytes() == before
    repo.git("switch", "other")
    assert repo.outputs() == ["of other"] * 5


def test_stash_of_outputs_alone_has_nothing_to_do(branched: Branched) -> None:
    repo = branched(True)
    repo.write(output="new")
    assert "No local changes" in repo.git("stash").stdout
    assert repo.outputs() == ["new"] * 5


def test_stash_and_pop_bring_back_source_and_outputs(branched: Branched) -> None:
    repo = branched(True)
    repo.write(("a = 1", "b = 2", "c = 33", "d = 4", "e = 5"), "new")
    before = repo.bytes()
    repo.git("stash")
    assert repo.sources() == list(SOURCES)
    assert repo.outputs() == ["old"] * 5
    repo.git("stash", "pop")
    assert repo.bytes() == before


def test_a_stash_popped_onto_another_branch_keeps_outputs_of_equal_cells(branched: Branched) -> None:
    repo = branched(True)
    repo.write(("a = 1", "b = 2", "c = 33", "d = 4", "e = 5"), "new")
    repo.git("stash")
    repo.git("switch", "other")
    repo.git("stash", "pop")
    assert repo.sources() == ["a = 10", "b = 2", "c = 33", "d = 4", "e = 5"]
    assert [repo.outputs()[at] for at in (1, 3, 4)] == ["old"] * 3


def test_revert_goes_beside_dirty_outputs(branched: Branched) -> None:
    repo = branched(True)
    repo.write((*SOURCES[:4], "e = 55"))
    repo.commit("x")
    repo.write((*SOURCES[:4], "e = 55"), "new")
    repo.git("revert", "--no-edit", "HEAD")
    assert repo.sources() == list(SOURCES)
    assert repo.status() == ""


@pytest.mark.parametrize("command", [["reset", "--hard"], ["checkout", "--", "n.ipynb"], ["restore", "n.ipynb"]])
def test_discarding_brings_the_outputs_that_were_last_seen(branched: Branched, command: list[str]) -> None:
    repo = branched(True)
    repo.write(output="new")
    repo.status()  # here git asks the filter
    repo.write(("a = 0", *SOURCES[1:]), "newer")
    repo.git(*command)
    assert repo.outputs() == ["new"] * 5
    assert repo.status() == ""


def test_status_shows_sources_that_changed_and_no_outputs(branched: Branched) -> None:
    repo = branched(False)
    for output in ("new", "newer", "a longer one"):
        repo.write(output=output)
        assert repo.status() == ""
        assert repo.git("diff").stdout == ""
    repo.write(("a = 0", *SOURCES[1:]), "new")
    assert repo.status() == " M n.ipynb\n"


def test_a_merge_that_was_refused_for_another_file_goes_on_later(branched: Branched) -> None:
    repo = branched(True)
    (repo.folder / "x.txt").write_text("dirty\n")
    for output in ("new", "newer"):
        repo.write(output=output)
        assert repo.git("merge", "other", check=False).returncode != 0
    repo.git("checkout", "x.txt")
    repo.write(output="the newest")
    repo.git("merge", "--no-edit", "other")
    assert repo.outputs()[1:] == ["the newest"] * 4


def test_outputs_are_not_committed(repo: Worktree) -> None:
    repo.write(output="old")
    repo.commit()
    assert repo.staged() == notebook()
    assert repo.outputs() == ["old"] * 5


def test_a_renamed_notebook_keeps_its_outputs(branched: Branched) -> None:
    repo = branched(True)
    repo.git("switch", "-q", "other")
    repo.git("mv", "n.ipynb", "renamed.ipynb")
    repo.commit("rename")
    repo.git("switch", "-q", "main")
    shutil.rmtree(repo.folder / ".git" / "cellar" / "outputs")  # somebody else renamed it
    repo.write(output="new")
    repo.git("switch", "-q", "other")
    assert repo.outputs("renamed.ipynb")[1:] == ["new"] * 4


def test_a_notebook_that_was_committed_with_outputs_is_not_modified(bare_repo: Worktree) -> None:
    bare_repo.write(output="committed")
    bare_repo.commit()
    bare_repo.install()
    (bare_repo.folder / "n.ipynb").touch()
    assert bare_repo.status() == ""
    bare_repo.git("checkout", "-q", "--detach")
    (bare_repo.folder / "n.ipynb").unlink()
    bare_repo.git("checkout", "n.ipynb")
    assert bare_repo.outputs() == ["committed"] * 5
    assert bare_repo.status() == ""


def test_entries_with_marks_of_their_own_keep_them(repo: Worktree) -> None:
    for name in ("a.ipynb", "b.ipynb", "c.ipynb"):
        repo.write(output="old", name=name)
    repo.git("add", "-N", "c.ipynb")
    repo.git("add", "a.ipynb", "b.ipynb")
    repo.git("update-index", "--skip-worktree", "a.ipynb")
    repo.git("update-index", "--assume-unchanged", "b.ipynb")
    before = repo.git("ls-files", "-v", "-s").stdout
    repo.git("diff")
    repo.status()
    assert repo.git("ls-files", "-v", "-s").stdout == before
    assert repo.status() == "A  a.ipynb\nA  b.ipynb\n A c.ipynb\n"


def test_a_linked_worktree_and_a_submodule_work_alike(branched: Branched) -> None:
    repo = branched(True)
    repo.git("worktree", "add", "-q", "--detach", "../linked", "main")
    linked = Worktree(repo.folder.parent / "linked")
    linked.write(output="in the linked one")
    linked.git("merge", "--no-edit", "other")
    assert linked.outputs()[1:] == ["in the linked one"] * 4
    outer = Worktree(repo.folder.parent / "outer")
    outer.folder.mkdir()
    outer.git("init", "-q", ".")
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repo.folder), "inner")
    inner = Worktree(outer.folder / "inner")
    text = io.StringIO()
    assert main.run(["git", "install"], Console(out=text, err=text, environ=os.environ, folder=inner.folder)) == 0
    inner.write(output="in the submodule")
    assert inner.status() == ""
    inner.git("fetch", "-q", "origin")
    inner.git("merge", "--no-edit", "origin/other")
    assert inner.outputs()[1:] == ["in the submodule"] * 4


def test_odd_names_go_through_the_filter(repo: Worktree) -> None:
    names = ["with space.ipynb", "quote'\".ipynb", "new\nline.ipynb", "$(touch hacked).ipynb", "-dash.ipynb", "ü.ipynb"]
    for name in names:
        repo.write(output="old", name=name)
    repo.commit()
    for name in names:
        repo.write(output="new", name=name)
    assert repo.status() == ""
    repo.git("checkout", "-q", "--detach")
    assert all(repo.outputs(name) == ["new"] * 5 for name in names)
    assert not (repo.folder / "hacked").exists()


def test_a_look_that_must_not_lock_writes_nothing(branched: Branched) -> None:
    repo = branched(False)
    repo.write(output="new")
    before = (repo.folder / ".git" / "index").read_bytes()
    repo.environ["GIT_OPTIONAL_LOCKS"] = "0"
    assert repo.status() == ""
    assert (repo.folder / ".git" / "index").read_bytes() == before


def test_committed_outputs_are_taken_out_when_that_is_asked_for(bare_repo: Worktree) -> None:
    bare_repo.write(output="committed")
    bare_repo.commit()
    bare_repo.install()
    text = io.StringIO()
    console = Console(out=text, err=text, environ=os.environ, folder=bare_repo.folder)
    assert main.run(["git", "renormalize"], console) == 0
    assert text.getvalue() == "staged: n.ipynb\n"
    assert bare_repo.staged() == notebook()
    assert bare_repo.outputs() == ["committed"] * 5

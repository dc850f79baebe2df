"""Files of revisions and of the index; where a repository is; the commits of one notebook."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from nbcellar.api.document_sources import Sources
from nbcellar.errors import (
    InvalidInputError,
    NoRepositoryError,
    NotFoundError,
    StoreUnavailableError,
    UnknownReferenceError,
)
from nbcellar.git import index
from nbcellar.git.history import history_of
from nbcellar.git.hooks import refused_notebooks
from nbcellar.git.labels import side_names
from nbcellar.git.process import Git
from nbcellar.git.repository import find_git_repository
from nbcellar.git.revisions import Changed, Place, changed_notebooks, find_commit, parse_place, read_file, stages_of

from .support import SOURCES, Worktree, make, notebook, run_cellar


def git_of(repo: Worktree) -> Git:
    return Git(repo.folder, os.environ)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("git:HEAD~2:a/b.ipynb", Place("HEAD~2", "a/b.ipynb")),
        ("git:main", Place("main", None)),
        ("git:", Place(None, None)),
        ("git::n.ipynb", Place(None, "n.ipynb")),
        ("git:HEAD^{/fix: it}:n:1.ipynb", Place("HEAD^{/fix: it}", "n:1.ipynb")),
    ],
)
def test_places_are_written_as_git_writes_them(text: str, place: Place) -> None:
    assert parse_place(text) == place


def test_what_is_no_place_is_an_error() -> None:
    with pytest.raises(InvalidInputError):
        parse_place("HEAD:n.ipynb")


ODD = ["a b.ipynb", "-x.ipynb", "new\nline.ipynb", "*.ipynb", "[n].ipynb", ":(top)n.ipynb", "ü/ö.ipynb", "q'\".ipynb"]


@pytest.mark.parametrize("name", ODD)
def test_a_file_of_any_name_is_read(bare_repo: Worktree, name: str) -> None:
    (bare_repo.folder / name).parent.mkdir(exist_ok=True)
    bare_repo.write(name=name)
    bare_repo.write(name="decoy.ipynb", output="decoy")
    bare_repo.commit()
    bare_repo.write(output="staged", name=name)
    bare_repo.git("add", "-A")
    git = git_of(bare_repo)
    assert read_file(git, Place("HEAD", name)) == notebook()
    assert read_file(git, Place(None, name)) == notebook(output="staged")
    assert [entry.new_path for entry in changed_notebooks(git, "HEAD", None, staged=True)] == [name]


@pytest.mark.parametrize(
    "revision", ["nothing", "--all", "-h", "HEAD --", "$(touch hacked)", "HEAD\n", "", "a\0b", "^HEAD", "HEAD..HEAD"]
)
def test_a_revision_that_is_none_is_an_error(bare_repo: Worktree, revision: str) -> None:
    bare_repo.write()
    bare_repo.commit()
    with pytest.raises(UnknownReferenceError):
        find_commit(git_of(bare_repo), revision)
    assert not (bare_repo.folder / "hacked").exists()


def test_what_is_no_file_is_an_error(bare_repo: Worktree) -> None:
    (bare_repo.folder / "deep").mkdir()
    bare_repo.write(name="deep/n.ipynb")
    (bare_repo.folder / "link.ipynb").symlink_to("/etc/passwd")
    bare_repo.commit()
    git = git_of(bare_repo)
    with pytest.raises(InvalidInputError, match="symbolic link"):
        read_file(git, Place("HEAD", "link.ipynb"))
    with pytest.raises(InvalidInputError, match="symbolic link"):
        read_file(git, Place(None, "link.ipynb"))
    with pytest.raises(InvalidInputError, match="a folder"):
        read_file(git, Place("HEAD", "deep"))
    for place in (Place("HEAD", "deep/x"), Place(None, "deep"), Place("HEAD", "../n.ipynb"), Place("HEAD", "")):
        with pytest.raises((NotFoundError, InvalidInputError)):
            read_file(git, place)
    with pytest.raises(InvalidInputError, match="not one"):
        read_file(git, Place("HEAD", None))


def test_stages_of_a_merge_are_read(bare_repo: Worktree) -> None:
    bare_repo.write()
    bare_repo.commit()
    bare_repo.git("switch", "-qc", "other")
    bare_repo.write(("theirs", *SOURCES))
    bare_repo.commit()
    bare_repo.git("switch", "-q", "main")
    bare_repo.write(("ours", *SOURCES))
    bare_repo.commit()
    bare_repo.git("merge", "other", check=False)
    git = git_of(bare_repo)
    assert stages_of(git, "n.ipynb") == {
        1: notebook(),
        2: notebook(("ours", *SOURCES)),
        3: notebook(("theirs", *SOURCES)),
    }
    assert read_file(git, Place(None, "n.ipynb"), stage=2) == notebook(("ours", *SOURCES))
    with pytest.raises(InvalidInputError, match="in the midst of a merge"):
        read_file(git, Place(None, "n.ipynb"))


def test_changed_notebooks_with_renames(bare_repo: Worktree) -> None:
    bare_repo.write()
    bare_repo.write((*SOURCES, "gone"), name="gone.ipynb")
    (bare_repo.folder / "x.txt").touch()
    bare_repo.commit()
    bare_repo.git("mv", "n.ipynb", "m.ipynb")
    (bare_repo.folder / "x.txt").write_text("x")
    (bare_repo.folder / "gone.ipynb").unlink()
    bare_repo.write(("new and different",), name="new.ipynb")
    bare_repo.commit()
    git = git_of(bare_repo)
    found = changed_notebooks(git, "HEAD~1", "HEAD")
    assert [(entry.old_path, entry.new_path) for entry in found] == [
        ("gone.ipynb", None),
        ("n.ipynb", "m.ipynb"),
        (None, "new.ipynb"),
    ]
    assert found[1].old == found[1].new
    assert changed_notebooks(git, "HEAD", None) == []
    bare_repo.write(("edited",), name="new.ipynb")
    assert changed_notebooks(git, None, None) == [Changed("new.ipynb", "new.ipynb", found[2].new, "")]


def test_a_repository_is_found_from_within(bare_repo: Worktree, tmp_path: Path) -> None:
    (bare_repo.folder / "deep" / "er").mkdir(parents=True)
    found = find_git_repository(bare_repo.folder / "deep" / "er", os.environ)
    assert found.worktree == bare_repo.folder
    assert found.git_dir == found.common_dir == bare_repo.folder / ".git"
    assert found.path_of(bare_repo.folder / "deep" / "n.ipynb") == "deep/n.ipynb"
    with pytest.raises(InvalidInputError):
        found.path_of(tmp_path / "n.ipynb")
    with pytest.raises(NoRepositoryError, match="not in a git repository"):
        find_git_repository(tmp_path, os.environ)
    inside = find_git_repository(bare_repo.folder / ".git" / "hooks", os.environ)
    assert inside.worktree == bare_repo.folder


def test_bare_linked_and_odd_repositories_are_found(bare_repo: Worktree, tmp_path: Path) -> None:
    bare_repo.write()
    bare_repo.commit()
    bare_repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare\nwith a line.git"))
    bare = find_git_repository(tmp_path / "bare\nwith a line.git", os.environ)
    assert bare.worktree is None
    assert read_file(bare.git, Place("main", "n.ipynb")) == notebook()
    with pytest.raises(InvalidInputError, match="bare"):
        bare.path_of(tmp_path / "n.ipynb")
    bare_repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    linked = find_git_repository(tmp_path / "linked", os.environ)
    assert linked.common_dir == bare_repo.folder / ".git"
    assert linked.git_dir == bare_repo.folder / ".git" / "worktrees" / "linked"


def test_what_git_sets_in_hooks_is_honoured(bare_repo: Worktree, tmp_path: Path) -> None:
    other = make(tmp_path / "other")
    environ = {**os.environ, "GIT_DIR": str(bare_repo.folder / ".git"), "GIT_WORK_TREE": str(bare_repo.folder)}
    assert find_git_repository(other.folder, environ).git_dir == bare_repo.folder / ".git"
    elsewhere = Git(bare_repo.folder, environ).elsewhere(other.folder)
    assert find_git_repository(other.folder, elsewhere.environ).git_dir == other.folder / ".git"


def test_without_git_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="not installed"):
        Git(tmp_path, {"PATH": "/nowhere"}).run("status")


def test_an_index_that_another_git_holds_is_left_alone(bare_repo: Worktree) -> None:
    bare_repo.write()
    bare_repo.git("add", "n.ipynb")
    git = git_of(bare_repo)
    (bare_repo.folder / ".git" / "index.lock").touch()
    assert index.compare_by_content(git, [b"n.ipynb"]) == 0
    (bare_repo.folder / ".git" / "index.lock").unlink()
    assert index.compare_by_content(git, [b"n.ipynb", b"nothing"]) == 1
    assert [entry.size for entry in index.entries(git, [b"n.ipynb"])] == [0]
    assert index.compare_by_content(git, [b"n.ipynb"]) == 0


def test_the_log_says_which_cells_changed(bare_repo: Worktree) -> None:
    bare_repo.write()
    bare_repo.commit("first")
    bare_repo.write(("a = 10", *SOURCES[1:], "f = 6"))
    bare_repo.commit("second, with\ta tab and 'quotes'")
    bare_repo.git("mv", "n.ipynb", "m.ipynb")
    bare_repo.commit("rename")
    (bare_repo.folder / "x").touch()
    bare_repo.commit("another file")
    bare_repo.write(("a = 10", *SOURCES[1:], "f = 6"), "ran", name="m.ipynb")
    bare_repo.commit("run")
    (bare_repo.folder / "m.ipynb").write_text("broken")
    bare_repo.commit("broken")
    repository = find_git_repository(bare_repo.folder, os.environ)
    found = history_of(repository, "m.ipynb")
    assert [(entry.title, entry.changes) for entry in found] == [
        ("broken", ("not a readable notebook",)),
        ("run", ("6 cells run again",)),
        ("rename", ("nothing in the cells",)),
        ("second, with\ta tab and 'quotes'", ("edited cell 1: a = 10", "added cell 6: f = 6")),
        ("first", ("added the notebook: 5 cells",)),
    ]
    assert found[2].old_path == "n.ipynb"
    assert [entry.path for entry in found][-1] == "n.ipynb"
    assert len(history_of(repository, "m.ipynb", limit=2)) == 2


def test_a_version_of_a_notebook_is_printed(bare_repo: Worktree) -> None:
    bare_repo.write()
    bare_repo.commit()
    bare_repo.write(("a = 10",))
    assert run_cellar(bare_repo.folder, "show", "git:HEAD:n.ipynb", "--json") == (0, notebook().decode())
    assert "b = 2" in run_cellar(bare_repo.folder, "show", "git::n.ipynb")[1]
    assert run_cellar(bare_repo.folder, "show", "git:HEAD:gone.ipynb")[0] == 2


def test_a_log_of_nothing_says_so(bare_repo: Worktree) -> None:
    bare_repo.write()
    assert run_cellar(bare_repo.folder, "git", "log", "n.ipynb") == (0, "no commit has n.ipynb\n")
    code, said = run_cellar(bare_repo.folder, "git", "log", "gone.ipynb")
    assert (code, said) == (2, "error: no file gone.ipynb, and no commit has it\n")


def test_a_repository_without_commits_has_an_empty_log(bare_repo: Worktree) -> None:
    assert history_of(find_git_repository(bare_repo.folder, os.environ), "n.ipynb") == []


def test_sides_are_called_by_what_git_is_doing(bare_repo: Worktree) -> None:
    bare_repo.write()
    bare_repo.commit("base")
    bare_repo.git("switch", "-qc", "the 'other'".replace(" ", "-"))
    bare_repo.write(("theirs", *SOURCES))
    bare_repo.commit("their title")
    picked = bare_repo.git("rev-parse", "HEAD").stdout.strip()
    bare_repo.git("switch", "-q", "main")
    bare_repo.write(("ours", *SOURCES))
    bare_repo.commit("our title")
    git_dir = bare_repo.folder / ".git"
    (git_dir / "info" / "attributes").write_text("*.ipynb merge=probe\n")
    script = bare_repo.folder / ".git" / "probe"
    script.write_text("#!/bin/sh\nenv | grep '^GITHEAD_' > .git/heads\nfalse\n")
    script.chmod(0o755)
    bare_repo.git("config", "merge.probe.driver", ".git/probe")

    def names() -> tuple[str, str]:
        pairs = (line.partition("=") for line in (git_dir / "heads").read_text().splitlines())
        found = side_names(git_dir, {key: value for key, _, value in pairs})
        return found.ours, found.theirs

    bare_repo.git("merge", "the-'other'", check=False)
    assert names() == ("HEAD", "the-'other'")
    bare_repo.git("merge", "--abort")
    bare_repo.git("cherry-pick", picked, check=False)
    assert names() == ("HEAD", picked[:10])
    bare_repo.git("cherry-pick", "--abort")
    bare_repo.git("rebase", "the-'other'", check=False)
    ours, theirs = names()
    assert ours == f"the commits that are rebased onto, {picked[:10]}"
    assert theirs.endswith("our title")


def test_git_is_never_run_through_a_shell(bare_repo: Worktree) -> None:
    answer = git_of(bare_repo).run("rev-parse", "$(touch hacked)", check=False)
    assert answer.code != 0
    assert subprocess.run(["ls", "hacked"], cwd=bare_repo.folder, capture_output=True, check=False).returncode != 0


def test_a_revision_beside_a_file_means_that_file(bare_repo: Worktree) -> None:
    bare_repo.write()
    bare_repo.commit()
    bare_repo.write(output="new")
    sources = Sources(bare_repo.folder, os.environ)
    before, after = sources.side("git:HEAD"), sources.side("n.ipynb")
    assert before is not None and after is not None
    (pair,) = sources.pairs(before, after)
    assert (pair.before.name, pair.before.data) == ("git:HEAD:n.ipynb", notebook())
    assert pair.after.data == notebook(output="new")


def test_a_text_full_of_marks_that_begin_is_looked_at_once(bare_repo: Worktree) -> None:
    for name, text in (("open.ipynb", "<<<<<<< a\n" * 50_000), ("done.ipynb", "<<<<<<< a\n=======\n>>>>>>> b\n")):
        (bare_repo.folder / name).write_text(text)
    bare_repo.git("add", "-A")
    assert [refused.path for refused in refused_notebooks(git_of(bare_repo))] == ["done.ipynb"]

"""A notebook being edited against git: marks, and staging single cells, with real git."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from nbcellar.api.git_review import Review
from nbcellar.errors import CellarError, ConflictError, InvalidInputError
from nbcellar.git import index_lock

from .support import SOURCES, Worktree, cellar, notebook


def _live(*sources: str, output: str = "") -> dict[str, Any]:
    made: dict[str, Any] = json.loads(notebook(sources, output))
    for cell in made["cells"]:
        cell["source"] = "".join(cell["source"])
    return made


def _review(repo: Worktree, name: str = "n.ipynb") -> Review:
    return Review(repo.folder / name, os.environ)


def _staged(repo: Worktree) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(repo.staged())["cells"]]


def test_marks_say_what_became_of_each_cell(bare_repo: Worktree) -> None:
    bare_repo.write()
    bare_repo.commit()
    live = _live("a = 1", "b = 20", "d = 4", "e = 5", "unheard(of)")
    for cell in live["cells"]:
        cell["id"] = f"of-{cell['source'][0]}"
    marks = _review(bare_repo).marks(live)
    assert [(mark.cell, mark.base, mark.mark) for mark in marks.cells] == [(1, 1, "changed"), (4, None, "added")]
    assert [(mark.before, mark.base) for mark in marks.gone] == [(2, 2)]


def test_outputs_make_a_mark_only_where_git_would_have_them(bare_repo: Worktree) -> None:
    bare_repo.write(output="old")
    bare_repo.commit()
    live = _live(*SOURCES, output="new")
    assert {mark.mark for mark in _review(bare_repo).marks(live).cells} == {"outputs"}
    assert _review(bare_repo).marks(live, outputs=False).cells == []
    bare_repo.install()
    cellar(bare_repo.folder, "renormalize")
    bare_repo.git("commit", "-qm", "without outputs")
    assert _review(bare_repo).marks(live).cells == []


def test_one_cell_is_staged_and_the_working_copy_left_alone(bare_repo: Worktree) -> None:
    bare_repo.write()
    bare_repo.commit()
    before = bare_repo.bytes()
    live = _live("a = 1", "b = 20", "c = 3", "d = 40", "e = 5")
    assert _review(bare_repo).stage(live, [3], []).changed
    assert _staged(bare_repo) == ["a = 1", "b = 2", "c = 3", "d = 40", "e = 5"]
    assert bare_repo.bytes() == before
    assert not _review(bare_repo).stage(live, [3], []).changed
    assert [m.cell for m in _review(bare_repo).marks(live, "").cells] == [1]  # against the index


def test_a_removed_cell_is_staged_once(bare_repo: Worktree) -> None:
    bare_repo.write()
    bare_repo.commit()
    review, live = _review(bare_repo), _live("a = 1", "c = 3", "d = 4", "e = 5")
    gone = review.base().notebook["cells"][1]  # type: ignore[index]
    assert review.stage(live, [], [gone]).changed
    assert _staged(bare_repo) == ["a = 1", "c = 3", "d = 4", "e = 5"]
    with pytest.raises(ConflictError):
        review.stage(live, [], [gone])


def test_outputs_that_the_filter_keeps_out_are_not_staged(repo: Worktree) -> None:
    repo.write()
    repo.commit()
    _review(repo).stage(_live("a = 1", "b = 20", "c = 3", "d = 4", "e = 5", output="secret"), [1], [])
    assert b"secret" not in repo.staged()
    assert _staged(repo)[1] == "b = 20"


def test_a_notebook_that_git_does_not_know_is_added_cell_by_cell(bare_repo: Worktree) -> None:
    bare_repo.write()
    marks = _review(bare_repo).marks(_live(*SOURCES))
    assert [mark.mark for mark in marks.cells] == ["added"] * 5
    _review(bare_repo).stage(_live(*SOURCES), [1, 3], [])
    assert _staged(bare_repo) == ["b = 2", "d = 4"]


def test_nothing_is_staged_in_a_merge(bare_repo: Worktree) -> None:
    bare_repo.write()
    bare_repo.commit()
    bare_repo.git("switch", "-qc", "other")
    bare_repo.write(("a = 10", *SOURCES[1:]))
    bare_repo.commit()
    bare_repo.git("switch", "-q", "main")
    bare_repo.write(("a = 11", *SOURCES[1:]))
    bare_repo.commit()
    bare_repo.git("merge", "other", check=False)
    assert "UU" in bare_repo.status()
    with pytest.raises(InvalidInputError, match="midst of a merge"):
        _review(bare_repo).stage(_live(*SOURCES), [0], [])


def test_cells_that_are_staged_at_once_are_all_staged(bare_repo: Worktree) -> None:
    sources = [f"a{number} = {number}" for number in range(12)]
    bare_repo.write(sources)
    bare_repo.commit()
    fresh = [f"{source}0" for source in sources]
    with ThreadPoolExecutor(12) as threads:
        done = list(threads.map(lambda place: _review(bare_repo).stage(_live(*fresh), [place], []), range(12)))
    assert all(staged.changed for staged in done)
    assert _staged(bare_repo) == fresh
    assert not list((bare_repo.folder / ".git").glob("index.*"))


def test_while_another_git_holds_the_index_nothing_is_staged(
    bare_repo: Worktree, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare_repo.write()
    bare_repo.commit()
    lock = bare_repo.folder / ".git" / "index.lock"
    lock.touch()
    monkeypatch.setattr(index_lock, "_PATIENCE_S", 0)
    with pytest.raises(ConflictError, match="another git is at work"):
        _review(bare_repo).stage(_live("a = 10", *SOURCES[1:]), [0], [])
    assert lock.exists()
    assert _staged(bare_repo) == list(SOURCES)


def test_what_another_tools_filter_keeps_out_is_not_staged(bare_repo: Worktree, tmp_path: Path) -> None:
    tool = tmp_path / "strip.py"
    tool.write_text(
        "import json, sys\nvalue = json.load(sys.stdin)\n"
        "for cell in value['cells']:\n    cell.update(outputs=[], execution_count=None)\n"
        "json.dump(value, sys.stdout, indent=1)\nprint()\n"
    )
    bare_repo.git("config", "filter.nbstripout.clean", f"'{sys.executable}' '{tool}'")
    (bare_repo.folder / ".gitattributes").write_text("*.ipynb filter=nbstripout\n")
    bare_repo.write(output="secret")
    bare_repo.commit()
    _review(bare_repo).stage(_live("a = 1", "b = 20", *SOURCES[2:], output="secret"), [1], [])
    assert _staged(bare_repo)[1] == "b = 20"
    assert b"secret" not in bare_repo.staged()


def test_of_what_git_keeps_elsewhere_no_cell_is_staged(bare_repo: Worktree) -> None:
    bare_repo.git("config", "filter.lfs.clean", "echo pointer to")
    (bare_repo.folder / ".gitattributes").write_text("*.ipynb filter=lfs\n")
    bare_repo.write()
    bare_repo.commit()
    with pytest.raises(InvalidInputError, match="through the filter 'lfs'"):
        _review(bare_repo).stage(_live("a = 10", *SOURCES[1:]), [0], [])


def test_a_notebook_that_git_ignores_is_not_added_by_a_cell(bare_repo: Worktree) -> None:
    (bare_repo.folder / ".gitignore").write_text("*.ipynb\n")
    bare_repo.write()
    with pytest.raises(InvalidInputError, match=r"git ignores n\.ipynb"):
        _review(bare_repo).stage(_live(*SOURCES), [0], [])
    assert "n.ipynb" not in bare_repo.status()


def test_a_notebook_that_git_was_told_of_is_added_cell_by_cell(bare_repo: Worktree) -> None:
    bare_repo.write()
    bare_repo.git("add", "-N", "n.ipynb")
    assert [mark.mark for mark in _review(bare_repo).marks(_live(*SOURCES), "").cells] == ["added"] * 5
    _review(bare_repo).stage(_live(*SOURCES), [1], [])
    assert _staged(bare_repo) == ["b = 2"]


def test_a_mode_and_a_strange_name_are_kept(bare_repo: Worktree) -> None:
    name = "-x\n*é.ipynb"
    bare_repo.write(name=name)
    (bare_repo.folder / name).chmod(0o755)
    bare_repo.commit()
    _review(bare_repo, name).stage(_live("a = 1", "b = 20", "c = 3", "d = 4", "e = 5"), [1], [])
    listing = bare_repo.git("ls-files", "-s", "-z").stdout
    assert listing.startswith("100755 ")
    assert name in listing


@pytest.mark.parametrize("name", ["-d", "a b", "x..y", "", "main"])
def test_a_branch_that_git_refuses_changes_nothing(bare_repo: Worktree, name: str) -> None:
    bare_repo.write()
    bare_repo.commit()
    before = bare_repo.git("for-each-ref").stdout
    with pytest.raises(CellarError):
        _review(bare_repo).branch(name, "HEAD")
    assert bare_repo.git("for-each-ref").stdout == before


def test_a_branch_is_made_at_a_commit(bare_repo: Worktree) -> None:
    bare_repo.write()
    bare_repo.commit("one")
    bare_repo.write(output="x")
    bare_repo.commit("two")
    log = _review(bare_repo).log(10).commits
    assert [entry.title for entry in log] == ["two", "one"]
    assert _review(bare_repo).branch("idea", log[1].commit).commit == log[1].commit
    assert bare_repo.git("log", "-1", "--format=%s", "idea").stdout.strip() == "one"


def test_another_file_is_not_shown_by_a_revision(bare_repo: Worktree, tmp_path: Path) -> None:
    bare_repo.write()
    bare_repo.commit()
    with pytest.raises(InvalidInputError, match="names a file"):
        _review(bare_repo).base("HEAD:secret.ipynb")

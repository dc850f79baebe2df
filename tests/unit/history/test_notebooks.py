"""A notebook is recognised by its path, and by its content after a rename; nothing is written into the file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from blake3 import blake3

from nbcellar.errors import AmbiguousReferenceError, InvalidInputError, NotFoundError
from nbcellar.history.evidence import evidence_of
from nbcellar.history.notebooks import note_evidence
from nbcellar.history.repository import Repository
from nbcellar.ids import NotebookId

from .conftest import History


def lines(path: Path) -> Iterable[bytes]:
    """Stand in for a notebook's cells: the lines of a text."""
    return [blake3(line.encode()).digest() for line in path.read_text().splitlines() if line]


def see(repo: Repository, name: str, text: str | None = None) -> NotebookId:
    if text is not None:
        (repo.root / name).write_text(text)
    return repo.notebook_for(Path(name), create=True, content_key=lines)


def note(repo: Repository, notebook: NotebookId, file: Path) -> None:
    """Note how a file looks now, as a commit does."""
    with repo.store.begin() as tx:
        note_evidence(repo, tx, notebook, evidence_of(file.stat(), lines(file)))
        tx.commit()


def test_a_path_keeps_its_notebook_whatever_is_in_the_file(repo: Repository) -> None:
    first = see(repo, "a.ipynb", "one\ntwo")
    assert see(repo, "a.ipynb", "quite\nother") == first
    assert see(repo, str(repo.root / "a.ipynb")) == first


def test_a_renamed_file_keeps_its_notebook(repo: Repository) -> None:
    first = see(repo, "a.ipynb", "one\ntwo")
    (repo.root / "sub").mkdir()
    (repo.root / "a.ipynb").rename(repo.root / "sub" / "b.ipynb")
    assert see(repo, "sub/b.ipynb") == first
    assert [entry.path for entry in repo.notebooks()] == ["sub/b.ipynb"]


def test_a_file_renamed_and_edited_keeps_its_notebook_if_half_of_its_cells_are_the_same(repo: Repository) -> None:
    first = see(repo, "a.ipynb", "one\ntwo\nthree")
    (repo.root / "a.ipynb").unlink()
    assert see(repo, "b.ipynb", "one\ntwo\nthree and more\nfour") == first


def test_an_unrelated_file_that_took_the_inode_of_a_deleted_one_is_a_new_notebook(repo: Repository) -> None:
    first = see(repo, "a.ipynb", "one\ntwo")
    (repo.root / "a.ipynb").unlink()
    assert see(repo, "b.ipynb", "six\nten") != first


def test_an_empty_notebook_that_is_renamed_before_it_is_saved_again_keeps_its_notebook(repo: Repository) -> None:
    first = see(repo, "Untitled.ipynb", "")
    (repo.root / "Untitled.ipynb").rename(repo.root / "b.ipynb")
    assert see(repo, "b.ipynb") == first


def test_a_copy_starts_a_notebook_that_knows_where_it_was_forked(repo: Repository) -> None:
    history = History(repo)
    first = see(repo, "a.ipynb", "one\ntwo")
    note(repo, first, repo.root / "a.ipynb")
    commit = history.step()
    copy = see(repo, "b.ipynb", "one\ntwo")
    assert copy != first == history.notebook
    assert repo.forked_from(copy) == commit and repo.forked_from(first) is None
    assert repo.head(copy).commit is None, "the first commit of the copy is still to come"


def test_what_was_saved_since_is_remembered(repo: Repository) -> None:
    first = see(repo, "a.ipynb", "one")
    file = repo.root / "a.ipynb"
    file.write_text("two\nthree")
    note(repo, first, file)
    (repo.root / "a.ipynb").unlink()
    assert see(repo, "b.ipynb", "two\nthree") == first


def test_of_several_gone_notebooks_the_most_alike_is_taken(repo: Repository) -> None:
    some, more = see(repo, "a.ipynb", "one\ntwo\nthree"), see(repo, "b.ipynb", "five\nsix\nseven\neight")
    for name in ("a.ipynb", "b.ipynb"):
        (repo.root / name).unlink()
    assert see(repo, "c.ipynb", "five\nsix\nseven\none") == more != some


def test_a_file_need_not_exist_yet(repo: Repository) -> None:
    assert see(repo, "new.ipynb") == see(repo, "new.ipynb")


def test_an_unknown_file_is_not_found_unless_asked_to_start_one(repo: Repository) -> None:
    with pytest.raises(NotFoundError, match=r"x\.ipynb is not recorded here"):
        repo.notebook_for(Path("x.ipynb"))


def test_a_path_outside_is_refused(repo: Repository) -> None:
    for path in ("../x.ipynb", "/etc/x.ipynb"):
        with pytest.raises(InvalidInputError, match="outside"):
            repo.notebook_for(Path(path), create=True)


def test_a_root_that_is_a_link_holds_the_files_of_its_target(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with Repository.create(tmp_path / "link") as repo:
        assert repo.notebook_for(tmp_path / "real" / "a.ipynb", create=True) == repo.notebook_for(Path("a.ipynb"))


def test_a_notebook_is_named_by_path_end_of_path_stem_or_id(repo: Repository) -> None:
    (repo.root / "x").mkdir()
    (repo.root / "y").mkdir()
    first, second, third = see(repo, "x/a.ipynb"), see(repo, "y/a.ipynb"), see(repo, "y/b.ipynb")
    assert repo.find_notebook("x/a.ipynb") == first
    assert repo.find_notebook(str(repo.root / "y" / "a.ipynb")) == second
    assert repo.find_notebook("b") == repo.find_notebook("b.ipynb") == repo.find_notebook(third[:8]) == third
    with pytest.raises(AmbiguousReferenceError, match=r"x/a\.ipynb, y/a\.ipynb"):
        repo.find_notebook("a")
    with pytest.raises(NotFoundError, match="no notebook 'q'"):
        repo.find_notebook("q")


def test_the_listing_counts_commits_and_says_where_head_is(repo: Repository) -> None:
    history = History(repo)
    history.step()
    last = history.step()
    (info,) = repo.notebooks()
    assert (info.path, info.head, info.branch, info.commits) == ("a.ipynb", last, "main", 2)
    assert info.time_ns == repo.read_commit(last).time_ns

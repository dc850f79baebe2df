"""Branches, tags, messages and HEAD, with git's meaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.errors import AlreadyExistsError, ConflictError, InvalidInputError, NotFoundError, UnknownReferenceError
from nbcellar.history.refs import check_name, decode_head, encode_head, next_free_branch
from nbcellar.ids import CommitId

from .conftest import History


@given(st.text(min_size=1, max_size=20), st.binary(min_size=32, max_size=32))
def test_head_reads_back_attached_and_detached(name: str, commit: bytes) -> None:
    try:
        check_name(name, "branch")
    except InvalidInputError:
        return
    assert decode_head(encode_head(branch=name)) == (name, None, name)
    assert decode_head(encode_head(commit=CommitId(commit), left=name)) == (None, commit, name)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "is empty"),
        ("a b", "space"),
        ("a\x07", "control"),
        ("a~1", "one of"),
        ("a:b", "one of"),
        ("a..b", "'..'"),
        ("a@{b", "'@{'"),
        ("@", "means HEAD"),
        ("HEAD", "meaning of its own"),
        ("-a", "begins with '-'"),
        ("/a", "'/'"),
        ("a//b", "'/'"),
        (".a", "begins with '.'"),
        ("a/.b", "begins with '.'"),
        ("a.lock", "'.lock'"),
        ("a.", "ends with '.'"),
        ("a" * 64, "id of a commit"),
        ("ä" * 120, "too long"),
        ("\ud800", "not text"),
    ],
)
def test_a_name_that_git_would_refuse_is_refused_with_the_reason(name: str, fault: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot name a tag") as caught:
        check_name(name, "tag")
    assert fault in str(caught.value)


@pytest.mark.parametrize("name", ["main", "ana/outliers", "v1.0", "été", "a@b", "x-2"])
def test_a_name_that_git_takes_is_taken(name: str) -> None:
    assert check_name(name, "branch") == name


def test_the_next_free_branch_counts_on() -> None:
    assert next_free_branch("main", {"main"}) == "main-2"
    assert next_free_branch("main-2", {"main", "main-2"}) == "main-3"
    assert next_free_branch("-2", set()) == "-2-2"


def test_a_branch_is_made_moved_renamed_and_deleted(history: History) -> None:
    ids = history.build([1], [2, 1])
    repo, notebook = history.repo, history.notebook
    repo.create_branch(notebook, "trial", ids[1])
    with pytest.raises(AlreadyExistsError, match="trial exists"):
        repo.create_branch(notebook, "trial", ids[2])
    repo.create_branch(notebook, "trial", ids[2], force=True)
    repo.rename_branch(notebook, "trial", "kept")
    assert [(b.name, b.commit, b.is_current) for b in repo.branches(notebook)] == [
        ("kept", ids[2], False),
        ("main", ids[2], True),
    ]
    repo.delete_branch(notebook, "kept")
    assert [b.name for b in repo.branches(notebook)] == ["main"]


def test_the_current_branch_is_neither_deleted_nor_moved_and_renaming_it_takes_head_along(history: History) -> None:
    ids = history.build([1], [2, 1])
    repo, notebook = history.repo, history.notebook
    with pytest.raises(InvalidInputError, match="current"):
        repo.delete_branch(notebook, "main")
    with pytest.raises(InvalidInputError, match="current"):
        repo.create_branch(notebook, "main", ids[1], force=True)
    repo.rename_branch(notebook, "main", "trunk")
    assert repo.head(notebook).branch == "trunk"
    assert history.record().branch == "trunk"


def test_a_tag_and_a_branch_do_not_share_a_name(history: History) -> None:
    commit = history.step()
    with pytest.raises(AlreadyExistsError, match="a branch main exists"):
        history.repo.create_tag(history.notebook, "main", commit)
    history.repo.create_tag(history.notebook, "v1", commit)
    with pytest.raises(AlreadyExistsError, match="a tag v1 exists"):
        history.repo.create_branch(history.notebook, "v1", commit)


def test_unknown_branches_tags_and_commits_are_named(history: History) -> None:
    history.step()
    repo, notebook = history.repo, history.notebook
    with pytest.raises(NotFoundError, match="no branch 'x'"):
        repo.delete_branch(notebook, "x")
    with pytest.raises(NotFoundError, match="no tag 'x'"):
        repo.delete_tag(notebook, "x")
    with pytest.raises(NotFoundError, match="no branch 'x'"):
        repo.rename_branch(notebook, "x", "y")
    with pytest.raises(UnknownReferenceError):
        repo.create_tag(notebook, "v1", CommitId(bytes(32)))


def test_a_checkout_says_where_head_was_and_is(history: History) -> None:
    ids = history.build([1], [2, 1])
    repo, notebook = history.repo, history.notebook
    moved = repo.move_head(notebook, ids[1])
    assert (moved.before.branch, moved.before.commit) == ("main", ids[2])
    assert (moved.after.branch, moved.after.commit, moved.after.left) == (None, ids[1], "main")
    assert repo.move_head(notebook, ids[1]).operation == 0, "nothing to do"
    back = repo.move_head(notebook, ids[2], branch="main")
    assert back.after.branch == "main" and back.operation == moved.operation + 1


def test_a_branch_that_moved_meanwhile_is_not_checked_out_unseen(history: History) -> None:
    ids = history.build([1], [2, 1])
    with pytest.raises(ConflictError, match="moved"):
        history.repo.move_head(history.notebook, ids[1], branch="main")


def test_a_newer_message_is_shown_and_the_commit_stays_as_it_was(history: History) -> None:
    commit = history.step(message="first words")
    repo, notebook = history.repo, history.notebook
    assert repo.message_of(notebook, commit) == "first words"
    repo.set_message(notebook, commit, "better words\n\nand more")
    assert repo.message_of(notebook, commit) == "better words\n\nand more"
    assert repo.log(notebook)[0].title == "better words"
    assert repo.read_commit(commit).message == "first words"
    assert repo.set_message(notebook, commit, "better words\n\nand more") == 0
    repo.set_message(notebook, commit, "")
    assert repo.message_of(notebook, commit) == "first words"


def test_head_moves_though_another_kernel_of_the_notebook_moves_it_at_the_same_moment(history: History) -> None:
    ids = history.build([1], [2, 1], [3, 2])
    begin, turns = history.repo.store.begin, iter(range(2))

    def begin_late() -> object:
        if next(turns, None) is not None:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(history.repo.store, "begin", begin)
                target = ids[2] if history.repo.head(history.notebook).commit != ids[2] else ids[3]
                history.repo.move_head(history.notebook, target)
        return begin()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history.repo.store, "begin", begin_late)
        history.repo.move_head(history.notebook, ids[1])
    assert history.repo.head(history.notebook).commit == ids[1]

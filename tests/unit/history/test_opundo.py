"""Undoing operations: refs go back exactly, or nothing changes and the reason is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbcellar.errors import CellarError, ConflictError, InvalidInputError, NotFoundError
from nbcellar.history.branches import Ref
from nbcellar.history.repository import Repository
from nbcellar.store.memory import MemoryStore

from .conftest import History


def refs_of(history: History) -> dict[tuple[str, str], bytes]:
    return history.repo.store.refs(history.notebook)


ACTIONS = st.sampled_from(
    ["record", "detach", "attach", "branch", "move", "delete", "rename", "tag", "message", "undo"]
)


def act(history: History, action: str, number: int) -> None:
    """Do one of the things that change refs; what cannot be done now is passed over."""
    repo, notebook = history.repo, history.notebook
    commits = [entry.id for entry in repo.log(notebook, all_refs=True)]
    commit = commits[number % len(commits)]
    branches = repo.branches(notebook) or [Ref("gone", commit)]
    branch = branches[number % len(branches)]
    doings = {
        "record": lambda: history.record(),
        "detach": lambda: repo.move_head(notebook, commit),
        "attach": lambda: repo.move_head(notebook, branch.commit, branch=branch.name),
        "branch": lambda: repo.create_branch(notebook, f"b{number}", commit),
        "move": lambda: repo.create_branch(notebook, branch.name, commit, force=True),
        "delete": lambda: repo.delete_branch(notebook, branch.name),
        "rename": lambda: repo.rename_branch(notebook, branch.name, f"r{number}"),
        "tag": lambda: repo.create_tag(notebook, f"t{number % 3}", commit, force=True),
        "message": lambda: repo.set_message(notebook, commit, f"words {number}"),
        "undo": lambda: repo.op_undo(notebook),
    }
    try:
        doings[action]()
    except CellarError as error:
        assert str(error)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(ACTIONS, st.integers(0, 20)), max_size=12), ACTIONS, st.integers(0, 20))
def test_an_undo_restores_every_ref_exactly(before: list[tuple[str, int]], last: str, number: int) -> None:
    history = History(Repository(MemoryStore(), Path("/none")))
    history.record()
    for action, which in before:
        act(history, action, which)
    refs, count = refs_of(history), len(history.repo.ops())
    act(history, last, number)
    if len(history.repo.ops()) > count:
        done = refs_of(history)
        undone = history.repo.op_undo(history.notebook)
        assert refs_of(history) == refs
        assert undone.after == history.repo.head(history.notebook)
        history.repo.op_undo(history.notebook)
        assert refs_of(history) == done, "the undo of an undo does it again"


def test_a_deleted_branch_comes_back_after_other_operations(history: History) -> None:
    ids = history.build([1], [2, 1])
    repo, notebook = history.repo, history.notebook
    repo.create_branch(notebook, "trial", ids[1])
    deleted = repo.delete_branch(notebook, "trial")
    history.record()
    undone = repo.op_undo(notebook, deleted)
    assert undone.undone.description == f"delete branch trial, was {ids[1][:4].hex()}"
    assert repo.resolve("trial", notebook) == ids[1]


def test_a_checkout_is_undone_with_head_before_and_after(history: History) -> None:
    ids = history.build([1], [2, 1])
    history.repo.move_head(history.notebook, ids[1])
    undone = history.repo.op_undo(history.notebook)
    assert (undone.before.branch, undone.before.commit) == (None, ids[1])
    assert (undone.after.branch, undone.after.commit) == ("main", ids[2])


def test_a_recorded_cell_is_undone_by_moving_its_branch_back(history: History) -> None:
    ids = history.build([1], [2, 1])
    assert history.repo.op_undo(history.notebook).after.commit == ids[1]
    assert history.repo.has_commit(ids[2]), "nothing is lost"
    assert history.repo.op_undo(history.notebook).after.commit == ids[2]


def test_a_ref_that_moved_since_is_named_with_the_operation_that_moved_it(history: History) -> None:
    ids = history.build([1], [2, 1])
    repo, notebook = history.repo, history.notebook
    made = repo.create_tag(notebook, "v1", ids[1])
    moved = repo.create_tag(notebook, "v1", ids[2], force=True)
    with pytest.raises(ConflictError, match=f"tag v1 moved since by operation {moved}") as caught:
        repo.op_undo(notebook, made)
    assert caught.value.hint == f"undo that one first: cellar op undo {moved}"


def test_the_beginning_of_a_notebook_has_no_undo(history: History) -> None:
    with pytest.raises(InvalidInputError, match="with it the notebook began"):
        history.repo.op_undo(history.notebook)
    history.record()
    with pytest.raises(InvalidInputError, match="without a commit"):
        history.repo.op_undo(history.notebook)


def test_an_operation_that_is_not_there_is_not_found(history: History) -> None:
    for number in (0, 99):
        with pytest.raises(NotFoundError, match=f"no operation {number}"):
            history.repo.op_undo(history.notebook, number)


def test_operations_of_another_notebook_are_left_alone(history: History) -> None:
    first = history.step()
    other = History(history.repo, "b.ipynb")
    other.step()
    second = history.step()
    other.step()
    assert history.repo.op_undo(history.notebook).after.commit == first
    assert history.repo.ops(history.notebook)[0].undoes == history.repo.ops(history.notebook)[1].number
    assert history.repo.op_undo(history.notebook).after.commit == second

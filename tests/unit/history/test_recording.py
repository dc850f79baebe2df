"""Recording a commit: what it moves, and that nothing is lost when several write."""

from __future__ import annotations

import pytest

from nbcellar.errors import InvalidInputError, UnknownReferenceError
from nbcellar.history.model import CommitKind
from nbcellar.history.operations import OperationKind
from nbcellar.history.recording import HeadMove
from nbcellar.ids import CommitId

from .conftest import History


def test_a_commit_moves_the_branch_and_is_one_operation(history: History) -> None:
    first = history.record()
    second = history.record()
    assert first.branch == second.branch == "main"
    assert history.head == second.commits[0]
    kinds = [op.kind for op in history.repo.ops(history.notebook)]
    assert kinds == [OperationKind.RECORD, OperationKind.RECORD, OperationKind.CREATE]


def test_a_commit_reads_back_as_it_was_given_and_is_signed(history: History) -> None:
    commit = history.commit_of((), source="x = 1", message="begin")
    with history.repo.begin(history.notebook, history.key) as tx:
        identifier = tx.commit(commit)
        tx.finish()
    assert history.repo.read_commit(identifier) == commit
    signed = history.repo.read_signed(identifier)
    assert signed.key == history.key.key_id
    assert signed.signature == history.key.sign(identifier)


def test_a_transaction_without_finish_leaves_nothing(history: History) -> None:
    with history.repo.begin(history.notebook, history.key) as tx:
        identifier = tx.commit(history.commit_of(()))
    assert history.head is None
    with pytest.raises(UnknownReferenceError):
        history.repo.read_commit(identifier)


def test_several_commits_of_one_transaction_form_a_line(history: History) -> None:
    with history.repo.begin(history.notebook, history.key) as tx:
        first = tx.commit(history.commit_of((), kind=CommitKind.START))
        second = tx.commit(history.commit_of((first,)))
        done = tx.finish()
    assert done.commits == (first, second)
    assert history.head == second
    assert history.repo.node(second).parent == first


def test_commits_of_one_transaction_that_do_not_follow_each_other_are_refused(history: History) -> None:
    with history.repo.begin(history.notebook, history.key) as tx:
        tx.commit(history.commit_of(()))
        with pytest.raises(InvalidInputError, match="follow each other"):
            tx.commit(history.commit_of(()))


def test_an_unknown_parent_is_refused(history: History) -> None:
    with history.repo.begin(history.notebook, history.key) as tx, pytest.raises(UnknownReferenceError):
        tx.commit(history.commit_of((CommitId(bytes(32)),)))


def test_leaving_a_point_and_recording_makes_a_branch(history: History) -> None:
    ids = history.build([1], [2, 1], [3, 1])
    head = history.repo.head(history.notebook)
    assert (head.branch, head.commit) == ("main-2", ids[3])
    assert {b.name: b.commit for b in history.repo.branches(history.notebook)} == {"main": ids[2], "main-2": ids[3]}


def test_the_branch_made_from_a_numbered_branch_counts_on(history: History) -> None:
    history.build([1], [2, 1], [3, 1], [4, 3], [5, 3])
    assert history.repo.head(history.notebook).branch == "main-3"


def test_a_second_kernel_whose_branch_moved_keeps_its_commit_on_a_branch_of_its_own(history: History) -> None:
    start = history.step()
    ours = history.record(start)
    theirs = history.record(start)
    assert not ours.diverged
    assert theirs.diverged and theirs.branch == "main-2"
    assert history.head == ours.commits[0], "HEAD stays with the kernel that moved it"
    again = history.record(theirs.commits[0], on="main-2")
    assert not again.diverged and again.branch == "main-2"


def test_a_ref_that_moves_between_the_look_and_the_write_loses_no_commit(history: History) -> None:
    start = history.step()
    with history.repo.begin(history.notebook, history.key) as tx:
        late = tx.commit(history.commit_of((start,)))
        plan = tx._plan_refs

        def overtaken() -> object:
            made = plan()
            tx._plan_refs = plan  # type: ignore[method-assign]
            history.record(start, source="overtakes")
            return made

        tx._plan_refs = overtaken  # type: ignore[method-assign,assignment]
        done = tx.finish()
    assert done.diverged and done.branch == "main-2"
    assert history.repo.resolve("main-2", history.notebook) == late
    assert history.repo.read_commit(late).parents == (start,)


def test_a_commit_that_stays_moves_nothing_and_is_in_the_log(history: History) -> None:
    first = history.step()
    kept = history.record(first, advance=HeadMove.STAY)
    assert history.head == first and kept.branch is None
    assert history.repo.ops(history.notebook)[0].changes[0].new == kept.commits[0]


def test_the_first_commit_of_a_copy_may_continue_the_original(history: History) -> None:
    origin = history.step()
    copy = History(history.repo, "b.ipynb")
    first = copy.record(origin).commits[0]
    assert copy.head == first
    assert history.head == origin

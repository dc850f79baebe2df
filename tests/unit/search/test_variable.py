"""The versions of one variable are what the states say, whichever way they were reached."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.history.model import CommitKind, StateDelta
from nbcellar.ids import CommitId
from nbcellar.search.variable import VariableHistory, names_in, variable_history

from .conftest import Past, make_past


def history(past: Past, name: str, *, all_commits: bool = False) -> VariableHistory:
    return variable_history(past.repo, [past.notebook], name, all_commits=all_commits)


def changes(found: VariableHistory) -> list[str]:
    """Return what happened, oldest first."""
    return [event.change for event in reversed(found.events)]


def test_a_variable_is_created_changed_deleted_and_created_again(past: Past) -> None:
    past.cell(put={"x": "1", "y": "1"})
    past.cell(put={"y": "2"})
    past.cell(put={"x": "2"})
    past.cell(drop=("x",))
    past.cell(put={"x": "3"})
    assert changes(history(past, "x")) == ["created", "changed", "deleted", "created"]
    assert changes(history(past, "y")) == ["created", "changed"]
    assert names_in(past.repo) == {"x", "y"}


def test_a_version_that_an_undo_brought_back_is_recognised(past: Past) -> None:
    first = past.cell(put={"x": "1"})
    past.cell(put={"x": "2"})
    past.cell(kind=CommitKind.UNDO, cell=None, at=first, base=first)
    newest = history(past, "x").events[0]
    assert (newest.change, newest.back_to) == ("changed", first)
    assert newest.after == history(past, "x").events[-1].after


def test_a_kernel_start_deletes_every_variable(past: Past) -> None:
    past.cell(put={"x": "1"})
    past.cell(kind=CommitKind.START, cell=None, fresh=True)
    assert changes(history(past, "x")) == ["created", "deleted"]


def test_a_variable_that_went_with_another_one_it_shared_memory_with_is_deleted(past: Past) -> None:
    past.cell(put={"a": "1"})
    with past.repo.begin(past.notebook, past.key) as recorder:
        head = past.head
        assert head is not None
        commit = past.repo.read_commit(head)
        assert commit.state is not None
        entry = msgspec.structs.replace(commit.state.put[0], names=("a", "b"), version=b"shared.........!")
        made = msgspec.structs.replace(commit, parents=(head,), state=StateDelta(head, (entry,)))
        recorder.commit(made)
        recorder.finish()
    past.cell(put={"a": "2"})
    assert changes(history(past, "b")) == ["created", "deleted"]


def test_changes_on_other_branches_are_counted(past: Past) -> None:
    start = past.cell(put={"x": "1"})
    past.cell(put={"x": "2"})
    past.cell(parent=start)
    found = history(past, "x")
    assert (changes(found), found.elsewhere) == (["created"], 1)
    assert changes(history(past, "x", all_commits=True)) == ["created", "changed"]


STEPS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("xyz"), st.sampled_from("123"), max_size=2),
        st.sets(st.sampled_from("xyz"), max_size=1),
        st.integers(0, 9),  # whose state it builds on
        st.booleans(),  # whether it is on a branch of its own
    ),
    min_size=1,
    max_size=8,
)


@given(STEPS)
def test_events_are_exactly_the_differences_between_whole_states(
    steps: list[tuple[dict[str, str], set[str], int, bool]],
) -> None:
    with make_past() as made:
        past = made.past
        commits: list[CommitId] = []
        for put, drop, base, aside in steps:
            chosen = commits[base % len(commits)] if commits else None
            commits.append(
                past.cell(
                    put=put,
                    drop=tuple(drop - put.keys()),
                    base=chosen,
                    parent=commits[0] if aside and commits else None,
                )
            )
        for name in "xyz":
            wanted = {}
            for commit in commits:
                parents = past.repo.read_commit(commit).parents
                before = version(past, CommitId(parents[0]), name) if parents else None
                after = version(past, commit, name)
                if before != after:
                    wanted[commit] = after
            found = variable_history(past.repo, [past.notebook], name, all_commits=True)
            assert {e.summary.id: e.after.version if e.after else None for e in found.events} == wanted


def version(past: Past, commit: CommitId, name: str) -> bytes | None:
    """Return what the whole state says."""
    entries = past.repo.read_state(commit).covariables
    return next((entry.version for entry in entries if name in entry.names), None)

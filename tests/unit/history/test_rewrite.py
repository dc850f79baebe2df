"""Laws of taking something out: what is not concerned stays, and every value is named by the commit it comes from."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from nbcellar.history.model import (
    COMMIT_FORMAT,
    EMPTY_STATE,
    Commit,
    CommitKind,
    Covariable,
    State,
    StateDelta,
    apply_delta,
    encode_commit,
)
from nbcellar.history.rewrite import REASON, CommitCut, Cut, Plan, VariableCut, plan_rewrite, versions_of
from nbcellar.history.states import encode_complete, fold_state
from nbcellar.ids import CommitId, Digest, NotebookId

HERE, COPY = NotebookId("a" * 32), NotebookId("b" * 32)


def digest(data: bytes) -> Digest:
    return Digest(blake3(data).digest())


class Past:
    """Commits in order with all objects, and readers of them."""

    def __init__(self) -> None:
        self.commits: dict[CommitId, Commit] = {}
        self.objects: dict[Digest, bytes] = {}

    def add(self, commit: Commit) -> CommitId:
        payload = encode_commit(commit)
        identifier = CommitId(digest(payload))
        self.commits[identifier] = commit
        self.objects[Digest(identifier)] = payload
        return identifier

    def state(self, commit: CommitId) -> State:
        return fold_state(
            commit, read_commit=self.commits.__getitem__, read_object=self.objects.__getitem__, known=lambda _: None
        ).build()

    def without(self, cut: Cut) -> tuple[Past, Plan]:
        """Return what is left after a cut, and the plan."""
        plan = plan_rewrite(
            self.commits.items(),
            cut,
            read_commit=self.commits.__getitem__,
            read_object=self.objects.__getitem__,
        )
        left, new = Past(), {entry.old: entry for entry in plan.rewritten}
        left.objects.update(self.objects)
        for entry in plan.rewritten:
            if entry.state_object is not None:
                left.objects[digest(entry.state_object)] = entry.state_object
        for identifier, commit in self.commits.items():
            if identifier not in plan.removed:
                left.add(new[identifier].commit if identifier in new else commit)
        return left, plan


@st.composite
def pasts(draw: st.DrawFn) -> Past:
    """Return a history with branches, copies, whole states, bases that are no parents, and versions put back."""
    past = Past()
    for number in range(draw(st.integers(1, 9))):
        known = list(past.commits)
        parent = draw(st.sampled_from(known)) if known else None
        base = draw(st.sampled_from([None, *known])) if known else None
        before = past.state(base) if base is not None else EMPTY_STATE
        delta = StateDelta(
            base=base,
            put=tuple(_entries(draw, past, number)),
            drop=tuple(draw(st.sets(st.sampled_from("xyz"), max_size=1))),
        )
        delta = msgspec.structs.replace(
            delta, drop=tuple(n for n in delta.drop if all(n not in entry.names for entry in delta.put))
        )
        if draw(st.booleans()):
            whole = encode_complete(before, delta)
            past.objects[digest(whole)] = whole
            delta = msgspec.structs.replace(delta, complete=digest(whole))
        past.add(
            Commit(
                format=COMMIT_FORMAT,
                notebook=draw(st.sampled_from([HERE, HERE, COPY])),
                parents=(parent,) if parent is not None else (),
                kind=CommitKind.AUTO,
                time_ns=number,
                state=delta,
                at=draw(st.sampled_from([None, *known])) if known else None,
            )
        )
    return past


def _entries(draw: st.DrawFn, past: Past, number: int) -> Iterable[Covariable]:
    for name in draw(st.sets(st.sampled_from("xyz"), max_size=2)):
        earlier = [
            entry for commit in past.commits for entry in past.state(commit).covariables if entry.names == (name,)
        ]
        if earlier and draw(st.booleans()):
            yield draw(st.sampled_from(earlier))
        else:
            value = digest(f"{name}{number}".encode())
            yield Covariable((name,), value, value[:16])


def values(state: State) -> dict[str, bytes | None]:
    return {name: entry.value for entry in state.covariables for name in entry.names}


def check_origins(past: Past) -> None:
    """Each value is named in the payload of the commit that it is said to come from: that one's signer is asked."""
    for commit in past.commits:
        for entry in past.state(commit).covariables:
            assert CommitId(entry.origin) in past.commits
            assert entry.value is None or entry.value in past.objects[Digest(entry.origin)]


@settings(max_examples=100, deadline=None)
@given(pasts(), st.data())
def test_without_a_commit_all_other_states_are_what_they_were(past: Past, data: st.DataObject) -> None:
    gone = data.draw(st.sampled_from(list(past.commits)))
    left, plan = past.without(CommitCut(gone))
    assert len(left.commits) == len(past.commits) - 1
    for old in past.commits:
        if old != gone:
            new = plan.moved(old)
            assert new is not None
            assert values(left.state(new)) == values(past.state(old))
    named = {r for c in left.commits.values() for r in (*c.parents, c.at, c.state.base if c.state else None)}
    assert named <= {None, *left.commits}
    check_origins(left)


@settings(max_examples=100, deadline=None)
@given(pasts())
def test_without_a_variable_all_others_are_what_they_were(past: Past) -> None:
    versions = versions_of("x", HERE, past.commits.items(), read_object=past.objects.__getitem__)
    gone: set[Digest] = set()
    left, plan = past.without(VariableCut("x", versions, salt=b"salt", values=gone, names=set()))
    for old, commit in past.commits.items():
        new = plan.moved(old)
        assert new is not None
        before, after = values(past.state(old)), values(left.state(new))
        assert before.keys() == after.keys()
        assert {n: v for n, v in before.items() if n != "x"} == {n: v for n, v in after.items() if n != "x"}
        if commit.notebook == HERE and commit.state is not None:
            held = [entry for entry in left.state(new).covariables if "x" in entry.names]
            assert all(entry.reason == REASON and entry.value is None for entry in held)
    reached = {value for commit in left.commits for value in values(left.state(commit)).values()}
    assert not reached & gone
    check_origins(left)


@given(pasts())
def test_a_commit_before_everything_that_is_forgotten_keeps_its_id(past: Past) -> None:
    last = list(past.commits)[-1]
    _, plan = past.without(CommitCut(last))
    assert plan.rewritten == ()


def test_states_added_up_by_the_test_are_those_of_the_model() -> None:
    past = Past()
    first = StateDelta(None, put=(Covariable(("x",), None, b"1"),))
    one = past.add(Commit(COMMIT_FORMAT, HERE, (), CommitKind.AUTO, 1, state=first))
    assert past.state(one) == apply_delta(EMPTY_STATE, first, commit=one)

"""Laws of states: however deltas are cut, folded, composed or stored whole, the state is what the model says."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.history.model import EMPTY_STATE, Covariable, State, StateDelta, apply_delta
from nbcellar.history.states import (
    COMPLETE_EVERY,
    StateBuilder,
    compose,
    decode_complete,
    encode_complete,
    is_complete_due,
)
from nbcellar.ids import CommitId

NAMES = st.sampled_from("abcdef")
UIDS = st.sampled_from(["A", "B", "C"])


@st.composite
def covariables(draw: st.DrawFn) -> tuple[Covariable, ...]:
    """Return co-variables that share neither a name nor a definition, as the session makes them."""
    names = draw(st.lists(NAMES, unique=True, max_size=5))
    entries = []
    while names:
        size = draw(st.integers(1, len(names)))
        group, names = names[:size], names[size:]
        entries.append(Covariable(names=tuple(sorted(group)), value=None, version=draw(st.binary(max_size=3))))
    for uid in draw(st.lists(UIDS, unique=True, max_size=2)):
        entries.append(Covariable(names=(), value=None, version=draw(st.binary(max_size=3)), defines=(uid,)))
    return tuple(entries)


@st.composite
def deltas(draw: st.DrawFn) -> StateDelta:
    put = draw(covariables())
    taken = {name for entry in put for name in entry.names}
    defined = {uid for entry in put for uid in entry.defines}
    return StateDelta(
        base=None,
        put=put,
        drop=tuple(sorted(draw(st.sets(NAMES)) - taken)),
        drop_definitions=tuple(sorted(draw(st.sets(UIDS)) - defined)),
        ambient=draw(st.dictionaries(st.sampled_from(["random", "cwd"]), st.none() | st.binary(max_size=2))),
    )


def commit_id(number: int) -> CommitId:
    return CommitId(number.to_bytes(32, "big"))


def add_up(chain: list[StateDelta]) -> State:
    state = EMPTY_STATE
    for number, delta in enumerate(chain):
        state = apply_delta(state, delta, commit=commit_id(number))
    return state


@given(st.lists(deltas(), max_size=8))
def test_a_builder_adds_up_to_what_the_model_says(chain: list[StateDelta]) -> None:
    builder = StateBuilder()
    for number, delta in enumerate(chain):
        builder.apply(delta, commit_id(number))
    assert builder.build() == add_up(chain)


@given(st.lists(deltas(), max_size=6), deltas())
def test_changes_name_what_came_changed_and_went(chain: list[StateDelta], last: StateDelta) -> None:
    before = add_up(chain)
    names_before = {name for entry in before.covariables for name in entry.names}
    changes = StateBuilder(before).apply(last, commit_id(99))
    names_after = {n for e in apply_delta(before, last, commit=commit_id(99)).covariables for n in e.names}
    assert set(changes.added) == names_after - names_before
    assert set(changes.removed) == names_before - names_after
    put = {n for e in last.put for n in e.names} & names_before
    touched = {n for e in last.put if e.value is None and e.version for n in e.names}
    assert put - touched <= set(changes.changed) <= put


def test_a_cell_that_may_have_used_what_cannot_be_stored_is_not_said_to_change_it() -> None:
    lock = Covariable(names=("lock",), value=None, version=b"object 1" + b"touched1", reason="it is a lock")
    used = msgspec.structs.replace(lock, version=b"object 1" + b"touched2")
    other = msgspec.structs.replace(lock, version=b"object 2" + b"touched1")
    builder = StateBuilder()
    assert builder.apply(StateDelta(None, (lock,)), commit_id(0)).added == ("lock",)
    assert builder.apply(StateDelta(None, (used,)), commit_id(1)).changed == ()
    assert builder.apply(StateDelta(None, (other,)), commit_id(2)).changed == ("lock",)


@given(st.lists(deltas(), max_size=4), deltas(), deltas())
def test_two_composed_deltas_do_what_both_do(chain: list[StateDelta], first: StateDelta, second: StateDelta) -> None:
    base, commit = add_up(chain), commit_id(50)
    apart = apply_delta(apply_delta(base, first, commit=commit), second, commit=commit)
    together = apply_delta(base, compose(first, second), commit=commit)
    assert set(together.covariables) == set(apart.covariables)
    assert together.ambient == apart.ambient


@given(st.lists(deltas(), max_size=6), deltas())
def test_a_whole_state_reads_back_with_the_origins_of_its_chain(chain: list[StateDelta], last: StateDelta) -> None:
    base, commit = add_up(chain), commit_id(70)
    assert decode_complete(encode_complete(base, last), commit) == apply_delta(base, last, commit=commit)


def test_a_state_is_stored_whole_when_its_deltas_grow_long_or_heavy() -> None:
    assert not is_complete_due(depth=2, delta_bytes=10, whole_bytes=5), "two small deltas are cheap to read"
    assert is_complete_due(depth=20, delta_bytes=10, whole_bytes=5)
    assert is_complete_due(depth=COMPLETE_EVERY, delta_bytes=10, whole_bytes=1000)
    assert not is_complete_due(depth=COMPLETE_EVERY, delta_bytes=10, whole_bytes=1_000_000)
    assert is_complete_due(depth=4 * COMPLETE_EVERY, delta_bytes=10, whole_bytes=1_000_000)

"""Whole states out of chains of deltas.

Invariant: `StateBuilder` adds up to exactly what `model.apply_delta` does, delta by delta, at a cost that follows the
delta and not the state. Not for: deciding what a delta holds (the session does), nor for reading a store
(`repository.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from nbcellar.errors import CorruptStoreError, NotFoundError
from nbcellar.history.model import (
    EMPTY_STATE,
    Commit,
    Covariable,
    State,
    StateDelta,
    apply_delta,
    decode_state,
    encode_state,
)
from nbcellar.ids import CommitId, Digest, short

COMPLETE_EVERY = 64
"""A state is stored whole after so many deltas, so that none is far from a whole one."""

COMPLETE_EVERY_LARGE = 256
"""The same for states whose whole is large: there the reading of more deltas costs less than the bytes."""

LARGE_STATE_BYTES = 64 * 1024
_MIN_CHAIN = 16


class Changes(msgspec.Struct, frozen=True):
    """Which names a delta brought, changed and took away, each sorted."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class StateBuilder:
    """A state that deltas are applied to in place; belongs to one thread."""

    def __init__(self, state: State = EMPTY_STATE) -> None:
        self._entries: dict[int, Covariable] = {}
        self._by_name: dict[str, int] = {}
        self._by_definition: dict[str, int] = {}
        self._ambient: dict[str, bytes] = dict(state.ambient)
        self._next = 0
        for entry in state.covariables:
            self._add(entry)

    def apply(self, delta: StateDelta, commit: CommitId) -> Changes:
        """Apply one delta; entries without an origin get `commit`, as in `model.apply_delta`."""
        gone: set[str] = set()
        touched = {name for entry in delta.put for name in entry.names if self._is_only_touched(entry)}
        for entry in delta.put:
            self._take(entry.names, entry.defines, gone)
        self._take(delta.drop, delta.drop_definitions, gone)
        put: set[str] = set()
        for entry in delta.put:
            self._add(entry if entry.origin else msgspec.structs.replace(entry, origin=commit))
            put.update(entry.names)
        for part, digest in delta.ambient.items():
            if digest is None:
                self._ambient.pop(part, None)
            else:
                self._ambient[part] = digest
        return Changes(tuple(sorted(put - gone)), tuple(sorted((put & gone) - touched)), tuple(sorted(gone - put)))

    def entries(self) -> Iterable[Covariable]:
        """Return the co-variables as they are now, to be looked at before the next `apply`."""
        return self._entries.values()

    def copy(self) -> StateBuilder:
        """Return a builder of its own that holds the same."""
        return StateBuilder(self.build())

    def build(self) -> State:
        """Return the state as it is now."""
        return State(tuple(self._entries.values()), dict(self._ambient))

    def _is_only_touched(self, entry: Covariable) -> bool:
        """True for an object that could not be stored before either: a cell may have used it, no more is known."""
        before = self._by_name.get(entry.names[0]) if entry.names and entry.value is None else None
        there = self._entries[before] if before is not None else None
        if there is None or there.value is not None or there.names != entry.names:
            return False
        return bool(entry.version) and there.version[:8] == entry.version[:8]

    def _add(self, entry: Covariable) -> None:
        number = self._next
        self._next += 1
        self._entries[number] = entry
        for name in entry.names:
            self._by_name[name] = number
        for uid in entry.defines:
            self._by_definition[uid] = number

    def _take(self, names: Iterable[str], definitions: Iterable[str], gone: set[str]) -> None:
        for name in names:
            number = self._by_name.get(name)
            if number is not None:
                self._remove(number, gone)
        for uid in definitions:
            number = self._by_definition.get(uid)
            if number is not None:
                self._remove(number, gone)

    def _remove(self, number: int, gone: set[str]) -> None:
        entry = self._entries.pop(number)
        gone.update(entry.names)
        for name in entry.names:
            if self._by_name.get(name) == number:
                del self._by_name[name]
        for uid in entry.defines:
            if self._by_definition.get(uid) == number:
                del self._by_definition[uid]


def compose(first: StateDelta, second: StateDelta) -> StateDelta:
    """Return one delta that does what `first` and then `second` do; `second.complete` holds for it, too."""
    names = {n for entry in second.put for n in entry.names} | set(second.drop)
    defined = {u for entry in second.put for u in entry.defines} | set(second.drop_definitions)
    kept = [c for c in first.put if names.isdisjoint(c.names) and defined.isdisjoint(c.defines)]
    lost = [c for c in first.put if not (names.isdisjoint(c.names) and defined.isdisjoint(c.defines))]
    put = (*kept, *second.put)
    # What `first` had put takes what it replaced with it, even when `second` takes it away again.
    drop = {*first.drop, *second.drop, *(n for c in lost for n in c.names)}
    drop_definitions = {*first.drop_definitions, *second.drop_definitions, *(u for c in lost for u in c.defines)}
    drop -= {n for c in put for n in c.names}
    drop_definitions -= {u for c in put for u in c.defines}
    return StateDelta(
        base=first.base,
        put=put,
        drop=tuple(sorted(drop)),
        drop_definitions=tuple(sorted(drop_definitions)),
        ambient={**first.ambient, **second.ambient},
        complete=second.complete,
    )


def chain_of(commit: Commit, payload_bytes: int, base: tuple[int, int] | None) -> tuple[int, int]:
    """Return (depth, weight) of a commit: deltas since the nearest whole state, and the bytes that they take."""
    delta = commit.state
    if delta is None or delta.complete is not None:
        return 0, 0
    weight = payload_bytes - (len(commit.cell.source) if commit.cell else 0)
    depth, before = base if base is not None and delta.base is not None else (0, 0)
    return depth + 1, before + weight


def is_complete_due(*, depth: int, delta_bytes: int, whole_bytes: int) -> bool:
    """Say whether the next state should be stored whole.

    depth: deltas since the last whole state, the next one included; delta_bytes: what they take together; whole_bytes:
    what the whole state would take.
    """
    most = COMPLETE_EVERY if whole_bytes <= LARGE_STATE_BYTES else COMPLETE_EVERY_LARGE
    return depth >= most or (depth >= _MIN_CHAIN and delta_bytes > whole_bytes)


def encode_complete(base: State, delta: StateDelta) -> bytes:
    """Return the payload of the STATE object for a commit whose delta applies to `base`.

    The commit's own entries keep an empty origin, because its id is not known before it is encoded.
    """
    return encode_state(apply_delta(base, delta, commit=CommitId(b"")))


def decode_complete(payload: bytes, commit: CommitId) -> State:
    """Inverse of `encode_complete` for the commit that names the payload: origins are filled in."""
    state = decode_state(payload)
    entries = tuple(c if c.origin else msgspec.structs.replace(c, origin=commit) for c in state.covariables)
    return State(entries, state.ambient)


def fold_state(
    commit_id: CommitId,
    *,
    read_commit: Callable[[CommitId], Commit],
    read_object: Callable[[Digest], bytes],
    known: Callable[[CommitId], State | None],
) -> StateBuilder:
    """Return a builder that holds the state of a commit: walk to the nearest known or whole state, then come back.

    Raises NotFoundError for a commit without a state.
    """
    chain: list[tuple[CommitId, StateDelta]] = []
    base = EMPTY_STATE
    current: CommitId | None = commit_id
    while current is not None:
        found = known(current)
        if found is not None:
            base = found
            break
        delta = read_commit(current).state
        if delta is None:
            raise _no_state(current, commit_id)
        if delta.complete is not None:
            base = decode_complete(read_object(Digest(delta.complete)), current)
            break
        chain.append((current, delta))
        current = CommitId(delta.base) if delta.base is not None else None
    builder = StateBuilder(base)
    for identifier, delta in reversed(chain):
        builder.apply(delta, identifier)
    return builder


def _no_state(missing: CommitId, wanted: CommitId) -> Exception:
    if missing == wanted:
        return NotFoundError(f"commit {short(wanted)} holds no variables")
    return CorruptStoreError(f"the state of commit {short(wanted)} builds on commit {short(missing)}, which has none")


__all__ = [
    "COMPLETE_EVERY",
    "Changes",
    "StateBuilder",
    "chain_of",
    "compose",
    "decode_complete",
    "encode_complete",
    "fold_state",
    "is_complete_due",
]

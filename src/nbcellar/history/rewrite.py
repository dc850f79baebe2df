"""What history looks like without a variable's value, or without a commit: decided on commits, written by nobody here.

Invariant: a commit that neither holds what is forgotten nor names a rewritten commit keeps its id; every other one
comes out with all its references mapped. A result of a pipeline that would come out otherwise goes as a whole: it can
be made again, and would be another cell's. Pure but for the readers passed in. Not for: refs, signing and removal
(`forget.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Protocol

import msgspec
from blake3 import blake3

from nbcellar.history.model import EMPTY_STATE, Commit, Covariable, State, StateDelta, decode_state, encode_commit
from nbcellar.history.results import Made, readers_of, result_of
from nbcellar.history.states import compose, encode_complete, fold_state
from nbcellar.ids import CommitId, Digest, NotebookId

REASON = "forgotten"
"""`Covariable.reason` of a value that was taken out of history."""

CODE_CHANGED = "a forgotten text was taken out of this code, so it is not what ran"
"""A note of a commit whose source was changed; such a cell is never run again."""


class Cut(Protocol):
    """What is taken out."""

    @property
    def versions(self) -> AbstractSet[bytes]:
        """The versions of variables that go."""
        ...

    def is_removed(self, commit: CommitId) -> bool:
        """Say whether the commit as a whole goes."""
        ...

    def entry(self, entry: Covariable, commit: Commit) -> Covariable:
        """Return the entry as it may stay."""
        ...

    def content(self, commit: Commit) -> Commit:
        """Return the commit with the rest of its content, texts and what it names, as it may stay."""
        ...

    def ambient(self, parts: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
        """Return ambient parts as they may stay."""
        ...


class WholeContent:
    """The part of a cut that leaves texts and ambient state alone."""

    def content(self, commit: Commit) -> Commit:
        return commit

    def ambient(self, parts: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
        return dict(parts)


def without_value(entry: Covariable, salt: bytes) -> Covariable:
    """Return an entry as it is when its value was forgotten."""
    return msgspec.structs.replace(
        entry,
        value=None,
        version=blake3(salt + entry.version).digest()[: max(8, len(entry.version))],
        previews=(),
        reason=REASON,
        uncertain="",
        size_bytes=0,
    )


class VariableCut(WholeContent):
    """Forgets the versions that a name held, wherever (copies of the notebook, undos) they were taken up.

    A co-variable goes as a whole: its names share one value. Versions become salted hashes, because the digest of a
    short secret can be found by trying.
    """

    def __init__(
        self, name: str, versions: AbstractSet[bytes], *, salt: bytes, values: set[Digest], names: set[str]
    ) -> None:
        """Collects into `values` and `names` what it takes out."""
        self._name = name
        self.versions = versions
        self._salt = salt
        self._values = values
        self._names = names

    def is_removed(self, commit: CommitId) -> bool:
        return False

    def entry(self, entry: Covariable, commit: Commit) -> Covariable:
        if self._name not in entry.names or entry.version not in self.versions:
            return entry
        self._names.update(entry.names)
        if entry.value is not None:
            self._values.add(Digest(entry.value))
        return without_value(entry, self._salt)


class CommitCut(WholeContent):
    """Takes one commit out; what its descendants still hold of its state stays with them."""

    def __init__(self, commit: CommitId) -> None:
        self._commit = commit
        self.versions: AbstractSet[bytes] = frozenset()

    def is_removed(self, commit: CommitId) -> bool:
        return commit == self._commit

    def entry(self, entry: Covariable, commit: Commit) -> Covariable:
        return entry


class Rewritten(msgspec.Struct, frozen=True):
    """A commit that comes out otherwise. `state_object` is the payload of its new STATE object, if it has one.

    `is_joined`: its delta now does what a removed commit's did, too.
    """

    old: CommitId
    new: CommitId
    commit: Commit
    payload: bytes
    state_object: bytes | None
    is_joined: bool


class Plan(msgspec.Struct, frozen=True):
    """All that comes out otherwise, parents first, and what goes."""

    rewritten: tuple[Rewritten, ...]
    removed: Mapping[CommitId, Commit]
    renamed: Mapping[CommitId, CommitId]
    versions: AbstractSet[bytes]  # of variables that were forgotten

    def moved(self, commit: CommitId) -> CommitId | None:
        """Return where a ref to `commit` should point: itself, its new id, or the parent of what is gone."""
        current: CommitId | None = commit
        while current is not None and current in self.removed:
            parents = self.removed[current].parents
            current = CommitId(parents[0]) if parents else None
        return self.renamed.get(current, current) if current is not None else None


def versions_of(
    name: str,
    notebook: NotebookId,
    commits: Iterable[tuple[CommitId, Commit]],
    *,
    read_object: Callable[[Digest], bytes],
) -> frozenset[bytes]:
    """Return the versions that `name` held in a notebook's commits and in what they come from.

    A copied notebook's past is in the commits of the original, so these are looked at, too.
    """
    by_id = dict(commits)
    waiting = [identifier for identifier, commit in by_id.items() if commit.notebook == notebook]
    seen: set[CommitId] = set()
    found: set[bytes] = set()
    while waiting:
        identifier = waiting.pop()
        if identifier in seen or identifier not in by_id:
            continue
        seen.add(identifier)
        commit = by_id[identifier]
        delta = commit.state
        base = delta.base if delta is not None else None
        waiting += [CommitId(r) for r in (*commit.parents, commit.at, base) if r is not None]
        entries = delta.put if delta is not None else ()
        if delta is not None and delta.complete is not None:
            entries = (*entries, *decode_state(read_object(Digest(delta.complete))).covariables)
        found.update(entry.version for entry in entries if name in entry.names and entry.reason != REASON)
    return frozenset(found)


def plan_rewrite(
    commits: Iterable[tuple[CommitId, Commit]],
    cut: Cut,
    *,
    read_commit: Callable[[CommitId], Commit],
    read_object: Callable[[Digest], bytes],
) -> Plan:
    """Return what a cut makes of commits, given with parents, bases and `at` before what names them."""
    rewriter = _Rewriter(cut, read_commit, read_object)
    for identifier, commit in commits:
        rewriter.take(identifier, commit)
    rewriter.remove_readers()
    renamed = {entry.old: entry.new for entry in rewriter.rewritten}
    return Plan(tuple(rewriter.rewritten), rewriter.removed, renamed, cut.versions)


class _Rewriter:
    """Walks commits in order and keeps what the later ones need."""

    def __init__(
        self, cut: Cut, read_commit: Callable[[CommitId], Commit], read_object: Callable[[Digest], bytes]
    ) -> None:
        self._cut = cut
        self._read_commit = read_commit
        self._read_object = read_object
        self._new_ids: dict[bytes, CommitId] = {}
        self._new_commits: dict[CommitId, Commit] = {}
        self._new_objects: dict[Digest, bytes] = {}
        self.rewritten: list[Rewritten] = []
        self.removed: dict[CommitId, Commit] = {}
        self._results: dict[CommitId, tuple[Made, Commit]] = {}
        self._dropped: list[Covariable] = []

    def take(self, identifier: CommitId, commit: Commit) -> None:
        if self._cut.is_removed(identifier):
            self.removed[identifier] = commit
            return
        state, state_object = self._state(commit)
        made = msgspec.structs.replace(
            self._cut.content(commit),
            parents=self._parents(commit),
            at=self._reference(commit.at),
            state=state,
        )
        payload = encode_commit(made)
        new = CommitId(blake3(payload).digest())
        made_by = result_of(commit)
        if made_by is not None and new != identifier:
            self.removed[identifier] = commit
            return
        if new == identifier:
            if made_by is not None:
                self._results[identifier] = made_by, commit
            return
        self._new_ids[identifier] = new
        self._new_commits[new] = made
        joined = commit.state is not None and commit.state.base in self.removed
        self.rewritten.append(Rewritten(identifier, new, made, payload, state_object, joined))

    def remove_readers(self) -> None:
        """Remove the results that were given what goes: they hold its digest, and a short secret is found by trying."""
        for identifier in readers_of(self._dropped, {i: made for i, (made, _) in self._results.items()}):
            self.removed[identifier] = self._results[identifier][1]

    def _reference(self, reference: bytes | None) -> bytes | None:
        if reference is None or reference in self.removed:
            return None
        return self._new_ids.get(reference, reference)

    def _parents(self, commit: Commit) -> tuple[bytes, ...]:
        waiting = list(commit.parents)
        made: list[bytes] = []
        while waiting:
            parent = waiting.pop(0)
            if parent in self.removed:
                waiting[:0] = self.removed[CommitId(parent)].parents
                continue
            parent = self._new_ids.get(parent, parent)
            if parent not in made:
                made.append(parent)
        return tuple(made)

    def _state(self, commit: Commit) -> tuple[StateDelta | None, bytes | None]:
        delta = commit.state
        if delta is None:
            return None, None
        while delta.base is not None and delta.base in self.removed:
            below = self.removed[CommitId(delta.base)].state
            delta = compose(below, delta) if below is not None else msgspec.structs.replace(delta, base=None)
        made = msgspec.structs.replace(
            delta,
            base=self._reference(delta.base),
            put=tuple(self._entry(entry, commit) for entry in delta.put),
            ambient=self._cut.ambient(delta.ambient),
        )
        if delta.complete is None:
            return made, None
        state_object = self._complete(Digest(delta.complete), made, commit)
        if state_object is None:
            return made, None
        digest = Digest(blake3(state_object).digest())
        self._new_objects[digest] = state_object
        return msgspec.structs.replace(made, complete=digest), state_object

    def _complete(self, digest: Digest, made: StateDelta, commit: Commit) -> bytes | None:
        """Return the whole state anew if it is concerned. Added up again: each entry's origin must be a commit that
        names its value, since that one's signature is asked before it is loaded."""
        whole = decode_state(self._read_object(digest))
        is_same = all(self._entry(entry, commit) == entry for entry in whole.covariables)
        if is_same and self._cut.ambient(whole.ambient) == whole.ambient:
            return None
        base = EMPTY_STATE
        if made.base is not None:
            base = fold_state(
                CommitId(made.base), read_commit=self._commit, read_object=self._object, known=_nothing_known
            ).build()
        return encode_complete(base, made)

    def _commit(self, commit: CommitId) -> Commit:
        found = self._new_commits.get(commit)
        return found if found is not None else self._read_commit(commit)

    def _object(self, digest: Digest) -> bytes:
        found = self._new_objects.get(digest)
        return found if found is not None else self._read_object(digest)

    def _entry(self, entry: Covariable, commit: Commit) -> Covariable:
        made = self._cut.entry(entry, commit)
        if made.value is None and entry.value is not None:
            self._dropped.append(entry)
        # An entry whose origin is gone is held, and signed for, by the commit that puts it now.
        origin = self._reference(made.origin or None) or b""
        return made if origin == made.origin else msgspec.structs.replace(made, origin=origin)


def _nothing_known(_: CommitId) -> State | None:
    return None


__all__ = [
    "CODE_CHANGED",
    "REASON",
    "CommitCut",
    "Cut",
    "Plan",
    "Rewritten",
    "VariableCut",
    "plan_rewrite",
    "versions_of",
]

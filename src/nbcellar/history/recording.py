"""Recording: objects, signed commits, index rows, the move of HEAD and one operation in one store transaction.

Invariant: a commit that was given to a finished `Recorder` is reachable from a ref, whoever else writes: when the
branch moved meanwhile, the commit gets a branch of its own and the caller is told. Not for: deciding what to record
(the session does).
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

import msgspec
from blake3 import blake3

from nbcellar.errors import ConflictError, InvalidInputError, UnknownReferenceError
from nbcellar.history import refs
from nbcellar.history.doubts import record_doubt
from nbcellar.history.evidence import Evidence
from nbcellar.history.index import Row, insert_commit
from nbcellar.history.model import Commit, State, encode_commit
from nbcellar.history.notebooks import note_evidence
from nbcellar.history.operations import FIRST_PARENT, Operation, OperationKind, RefChange, encode_operation
from nbcellar.history.recent import Signed
from nbcellar.history.states import Changes, StateBuilder, chain_of, fold_state
from nbcellar.history.thin import stored_again
from nbcellar.ids import CommitId, Digest, KeyId, NotebookId, short
from nbcellar.store.interface import Data, Kind, Transaction

if TYPE_CHECKING:
    from types import TracebackType

    from nbcellar.history.repository import Repository


_MOST_LOST_TURNS = 100
_NEEDED_BY_UNDO = (Kind.VALUE, Kind.AMBIENT)


class Signer(Protocol):
    """What recording needs of a key; `trust.keys.SigningKey` is one."""

    @property
    def key_id(self) -> KeyId: ...

    def sign(self, message: bytes) -> bytes: ...


class HeadMove(enum.Enum):
    """What a new commit does to HEAD."""

    ADVANCE = "advance"  # the branch moves to the commit; a detached HEAD starts a branch first
    STAY = "stay"  # nothing moves: the commit is kept by the operation log, as long as that keeps operations alive


class Recorded(msgspec.Struct, frozen=True):
    """What a finished transaction did.

    `branch` is the branch that holds the last commit (None: no commit, or all stayed). `diverged`: somebody else
    moved the branch meanwhile, so `branch` is a new one and HEAD stayed where the other put it; pass it as `on` from
    then on.
    """

    commits: tuple[CommitId, ...]
    branch: str | None
    created_branch: bool
    diverged: bool
    operation: int


class Tip(NamedTuple):
    """The commit recorded last, with what the next one needs of it."""

    commit: CommitId
    builder: StateBuilder
    chain: tuple[int, int]


class _RefPlan(msgspec.Struct, frozen=True):
    branch: str
    created: bool
    diverged: bool
    changes: tuple[RefChange, ...]  # `old` is always a value here


class Recorder:
    """Collects one transaction for one notebook. A context manager: without `finish`, nothing has happened."""

    def __init__(
        self,
        repo: Repository,
        tx: Transaction,
        notebook: NotebookId,
        key: Signer,
        on: str | None,
        generation: bytes | None,
    ) -> None:
        """Use `Repository.begin`."""
        self._repo = repo
        self._tx = tx
        self._notebook = notebook
        self._key = key
        self._on = on
        self._generation = generation
        self._rows: list[Row] = []
        self._pending: dict[CommitId, Row] = {}
        self._signed: dict[CommitId, Signed] = {}
        self._small: dict[Digest, bytes] = {}
        self._pending_states: dict[Digest, bytes] = {}
        self._advanced: list[CommitId] = []
        self._stayed: list[CommitId] = []
        self._tip: tuple[CommitId, StateBuilder] | None = None
        self._doubts: dict[bytes, tuple[CommitId, CommitId]] = {}
        self._evidence: Evidence | None = None
        self._finished = False

    def put(self, kind: Kind, data: Data, *, digest: Digest | None = None) -> Digest:
        """Add an object; see `store.interface.Transaction.put`."""
        digest = self._tx.put(kind, data, digest=digest)
        if kind is Kind.STATE:
            self._pending_states[digest] = bytes(data)
        elif kind in _NEEDED_BY_UNDO:
            self._small[digest] = bytes(data)
        return digest

    @property
    def new_bytes(self) -> int:
        """See `store.interface.Transaction.new_bytes`."""
        return self._tx.new_bytes

    def mark(self) -> object:
        """See `store.interface.Transaction.mark`."""
        return self._tx.mark(), len(self._small)

    def rewind(self, mark: object) -> None:
        """See `store.interface.Transaction.rewind`."""
        inner, small = cast("tuple[object, int]", mark)
        self._tx.rewind(inner)
        for digest in list(self._small)[small:]:
            del self._small[digest]

    def has(self, digest: Digest) -> bool:
        """True if the object is in the store or in this transaction."""
        return self._tx.has(digest)

    def commit(self, commit: Commit, advance: HeadMove = HeadMove.ADVANCE) -> CommitId:
        """Add a signed commit and return its id. Several that advance form a line: each is the first parent of the
        next.

        Raises InvalidInputError for a commit of another notebook or one that breaks the line, UnknownReferenceError for
        a parent, base or `at` that the repository does not hold.
        """
        self._check(commit, advance)
        payload = encode_commit(commit)
        identifier = CommitId(blake3(payload).digest())
        self._tx.put(Kind.COMMIT, payload, digest=Digest(identifier))
        signed = Signed(payload, self._key.sign(identifier), self._key.key_id)
        self._tx.sign(Digest(identifier), signed.key, signed.signature)
        self._signed[identifier] = signed
        depth, weight = self._chain(commit, len(payload))
        changes = self._apply_state(identifier, commit)
        row = Row(identifier, commit, depth, weight, changes)
        self._rows.append(row)
        self._pending[identifier] = row
        (self._advanced if advance is HeadMove.ADVANCE else self._stayed).append(identifier)
        return identifier

    def doubt(self, version: bytes, *, since: CommitId, until: CommitId) -> None:
        """Note that commits after `since` up to `until` may name a version wrongly; see `doubts.py`."""
        earlier = self._doubts.get(version)
        self._doubts[version] = (earlier[0] if earlier is not None else since, until)

    def saw_file(self, seen: Evidence) -> None:
        """Note how the notebook's file looks, so that a later rename is recognised."""
        self._evidence = seen

    def finish(self) -> Recorded:
        """Make everything durable and visible; returns when it is.

        Raises StoreUnavailableError (disk full, read-only); nothing is visible then.
        """
        plan = self._write()
        self._finished = True
        for row in self._rows:
            self._repo.recent.keep_commit(row.id, row.commit, self._signed[row.id])
            self._repo.note_stored(row.commit)
        for digest, data in self._small.items():
            self._repo.recent.keep_object(digest, data)
        if self._tip is not None:
            row = self._pending[self._tip[0]]
            self._repo.keep_tip(Tip(row.id, self._tip[1], (row.depth, row.weight)), self._generation)
        refs_plan, number = plan
        return Recorded(
            commits=tuple(row.id for row in self._rows),
            branch=refs_plan.branch if refs_plan else None,
            created_branch=refs_plan is not None and refs_plan.created,
            diverged=refs_plan is not None and refs_plan.diverged,
            operation=number,
        )

    def abort(self) -> None:
        """Drop everything."""
        self._tx.abort()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._finished:
            self.abort()

    def _check(self, commit: Commit, advance: HeadMove) -> None:
        if commit.notebook != self._notebook:
            raise InvalidInputError(f"the commit belongs to notebook {commit.notebook}, not {self._notebook}")
        parents = commit.parents
        if advance is HeadMove.ADVANCE and self._advanced and (not parents or parents[0] != self._advanced[-1]):
            raise InvalidInputError("commits of one transaction that advance HEAD must follow each other")
        for reference in _references(commit):
            # Asked of the transaction first: from then on gc leaves what is there alone.
            if reference not in self._pending and not (
                self._tx.has(Digest(reference)) and self._repo.has_commit(reference)
            ):
                raise UnknownReferenceError(f"there is no commit {short(reference)} in this repository")

    def _apply_state(self, identifier: CommitId, commit: Commit) -> Changes:
        delta = commit.state
        if delta is None:
            return Changes()
        builder = self._builder_at(CommitId(delta.base) if delta.base is not None else None)
        changes = builder.apply(delta, identifier)
        self._tip = (identifier, builder)
        return changes

    def _builder_at(self, base: CommitId | None) -> StateBuilder:
        if base is None:
            return StateBuilder()
        if self._tip is not None and self._tip[0] == base:
            return self._tip[1]
        kept = self._repo.take_tip(base)
        if kept is not None:
            return kept
        return fold_state(base, read_commit=self._read_commit, read_object=self._read_object, known=self._known_state)

    def _read_commit(self, commit: CommitId) -> Commit:
        row = self._pending.get(commit)
        return row.commit if row is not None else self._repo.read_commit(commit)

    def _read_object(self, digest: Digest) -> bytes:
        found = self._pending_states.get(digest)
        return found if found is not None else self._repo.store.read(digest)

    def _known_state(self, commit: CommitId) -> State | None:
        return None if commit in self._pending else self._repo.cached_state(commit)

    def _chain(self, commit: Commit, payload_bytes: int) -> tuple[int, int]:
        delta = commit.state
        if delta is None or delta.base is None:
            return chain_of(commit, payload_bytes, None)
        base = CommitId(delta.base)
        row = self._pending.get(base)
        return chain_of(commit, payload_bytes, (row.depth, row.weight) if row is not None else self._repo.chain(base))

    def _write(self) -> tuple[_RefPlan | None, int]:
        # Each turn lost is a commit of somebody else's, so a few suffice; the bound is against a ref that never fits.
        lost = 0
        while True:
            plan = self._plan_refs() if self._advanced else None
            self._stage(plan)
            try:
                return plan, self._tx.commit()
            except ConflictError:
                lost += 1
                if lost == _MOST_LOST_TURNS:
                    raise
                self._check_generation()

    def _check_generation(self) -> None:
        """Go on if commits were removed meanwhile but none that these build on: it would bring them back, or hang in
        the air."""
        generation = self._repo.store.ref(refs.PROJECT_SCOPE, refs.GENERATION)
        if generation == self._generation:
            return
        for row in self._rows:
            gone = [r for r in _references(row.commit) if r not in self._pending and not self._repo.index.has(r)]
            if gone:
                raise ConflictError(
                    f"commit {short(gone[0])} was taken out of history while something was recorded on top of it",
                    hint="record it again on top of HEAD",
                )
        self._generation = generation

    def _stage(self, plan: _RefPlan | None) -> None:
        for row in self._rows:
            insert_commit(self._tx, row)
            stored_again(self._tx, row.commit)
        if not self._rows:
            return
        generation = self._generation
        self._tx.set_ref(refs.PROJECT_SCOPE, refs.GENERATION, old=generation, new=generation)
        changes = plan.changes if plan is not None else ()
        for change in changes:
            self._tx.set_ref(self._notebook, change.name, old=_value(change.old), new=change.new)
        if self._evidence is not None:
            note_evidence(self._repo, self._tx, self._notebook, self._evidence)
        for version, (since, until) in self._doubts.items():
            record_doubt(self._repo, self._tx, self._notebook, version, since=since, until=until)
        kept = tuple(RefChange("", None, commit) for commit in self._stayed)
        operation = Operation(
            notebook=self._notebook,
            kind=OperationKind.RECORD,
            time_ns=self._repo.clock(),
            by=self._repo.by,
            changes=tuple(self._compact(change) for change in changes) + kept,
        )
        self._tx.append(self._notebook, encode_operation(operation))

    def _compact(self, change: RefChange) -> RefChange:
        if len(self._advanced) == 1 and change.new == self._advanced[-1]:
            parents = self._pending[self._advanced[-1]].commit.parents
            if parents and parents[0] == change.old:
                return RefChange(change.name, FIRST_PARENT, change.new)
        return change

    def _plan_refs(self) -> _RefPlan:
        """Decide which branch takes the line of new commits.

        Attached, nobody wrote:   main: p -> c
        Detached at p:            main-2: - -> c, HEAD follows
        The branch moved:         main-2: - -> c, HEAD stays with the one who moved it
        """
        store, scope = self._repo.store, self._notebook
        parents = self._pending[self._advanced[0]].commit.parents
        start = parents[0] if parents else None
        tip = self._advanced[-1]
        head_value = store.ref(scope, refs.HEAD)
        attached, detached, left = (
            refs.decode_head(head_value) if head_value is not None else (refs.DEFAULT_BRANCH, None, "")
        )
        line = self._on or attached
        if line is not None:
            old = store.ref(scope, refs.BRANCH + line)
            if (old is None and self._on is None) or (old is not None and old == start):
                changes = [RefChange(refs.BRANCH + line, old, tip)]
                if head_value is None:
                    changes.append(RefChange(refs.HEAD, None, refs.encode_head(branch=line)))
                return _RefPlan(line, old is None, False, tuple(changes))
        taken = {name.removeprefix(refs.BRANCH) for _, name in store.refs(scope, refs.BRANCH)}
        branch = refs.next_free_branch(line or left, taken)
        changes = [RefChange(refs.BRANCH + branch, None, tip)]
        follows = self._on is None and attached is None and detached == start
        if follows:
            changes.append(RefChange(refs.HEAD, head_value, refs.encode_head(branch=branch)))
        return _RefPlan(branch, True, not follows, tuple(changes))


def _references(commit: Commit) -> set[CommitId]:
    base = commit.state.base if commit.state is not None else None
    return {CommitId(reference) for reference in (*commit.parents, commit.at, base) if reference is not None}


def _value(old: object) -> bytes | None:
    return old if isinstance(old, bytes) else None


__all__ = ["HeadMove", "Recorded", "Recorder", "Signer", "Tip"]

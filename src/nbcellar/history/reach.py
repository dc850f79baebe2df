"""What is alive: every object that a ref, or an operation not too old, leads to.

Invariant: whatever a live commit needs to be read, verified, restored or undone is live: its parents, the commits
that its state builds on or came from, and all objects these name. Not for: removing the rest (`maintenance.py` and
the store).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from nbcellar.errors import NotFoundError
from nbcellar.history import refs
from nbcellar.history.model import Commit, State, StateDelta, decode_commit, decode_state
from nbcellar.history.operations import Operation, OperationKind, decode_operation
from nbcellar.history.results import LAST
from nbcellar.ids import CommitId, Digest, NotebookId
from nbcellar.store.interface import Kind

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository

DAY_NS = 24 * 3600 * 1_000_000_000
KEEP_OPS_DAYS = 30


class ChildrenOf(Protocol):
    """Says what an object refers to whose layout history does not know: VALUE, TREE, CELL, OUTPUTS, AMBIENT, ...

    The parts that own the layouts provide it (the session for values, the notebook for trees). An object without
    references gives nothing. Raises CorruptStoreError for bytes that are not of that kind: then nothing is removed.
    """

    def __call__(self, kind: Kind, data: bytes) -> Iterable[Digest]: ...


def live_objects(
    repo: Repository, children_of: ChildrenOf, *, now_ns: int, keep_ops_days: float = KEEP_OPS_DAYS
) -> set[Digest]:
    """Return the digests of all objects that are alive."""
    since = now_ns - int(keep_ops_days * DAY_NS)
    return reachable(repo, [*ref_roots(repo), *operation_roots(repo, since_ns=since)], children_of)


def ref_roots(repo: Repository) -> Iterator[CommitId]:
    """Yield the commits that refs name: HEADs, branches, tags, fork points, newer messages, components' results."""
    for (_, name), value in repo.store.refs().items():
        yield from named_commits(name, value)


def operation_roots(repo: Repository, *, since_ns: int, moves_only: bool = False) -> Iterator[CommitId]:
    """Yield the commits that operations since then name, before and after; those before a `forget` name none.

    moves_only: without operations that only recorded something.
    """
    barred: set[NotebookId] = set()
    for record in repo.iter_records(None):
        operation = decode_operation(record)
        if operation.time_ns < since_ns:
            continue  # not the end: clocks of several machines disagree
        if operation.notebook not in barred and not (moves_only and operation.kind is OperationKind.RECORD):
            yield from commits_of_operation(operation)
        if operation.kind is OperationKind.FORGET:
            barred.add(operation.notebook)


def reachable(repo: Repository, commits: Iterable[CommitId], children_of: ChildrenOf) -> set[Digest]:
    """Return the digests of everything that these commits lead to; commits that are gone are passed over."""
    live: set[Digest] = set()
    mark(repo, [(Kind.COMMIT, Digest(commit)) for commit in commits], children_of, live)
    return live


def mark(
    repo: Repository,
    waiting: list[tuple[Kind, Digest]],
    children_of: ChildrenOf,
    live: set[Digest],
    *,
    values: set[Digest] | None = None,
) -> None:
    """Add to `live` what these objects lead to, themselves included.

    values: takes in the VALUE objects that are met, which then are not followed and not added to `live`.
    """
    while waiting:
        kind, digest = waiting.pop()
        if digest in live:
            continue
        if kind is Kind.VALUE and values is not None:
            values.add(digest)
            continue
        live.add(digest)
        if kind is not Kind.BLOCK:
            waiting += _children(repo, kind, digest, children_of)


def references_of_commit(commit: Commit) -> Iterator[tuple[Kind, Digest]]:
    """Yield every object that a commit names, with its kind."""
    for reference in (*commit.parents, commit.at):
        if reference is not None:
            yield Kind.COMMIT, Digest(reference)
    if commit.tree is not None:
        yield Kind.TREE, Digest(commit.tree)
    if commit.environment is not None:
        yield Kind.ENVIRONMENT, Digest(commit.environment)
    if commit.cell is not None and commit.cell.outputs is not None:
        yield Kind.OUTPUTS, Digest(commit.cell.outputs)
    if commit.state is not None:
        yield from references_of_delta(commit.state)


def references_of_delta(delta: StateDelta) -> Iterator[tuple[Kind, Digest]]:
    """Yield every object that a state's changes name, with its kind."""
    if delta.base is not None:
        yield Kind.COMMIT, Digest(delta.base)
    if delta.complete is not None:
        yield Kind.STATE, Digest(delta.complete)
    for entry in delta.put:
        if entry.value is not None:
            yield Kind.VALUE, Digest(entry.value)
        if entry.origin:
            yield Kind.COMMIT, Digest(entry.origin)
    for part in delta.ambient.values():
        if part is not None:
            yield Kind.AMBIENT, Digest(part)


def _references_of_state(state: State) -> Iterator[tuple[Kind, Digest]]:
    yield from references_of_delta(StateDelta(base=None, put=state.covariables, ambient=dict(state.ambient)))


def _children(repo: Repository, kind: Kind, digest: Digest, children_of: ChildrenOf) -> Iterator[tuple[Kind, Digest]]:
    try:
        data = repo.store.read(digest)
    except NotFoundError:
        return
    if kind is Kind.COMMIT:
        yield from references_of_commit(decode_commit(data))
    elif kind is Kind.STATE:
        yield from _references_of_state(decode_state(data))
    else:
        for child in children_of(kind, data):
            yield _kind_of(repo, child), child


def _kind_of(repo: Repository, digest: Digest) -> Kind:
    try:
        return repo.store.info(digest).kind
    except NotFoundError:
        return Kind.BLOCK


def commits_of_operation(operation: Operation, *, before: bool = True) -> Iterator[CommitId]:
    """Yield the commits that an operation's refs name, after it and (`before`) before it."""
    for change in operation.changes:
        for value in (change.old, change.new) if before else (change.new,):
            if isinstance(value, bytes):
                yield from named_commits(change.name, value)


def named_commits(name: str, value: bytes) -> Iterator[CommitId]:
    """Yield the commit that a ref of this name names with this value, if it names one."""
    if name == refs.HEAD:
        commit = refs.decode_head(value)[1]
        if commit is not None:
            yield commit
    elif name.startswith(refs.MESSAGE):
        yield CommitId(bytes.fromhex(name.removeprefix(refs.MESSAGE)))
    elif name.startswith((refs.BRANCH, refs.TAG, LAST)) or name in (refs.FORKED_FROM, ""):
        yield CommitId(value)


__all__ = [
    "KEEP_OPS_DAYS",
    "ChildrenOf",
    "commits_of_operation",
    "live_objects",
    "mark",
    "named_commits",
    "operation_roots",
    "reachable",
    "ref_roots",
    "references_of_commit",
    "references_of_delta",
]

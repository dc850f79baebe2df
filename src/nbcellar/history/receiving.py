"""Entering results that others recorded: commits with their signatures, on branches of their own.

Invariant: nothing of a notebook of this repository is touched: a result whose scope is a notebook's, or holds anything
but results, is refused. What is there already is left as it is. Not for: whether to take them (`pipeline/`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from nbcellar.errors import CorruptStoreError
from nbcellar.history import refs
from nbcellar.history.index import Row, insert_commit
from nbcellar.history.model import Commit
from nbcellar.history.operations import Operation, OperationKind, RefChange, encode_operation
from nbcellar.history.results import result_of
from nbcellar.history.states import StateBuilder, chain_of
from nbcellar.history.thin import stored_again
from nbcellar.ids import CommitId, Digest, KeyId, NotebookId
from nbcellar.store.interface import Transaction

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository


class Received(NamedTuple):
    """A commit of somebody else's, whose payload is in the transaction."""

    id: CommitId
    commit: Commit
    payload_bytes: int
    key: KeyId
    signature: bytes


def enter_results(repo: Repository, tx: Transaction, received: Iterable[Received]) -> list[CommitId]:
    """Add results to a transaction that holds their objects; return those that were not there. Commits nothing.

    Raises CorruptStoreError for a commit that may not be entered.
    """
    generation = repo.store.ref(refs.PROJECT_SCOPE, refs.GENERATION)
    tx.set_ref(refs.PROJECT_SCOPE, refs.GENERATION, old=generation, new=generation)
    notebooks = {info.id for info in repo.notebooks()}
    branches: dict[NotebookId, dict[str, bytes]] = {}
    new = []
    for result in received:
        scope = NotebookId(result.commit.notebook)
        if scope not in branches:
            _check_scope(repo, scope, notebooks)
            branches[scope] = {
                name.removeprefix(refs.BRANCH): value
                for (_, name), value in repo.store.refs(scope, refs.BRANCH).items()
            }
            if repo.store.ref(scope, refs.HEAD) is None:
                tx.set_ref(scope, refs.HEAD, old=None, new=refs.encode_head(branch=refs.DEFAULT_BRANCH))
        stored_again(tx, result.commit)  # of one that is there, values may have been thinned out
        if result.id in branches[scope].values():
            continue
        _enter(repo, tx, result, scope, branches[scope])
        new.append(result.id)
    return new


def _check_scope(repo: Repository, scope: NotebookId, notebooks: set[NotebookId]) -> None:
    if scope in notebooks:
        raise CorruptStoreError(f"a result would be entered into the history of {repo.label(scope)}: refused")
    for value in repo.store.refs(scope, refs.BRANCH).values():
        if result_of(repo.read_commit(CommitId(value))) is None:
            raise CorruptStoreError(f"a result would be entered where other commits are, {scope[:8]}: refused")


def _enter(repo: Repository, tx: Transaction, result: Received, scope: NotebookId, branches: dict[str, bytes]) -> None:
    name = refs.next_free_branch(refs.DEFAULT_BRANCH, branches) if branches else refs.DEFAULT_BRANCH
    branches[name] = result.id
    delta = result.commit.state
    assert delta is not None
    changes = StateBuilder().apply(delta, result.id)
    tx.sign(Digest(result.id), result.key, result.signature)
    insert_commit(tx, Row(result.id, result.commit, *chain_of(result.commit, result.payload_bytes, None), changes))
    tx.set_ref(scope, refs.BRANCH + name, old=None, new=result.id)
    operation = Operation(
        notebook=scope,
        kind=OperationKind.RECORD,
        time_ns=repo.clock(),
        by=repo.by,
        changes=(RefChange(refs.BRANCH + name, None, result.id),),
        description="import a result",
    )
    tx.append(scope, encode_operation(operation))


__all__ = ["Received", "enter_results"]

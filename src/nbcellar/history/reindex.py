"""Making the index again from the commits in the store.

Invariant: afterwards the index says what recording would have said: same titles, same changes, parents before children.
Not for: refs and operations, which the store recovers by itself.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nbcellar.errors import NotFoundError
from nbcellar.history.index import Row, insert_commit
from nbcellar.history.model import Commit, State, decode_commit
from nbcellar.history.states import Changes, StateBuilder, chain_of, fold_state
from nbcellar.history.thin import rebuild_thinned
from nbcellar.ids import CommitId
from nbcellar.store.interface import Kind

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository


def rebuild_index(repo: Repository) -> int:
    """Make the tables again from all COMMIT objects; return how many commits there are.

    A commit that a kernel makes while the objects are read loses its row: then all is done once more.
    """
    count = _rebuild(repo)
    for _ in range(_MOST_TURNS):
        if all(repo.index.has(CommitId(info.digest)) for info in repo.store.objects(Kind.COMMIT)):
            break
        count = _rebuild(repo)
    return count


_MOST_TURNS = 10


def _rebuild(repo: Repository) -> int:
    commits = {
        CommitId(info.digest): (decode_commit(payload), len(payload))
        for info in repo.store.objects(Kind.COMMIT)
        for payload in (repo.store.read(info.digest),)
    }
    rows = list(index_rows(repo, commits))
    with repo.store.begin() as tx:
        tx.execute("DELETE FROM ix_parents")
        tx.execute("DELETE FROM ix_commits")
        for row in rows:
            insert_commit(tx, row)
        rebuild_thinned(repo, tx, {row.id: row.commit for row in rows})
        tx.commit()
    return len(rows)


def index_rows(repo: Repository, commits: dict[CommitId, tuple[Commit, int]]) -> Iterator[Row]:
    """Yield what the index should say, from all commits with the sizes of their payloads; parents before children."""
    chains: dict[CommitId, tuple[int, int]] = {}
    tip: tuple[CommitId, StateBuilder] | None = None
    for identifier in _in_order({i: commit for i, (commit, _) in commits.items()}):
        commit, size = commits[identifier]
        delta = commit.state
        base = CommitId(delta.base) if delta is not None and delta.base is not None else None
        chains[identifier] = chain_of(commit, size, chains.get(base) if base is not None else None)
        changes = Changes()
        if delta is not None:
            builder = tip[1] if tip is not None and tip[0] == base else _builder(repo, base)
            changes = builder.apply(delta, identifier)
            tip = (identifier, builder)
        yield Row(identifier, commit, *chains[identifier], changes)


def _builder(repo: Repository, base: CommitId | None) -> StateBuilder:
    if base is None:
        return StateBuilder()
    try:
        return fold_state(base, read_commit=repo.read_commit, read_object=repo.store.read, known=_nothing_known)
    except NotFoundError:
        return StateBuilder()  # damaged history: `check` reports it; names then look newer than they are


def _nothing_known(_: CommitId) -> State | None:
    return None


def _in_order(commits: dict[CommitId, Commit]) -> Iterator[CommitId]:
    """Yield commits after their parents, bases and `at`; otherwise by time."""
    waiting = {identifier: _before(commit) & commits.keys() for identifier, commit in commits.items()}
    children: dict[CommitId, list[CommitId]] = {}
    for identifier, parents in waiting.items():
        for parent in parents:
            children.setdefault(parent, []).append(identifier)
    ready = [(commits[i].time_ns, i) for i, parents in waiting.items() if not parents]
    heapq.heapify(ready)
    while ready:
        _, identifier = heapq.heappop(ready)
        yield identifier
        for child in children.get(identifier, ()):
            waiting[child].discard(identifier)
            if not waiting[child]:
                heapq.heappush(ready, (commits[child].time_ns, child))


def _before(commit: Commit) -> set[CommitId]:
    base = commit.state.base if commit.state is not None else None
    return {CommitId(reference) for reference in (*commit.parents, commit.at, base) if reference is not None}


__all__ = ["index_rows", "rebuild_index"]

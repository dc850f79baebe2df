"""Graphs of commits for the tests of history, written as lists: `build([1], [2, 1], [3, 1, 2])`.

The first number of a list names a commit, the others its parents.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from nbcellar.history.model import COMMIT_FORMAT, CellRun, Commit, CommitKind, Covariable, StateDelta
from nbcellar.history.recording import HeadMove, Recorded
from nbcellar.history.repository import Repository
from nbcellar.ids import CommitId, KeyId, NotebookId
from nbcellar.store.interface import Kind
from nbcellar.store.memory import MemoryStore


class Key:
    """A signer with a key of its own."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.key_id = KeyId(self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


class History:
    """One notebook of a repository, and short ways to record in it."""

    def __init__(self, repo: Repository, path: str = "a.ipynb") -> None:
        self.repo = repo
        self.key = Key()
        self.notebook: NotebookId = repo.notebook_for(Path(path), create=True)
        self.ids: dict[int, CommitId] = {}
        self._ticks = itertools.count(1)

    @property
    def head(self) -> CommitId | None:
        return self.repo.head(self.notebook).commit

    def commit_of(
        self,
        parents: tuple[CommitId, ...],
        *,
        kind: CommitKind = CommitKind.AUTO,
        source: str = "",
        values: dict[str, bytes] | None = None,
        drop: tuple[str, ...] = (),
        at: CommitId | None = None,
        message: str = "",
        base: CommitId | bool | None = True,
    ) -> Commit:
        """Return a commit whose delta is on its first parent; `values` are the names that it puts."""
        tick = next(self._ticks)
        start = (parents[0] if parents else None) if base is True else base
        put = tuple(
            Covariable(names=(name,), value=value, version=value[:8]) for name, value in sorted((values or {}).items())
        )
        return Commit(
            format=COMMIT_FORMAT,
            notebook=self.notebook,
            parents=parents,
            kind=kind,
            time_ns=tick * 1_000_000_000,
            author="ana",
            message=message,
            cell=CellRun("c", source or f"x = {tick}", tick) if kind is CommitKind.AUTO else None,
            state=StateDelta(base=start or None, put=put, drop=drop),
            at=at,
        )

    def record(
        self,
        *parents: CommitId,
        kind: CommitKind = CommitKind.AUTO,
        source: str = "",
        values: dict[str, bytes] | None = None,
        drop: tuple[str, ...] = (),
        at: CommitId | None = None,
        message: str = "",
        advance: HeadMove = HeadMove.ADVANCE,
        on: str | None = None,
        base: CommitId | bool | None = True,
    ) -> Recorded:
        """Record one commit; without parents it follows HEAD. Each value's bytes are stored as a VALUE object."""
        head = self.head
        start = parents or ((head,) if head is not None else ())
        with self.repo.begin(self.notebook, self.key, on=on) as tx:
            stored = {name: tx.put(Kind.VALUE, data) for name, data in (values or {}).items()}
            commit = self.commit_of(
                start, kind=kind, source=source, values=dict(stored), drop=drop, at=at, message=message, base=base
            )
            tx.commit(commit, advance)
            return tx.finish()

    def step(self, **options: object) -> CommitId:
        """Record one commit and return its id."""
        return self.record(**options).commits[-1]  # type: ignore[arg-type]

    def build(self, *graph: list[int]) -> dict[int, CommitId]:
        """Record a graph; returns the ids by the graph's numbers."""
        for number, *parents in graph:
            start = tuple(self.ids[parent] for parent in parents)
            if start and start[0] != self.head:
                self.repo.move_head(self.notebook, start[0])
            self.ids[number] = self.record(*start, source=f"cell {number}").commits[-1]
        return self.ids


@pytest.fixture
def clock() -> Callable[[], int]:
    ticks = itertools.count(1)
    return lambda: next(ticks) * 1_000_000_000


@pytest.fixture
def repo(tmp_path: Path, clock: Callable[[], int]) -> Iterator[Repository]:
    with Repository(MemoryStore(), tmp_path, by="ana@host", clock=clock) as repository:
        yield repository


@pytest.fixture
def history(repo: Repository) -> History:
    return History(repo)

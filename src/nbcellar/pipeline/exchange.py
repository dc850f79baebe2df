"""Results between a repository and a remote: sent once, fetched where they are missing.

Invariant: a result enters the repository whole, signed by somebody who is trusted here, or not at all; what a parcel
says is never believed beyond that. Not for: what a parcel is (`parcel.py`), which results are wanted (executors).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from nbcellar import config
from nbcellar.errors import (
    ConflictError,
    CorruptStoreError,
    InvalidInputError,
    NotFoundError,
    NotTrustedError,
    StoreUnavailableError,
)
from nbcellar.history.receiving import enter_results
from nbcellar.ids import CommitId, Digest
from nbcellar.pipeline import parcel
from nbcellar.pipeline.model import Again, Outcome, Task
from nbcellar.pipeline.parcel import Piece
from nbcellar.remote.interface import Remote
from nbcellar.remote.opening import open_remote
from nbcellar.store.interface import Data, Kind
from nbcellar.trust.decisions import TrustStore
from nbcellar.trust.keys import fingerprint

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository

_Found = TypeVar("_Found")
_AT_ONCE = 8
_TRIES = 20


class Exchange:
    """Sends to and fetches from one remote. Mutable; one thread at a time."""

    def __init__(self, remote: Remote, is_trusted: Callable[[bytes], bool]) -> None:
        """is_trusted: whether results that a key signs may be used here."""
        self.remote, self._is_trusted = remote, is_trusted
        self._there: set[CommitId] = set()

    def before(self, repo: Repository, task: Task) -> None:
        """Have what a task needs here. Raises InvalidInputError where the notebook's folder is not."""
        if not Path(task.folder).is_dir():
            raise InvalidInputError(
                f"the machine that runs it has no folder {task.folder}",
                hint="values come from the remote, files do not: have the notebook's folder there, at the same path",
            )
        for commit in dict.fromkeys(_results_of(task)):
            self.fetch(repo, commit)

    def after(self, repo: Repository, outcome: Outcome) -> None:
        """Have what a task made in the remote."""
        if outcome.commit:
            self.send(repo, CommitId(bytes.fromhex(outcome.commit)))

    def send_needs(self, repo: Repository, task: Task) -> None:
        """Have what a task needs in the remote."""
        for commit in dict.fromkeys(_results_of(task)):
            self.send(repo, commit)

    def knows_needs(self, task: Task) -> bool:
        """True if all that a task needs is known to be in the remote."""
        return self._there.issuperset(_results_of(task))

    def send(self, repo: Repository, commit: CommitId) -> None:
        """Have a result in the remote. Raises NotFoundError where the repository has not all of it."""
        if commit in self._there:
            return
        planned = parcel.plan(repo, commit)
        # Also where the parcel is there: a piece may be older than it, and removed for its age.
        for _ in _each(lambda piece: self._send_piece(repo, piece), planned.pieces):
            pass
        if self.remote.size_of(_parcel_name(commit)) is None:
            self.remote.write(_parcel_name(commit), parcel.pack(repo, planned))
        self._there.add(commit)

    def _send_piece(self, repo: Repository, piece: Piece) -> None:
        if self.remote.size_of(_piece_name(piece)) is None:
            self.remote.write(_piece_name(piece), parcel.pack_piece(repo, piece))

    def fetch(self, repo: Repository, commit: CommitId) -> None:
        """Have a result in the repository.

        Raises NotTrustedError for one that somebody signed who is not trusted here, CorruptStoreError for one that was
        changed, StoreUnavailableError where it is not there.
        """
        if repo.store.has(Digest(commit)):
            self._there.add(commit)
            return
        with self._blamed():
            contents = self._contents(commit)
        for left in reversed(range(_TRIES)):
            try:
                self._enter(repo, contents)
                break
            except ConflictError:  # another process enters a result of the same component
                if not left:
                    raise
                repo.refresh()
        repo.drop_caches()
        self._there.add(commit)

    def _contents(self, commit: CommitId) -> parcel.Contents:
        found = parcel.decode(commit, self._read(_parcel_name(commit), parcel.MOST_PARCEL_BYTES))
        if not self._is_trusted(found.key):
            name = fingerprint(found.key)
            raise NotTrustedError(
                f"result {commit.hex()[:8]} in {self.remote.address} was signed by {name}, who is not trusted here",
                hint=f"if you know that this key is genuine: cellar trust add {name}",
            )
        return parcel.unpack(commit, found)

    def _enter(self, repo: Repository, contents: parcel.Contents) -> None:
        with repo.store.begin() as tx:
            for digest, (kind, data) in contents.objects.items():
                tx.put(kind, data, digest=digest)
            for blocks in _each(lambda piece: self._blocks_of(repo, piece), contents.pieces):
                for digest, data in blocks:
                    tx.put(Kind.BLOCK, data, digest=digest)
            tx.put(Kind.COMMIT, contents.payload, digest=Digest(contents.received.id))
            enter_results(repo, tx, [contents.received])
            tx.commit()

    def _blocks_of(self, repo: Repository, piece: Piece) -> list[tuple[Digest, Data]]:
        digests = [Digest(digest) for digest in piece.digests]
        if all(map(repo.store.has, digests)):
            return [(digest, repo.store.read(digest)) for digest in digests]
        with self._blamed():
            return list(parcel.unpack_piece(piece, self._read(_piece_name(piece), parcel.MOST_PIECE_BYTES)))

    @contextlib.contextmanager
    def _blamed(self) -> Iterator[None]:
        """Say where what was changed is: it stays, as nothing there is written twice."""
        try:
            yield
        except CorruptStoreError as error:
            raise CorruptStoreError(
                f"what is in {self.remote.address} was changed or damaged: {error.message}",
                hint="empty that folder, the next run sends anew what is needed",
            ) from error

    def _read(self, name: str, most: int) -> bytes:
        try:
            return self.remote.read(name, most=most)
        except NotFoundError as error:
            raise StoreUnavailableError(
                error.message, hint="somebody emptied it during the run; run it again: what is there is kept"
            ) from error


def exchange_with(address: str, repo: Repository, environ: Mapping[str, str] = os.environ) -> Exchange:
    """Return what exchanges results with the remote at an address, by the trust of a repository's project."""
    decisions, project = TrustStore(config.user_folder(environ)), repo.project
    return Exchange(open_remote(address), lambda key: decisions.is_trusted(project, key))


def _results_of(task: Task | Again) -> Iterator[CommitId]:
    """Yield the results that a task names, some more than once."""
    for text in (*(take.commit for take in task.takes), *task.definitions, *task.surroundings):
        yield CommitId(bytes.fromhex(text))
    for before in task.again:
        yield from _results_of(before)


def _each(function: Callable[[Piece], _Found], pieces: Sequence[Piece]) -> Iterator[_Found]:
    """Call a function that waits for the network with each, several at a time, and no more: pieces are large."""
    if len(pieces) < 2:
        yield from map(function, pieces)
        return
    with ThreadPoolExecutor(_AT_ONCE, "cellar-remote") as pool:
        for start in range(0, len(pieces), _AT_ONCE):
            yield from pool.map(function, pieces[start : start + _AT_ONCE])


def _parcel_name(commit: CommitId) -> str:
    return f"results/1/{commit.hex()[:2]}/{commit.hex()}"


def _piece_name(piece: Piece) -> str:
    return f"pieces/1/{piece.name[:2]}/{piece.name}"


__all__ = ["Exchange", "exchange_with"]

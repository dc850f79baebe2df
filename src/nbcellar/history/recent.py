"""What this process recorded or read lately, kept in memory: an undo finds most of what it needs here.

Invariant: all of it is durable, and is dropped when history is rewritten. Bounded. May be used from several threads.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from nbcellar.history.model import Commit
from nbcellar.ids import CommitId, Digest, KeyId

MOST_COMMITS = 128
MOST_OBJECTS_BYTES = 4 << 20
LARGEST_BYTES = 65_536
_OVERHEAD_BYTES = 200


class Signed(NamedTuple):
    """A commit as the trust gate needs it."""

    payload: bytes
    signature: bytes
    key: KeyId


class Recent:
    """Commits and small objects, those used longest ago dropped first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commits: dict[CommitId, tuple[Commit, Signed]] = {}
        self._objects: dict[Digest, bytes] = {}
        self._bytes = 0

    def keep_commit(self, commit_id: CommitId, commit: Commit, signed: Signed) -> None:
        """Keep a commit that has become durable."""
        if len(signed.payload) > LARGEST_BYTES:
            return
        with self._lock:
            while len(self._commits) >= MOST_COMMITS:
                del self._commits[next(iter(self._commits))]
            self._commits[commit_id] = commit, signed

    def commit(self, commit_id: CommitId) -> Commit | None:
        """Return a commit, None if it is not here."""
        found = self._commits.get(commit_id)
        return None if found is None else found[0]

    def signed(self, commit_id: CommitId) -> Signed | None:
        """Return a commit's bytes and signature, None if they are not here."""
        found = self._commits.get(commit_id)
        return None if found is None else found[1]

    def keep_object(self, digest: Digest, data: bytes) -> None:
        """Keep an object that was read, or has become durable."""
        if len(data) > LARGEST_BYTES:
            return
        with self._lock:
            self._drop(digest)
            self._objects[digest] = data
            self._bytes += len(data) + _OVERHEAD_BYTES
            while self._bytes > MOST_OBJECTS_BYTES:
                self._drop(next(iter(self._objects)))

    def object(self, digest: Digest) -> bytes | None:
        """Return an object's bytes, None if they are not here."""
        data = self._objects.get(digest)
        if data is not None:
            self.keep_object(digest, data)
        return data

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._commits.clear()
            self._objects.clear()
            self._bytes = 0

    def _drop(self, digest: Digest) -> None:
        data = self._objects.pop(digest, None)
        if data is not None:
            self._bytes -= len(data) + _OVERHEAD_BYTES


__all__ = ["Recent", "Signed"]

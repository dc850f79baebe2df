"""What is left out when not all values fit: under the cap of the store, on a disk that is almost full.

Invariant: commits are recorded whatever there is room for, with code, outputs and previews; small values and
definitions are always saved, then the smaller before the larger, so the same values in the same room leave out the
same. What was left out is taken back from the transaction to the last byte. Runs in the writer's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol, TypeVar

from nbcellar.errors import CellarError
from nbcellar.history.model import NO_ROOM
from nbcellar.ids import Digest
from nbcellar.session.jobs import Version
from nbcellar.store.interface import Data, Kind
from nbcellar.store.local import LocalStore
from nbcellar.store.room import Room, room

if TYPE_CHECKING:
    from nbcellar.history.repository import Repository

SMALL_BYTES = 4096
_T = TypeVar("_T")


class NoRoomError(CellarError):
    """A value does not fit any more."""

    code = "no-room"


class Sink(Protocol):
    """The part of a transaction that is needed here; `history.recording.Recorder` is one."""

    @property
    def new_bytes(self) -> int: ...

    def put(self, kind: Kind, data: Data, *, digest: Digest | None = None) -> Digest: ...

    def has(self, digest: Digest) -> bool: ...

    def mark(self) -> object: ...

    def rewind(self, mark: object) -> None: ...


class _Limited:
    """A sink that raises NoRoomError once more was put than there is room for."""

    def __init__(self, sink: Sink, limit: Room) -> None:
        self._sink = sink
        self._limit = limit
        self.has = sink.has

    def put(self, kind: Kind, data: Data, *, digest: Digest | None = None) -> Digest:
        digest = self._sink.put(kind, data, digest=digest)
        if self._sink.new_bytes > self._limit.bytes:
            raise NoRoomError(self._limit.reason)
        return digest


def room_for(repo: Repository, cap_bytes: int, versions: Iterable[Version]) -> Room | None:
    """Return what bounds the writing of these versions; None when all will fit, however badly they compress."""
    store = repo.store
    wanted = sum(v.group.size_bytes for v in versions if is_bounded(v))
    if not wanted or not isinstance(store, LocalStore):
        return None
    found = room(store, cap_bytes=cap_bytes)
    return None if wanted <= found.bytes else found


def is_bounded(version: Version) -> bool:
    """False for what is always saved, and for what cannot be."""
    group = version.group
    return version.pending is not None and group.size_bytes >= SMALL_BYTES and not group.defines


def in_order(versions: Iterable[Version]) -> list[Version]:
    """Return versions in the order in which they get room."""
    return sorted(versions, key=lambda v: (is_bounded(v), v.group.size_bytes, v.group.names))


def write_within(sink: Sink, limit: Room, write: Callable[[_Limited], _T]) -> _T:
    """Write a value if it fits. Raises NoRoomError, with nothing of it left in the transaction, if it does not."""
    mark = sink.mark()
    try:
        return write(_Limited(sink, limit))
    except NoRoomError:
        sink.rewind(mark)
        raise


def reason_of(error: NoRoomError) -> str:
    """Return what a state says of a value that did not fit."""
    return NO_ROOM + error.message


def fits_now(repo: Repository, cap_bytes: int, size_bytes: int) -> bool:
    """True if a value of this size would fit, even one that does not compress."""
    return isinstance(repo.store, LocalStore) and room(repo.store, cap_bytes=cap_bytes).bytes >= size_bytes


__all__ = ["NoRoomError", "fits_now", "in_order", "is_bounded", "reason_of", "room_for", "write_within"]

"""Moving objects from several packs into one: to drop dead ones, and to have fewer files.

Invariant: an old pack goes only after every object of it that is in the store has been read, verified and is durable in
the new pack, with the rows switched in one SQLite transaction. A reader that comes too late looks again (`local.py`).
Not for: deciding what is dead (`collect.py`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from blake3 import blake3

from nbcellar.errors import StoreUnavailableError
from nbcellar.ids import Digest
from nbcellar.store.codec import decompress
from nbcellar.store.database import immediate, one_integer, rows_of, sqlite_errors
from nbcellar.store.files import file_errors
from nbcellar.store.locks import Collector
from nbcellar.store.packs import LOG_KIND, Entry, PackWriter, Sealed, pack_path, read_index, read_stored
from nbcellar.store.rows import add_pack

if TYPE_CHECKING:
    from nbcellar.store.local import LocalStore

SMALL_BYTES = 4 << 20
FULL_BYTES = 64 << 20
_JOIN_FROM = 8
IDLE_JOIN_FROM = 32  # rarer than in gc: what is joined is copied once or twice before it is no longer small
IDLE_SLICE_BYTES = 4 << 20


class PackRow(msgspec.Struct, frozen=True):
    """A row of `packs`."""

    id: int
    name: Digest
    size_bytes: int
    log: bool


class _Item(msgspec.Struct, frozen=True):
    """What is to be moved: an object with its row, or (row 0) a log bundle."""

    row: int
    entry: Entry


def join_some(store: LocalStore, *, at_least: int = IDLE_JOIN_FROM, at_most_bytes: int = IDLE_SLICE_BYTES) -> int:
    """Join one run of small packs of objects, of about `at_most_bytes`; return how many files went, 0 when all is done.

    For idle moments: called again and again, each call is short. Does nothing while another process collects.
    """
    if count_small_packs(store) < at_least:
        return 0
    store.require_writable()
    try:
        alone = Collector(store.folder, timeout_s=0)
    except StoreUnavailableError:
        return 0
    with alone:
        small = [pack for pack in pack_rows(store) if pack.size_bytes < SMALL_BYTES and not pack.log]
        group = next(_several(groups(small, at_least, full_bytes=at_most_bytes)), [])
        return len(rewrite_packs(store, group, _remove)) if group else 0


def count_small_packs(store: LocalStore) -> int:
    """Return how many packs of objects are there that could be joined."""
    with sqlite_errors(store.database_path), store.connection() as db:
        return one_integer(db, "SELECT count(*) FROM packs WHERE log = 0 AND size_bytes < ?", (SMALL_BYTES,))


def join_small_packs(store: LocalStore, *, below_bytes: int = SMALL_BYTES, at_least: int = _JOIN_FROM) -> int:
    """Join packs smaller than `below_bytes` where there are `at_least` of a sort; return how many files went."""
    store.require_writable()
    try:
        alone = Collector(store.folder, timeout_s=0)
    except StoreUnavailableError:
        return 0
    with alone:
        return join(store, below_bytes=below_bytes, at_least=at_least)


def join(
    store: LocalStore,
    *,
    logs: Sequence[bool] = (False, True),
    below_bytes: int = SMALL_BYTES,
    at_least: int = _JOIN_FROM,
) -> int:
    """As `join_small_packs`, for packs of objects, log packs or both; the caller is the only collector."""
    gone = 0
    small = [pack for pack in pack_rows(store) if pack.size_bytes < below_bytes]
    for log in logs:
        for group in _several(groups([pack for pack in small if pack.log is log], at_least)):
            gone += len(rewrite_packs(store, group, _remove))
    return gone


def rewrite_packs(store: LocalStore, packs: Sequence[PackRow], dispose: Callable[[Path], None]) -> list[PackRow]:
    """Write one new pack with what is in the store of `packs`, then `dispose` of their files; return those that went.

    A pack in which something is damaged stays, with what is damaged. The caller is the only collector.
    """
    with store.writers_lock.share():
        writer = PackWriter(store.folder)
        try:
            moved = {pack.id: _copy(store, pack, writer) for pack in packs}
            sound = [pack for pack in packs if all(new is not None for _, new in moved[pack.id])]
            kept = any(new for items in moved.values() for _, new in items)
            sealed = writer.seal() if kept else None
            _switch(store, sealed, sound, moved)
        finally:
            writer.discard()
    new_name = None if sealed is None else sealed.name  # a pack of live objects only is rewritten as itself
    gone = [pack for pack in sound if new_name != pack.name]
    for pack in gone:
        dispose(pack_path(store.folder, pack.name))
    return gone


def pack_rows(store: LocalStore) -> list[PackRow]:
    """Return the packs that the store knows."""
    with sqlite_errors(store.database_path), store.connection() as db:
        rows = rows_of(db, "SELECT id, name, size_bytes, log FROM packs ORDER BY id")
    return [PackRow(number, Digest(name), size, bool(log)) for number, name, size, log in rows]


_Moves = list[tuple[_Item, Entry | None]]


def _copy(store: LocalStore, pack: PackRow, writer: PackWriter) -> _Moves:
    """Append what is in the store of `pack`; each item with its new entry, or None when it is damaged."""
    path = pack_path(store.folder, pack.name)
    moves: _Moves = []
    for item in _items(store, pack, path):
        entry = item.entry
        stored = _verified(path, entry)
        new = None if stored is None else writer.add(entry.digest, entry.kind, entry.codec, entry.raw_bytes, stored)
        moves.append((item, new))
    return moves


def _items(store: LocalStore, pack: PackRow, path: Path) -> list[_Item]:
    if pack.log:
        return [_Item(0, entry) for entry in read_index(path)]
    with sqlite_errors(store.database_path), store.connection() as db:
        rows = rows_of(db, _OBJECTS_OF_PACK, (pack.id,))
    return [_Item(number, Entry(Digest(digest), *fields)) for number, digest, *fields in rows]


def _verified(path: Path, entry: Entry) -> bytes | None:
    try:
        stored = read_stored(path, entry.offset, entry.stored_bytes)
        raw = decompress(entry.codec, stored, entry.raw_bytes)
    except (OSError, ValueError):
        return None
    return stored if blake3(raw).digest() == entry.digest else None


def _switch(store: LocalStore, sealed: Sealed | None, sound: Sequence[PackRow], moved: dict[int, _Moves]) -> None:
    """Point the rows to the new pack and forget the old packs, at once."""
    with sqlite_errors(store.database_path), store.connection() as db, immediate(db):
        if sealed is not None:
            log = any(entry.kind == LOG_KIND for entry in sealed.entries)
            target = add_pack(db, sealed, log=log)
            for item, new in (move for moves in moved.values() for move in moves):
                if item.row and new is not None:
                    db.execute("UPDATE objects SET pack = ?, offset = ? WHERE id = ?", (target, new.offset, item.row))
        for pack in sound:
            if sealed is None or pack.name != sealed.name:
                db.execute("DELETE FROM packs WHERE id = ?", (pack.id,))


def groups(packs: Sequence[PackRow], at_least: int, *, full_bytes: int = FULL_BYTES) -> Iterator[list[PackRow]]:
    """Yield runs of packs that together make about one full pack; what is left over if there are `at_least`."""
    group: list[PackRow] = []
    size = 0
    for pack in packs:
        group.append(pack)
        size += pack.size_bytes
        if size >= full_bytes:
            yield group
            group, size = [], 0
    if len(group) >= at_least:
        yield group


def _several(runs: Iterable[list[PackRow]]) -> Iterator[list[PackRow]]:
    """A pack that is full by itself has nothing to be joined with, and must not hide the runs behind it."""
    return (run for run in runs if len(run) > 1)


def _remove(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError), file_errors("remove", path):
        path.unlink()


_OBJECTS_OF_PACK = """SELECT id, digest, kind, codec, raw_bytes, stored_bytes, offset FROM objects
    WHERE pack = ? ORDER BY offset"""

"""The log: `meta.db`'s own content, copied into packs now and then, so that it can be rebuilt.

An entry of kind 0 in a pack is a *bundle*: small objects with their signatures, records, and all refs when they
changed.

Invariant: everything that `meta.db` holds up to the marks in its `meta` table is in the bundles of its log packs.
Not for: objects that are in packs anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import apsw
import msgspec
from blake3 import blake3

from nbcellar.errors import CorruptStoreError, StoreUnavailableError, UnsupportedFormatError
from nbcellar.ids import Digest
from nbcellar.store import database
from nbcellar.store.codec import UPGRADE_HINT, Codec, decompress
from nbcellar.store.database import immediate, read_meta, rows_of, sqlite_errors, write_meta
from nbcellar.store.locks import Collector
from nbcellar.store.packs import LOG_KIND, PackWriter, Sealed
from nbcellar.store.repack import join
from nbcellar.store.rows import LATE_SIGNATURE, add_pack

if TYPE_CHECKING:
    from nbcellar.store.local import LocalStore

BUNDLE_FORMAT = 1
_BUNDLE_BYTES = 4 << 20
_JOIN_FROM = 16
_LEVEL = 3  # of zstd: bundles are written once and off the user's path

Signed = tuple[bytes, bytes]  # key, signature


class LoggedObject(msgspec.Struct, frozen=True, array_like=True):
    """A small object, raw; its digest is computed when it is read."""

    kind: int
    data: bytes
    signatures: tuple[Signed, ...] = ()


class Bundle(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """A stretch of metadata. `sequence` orders bundles: the `refs` of the highest are the current ones."""

    format: int
    project: str
    sequence: int
    objects: tuple[LoggedObject, ...] = ()
    records: tuple[tuple[int, str, bytes], ...] = ()
    late_signatures: tuple[tuple[bytes, bytes, bytes], ...] = ()  # digest, key, signature
    refs: tuple[tuple[str, str, bytes], ...] | None = None


class _Marks(msgspec.Struct, frozen=True):
    """Up to where the log goes."""

    object: int = 0
    record: int = 0
    sequence: int = 0
    refs: bytes = b""


class _Stretch(msgspec.Struct):
    """What one log pack takes in, and the marks afterwards."""

    marks: _Marks
    late: list[str]


def write_log_pack(store: LocalStore) -> bool:
    """Log what was stored since the last time; False if there was nothing, or another process is at it."""
    store.require_writable()
    try:
        alone = Collector(store.folder, timeout_s=0)
    except StoreUnavailableError:
        return False
    with alone:
        with store.writers_lock.share():
            written = append_log(store) is not None
        if written:
            join(store, logs=[True], at_least=_JOIN_FROM)
    return written


def backlog(store: LocalStore) -> tuple[int, int]:
    """Return how many objects in `meta.db` are not in the log yet, and their stored size in bytes."""
    statement = """SELECT count(*), coalesce(sum(stored_bytes), 0) FROM objects WHERE pack IS NULL
        AND id > coalesce((SELECT value FROM meta WHERE key = 'log-object'), 0)"""
    with sqlite_errors(store.database_path), store.connection() as db:
        count, size = rows_of(db, statement)[0]
    return int(count or 0), int(size or 0)


def append_log(store: LocalStore, *, from_start: bool = False) -> Sealed | None:
    """Write a log pack of what is new, or of all; the caller is the only collector and holds the writers' lock."""
    writer: PackWriter | None = None
    try:
        with sqlite_errors(store.database_path), store.connection() as db:
            with _reading(db):
                marks = _read_marks(db)
                start = _Marks(sequence=marks.sequence) if from_start else marks
                stretch = _Stretch(start, [])
                for bundle in _bundles(db, store.project, start, stretch):
                    writer = writer or PackWriter(store.folder)
                    _add(writer, bundle)
            if writer is None:
                return None
            sealed, writer = writer.seal(), None
            _register(db, sealed, stretch)
            return sealed
    finally:
        if writer is not None:
            writer.discard()


def decode_bundle(raw: bytes) -> Bundle:
    """Raise CorruptStoreError for bytes that are no bundle, UnsupportedFormatError for a newer one."""
    try:
        head = msgspec.msgpack.decode(raw, type=list[msgspec.Raw])
        number = msgspec.msgpack.decode(head[0], type=int) if head else 0
        if number > BUNDLE_FORMAT:
            raise UnsupportedFormatError(f"a log bundle of format {number} is unknown here", hint=UPGRADE_HINT)
        return _decoder.decode(raw)
    except msgspec.DecodeError as error:
        raise CorruptStoreError(f"stored bytes are no log bundle: {error}") from None


_decoder = msgspec.msgpack.Decoder(Bundle)


def _bundles(db: apsw.Connection, project: str, marks: _Marks, stretch: _Stretch) -> Iterator[Bundle]:
    """Yield what lies beyond `marks`, and set `stretch` to what was taken in."""
    rest = _rest(db, marks, stretch)
    sequence = marks.sequence
    held_back: list[LoggedObject] = []  # the last piece goes with the rest
    for objects in _in_pieces(_objects_after(db, marks.object)):
        if held_back:
            sequence += 1
            yield Bundle(BUNDLE_FORMAT, project, sequence, objects=tuple(held_back))
        held_back = objects
    if held_back or rest is not None:
        sequence += 1
        parts = rest or Bundle(BUNDLE_FORMAT, project, sequence)
        objects_of_last = tuple(held_back)
        yield msgspec.structs.replace(parts, project=project, sequence=sequence, objects=objects_of_last)
    last_object = database.one_integer(db, "SELECT coalesce(max(id), 0) FROM objects")
    stretch.marks = msgspec.structs.replace(stretch.marks, object=last_object, sequence=sequence)


def _rest(db: apsw.Connection, marks: _Marks, stretch: _Stretch) -> Bundle | None:
    """Return records, late signatures and refs, None when nothing changed since `marks`."""
    records = tuple(rows_of(db, _RECORDS_AFTER, (marks.record,)))
    late = rows_of(db, _LATE, (LATE_SIGNATURE,))
    refs = tuple(rows_of(db, _ALL_REFS))
    refs_digest = blake3(msgspec.msgpack.encode(refs)).digest()
    stretch.late = [row[0] for row in late]
    last_record = records[-1][0] if records else marks.record
    stretch.marks = msgspec.structs.replace(marks, record=last_record, refs=refs_digest)
    if not records and not late and refs_digest == marks.refs:
        return None
    return Bundle(
        BUNDLE_FORMAT,
        "",
        0,
        records=records,
        late_signatures=tuple(row[1:] for row in late),
        refs=refs if refs_digest != marks.refs else None,
    )


def _objects_after(db: apsw.Connection, mark: int) -> Iterator[LoggedObject]:
    """Yield sound objects; a damaged one is left for `check` to report, since a copy would not mend it."""
    signatures: dict[int, list[Signed]] = {}
    for number, key, signature in rows_of(db, _SIGNATURES_AFTER, (mark,)):
        signatures.setdefault(number, []).append((key, signature))
    rows: Iterator[tuple[Any, ...]] = db.execute(_OBJECTS_AFTER, (mark,))
    for number, digest, kind, codec, raw_bytes, data in rows:
        try:
            raw = bytes(decompress(codec, data or b"", raw_bytes))
        except ValueError:
            continue
        if blake3(raw).digest() == digest:
            yield LoggedObject(kind, raw, tuple(signatures.get(number, ())))


def _in_pieces(objects: Iterator[LoggedObject]) -> Iterator[list[LoggedObject]]:
    piece: list[LoggedObject] = []
    size = 0
    for item in objects:
        piece.append(item)
        size += len(item.data)
        if size >= _BUNDLE_BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _add(writer: PackWriter, bundle: Bundle) -> None:
    import zstandard

    raw = msgspec.msgpack.encode(bundle)
    stored = zstandard.ZstdCompressor(level=_LEVEL).compress(raw)
    writer.add(Digest(blake3(raw).digest()), LOG_KIND, Codec.ZSTD, len(raw), stored)


def _register(db: apsw.Connection, sealed: Sealed, stretch: _Stretch) -> None:
    marks = stretch.marks
    with immediate(db):
        add_pack(db, sealed, log=True)
        write_meta(
            db,
            {
                "log-object": marks.object,
                "log-record": marks.record,
                "log-sequence": marks.sequence,
                "log-refs": marks.refs,
            },
        )
        for key in stretch.late:
            db.execute("DELETE FROM meta WHERE key = ?", (key,))


def _read_marks(db: apsw.Connection) -> _Marks:
    found = read_meta(db, "log-object", "log-record", "log-sequence", "log-refs")
    return msgspec.convert({key.removeprefix("log-"): value for key, value in found.items()}, _Marks)


class _reading:  # noqa: N801 - reads as a statement
    """One read transaction: all that is read belongs to the same moment."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN")

    def __exit__(self, *exc: object) -> None:
        self._db.execute("ROLLBACK")


_OBJECTS_AFTER = """SELECT id, digest, kind, codec, raw_bytes, data FROM objects
    WHERE id > ? AND pack IS NULL ORDER BY id"""
_SIGNATURES_AFTER = """SELECT s.object, k.key, s.signature FROM signatures s JOIN keys k ON k.id = s.key
    JOIN objects o ON o.id = s.object WHERE s.object > ? AND o.pack IS NULL ORDER BY s.object, s.key"""
_RECORDS_AFTER = """SELECT r.number, s.name, r.payload FROM records r JOIN scopes s ON s.id = r.scope
    WHERE r.number > ? ORDER BY r.number"""
_ALL_REFS = "SELECT s.name, r.name, r.value FROM refs r JOIN scopes s ON s.id = r.scope ORDER BY s.name, r.name"
_LATE = """SELECT m.key, o.digest, k.key, s.signature FROM meta m JOIN objects o ON o.id = m.value
    JOIN signatures s ON s.object = o.id JOIN keys k ON k.id = s.key
    WHERE substr(m.key, 1, length(?1)) = ?1 ORDER BY o.id, s.key"""

"""What can still be read of a damaged `meta.db`.

Invariant: an object is returned only if its bytes match its digest, another row only if its checksum holds; where one
bit is wrong, it is found and put right. The file is not changed. A database of format 1 has no checksums: its
signatures are verified by their user, refs are compared with what is known (`rebuild.py`). Not for: sound databases.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

import apsw
import msgspec
from blake3 import blake3

from nbcellar.errors import CellarError, UnsupportedFormatError
from nbcellar.store.checksum import Row, Value, as_written, describe, flips, is_sound
from nbcellar.store.codec import UPGRADE_HINT, decompress
from nbcellar.store.database import STORE_FORMAT
from nbcellar.store.logpack import LoggedObject
from nbcellar.store.wal import unread_commits


class Salvaged(msgspec.Struct, frozen=True):
    """`refs` is None when they could not be read as a whole; `damaged` are digests of objects with other bytes.

    lacks_refs: some row could not be believed, so what is not in `refs` need not have been deleted.
    """

    project: str = ""
    objects: tuple[LoggedObject, ...] = ()
    damaged: tuple[bytes, ...] = ()
    signatures: tuple[tuple[bytes, bytes, bytes], ...] = ()
    records: tuple[tuple[int, str, bytes], ...] = ()
    refs: tuple[tuple[str, str, bytes], ...] | None = None
    lacks_refs: bool = False
    problems: tuple[str, ...] = ()


def salvage(path: Path) -> Salvaged:
    """Read what is readable of the database at `path`, which may be missing or no database at all.

    Raises UnsupportedFormatError for a newer format: an older program must not replace what it does not understand.
    """
    if not path.exists():
        return Salvaged(problems=(f"{path} was missing",))
    with tempfile.TemporaryDirectory(prefix="cellar-") as folder:
        copy = Path(folder) / path.name  # opening a WAL database writes to it
        for suffix in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
        try:
            with contextlib.closing(apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READWRITE)) as db:
                return _read(db, path)
        except (apsw.Error, UnicodeDecodeError) as error:
            return Salvaged(problems=(f"{path} could not be read: {error}",))


def _read(db: apsw.Connection, path: Path) -> Salvaged:
    reader = _Reader(db)
    meta = {row[0]: row[1] for row in reader.rows("meta")}
    stated = _until_error(db, "SELECT value FROM meta WHERE key = 'format'")[0]
    project, number = meta.get("project"), meta.get("format", stated[0][0] if stated else None)
    if isinstance(number, int) and number > STORE_FORMAT:
        message = f"{path} is of store format {number}; this Cellar rebuilds up to {STORE_FORMAT}"
        raise UnsupportedFormatError(message, hint=UPGRADE_HINT)
    if lost := unread_commits(db):
        reader.problems.append(f"{path}-wal is damaged: the newest {lost} transactions in it could not be read")
    objects, damaged = _objects(reader)
    signatures, records, refs = (reader.rows(table) for table in ("signatures", "records", "refs"))
    return Salvaged(
        project=project if isinstance(project, str) else "",
        objects=tuple(objects),
        damaged=tuple(damaged),
        signatures=tuple(row for row in signatures if _has_types(row, bytes, bytes, bytes)),
        records=tuple(row for row in records if _has_types(row, int, str, bytes)),
        refs=None if "refs" in reader.unreadable else tuple(row for row in refs if _has_types(row, str, str, bytes)),
        lacks_refs="refs" in reader.doubtful,
        problems=tuple(reader.problems),
    )


class _Reader:
    """Reads tables; keeps in `problems` what was put right or left out."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._has_checksums = bool(
            _until_error(db, "SELECT 1 FROM pragma_table_info('meta') WHERE name = 'checksum'")[0]
        )
        self._scopes = [_text(name) for (name,) in _until_error(db, "SELECT CAST(name AS BLOB) FROM scopes")[0]]
        self._keys = [key for (key,) in _until_error(db, "SELECT key FROM keys")[0]]
        self.problems: list[str] = []
        self.doubtful: set[str] = set()
        self.unreadable: set[str] = set()

    def rows(self, table: str) -> list[Row]:
        """Return the rows of a table as they were written, see `checksum.CHECKED`; those of objects with their data."""
        statement = _STATEMENTS[table].replace("{checksum}", "CAST(t.checksum AS BLOB)" if self._has_checksums else "0")
        read, complete = _from_both_ends(self._db, statement)
        if not complete:
            self.unreadable.add(table)
            self.problems.append(f"some rows of {table} could not be read")
        found = []
        for _, pointer, stored, *values in read:
            readable = [_text(value) if place in _TEXTS[table] else value for place, value in enumerate(values)]
            row = self._as_written(table, pointer, stored, readable)
            if row is not None:
                found.append(row)
        return found

    def _as_written(self, table: str, pointer: int, stored: object, values: list[Any]) -> Row | None:
        checked, rest = (values[:-1], values[-1:]) if table == "objects" else (values, [])
        row = (*checked, stored)
        if not self._has_checksums or is_sound(table, row):
            return tuple(values)
        right = as_written(table, row, self._others(table, pointer))
        if right is None:
            self.doubtful.add(table)
            if table == "objects":  # the digest vouches for the bytes
                self.problems.append(f"{describe(table, row)} was damaged: what kind it is, is not certain")
                return tuple(values)
            self.problems.append(f"{describe(table, row)} was damaged: it is from the log, or lost")
            return None
        self.problems.append(f"{describe(table, right)} had a wrong bit, which was put right")
        return (*right, *rest)

    def _others(self, table: str, pointer: int) -> list[tuple[int, Value]]:
        """Return what a row may have pointed to, by its place in the row."""
        if table in ("refs", "records"):
            place = 0 if table == "refs" else 1
            return [(place, scope) for scope in self._scopes]
        if table != "signatures":
            return []
        near = [pointer ^ 1 << bit for bit in range(_ROW_ID_BITS)]
        found = (row for number in near for row in _until_error(self._db, _DIGEST_OF.format(number=number))[0])
        return [*((0, digest) for (digest,) in found), *((1, key) for key in self._keys)]


_ROW_ID_BITS = 32


def _text(value: Any) -> Any:
    return value.decode(errors="surrogateescape") if isinstance(value, bytes) else value


def _objects(reader: _Reader) -> tuple[list[LoggedObject], list[bytes]]:
    """Return what is sound, and the digests of what is not."""
    sound: list[LoggedObject] = []
    damaged: list[bytes] = []
    for row in reader.rows("objects"):
        _, digest, kind, codec, raw_bytes, _, data = row
        if not isinstance(digest, bytes) or not isinstance(kind, int):
            continue
        stored = data if isinstance(data, bytes) else b""
        raw = _raw(digest, codec, raw_bytes, stored)
        if raw is None and len(stored) <= _MOST_TRIED_BYTES:
            raw = next(
                (raw for tried in flips(stored) if (raw := _raw(digest, codec, raw_bytes, tried)) is not None), None
            )
            if raw is not None:
                reader.problems.append(f"object {digest.hex()[:8]} had a wrong bit, which was put right")
        if raw is None:
            damaged.append(digest)
        else:
            sound.append(LoggedObject(kind, raw))
    return sound, damaged


_MOST_TRIED_BYTES = 8192  # for each bit all bytes are unpacked and hashed: this takes half a second


def _raw(digest: bytes, codec: Any, raw_bytes: Any, stored: bytes) -> bytes | None:
    try:
        raw = bytes(decompress(codec, stored, raw_bytes))
    except (CellarError, ValueError, TypeError):
        return None
    return raw if blake3(raw).digest() == digest else None


def _from_both_ends(db: apsw.Connection, statement: str) -> tuple[list[tuple[Any, ...]], bool]:
    """Return rows from the first to the first unreadable one, and from the last back to the last unreadable one.

    And whether that is all of them.
    """
    rows, complete = _until_error(db, statement.format(order="ASC"))
    if not complete:
        seen = {row[0] for row in rows}
        back, _ = _until_error(db, statement.format(order="DESC"))
        rows += [row for row in reversed(back) if row[0] not in seen]
    return rows, complete


def _until_error(db: apsw.Connection, statement: str) -> tuple[list[tuple[Any, ...]], bool]:
    rows: list[tuple[Any, ...]] = []
    try:
        for row in db.execute(statement):
            rows.append(row)
    except (apsw.Error, UnicodeDecodeError):
        return rows, False
    return rows, True


def _has_types(row: tuple[Any, ...], *types: type) -> bool:
    return len(row) == len(types) and all(isinstance(value, kind) for value, kind in zip(row, types, strict=True))


# What tells rows apart, the number of what a row points to, the checksum, then what it is of. Text as bytes, since with
# a wrong bit it may be none.
_STATEMENTS = {
    "meta": "SELECT hex(t.key), 0, {checksum}, CAST(t.key AS BLOB), t.value FROM meta t ORDER BY t.key {order}",
    "objects": """SELECT t.id, 0, {checksum}, t.id, t.digest, t.kind, t.codec, t.raw_bytes, t.stored_bytes, t.data
        FROM objects t NOT INDEXED WHERE t.pack IS NULL ORDER BY t.id {order}""",
    "signatures": """SELECT t.object * 65536 + t.key, t.object, {checksum}, o.digest, k.key, t.signature
        FROM signatures t LEFT JOIN objects o ON o.id = t.object LEFT JOIN keys k ON k.id = t.key
        ORDER BY t.object {order}, t.key {order}""",
    "records": """SELECT t.number, 0, {checksum}, t.number, CAST(s.name AS BLOB), t.payload
        FROM records t LEFT JOIN scopes s ON s.id = t.scope ORDER BY t.number {order}""",
    "refs": """SELECT t.scope || ' ' || hex(t.name), 0, {checksum}, CAST(s.name AS BLOB), CAST(t.name AS BLOB), t.value
        FROM refs t LEFT JOIN scopes s ON s.id = t.scope ORDER BY t.scope {order}, t.name {order}""",
}
_TEXTS = {"meta": {0}, "objects": set[int](), "signatures": set[int](), "records": {1}, "refs": {0, 1}}
_DIGEST_OF = "SELECT digest FROM objects WHERE id = {number}"

"""What can still be read of a damaged `meta.db`.

Invariant: an object is returned only if its bytes match its digest; the file is not changed. Records, signatures and
refs carry no digest here: signatures are verified by their user, refs are compared with what is known (`rebuild.py`).
Not for: sound databases.
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
from nbcellar.store.codec import UPGRADE_HINT, decompress
from nbcellar.store.database import STORE_FORMAT
from nbcellar.store.logpack import LoggedObject
from nbcellar.store.wal import unread_commits


class Salvaged(msgspec.Struct, frozen=True):
    """`refs` is None when they could not be read as a whole; `damaged` are digests of objects with other bytes."""

    project: str = ""
    objects: tuple[LoggedObject, ...] = ()
    damaged: tuple[bytes, ...] = ()
    signatures: tuple[tuple[bytes, bytes, bytes], ...] = ()
    records: tuple[tuple[int, str, bytes], ...] = ()
    refs: tuple[tuple[str, str, bytes], ...] | None = None
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
    meta = dict(_all(db, "SELECT key, value FROM meta") or [])
    project, number = meta.get("project"), meta.get("format")
    if isinstance(number, int) and number > STORE_FORMAT:
        message = f"{path} is of store format {number}; this Cellar rebuilds up to {STORE_FORMAT}"
        raise UnsupportedFormatError(message, hint=UPGRADE_HINT)
    refs = _all(db, _REFS)
    problems: tuple[str, ...] = () if refs is not None else (f"the refs of {path} could not be read",)
    if lost := unread_commits(db):
        problems += (f"{path}-wal is damaged: the newest {lost} transactions in it could not be read",)
    objects, damaged = _objects(db)
    return Salvaged(
        project=project if isinstance(project, str) else "",
        objects=tuple(objects),
        damaged=tuple(damaged),
        signatures=tuple(row[1:] for row in _from_both_ends(db, _SIGNATURES)),
        records=tuple(row for row in _from_both_ends(db, _RECORDS) if _has_types(row, int, str, bytes)),
        refs=None if refs is None else tuple(row for row in refs if _has_types(row, str, str, bytes)),
        problems=problems,
    )


def _objects(db: apsw.Connection) -> tuple[list[LoggedObject], list[bytes]]:
    """Return what is sound, and the digests of what is not."""
    sound: list[LoggedObject] = []
    damaged: list[bytes] = []
    for _, digest, kind, codec, raw_bytes, data in _from_both_ends(db, _OBJECTS):
        try:
            raw = bytes(decompress(codec, data or b"", raw_bytes))
        except (CellarError, ValueError, TypeError):
            damaged.append(digest)
            continue
        if blake3(raw).digest() == digest:
            sound.append(LoggedObject(kind, raw))
        else:
            damaged.append(digest)
    return sound, damaged


def _from_both_ends(db: apsw.Connection, statement: str) -> list[tuple[Any, ...]]:
    """Return rows from the first to the first unreadable one, and from the last back to the last unreadable one."""
    rows, complete = _until_error(db, statement.format(order="ASC"))
    if not complete:
        seen = {row[0] for row in rows}
        back, _ = _until_error(db, statement.format(order="DESC"))
        rows += [row for row in reversed(back) if row[0] not in seen]
    return rows


def _until_error(db: apsw.Connection, statement: str) -> tuple[list[tuple[Any, ...]], bool]:
    rows: list[tuple[Any, ...]] = []
    try:
        for row in db.execute(statement):
            rows.append(row)
    except (apsw.Error, UnicodeDecodeError):
        return rows, False
    return rows, True


def _all(db: apsw.Connection, statement: str) -> list[tuple[Any, ...]] | None:
    rows, complete = _until_error(db, statement)
    return rows if complete else None


def _has_types(row: tuple[Any, ...], *types: type) -> bool:
    return len(row) == len(types) and all(isinstance(value, kind) for value, kind in zip(row, types, strict=True))


_OBJECTS = """SELECT id, digest, kind, codec, raw_bytes, data FROM objects NOT INDEXED
    WHERE pack IS NULL ORDER BY id {order}"""
_SIGNATURES = """SELECT s.object * 65536 + s.key, o.digest, k.key, s.signature
    FROM signatures s CROSS JOIN objects o ON o.id = s.object CROSS JOIN keys k ON k.id = s.key
    ORDER BY s.object {order}, s.key {order}"""
_RECORDS = """SELECT r.number, s.name, r.payload FROM records r CROSS JOIN scopes s ON s.id = r.scope
    ORDER BY r.number {order}"""
_REFS = "SELECT s.name, r.name, r.value FROM refs r JOIN scopes s ON s.id = r.scope"

"""`meta.db`: its tables, how a connection is opened, and what SQLite's errors mean.

Invariant: a store of a newer format is refused before anything is written to it. Objects of 64 KiB and more are never
in it. Not for: the order of a commit (`transaction.py`), who holds which connection (`connections.py`).
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import apsw

from nbcellar.errors import (
    AlreadyExistsError,
    CellarError,
    CorruptStoreError,
    InvalidInputError,
    StoreUnavailableError,
    UnsupportedFormatError,
)
from nbcellar.store.checksum import as_written, checksum, checksum_of_meta, describe, is_sound
from nbcellar.store.codec import UPGRADE_HINT
from nbcellar.store.files import file_errors, sync_folder

STORE_FORMAT = 2
FILES = ("meta.db", "meta.db-wal", "meta.db-shm", "meta.db-journal")
BUSY_TIMEOUT_MS = 30_000
_CHECKPOINT_AGAIN_S = 0.02
REBUILD_HINT = "cellar check --rebuild"

# Rows of `objects`, `records` and `signatures` are appended in order, so their pages are full; only the index of
# digests grows at random. It has the first 8 bytes, which takes a third of the space: rows are compared in full.
TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY, checksum BLOB) STRICT, WITHOUT ROWID;
CREATE TABLE objects (
    id INTEGER PRIMARY KEY, digest BLOB NOT NULL, kind INTEGER NOT NULL, codec INTEGER NOT NULL,
    raw_bytes INTEGER NOT NULL, stored_bytes INTEGER NOT NULL, pack INTEGER, offset INTEGER, data BLOB, checksum BLOB
) STRICT;
CREATE INDEX objects_by_digest ON objects (substr(digest, 1, 8));
CREATE TABLE packs (
    id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, size_bytes INTEGER NOT NULL, log INTEGER NOT NULL
) STRICT;
CREATE TABLE scopes (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE keys (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE) STRICT;
CREATE TABLE signatures (
    object INTEGER, key INTEGER, signature BLOB NOT NULL, checksum BLOB, PRIMARY KEY (object, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE refs (
    scope INTEGER, name TEXT, value BLOB NOT NULL, checksum BLOB, PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE records (number INTEGER PRIMARY KEY, scope INTEGER NOT NULL, payload BLOB NOT NULL, checksum BLOB) STRICT;
"""


# A class, since it is entered ten times a commit and a generator costs four times as much.
class sqlite_errors:  # noqa: N801 - reads as a statement
    """Context manager that turns SQLite's errors into the store's."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, apsw.Error):
            failure = _translated(error, self._path)
            if failure is not None:
                raise failure from error
        elif isinstance(error, UnicodeDecodeError):  # in a column of text
            raise CorruptStoreError(f"{self._path} is damaged: {error}", hint=REBUILD_HINT) from error


def _translated(error: apsw.Error, path: Path) -> CellarError | None:
    """Return what an error of SQLite means for the caller; None for a mistake in a statement."""
    if isinstance(error, (apsw.CorruptError, apsw.NotADBError, apsw.FormatError)):
        return CorruptStoreError(f"{path} is damaged: {error}", hint=REBUILD_HINT)
    if isinstance(error, apsw.SQLError) and _MISSING.match(str(error)):
        return CorruptStoreError(f"{path} is damaged: {error}", hint=REBUILD_HINT)
    if isinstance(error, apsw.FullError):
        return StoreUnavailableError(f"cannot write {path}: {error}", hint="free some space and try again")
    if isinstance(error, apsw.ReadOnlyError):
        return StoreUnavailableError(f"cannot write {path}: it is read-only")
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return StoreUnavailableError(f"{path} was in use for too long", hint="try again later")
    if isinstance(error, _ENVIRONMENT):
        return StoreUnavailableError(f"cannot use {path}: {error}", hint="is the disk full, read-only or failing?")
    return None


# What the tables are called is damaged: no statement of this program names what was never there.
_MISSING = re.compile(r"no such (table|column|index)|table \w+ has ", re.I)
_ENVIRONMENT = (apsw.IOError, apsw.CantOpenError, apsw.ProtocolError, apsw.PermissionsError, apsw.AuthError)


def create_database(path: Path, *, project: str | None = None, temporary_folder: Path) -> None:
    """Make a new, empty `meta.db` that appears at once and complete. Raises AlreadyExistsError."""
    temporary = temporary_folder / f"{os.getpid()}-{os.urandom(8).hex()}.db"
    with file_errors("create", path), sqlite_errors(path):
        os.close(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))  # WAL and journal inherit the mode
        try:
            db = apsw.Connection(str(temporary))
            with contextlib.closing(db), immediate(db):
                db.execute(TABLES)
                write_meta(db, {"format": STORE_FORMAT, "project": project or os.urandom(16).hex()})
            _name_exclusively(temporary, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()
        sync_folder(path.parent)


def open_database(path: Path, *, late: bool = False) -> apsw.Connection:
    """Return a connection that writes durably; the journal mode is the file's own.

    EXTRA is FULL for a WAL. With a rollback journal it syncs the folder, too, once the journal is unlinked: after a
    power failure a journal that came back would take back a commit that was acknowledged.

    late: a commit survives the end of the process at once, a power failure only when somebody else committed after it
    or the WAL was checkpointed. What is lost then is the end of the WAL: the database is as it was at some moment.
    """
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    _configure(db)
    db.execute("PRAGMA synchronous=EXTRA; PRAGMA fullfsync=ON; PRAGMA checkpoint_fullfsync=ON")
    if late and db.execute("PRAGMA journal_mode").fetchall() == [("wal",)]:
        db.execute("PRAGMA synchronous=NORMAL")
    return db


def open_to_read(path: Path) -> apsw.Connection:
    """Return a connection that never writes to the database, for a folder that can be written."""
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    _configure(db)
    return db


def open_immutable(path: Path) -> apsw.Connection:
    """Return a connection that takes no locks and reads no WAL: right when nobody can write and no WAL is left."""
    address = path.absolute().as_uri() + "?immutable=1"
    db = apsw.Connection(address, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    _configure(db)
    return db


def check_format(db: apsw.Connection, path: Path) -> tuple[int, str]:
    """Return format and project id.

    Raises UnsupportedFormatError for a newer format, CorruptStoreError for no store.
    """
    try:
        rows = read_meta(db, "format", "project")
    except apsw.SQLError as error:
        raise CorruptStoreError(f"{path} is not the database of a store: {error}", hint=REBUILD_HINT) from error
    number, project = rows.get("format"), rows.get("project")
    if not isinstance(number, int) or not isinstance(project, str) or number < 1:
        raise CorruptStoreError(f"{path} does not state its format", hint=REBUILD_HINT)
    if number > STORE_FORMAT and not _is_wrong_bit(db):
        message = f"{path} is of store format {number}; this Cellar reads up to {STORE_FORMAT}"
        raise UnsupportedFormatError(message, hint=UPGRADE_HINT)
    if number >= CHECKSUMS_FROM:
        _require_checksums(db, path)
    return number, project


def _is_wrong_bit(db: apsw.Connection) -> bool:
    """True for a format that was not written: a newer version would be asked for in vain."""
    with contextlib.suppress(apsw.SQLError):  # no checksums
        right = as_written("meta", rows_of(db, "SELECT key, value, checksum FROM meta WHERE key = 'format'")[0])
        return right is not None and right[1] <= STORE_FORMAT
    return False


def _require_checksums(db: apsw.Connection, path: Path) -> None:
    for row in rows_of(db, "SELECT key, value, checksum FROM meta WHERE key IN ('format', 'project')"):
        if not is_sound("meta", row):
            what = describe("meta", row)
            raise CorruptStoreError(f"{path} is damaged: {what} is not what was written", hint=REBUILD_HINT)


def upgrade(db: apsw.Connection) -> None:
    """Give the rows of a store of format 1 their checksums, in one transaction; harmless if another one was first.

    What is damaged by then is taken as it is.
    """
    db.create_scalar_function(
        "cellar_checksum", lambda *values: checksum(str(values[0]), *values[1:]), deterministic=True
    )
    with immediate(db):
        if read_meta(db, "format").get("format") != 1:
            return
        for table in ("meta", "objects", "signatures", "refs", "records"):
            db.execute(f"ALTER TABLE {table} ADD COLUMN checksum BLOB")
        db.execute("UPDATE meta SET value = ? WHERE key = 'format'", (CHECKSUMS_FROM,))
        db.execute(_ADD_CHECKSUMS)


CHECKSUMS_FROM = 2
"""The first format whose rows carry checksums."""

_ADD_CHECKSUMS = """
UPDATE meta SET checksum = cellar_checksum('meta', key, value);
UPDATE objects SET checksum = cellar_checksum('objects', id, digest, kind, codec, raw_bytes, stored_bytes);
UPDATE signatures SET checksum = cellar_checksum('signatures', (SELECT digest FROM objects o WHERE o.id = object),
    (SELECT k.key FROM keys k WHERE k.id = signatures.key), signature);
UPDATE refs SET checksum = cellar_checksum('refs', (SELECT s.name FROM scopes s WHERE s.id = scope), name, value);
UPDATE records SET checksum = cellar_checksum('records', number,
    (SELECT s.name FROM scopes s WHERE s.id = scope), payload);
"""


def read_meta(db: apsw.Connection, *keys: str) -> dict[str, object]:
    """Return the values of those `keys` that `meta` has."""
    marks = ", ".join("?" * len(keys))
    return dict(rows_of(db, f"SELECT key, value FROM meta WHERE key IN ({marks})", keys))


def write_meta(db: apsw.Connection, values: Mapping[str, str | int | bytes]) -> None:
    """Set keys of `meta`."""
    for key, value in values.items():
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", (key, value, checksum_of_meta(key, value)))


def rows_of(db: apsw.Connection, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
    """Return all rows; their types are those of the tables, which are STRICT."""
    return db.execute(statement, parameters).fetchall()


def one_integer(db: apsw.Connection, statement: str, parameters: tuple[str | int | bytes, ...] = ()) -> int:
    """Return the single number that `statement` selects."""
    return int(rows_of(db, statement, parameters)[0][0])


def choose_journal(db: apsw.Connection, *, network: bool) -> None:
    """Use a WAL on local disks and a rollback journal elsewhere: a WAL needs shared memory that all users see."""
    mode = db.pragma("journal_mode")
    if network and mode == "wal":
        db.execute("PRAGMA locking_mode=EXCLUSIVE")  # reads the WAL without shared memory
        db.execute("PRAGMA journal_mode=DELETE; PRAGMA locking_mode=NORMAL; SELECT 1 FROM meta")
    elif not network and mode != "wal":
        with contextlib.suppress(apsw.BusyError):  # in use with the journal it has, which is safe too
            db.execute("PRAGMA journal_mode=WAL")


def truncate_wal(db: apsw.Connection, *, wait: bool = False) -> bool:
    """Move the WAL's content into the database and empty it; False if others are using it.

    With `wait` for as long as SQLite waits for a lock elsewhere. It does not wait for another checkpoint.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while not _truncate_now(db, timeout_ms=BUSY_TIMEOUT_MS if wait else 0):
        if not wait or time.monotonic() > deadline:
            return False
        time.sleep(_CHECKPOINT_AGAIN_S)
    return True


def _truncate_now(db: apsw.Connection, *, timeout_ms: int) -> bool:
    db.set_busy_timeout(timeout_ms)
    try:
        return not one_integer(db, "PRAGMA wal_checkpoint(TRUNCATE)")
    except (apsw.BusyError, apsw.LockedError):
        return False
    finally:
        db.set_busy_timeout(BUSY_TIMEOUT_MS)


@contextlib.contextmanager
def immediate(db: apsw.Connection) -> Iterator[None]:
    """One write transaction: committed at the end, rolled back on an error."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if not db.get_autocommit():
            db.execute("ROLLBACK")
        raise


def check_schema_statement(statement: str) -> None:
    """Raise InvalidInputError unless `statement` creates an index table of history, or an index on one."""
    if not _SCHEMA.match(statement):
        raise InvalidInputError("only CREATE TABLE or INDEX IF NOT EXISTS of names that begin with ix_ is allowed")


def has_all(db: apsw.Connection, statements: Sequence[str]) -> bool:
    """True if everything that `statements` create is there."""
    there = {name for (name,) in db.execute("SELECT name FROM sqlite_schema").fetchall()}
    names = (_SCHEMA.match(statement) for statement in statements)
    return all(name is not None and name["name"] in there for name in names)


def check_query(statement: str) -> None:
    """Raise InvalidInputError unless `statement` reads."""
    if not _QUERY.match(statement) or _WRITING.search(statement):
        raise InvalidInputError("a query must begin with SELECT or WITH, and only read")


_QUERY = re.compile(r"\s*(?:SELECT|WITH)\b", re.I)
_WRITING = re.compile(r"\b(?:INSERT\s+INTO|INSERT\s+OR|REPLACE\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\b", re.I)
_SCHEMA = re.compile(r"\s*CREATE\s+(?:TABLE|(?:UNIQUE\s+)?INDEX)\s+IF\s+NOT\s+EXISTS\s+(?P<name>ix_\w+)\b", re.I)


def _configure(db: apsw.Connection) -> None:
    db.set_busy_timeout(BUSY_TIMEOUT_MS)
    db.execute("PRAGMA trusted_schema=OFF")


def _name_exclusively(temporary: Path, path: Path) -> None:
    exists = AlreadyExistsError(f"there is already a store in {path.parent}")
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise exists from None
    except OSError:  # a file system without hard links
        if path.exists():
            raise exists from None
        temporary.rename(path)

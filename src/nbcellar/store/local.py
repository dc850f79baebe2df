"""The store in a `.cellar` folder: SQLite for what is small, immutable packs for what is large.

    .cellar/
      meta.db            SQLite: objects below 64 KiB, where the others are, refs, records, signatures, indexes
      packs/ab/<blake3>  immutable packs
      tmp/               packs being written
      trash/             packs that gc took out, for 14 days

Invariant: `read` never returns bytes whose BLAKE3 is not the digest asked for. Not for: writing (`transaction.py`),
removing (`collect.py`), verifying as a whole (`check.py`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import apsw
import msgspec
from blake3 import blake3

from nbcellar.errors import (
    AlreadyExistsError,
    CellarError,
    CorruptStoreError,
    InvalidInputError,
    NoRepositoryError,
    NotFoundError,
    StoreUnavailableError,
)
from nbcellar.ids import Digest
from nbcellar.store import codec, database, locks, logpack
from nbcellar.store.checksum import describe, is_sound
from nbcellar.store.connections import ConnectionPool, Lent
from nbcellar.store.database import REBUILD_HINT, sqlite_errors
from nbcellar.store.files import file_errors, is_network_file_system, make_folder, sync_file, sync_folder
from nbcellar.store.interface import Data, Kind, ObjectInfo, Record
from nbcellar.store.packs import pack_path, pack_paths, read_stored
from nbcellar.store.readonly import ReadOnlySource
from nbcellar.store.rows import RowWriter
from nbcellar.store.transaction import LocalTransaction
from nbcellar.store.wal import unread_commits

_FIND = """SELECT o.kind, o.codec, o.raw_bytes, o.stored_bytes, p.name, o.offset, o.data
    FROM objects o LEFT JOIN packs p ON p.id = o.pack
    WHERE substr(o.digest, 1, 8) = substr(?1, 1, 8) AND o.digest = ?1"""
_PAGE_ROWS = 1000


class _Located(msgspec.Struct, frozen=True):
    """A row of `objects`, the pack by name."""

    kind: int
    codec: int
    raw_bytes: int
    stored_bytes: int
    pack: bytes | None
    offset: int | None
    data: bytes | None


_MOST_RECORDS = 2**63 - 1  # of SQLite's integers


class LocalStore:
    """See `interface.Store`. May be used from any thread, and after a fork."""

    def __init__(self, folder: Path, *, read_only: bool, network: bool, late: bool = False) -> None:
        """Use `create` or `open`."""
        self._late = late
        self._folder = folder
        self._database_path = folder / "meta.db"
        self._database_name = str(self._database_path)
        self._writers_lock = locks.WritersLock(folder)
        self._read_only = read_only
        self._network = network
        self._source = ReadOnlySource(self.database_path) if read_only else None
        self._pool = ConnectionPool(self._connect)
        found = self._database_path.stat()
        self._identity = (found.st_dev, found.st_ino)
        try:
            with sqlite_errors(self.database_path), self.connection() as db:
                number, self._project = database.check_format(db, self.database_path)
                self._has_checksums = number >= database.CHECKSUMS_FROM or not read_only
                if not read_only:
                    _require_whole_wal(db, self.database_path)
                    if number < database.CHECKSUMS_FROM:
                        database.upgrade(db)
                    database.choose_journal(db, network=network)
        except BaseException:
            self._pool.close(checkpoint=False)
            raise

    @classmethod
    def create(
        cls, folder: Path, *, project: str | None = None, network: Callable[[Path], bool] = is_network_file_system
    ) -> LocalStore:
        """Make an empty store in `folder` (the `.cellar` folder itself). Raises AlreadyExistsError.

        project: of which it is to be a part; None: it begins one.
        """
        with file_errors("create", folder):
            make_folder(folder)
            # A WAL without its database counts, too: SQLite would apply it to the new one.
            if any((folder / name).exists() for name in database.FILES) or pack_paths(folder):
                raise AlreadyExistsError(f"there is already a store in {folder}")
            make_folder(folder / "tmp")
            (folder / ".gitignore").write_text("*\n", encoding="ascii")
            sync_folder(folder)
        database.create_database(folder / "meta.db", project=project, temporary_folder=folder / "tmp")
        store = cls.open(folder, network=network)
        store.write_log_pack()  # the project's id is in a pack from the first moment on
        return store

    @classmethod
    def open(
        cls,
        folder: Path,
        read_only: bool | None = None,
        *,
        late: bool = False,
        network: Callable[[Path], bool] = is_network_file_system,
    ) -> LocalStore:
        """Open the store in `folder`; read-only when asked, or (None) when the folder cannot be written.

        late: what is recorded survives the end of the process at once, a power failure some time later.
        Raises NoRepositoryError, CorruptStoreError (no or a damaged meta.db), UnsupportedFormatError.
        """
        path = folder / "meta.db"
        if not path.exists():
            if folder.is_dir() and pack_paths(folder):
                raise CorruptStoreError(f"{path} is missing, but there are packs to rebuild it from", hint=REBUILD_HINT)
            raise NoRepositoryError(f"there is no store in {folder}", hint="cellar init")
        if read_only is None:
            read_only = not (os.access(folder, os.W_OK | os.X_OK) and os.access(path, os.W_OK))
        store = cls(folder, read_only=read_only, network=network(folder), late=late)
        if not read_only:
            store._make_folders()  # archives and git leave out empty ones
            store._sweep_temporary_files()
        return store

    @property
    def folder(self) -> Path:
        """The `.cellar` folder."""
        return self._folder

    @property
    def database_path(self) -> Path:
        """Where `meta.db` is."""
        return self._database_path

    @property
    def read_only(self) -> bool:
        """See `interface.Store`."""
        return self._read_only

    @property
    def project(self) -> str:
        """See `interface.Store`."""
        return self._project

    @property
    def has_checksums(self) -> bool:
        """False for a store of format 1 that is open to be read: its rows have none."""
        return self._has_checksums

    @property
    def writers_lock(self) -> locks.WritersLock:
        """What a transaction holds from its first look-up on."""
        return self._writers_lock

    def connection(self) -> Lent:
        """Lend a database connection, for the modules of this folder."""
        return self._pool.connection()

    def follow_rebuild(self) -> None:
        """Open the database anew if another process rebuilt it: open connections still see the old file."""
        try:
            found = os.stat(self._database_name)  # noqa: PTH116 - for each transaction
        except OSError as error:
            raise CorruptStoreError(f"{self._database_path} is missing: {error.strerror}", hint=REBUILD_HINT) from None
        if (found.st_dev, found.st_ino) != self._identity:
            self._identity = (found.st_dev, found.st_ino)
            self._pool.renew()

    def version(self) -> tuple[object, ...]:
        """Return what differs after every transaction of another connection, in this process or another.

        For one thread: two connections count for themselves. https://www.sqlite.org/pragma.html#pragma_data_version
        """
        self.follow_rebuild()
        with sqlite_errors(self.database_path), self.connection() as db:
            return *self._identity, db.pragma("data_version")

    def begin(self) -> LocalTransaction:
        """See `interface.Store`. Raises StoreUnavailableError for a read-only folder."""
        self.require_writable()
        return LocalTransaction(self)

    def require_writable(self) -> None:
        """Raise StoreUnavailableError for a read-only store."""
        if self._read_only:
            raise StoreUnavailableError(f"cannot write to {self._folder}: it is read-only")

    def ensure_schema(self, statements: Sequence[str]) -> None:
        """Run `CREATE TABLE|INDEX IF NOT EXISTS ix_...` statements; a read-only store is left as it is."""
        for statement in statements:
            database.check_schema_statement(statement)
        if self._read_only:
            return
        with sqlite_errors(self.database_path), self.connection() as db:
            if database.has_all(db, statements):  # no write lock, no fsync when a kernel starts
                return
            with database.immediate(db):
                for statement in statements:
                    db.execute(statement)

    def write_log_pack(self) -> bool:
        """Copy what `meta.db` alone holds into a log pack; False if there is nothing new. See `logpack.py`."""
        return logpack.write_log_pack(self)

    def backlog(self) -> tuple[int, int]:
        """Return number and stored bytes of the objects that only `meta.db` holds: those since the last log pack."""
        return logpack.backlog(self)

    def has(self, digest: Digest) -> bool:
        """See `interface.Store`."""
        return self._row(_HAS, (digest,)) is not None

    def info(self, digest: Digest) -> ObjectInfo:
        """See `interface.Store`."""
        found = self._locate(digest)
        return ObjectInfo(
            digest, self._kind(digest, found.kind), found.raw_bytes, found.stored_bytes, found.pack is not None
        )

    def read(self, digest: Digest) -> bytes:
        """See `interface.Store`."""
        return self._verified(digest, self._locate(digest))

    def read_into(self, digest: Digest, target: memoryview) -> None:
        """See `interface.Store`. On an error `target` may be partly overwritten."""
        flat = codec.byte_view(target)
        found = self._locate(digest)
        if flat.readonly or len(flat) != found.raw_bytes:
            raise InvalidInputError(f"the target must be {found.raw_bytes} writable bytes, not {len(flat)}")
        stored, found = self._stored(digest, found)
        try:
            codec.decompress_into(found.codec, stored, flat)
        except ValueError as error:
            raise self._corrupt(digest, found, str(error)) from None
        if blake3(flat).digest() != digest:
            raise self._corrupt(digest, found, "its bytes do not match its digest")

    def signatures(self, digest: Digest) -> list[tuple[bytes, bytes]]:
        """See `interface.Store`."""
        return [(key, signature) for key, signature in self._rows(_SIGNATURES, (digest,))]

    def objects(self, kind: Kind | None = None) -> Iterator[ObjectInfo]:
        """See `interface.Store`. In the order in which they were added."""
        last = 0
        while rows := self._rows(_OBJECTS, (last, None if kind is None else int(kind), _PAGE_ROWS)):
            for number, digest, of_kind, raw_bytes, stored_bytes, in_pack in rows:
                yield ObjectInfo(Digest(digest), self._kind(digest, of_kind), raw_bytes, stored_bytes, bool(in_pack))
                last = number

    def scan(self, kind: Kind) -> Iterator[tuple[Digest, bytes | CellarError]]:
        """See `interface.Store`."""
        last = 0
        while rows := self._rows(_SCAN, (last, int(kind), _PAGE_ROWS)):
            for number, digest, *located in rows:
                yield Digest(digest), self._read_located(Digest(digest), _Located(*located))
                last = number

    def ref(self, scope: str, name: str) -> bytes | None:
        """See `interface.Store`."""
        row = self._row(_REF[self._has_checksums], (scope, name))
        if row is None:
            return None
        self._require_sound("refs", (scope, name, *row))
        return row[0]  # type: ignore[return-value]

    def refs(self, scope: str | None = None, prefix: str = "") -> dict[tuple[str, str], bytes]:
        """See `interface.Store`."""
        rows = self._rows(_REFS[self._has_checksums], (scope, prefix))
        for row in rows:
            self._require_sound("refs", row)
        return {(of_scope, name): value for of_scope, name, value, _ in rows}

    def records(self, *, scope: str | None = None, before: int | None = None, limit: int | None = None) -> list[Record]:
        """See `interface.Store`."""
        before = None if before is None else min(before, _MOST_RECORDS)
        rows = self._rows(_RECORDS[self._has_checksums], (scope, before, -1 if limit is None else limit))
        for row in rows:
            self._require_sound("records", row)
        return [Record(number, of_scope, payload) for number, of_scope, payload, _ in rows]

    def replace_records(self, payloads: Mapping[int, bytes]) -> None:
        """Give records other payloads, by number, in one transaction: for `forget`, and for nothing else."""
        self.require_writable()
        with sqlite_errors(self.database_path), self.connection() as db, database.immediate(db):
            rows = RowWriter(db)
            for number, payload in payloads.items():
                rows.replace_record(number, payload)

    def query(self, statement: str, parameters: tuple[object, ...] = ()) -> Iterable[tuple[object, ...]]:
        """See `interface.Store`."""
        database.check_query(statement)
        return self._rows(statement, parameters)

    def close(self) -> None:
        """Close the store and empty its WAL, so that all of it is durable; may be called twice."""
        if not self._read_only:
            with (
                contextlib.suppress(StoreUnavailableError, CorruptStoreError, OSError),
                sqlite_errors(self.database_path),
                self.connection() as db,
            ):
                if not database.truncate_wal(db) and self._late:  # others read it: it stays, with what was not synced
                    with self.database_path.with_name(self.database_path.name + "-wal").open("rb") as wal:
                        sync_file(wal.fileno())
        self._pool.close()
        if self._source is not None:
            self._source.close()

    def __enter__(self) -> LocalStore:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _connect(self) -> apsw.Connection:
        with sqlite_errors(self.database_path):
            if self._source is not None:
                return self._source.connect()
            return database.open_database(self.database_path, late=self._late)

    def _row(self, statement: str, parameters: tuple[object, ...]) -> tuple[object, ...] | None:
        with sqlite_errors(self.database_path), self._pool.connection() as db:
            rows = db.execute(statement, parameters).fetchall()
        return rows[0] if rows else None

    def _rows(self, statement: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        self.follow_rebuild()
        with sqlite_errors(self.database_path), self._pool.connection() as db:
            return db.execute(statement, parameters).fetchall()

    def _require_sound(self, table: str, row: tuple[Any, ...]) -> None:
        if self._has_checksums and not is_sound(table, row):
            message = f"{self._database_path} is damaged: {describe(table, row)} is not what was written"
            raise CorruptStoreError(message, hint=REBUILD_HINT)

    def _kind(self, digest: bytes, number: int) -> Kind:
        try:
            return Kind(number)
        except ValueError:
            message = f"{self._database_path} is damaged: object {digest.hex()[:8]} is of kind {number}, unknown here"
            raise CorruptStoreError(message, hint=REBUILD_HINT) from None

    def _locate(self, digest: Digest) -> _Located:
        row = self._row(_FIND, (digest,))
        if row is None:
            raise NotFoundError(f"object {bytes(digest).hex()} is not in the store {self._folder}")
        return _Located(*row)  # type: ignore[arg-type]

    def _read_located(self, digest: Digest, found: _Located) -> bytes | CellarError:
        try:
            return self._verified(digest, found)
        except CellarError as error:
            return error

    def _verified(self, digest: Digest, found: _Located) -> bytes:
        stored, found = self._stored(digest, found)
        try:
            raw = codec.decompress(found.codec, stored, found.raw_bytes)
        except ValueError as error:
            raise self._corrupt(digest, found, str(error)) from None
        if blake3(raw).digest() != digest:
            raise self._corrupt(digest, found, "its bytes do not match its digest")
        return raw if isinstance(raw, bytes) else bytes(raw)

    def _stored(self, digest: Digest, found: _Located) -> tuple[Data, _Located]:
        """Return an object's stored bytes, and where they were: a repack may have moved them meanwhile."""
        try:
            return self._stored_at(found), found
        except FileNotFoundError:
            again = self._locate(digest)
        except OSError as error:
            raise self._unreadable(digest, found, error) from error
        try:
            return self._stored_at(again), again
        except FileNotFoundError:
            raise self._corrupt(digest, again, "the file is missing") from None
        except OSError as error:
            raise self._unreadable(digest, again, error) from error

    def _stored_at(self, found: _Located) -> Data:
        if found.pack is None or found.offset is None:
            return found.data or b""
        return read_stored(pack_path(self._folder, found.pack), found.offset, found.stored_bytes)

    def _file_of(self, found: _Located) -> Path:
        return self.database_path if found.pack is None else pack_path(self._folder, found.pack)

    def _corrupt(self, digest: Digest, found: _Located, reason: str) -> CorruptStoreError:
        where = self._file_of(found)
        message = f"object {bytes(digest).hex()} in {where} is damaged: {reason}"
        return CorruptStoreError(message, hint="see what else is damaged with: cellar check --read-data")

    def _unreadable(self, digest: Digest, found: _Located, error: OSError) -> StoreUnavailableError:
        reason = error.strerror or str(error)
        return StoreUnavailableError(f"cannot read object {bytes(digest).hex()} in {self._file_of(found)}: {reason}")

    def _make_folders(self) -> None:
        with file_errors("create", self._folder):
            for name in ("packs", "tmp", "trash"):
                make_folder(self._folder / name)

    def _sweep_temporary_files(self) -> None:
        """Remove what killed processes left behind; nobody else has files there when the lock is free."""
        with contextlib.suppress(OSError, StoreUnavailableError):
            left = list((self._folder / "tmp").iterdir())
            held = locks.exclude_writers_now(self._folder) if left else None
            if held is not None:
                with held:
                    for path in left:
                        path.unlink()


def _require_whole_wal(db: apsw.Connection, path: Path) -> None:
    """Raise CorruptStoreError before the next commit overwrites what damage hides."""
    if lost := unread_commits(db):
        plural = "" if lost == 1 else "s"
        message = f"{path}-wal is damaged: the newest {lost} transaction{plural} in it cannot be read"
        raise CorruptStoreError(message, hint=REBUILD_HINT)


_HAS = "SELECT 1 FROM objects WHERE substr(digest, 1, 8) = substr(?1, 1, 8) AND digest = ?1"
_SIGNATURES = """SELECT k.key, s.signature
    FROM objects o JOIN signatures s ON s.object = o.id JOIN keys k ON k.id = s.key
    WHERE substr(o.digest, 1, 8) = substr(?1, 1, 8) AND o.digest = ?1 ORDER BY s.key"""
_OBJECTS = """SELECT id, digest, kind, raw_bytes, stored_bytes, pack IS NOT NULL FROM objects
    WHERE id > ?1 AND (?2 IS NULL OR kind = ?2) ORDER BY id LIMIT ?3"""
_SCAN = """SELECT o.id, o.digest, o.kind, o.codec, o.raw_bytes, o.stored_bytes, p.name, o.offset, o.data
    FROM objects o LEFT JOIN packs p ON p.id = o.pack WHERE o.id > ?1 AND o.kind = ?2 ORDER BY o.id LIMIT ?3"""


def _with_checksum(statement: str) -> tuple[str, str]:
    """Return a statement for stores without checksums (format 1, opened to read) and for those with them."""
    return statement.format(checksum="NULL"), statement.format(checksum="r.checksum")


_REF = _with_checksum(
    "SELECT r.value, {checksum} FROM refs r WHERE r.scope = (SELECT id FROM scopes WHERE name = ?1) AND r.name = ?2"
)
_REFS = _with_checksum(
    """SELECT s.name, r.name, r.value, {checksum} FROM refs r JOIN scopes s ON s.id = r.scope
    WHERE (?1 IS NULL OR s.name = ?1) AND substr(r.name, 1, length(?2)) = ?2 ORDER BY s.name, r.name"""
)
_RECORDS = _with_checksum(
    """SELECT r.number, s.name, r.payload, {checksum} FROM records r JOIN scopes s ON s.id = r.scope
    WHERE (?1 IS NULL OR s.name = ?1) AND (?2 IS NULL OR r.number < ?2) ORDER BY r.number DESC LIMIT ?3"""
)

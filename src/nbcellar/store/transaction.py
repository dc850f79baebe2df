"""One transaction of a `LocalStore`: large objects go to one pack, all else into one SQLite transaction.

Invariant: nothing is visible before `commit` returns, and what is visible then is on stable storage: pack written,
synced, named, folder synced, and only then the rows that refer to it. Not for: reading (`local.py`).
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, NamedTuple

import apsw
import msgspec
from blake3 import blake3

from nbcellar.errors import ConflictError, InvalidInputError, StoreUnavailableError
from nbcellar.ids import Digest
from nbcellar.store import locks
from nbcellar.store.codec import MAX_RAW_BYTES, byte_view, compress
from nbcellar.store.database import one_integer, sqlite_errors
from nbcellar.store.interface import Data, Kind
from nbcellar.store.packs import Mark, PackWriter, Sealed
from nbcellar.store.rows import RowWriter, check_index_statement

if TYPE_CHECKING:
    from nbcellar.store.local import LocalStore

PACK_FROM_BYTES = 65_536
"""Objects whose stored size reaches this go to a pack."""

# A transaction of very many middling objects would swell the database, where each is written twice.
_INLINE_BUDGET_BYTES = 1 << 20
_ALWAYS_INLINE_BELOW_BYTES = 4096


class _Row(msgspec.Struct, frozen=True):
    """A new object as it will be in `objects`; `offset` is set when its bytes went to the pack."""

    digest: Digest
    kind: int
    codec: int
    raw_bytes: int
    stored_bytes: int
    offset: int | None
    data: bytes | None


class _Mark(NamedTuple):
    """How far a transaction had come; `writer` is None if there was no pack yet."""

    writer: Mark | None
    rows: int
    inline_bytes: int


class LocalTransaction:
    """See `interface.Transaction`. `put` may also be called from several threads at once."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store
        self._pid = os.getpid()
        self._mutex = threading.Lock()
        self._lock: locks.Held | None = None
        self._writer: PackWriter | None = None
        self._rows: dict[Digest, _Row] = {}  # not yet in a sealed pack
        self._sealed: list[tuple[Sealed | None, list[_Row]]] = []
        self._new: set[Digest] = set()
        self._inline_bytes = 0
        self._signatures: list[tuple[Digest, bytes, bytes]] = []
        self._refs: dict[tuple[str, str], tuple[bytes | None, bytes | None]] = {}
        self._records: list[tuple[str, bytes]] = []
        self._last: int | None = None
        self._statements: list[tuple[str, tuple[object, ...]]] = []
        self._done = False

    def put(self, kind: Kind, data: Data, *, digest: Digest | None = None) -> Digest:
        """See `interface.Transaction.put`."""
        raw = byte_view(data)
        if len(raw) > MAX_RAW_BYTES:
            raise InvalidInputError(
                f"an object of {len(raw)} bytes is too large; at most {MAX_RAW_BYTES} can be stored"
            )
        if digest is None:
            digest = Digest(blake3(raw).digest())
        if self.has(digest):
            return digest
        codec, stored = compress(kind, raw)
        with self._mutex:
            self._check_open()
            if digest not in self._new:
                self._keep(digest, kind, codec, len(raw), stored)
        return digest

    def has(self, digest: Digest) -> bool:
        """See `interface.Transaction.has`."""
        self._check_open()
        if digest in self._new:
            return True
        self._hold_off_removal()
        return self._store.has(digest)

    @property
    def new_bytes(self) -> int:
        """See `interface.Transaction.new_bytes`."""
        return self._inline_bytes + (self._writer.size_bytes if self._writer is not None else 0)

    def mark(self) -> object:
        """See `interface.Transaction.mark`."""
        with self._mutex:
            self._check_open()
            writer = self._writer.mark() if self._writer is not None else None
            return _Mark(writer, len(self._rows), self._inline_bytes)

    def rewind(self, mark: object) -> None:
        """See `interface.Transaction.rewind`."""
        assert isinstance(mark, _Mark)
        with self._mutex:
            self._check_open()
            for digest in list(self._rows)[mark.rows :]:
                del self._rows[digest]
                self._new.discard(digest)
            self._inline_bytes = mark.inline_bytes
            if self._writer is not None and mark.writer is None:
                self._writer.discard()
                self._writer = None
            elif self._writer is not None and mark.writer is not None:
                self._writer.rewind(mark.writer)

    def sign(self, digest: Digest, key: bytes, signature: bytes) -> None:
        """See `interface.Transaction.sign`."""
        if not self.has(digest):
            raise InvalidInputError(f"object {digest.hex()[:8]} is not in the store, so it cannot be signed")
        self._signatures.append((digest, bytes(key), bytes(signature)))

    def set_ref(self, scope: str, name: str, *, old: bytes | None, new: bytes | None) -> None:
        """See `interface.Transaction.set_ref`. A second change of one ref must begin where the first ended."""
        self._check_open()
        first = self._refs.get((scope, name))
        if first is not None:
            if first[1] != old:
                raise InvalidInputError(f"ref '{name}' is changed twice in one transaction, from different values")
            old = first[0]
        self._refs[scope, name] = (old, new)

    def append(self, scope: str, payload: bytes) -> None:
        """See `interface.Transaction.append`."""
        self._check_open()
        self._records.append((scope, bytes(payload)))

    def require_last(self, number: int) -> None:
        """See `interface.Transaction.require_last`."""
        self._check_open()
        self._last = number

    def execute(self, statement: str, parameters: tuple[object, ...] = ()) -> None:
        """See `interface.Transaction.execute`."""
        self._check_open()
        check_index_statement(statement)
        self._statements.append((statement, parameters))

    def commit(self) -> int:
        """See `interface.Transaction.commit`."""
        self._check_open()
        self._hold_off_removal()
        try:
            self._seal()
            with sqlite_errors(self._store.database_path), self._store.connection() as db:
                number = self._write_rows(db)
        except ConflictError:
            self._refs.clear()
            self._records.clear()
            self._statements.clear()
            self._last = None
            raise
        except BaseException:
            self.abort()
            raise
        self._finish()
        return number

    def abort(self) -> None:
        """See `interface.Transaction.abort`. A pack that is already sealed is swept by gc."""
        if self._done:
            return
        if os.getpid() != self._pid:  # a forked child: lock and temporary file are the parent's
            self._done = True
            if self._writer is not None:
                self._writer.forget_after_fork()
            return
        with self._mutex:
            if self._writer is not None:
                self._writer.discard()
            self._finish()

    def __enter__(self) -> LocalTransaction:
        return self

    def __exit__(self, *exc: object) -> None:
        self.abort()

    def __del__(self) -> None:
        if not getattr(self, "_done", True):
            try:
                self.abort()
            except Exception:  # at the end of the interpreter, when a message would appear in the user's notebook
                self._done = True

    def _check_open(self) -> None:
        if self._done:
            raise InvalidInputError("the transaction is over")
        if os.getpid() != self._pid:
            raise StoreUnavailableError("the transaction belongs to the process that this one was forked from")

    def _hold_off_removal(self) -> None:
        """Hold the writers' lock from the first look-up on: what was found must still be there at COMMIT."""
        if self._lock is None:
            with self._mutex:
                if self._lock is None:
                    self._lock = self._store.writers_lock.share()
                    self._store.follow_rebuild()

    def _keep(self, digest: Digest, kind: Kind, codec: int, raw_bytes: int, stored: Data) -> None:
        size = len(stored)
        offset: int | None = None
        data: bytes | None = None
        if self._is_inline(size):
            self._inline_bytes += size
            data = bytes(stored)  # a copy: the caller may reuse its buffer once `put` has returned
        else:
            offset = self._stream(digest, kind, codec, raw_bytes, stored)
        self._rows[digest] = _Row(digest, int(kind), int(codec), raw_bytes, size, offset, data)
        self._new.add(digest)

    def _is_inline(self, size: int) -> bool:
        if size < _ALWAYS_INLINE_BELOW_BYTES:
            return True
        return size < PACK_FROM_BYTES and self._inline_bytes + size <= _INLINE_BUDGET_BYTES

    def _stream(self, digest: Digest, kind: Kind, codec: int, raw_bytes: int, stored: Data) -> int:
        try:
            if self._writer is None:
                self._writer = PackWriter(self._store.folder)
            return self._writer.add(digest, kind, codec, raw_bytes, stored).offset
        except BaseException:
            # The pack is useless now, and with it what was put before: the transaction cannot be completed.
            if self._writer is not None:
                self._writer.discard()
            self._finish()
            raise

    def _seal(self) -> None:
        writer, self._writer = self._writer, None
        rows, self._rows = list(self._rows.values()), {}
        if rows:
            self._sealed.append((writer.seal() if writer is not None else None, rows))

    def _write_rows(self, db: apsw.Connection) -> int:
        db.execute("BEGIN IMMEDIATE")
        try:
            rows = RowWriter(db)
            self._check_last(db)
            for (scope, name), (old, new) in self._refs.items():
                rows.set_ref(scope, name, old=old, new=new)
            self._write_objects(rows)
            for digest, key, signature in self._signatures:
                rows.sign(digest, key, signature, late=digest not in self._new)
            number = 0
            for scope, payload in self._records:
                number = rows.append(scope, payload)
            for statement, parameters in self._statements:
                db.execute(statement, parameters)
            db.execute("COMMIT")
        except BaseException:
            if not db.get_autocommit():
                db.execute("ROLLBACK")
            raise
        return number

    def _check_last(self, db: apsw.Connection) -> None:
        if self._last is not None and self._last != one_integer(db, "SELECT coalesce(max(number), 0) FROM records"):
            raise ConflictError("an operation was recorded meanwhile", hint="look again and try again")

    def _write_objects(self, rows: RowWriter) -> None:
        for sealed, of_pack in self._sealed:
            pack = None if sealed is None else rows.add_pack(sealed)
            for row in of_pack:
                place = (None, None) if row.offset is None else (pack, row.offset)
                rows.add_object(row.digest, row.kind, row.codec, (row.raw_bytes, row.stored_bytes), place, row.data)

    def _finish(self) -> None:
        self._done = True
        self._rows.clear()
        self._sealed.clear()
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

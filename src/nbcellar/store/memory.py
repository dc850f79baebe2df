"""A store in memory, for tests and previews of operations; nothing outlives the process.

Invariant: it behaves as `LocalStore` does, as the contract suite shows. The derived index tables live in an in-memory
SQLite database, so that history's SQL runs unchanged. Not for: durability, several processes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence

import apsw
from blake3 import blake3

from nbcellar.errors import CellarError, ConflictError, CorruptStoreError, InvalidInputError, NotFoundError
from nbcellar.ids import Digest
from nbcellar.store import database
from nbcellar.store.codec import byte_view
from nbcellar.store.interface import Data, Kind, ObjectInfo, Record
from nbcellar.store.rows import check_index_statement

_OBJECTS_TABLE = """CREATE TABLE objects (
    id INTEGER PRIMARY KEY, digest BLOB NOT NULL, kind INTEGER NOT NULL, codec INTEGER NOT NULL,
    raw_bytes INTEGER NOT NULL, stored_bytes INTEGER NOT NULL, pack INTEGER, offset INTEGER, data BLOB
) STRICT"""


class MemoryStore:
    """See `interface.Store`."""

    def __init__(self) -> None:
        self._mutex = threading.RLock()
        self._project = os.urandom(16).hex()
        self._objects: dict[Digest, tuple[Kind, bytes]] = {}
        self._signatures: dict[Digest, dict[bytes, bytes]] = {}
        self._refs: dict[tuple[str, str], bytes] = {}
        self._records: list[Record] = []
        self._index = apsw.Connection(":memory:")
        self._index.execute(_OBJECTS_TABLE)

    @property
    def read_only(self) -> bool:
        """See `interface.Store`; always False."""
        return False

    @property
    def project(self) -> str:
        """See `interface.Store`."""
        return self._project

    def begin(self) -> MemoryTransaction:
        """See `interface.Store`."""
        return MemoryTransaction(self)

    def ensure_schema(self, statements: Sequence[str]) -> None:
        """See `LocalStore.ensure_schema`."""
        for statement in statements:
            database.check_schema_statement(statement)
        with self._mutex:
            for statement in statements:
                self._index.execute(statement)

    def has(self, digest: Digest) -> bool:
        """See `interface.Store`."""
        return digest in self._objects

    def info(self, digest: Digest) -> ObjectInfo:
        """See `interface.Store`."""
        kind, data = self._find(digest)
        return ObjectInfo(digest, kind, len(data), len(data), False)

    def read(self, digest: Digest) -> bytes:
        """See `interface.Store`."""
        data = self._find(digest)[1]
        if blake3(data).digest() != digest:
            raise CorruptStoreError(f"object {bytes(digest).hex()} in memory is damaged")
        return data

    def read_into(self, digest: Digest, target: memoryview) -> None:
        """See `interface.Store`."""
        flat = byte_view(target)
        data = self.read(digest)
        if flat.readonly or len(flat) != len(data):
            raise InvalidInputError(f"the target must be {len(data)} writable bytes, not {len(flat)}")
        flat[:] = data

    def signatures(self, digest: Digest) -> list[tuple[bytes, bytes]]:
        """See `interface.Store`."""
        return list(self._signatures.get(digest, {}).items())

    def objects(self, kind: Kind | None = None) -> Iterator[ObjectInfo]:
        """See `interface.Store`."""
        for digest, (of_kind, data) in list(self._objects.items()):
            if kind is None or kind is of_kind:
                yield ObjectInfo(digest, of_kind, len(data), len(data), False)

    def scan(self, kind: Kind) -> Iterator[tuple[Digest, bytes | CellarError]]:
        """See `interface.Store`."""
        for digest in [digest for digest, (of_kind, _) in self._objects.items() if of_kind is kind]:
            try:
                data: bytes | CellarError = self.read(digest)
            except CellarError as error:
                data = error
            yield digest, data

    def ref(self, scope: str, name: str) -> bytes | None:
        """See `interface.Store`."""
        return self._refs.get((scope, name))

    def refs(self, scope: str | None = None, prefix: str = "") -> dict[tuple[str, str], bytes]:
        """See `interface.Store`."""
        found = {
            key: value for key, value in self._refs.items() if scope in (None, key[0]) and key[1].startswith(prefix)
        }
        return dict(sorted(found.items()))

    def records(self, *, scope: str | None = None, before: int | None = None, limit: int | None = None) -> list[Record]:
        """See `interface.Store`."""
        newest_first = reversed(self._records)
        found = [r for r in newest_first if scope in (None, r.scope) and (before is None or r.number < before)]
        return found if limit is None else found[:limit]

    def query(self, statement: str, parameters: tuple[object, ...] = ()) -> Iterable[tuple[object, ...]]:
        """See `interface.Store`."""
        database.check_query(statement)
        with self._mutex:
            return self._index.execute(statement, parameters).fetchall()

    def close(self) -> None:
        """See `interface.Store`; the content is kept as long as the object is."""

    def __enter__(self) -> MemoryStore:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _find(self, digest: Digest) -> tuple[Kind, bytes]:
        found = self._objects.get(digest)
        if found is None:
            raise NotFoundError(f"object {bytes(digest).hex()} is not in the store in memory")
        return found

    def _apply(self, transaction: MemoryTransaction) -> int:
        """Make a transaction visible; called once, at its commit."""
        with self._mutex:
            for (scope, name), (old, _) in transaction.changed_refs.items():
                if self._refs.get((scope, name)) != old:
                    raise ConflictError(f"ref '{name}' was moved meanwhile", hint="look at its new value and try again")
            if transaction.last not in (None, len(self._records)):
                raise ConflictError("an operation was recorded meanwhile", hint="look again and try again")
            with self._index:  # undone as a whole when a statement fails
                for digest, (kind, data) in transaction.new_objects.items():
                    self._index_object(digest, kind, len(data))
                for statement, parameters in transaction.statements:
                    self._index.execute(statement, parameters)
            return self._apply_the_rest(transaction)

    def _index_object(self, digest: Digest, kind: Kind, size: int) -> None:
        if digest not in self._objects:
            fields = (digest, int(kind), 0, size, size)
            self._index.execute(
                "INSERT INTO objects (digest, kind, codec, raw_bytes, stored_bytes) VALUES (?, ?, ?, ?, ?)", fields
            )

    def _apply_the_rest(self, transaction: MemoryTransaction) -> int:
        for digest, found in transaction.new_objects.items():
            self._objects.setdefault(digest, found)
        for digest, key, signature in transaction.new_signatures:
            self._signatures.setdefault(digest, {}).setdefault(key, signature)
        for ref, (_, new) in transaction.changed_refs.items():
            if new is None:
                self._refs.pop(ref, None)
            else:
                self._refs[ref] = new
        number = 0
        for scope, payload in transaction.new_records:
            number = len(self._records) + 1
            self._records.append(Record(number, scope, payload))
        return number


class MemoryTransaction:
    """See `interface.Transaction`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._done = False
        self.new_objects: dict[Digest, tuple[Kind, bytes]] = {}
        self.new_signatures: list[tuple[Digest, bytes, bytes]] = []
        self.changed_refs: dict[tuple[str, str], tuple[bytes | None, bytes | None]] = {}
        self.new_records: list[tuple[str, bytes]] = []
        self.last: int | None = None
        self.statements: list[tuple[str, tuple[object, ...]]] = []

    def put(self, kind: Kind, data: Data, *, digest: Digest | None = None) -> Digest:
        """See `interface.Transaction.put`."""
        raw = byte_view(data)
        if digest is None:
            digest = Digest(blake3(raw).digest())
        if not self.has(digest):
            self.new_objects[digest] = (kind, bytes(raw))
        return digest

    def has(self, digest: Digest) -> bool:
        """See `interface.Transaction.has`."""
        self._check_open()
        return digest in self.new_objects or self._store.has(digest)

    @property
    def new_bytes(self) -> int:
        """See `interface.Transaction.new_bytes`."""
        return sum(len(data) for _, data in self.new_objects.values())

    def mark(self) -> object:
        """See `interface.Transaction.mark`."""
        return len(self.new_objects)

    def rewind(self, mark: object) -> None:
        """See `interface.Transaction.rewind`."""
        assert isinstance(mark, int)
        for digest in list(self.new_objects)[mark:]:
            del self.new_objects[digest]

    def sign(self, digest: Digest, key: bytes, signature: bytes) -> None:
        """See `interface.Transaction.sign`."""
        if not self.has(digest):
            raise InvalidInputError(f"object {digest.hex()[:8]} is not in the store, so it cannot be signed")
        self.new_signatures.append((digest, bytes(key), bytes(signature)))

    def set_ref(self, scope: str, name: str, *, old: bytes | None, new: bytes | None) -> None:
        """See `interface.Transaction.set_ref`. A second change of one ref must begin where the first ended."""
        self._check_open()
        first = self.changed_refs.get((scope, name))
        if first is not None:
            if first[1] != old:
                raise InvalidInputError(f"ref '{name}' is changed twice in one transaction, from different values")
            old = first[0]
        self.changed_refs[scope, name] = (old, new)

    def append(self, scope: str, payload: bytes) -> None:
        """See `interface.Transaction.append`."""
        self._check_open()
        self.new_records.append((scope, bytes(payload)))

    def require_last(self, number: int) -> None:
        """See `interface.Transaction.require_last`."""
        self._check_open()
        self.last = number

    def execute(self, statement: str, parameters: tuple[object, ...] = ()) -> None:
        """See `interface.Transaction.execute`."""
        self._check_open()
        check_index_statement(statement)
        self.statements.append((statement, parameters))

    def commit(self) -> int:
        """See `interface.Transaction.commit`."""
        self._check_open()
        try:
            number = self._store._apply(self)
        except ConflictError:
            self.changed_refs.clear()
            self.new_records.clear()
            self.statements.clear()
            self.last = None
            raise
        except BaseException:
            self.abort()
            raise
        self._done = True
        return number

    def abort(self) -> None:
        """See `interface.Transaction.abort`."""
        self._done = True
        self.new_objects.clear()

    def __enter__(self) -> MemoryTransaction:
        return self

    def __exit__(self, *exc: object) -> None:
        self.abort()

    def _check_open(self) -> None:
        if self._done:
            raise InvalidInputError("the transaction is over")

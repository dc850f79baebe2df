"""What a store promises. `local.LocalStore` and `memory.MemoryStore` implement it; one contract suite runs on both.

An *object* is immutable bytes named by their BLAKE3 digest and marked with a kind. A *ref* is a mutable pointer with
compare-and-set, in a scope (a notebook id, or "" for the repository). A *record* is a row of the append-only operation
log. One `Transaction` makes objects, refs and records visible at once.

Duties: `Transaction.commit` returns only when everything is durable; before that nothing is visible, and a crash leaves
the old or the new state. `read` verifies BLAKE3 on every call. Reading methods may be called from any thread; a
transaction belongs to one thread at a time.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from nbcellar.errors import CellarError
from nbcellar.ids import Digest

Data = bytes | bytearray | memoryview


class Kind(enum.IntEnum):
    """What an object is. Values are part of the format."""

    BLOCK = 1  # piece of a buffer or of a pickle stream
    VALUE = 2  # manifest of one captured co-variable: stream blocks, regions, buffer table
    COMMIT = 3  # canonical payload of a commit
    TREE = 4  # notebook document: list of cell digests and metadata
    CELL = 5  # one notebook cell as JSON
    OUTPUTS = 6  # outputs of one cell run
    ENVIRONMENT = 7  # interpreter and package versions
    STATE = 8  # complete state manifest
    AMBIENT = 9  # one part of the ambient state (random state, working directory, ...)


class ObjectInfo(msgspec.Struct, frozen=True):
    """Where and how large an object is; sizes in bytes."""

    digest: Digest
    kind: Kind
    raw_bytes: int
    stored_bytes: int
    in_pack: bool


class Record(msgspec.Struct, frozen=True):
    """One row of the operation log. `number` is given by the store, from 1 without gaps in one store."""

    number: int
    scope: str
    payload: bytes


class RefsAndTables(Protocol):
    """What a `Transaction` and a collection in progress have in common."""

    def set_ref(self, scope: str, name: str, *, old: bytes | None, new: bytes | None) -> None: ...

    def execute(self, statement: str, parameters: tuple[object, ...] = ()) -> None: ...


class Transaction(Protocol):
    """Collects writes; a context manager that aborts unless `commit` was called."""

    def put(self, kind: Kind, data: Data, *, digest: Digest | None = None) -> Digest:
        """Add an object and return its digest; a known one costs a look-up only.

        `digest`, when given, must be the BLAKE3 of `data` (the caller has just computed it).
        Raises StoreUnavailableError (disk full, ...) after removing its temporary file.
        """
        ...

    def has(self, digest: Digest) -> bool:
        """True if the object is in the store or in this transaction."""
        ...

    @property
    def new_bytes(self) -> int:
        """Bytes that the objects of this transaction take, as stored, as far as they are new to the store."""
        ...

    def mark(self) -> object:
        """Return what `rewind` takes; only before the first `commit`."""
        ...

    def rewind(self, mark: object) -> None:
        """Take back the objects that were put since `mark`; none of them may be signed."""
        ...

    def sign(self, digest: Digest, key: bytes, signature: bytes) -> None:
        """Keep a signature beside an object of this transaction."""
        ...

    def set_ref(self, scope: str, name: str, *, old: bytes | None, new: bytes | None) -> None:
        """Change a ref from `old` to `new`; None is absent. A mismatch makes `commit` raise ConflictError.

        After a ConflictError the transaction stays open with its objects and signatures, but without its refs, records
        and index statements: give them anew and commit again, or abort.
        """
        ...

    def append(self, scope: str, payload: bytes) -> None:
        """Append a record to the operation log."""
        ...

    def require_last(self, number: int) -> None:
        """Make `commit` raise ConflictError unless the newest record has this number (0: there is none).

        For what was decided on all refs and records: every change of them that matters comes with a record.
        """
        ...

    def execute(self, statement: str, parameters: tuple[object, ...] = ()) -> None:
        """Run SQL on the derived index tables that history owns (names begin with `ix_`), inside the transaction.

        It is kept and run by `commit`, after the objects are there and before anything is visible.
        """
        ...

    def commit(self) -> int:
        """Make everything durable and visible, in one step; return the last record's number (0: no record).

        Raises ConflictError when a ref is not what `old` said. Nothing has changed then: the objects and signatures of
        this transaction are kept, its refs, records and statements are dropped, so that the caller may look again,
        set others and call `commit` once more. History loses no commit when two kernels write at once because of this.
        """
        ...

    def abort(self) -> None:
        """Drop everything; may be called twice, and after `commit` (then it does nothing)."""
        ...

    def __enter__(self) -> Transaction: ...

    def __exit__(self, *exc: object) -> None: ...


class Store(Protocol):
    """Content-addressed objects, refs and an operation log."""

    @property
    def read_only(self) -> bool:
        """True if the folder cannot be written; every write raises StoreUnavailableError."""
        ...

    @property
    def project(self) -> str:
        """Random id of this store, 32 hexadecimal digits: the project that trust decisions are about."""
        ...

    def begin(self) -> Transaction: ...

    def has(self, digest: Digest) -> bool: ...

    def info(self, digest: Digest) -> ObjectInfo:
        """Raise NotFoundError for an unknown object."""
        ...

    def read(self, digest: Digest) -> bytes:
        """Return verified raw bytes. Raises NotFoundError, CorruptStoreError (naming object and file)."""
        ...

    def read_into(self, digest: Digest, target: memoryview) -> None:
        """Decode an object into `target` (1-D, writable, contiguous bytes of exactly its size), verified."""
        ...

    def signatures(self, digest: Digest) -> list[tuple[bytes, bytes]]:
        """Return (key, signature) pairs kept beside an object."""
        ...

    def objects(self, kind: Kind | None = None) -> Iterator[ObjectInfo]: ...

    def scan(self, kind: Kind) -> Iterator[tuple[Digest, bytes | CellarError]]:
        """Yield all objects of a kind with their verified bytes, in the order in which they were added.

        In place of bytes that cannot be read comes the error: one damaged object does not hide the others.
        """
        ...

    def ref(self, scope: str, name: str) -> bytes | None: ...

    def refs(self, scope: str | None = None, prefix: str = "") -> dict[tuple[str, str], bytes]: ...

    def records(self, *, scope: str | None = None, before: int | None = None, limit: int | None = None) -> list[Record]:
        """Return records, newest first."""
        ...

    def query(self, statement: str, parameters: tuple[object, ...] = ()) -> Iterable[tuple[object, ...]]:
        """Read the derived index tables of history (`ix_*`), and `objects`."""
        ...

    def close(self) -> None: ...

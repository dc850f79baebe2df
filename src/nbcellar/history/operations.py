"""The operation log: every change of a notebook's refs, with the values before and after.

Invariant: playing the changes of all operations in order gives the refs as they are; `decode_operation` inverts
`encode_operation`. A recorded cell costs about 75 bytes: the value before is left out when it is the first parent of
the value after. Not for: undoing one (`opundo.py`).
"""

from __future__ import annotations

import enum

import msgspec

from nbcellar.errors import CorruptStoreError, UnsupportedFormatError
from nbcellar.ids import DIGEST_BYTES, Digest, NotebookId
from nbcellar.store.interface import Record

OPERATION_FORMAT = 2
_THINNING_SINCE = 2  # all other operations are written in format 1


class OperationKind(enum.IntEnum):
    """What an operation did. Values are part of the format."""

    CREATE = 1  # a notebook was first seen
    RECORD = 2  # commits were recorded
    CHECKOUT = 3  # HEAD moved
    BRANCH = 4
    TAG = 5
    MESSAGE = 6
    UNDO = 7  # of another operation
    FORGET = 8  # history was rewritten; older operations cannot be undone and keep nothing alive
    THIN = 9  # values of old states were removed on purpose; moves no ref


class FromParent(enum.Enum):
    """Marks the value before as "the first parent of the commit after"."""

    PARENT = "first parent"


FIRST_PARENT = FromParent.PARENT


class RefChange(msgspec.Struct, frozen=True):
    """One ref before and after; None is absent. A change without a name is a commit that no ref took up."""

    name: str
    old: bytes | FromParent | None
    new: bytes | None


class Operation(msgspec.Struct, frozen=True):
    """One entry of the log. `number` counts from 1 in the whole project; 0 before it is written."""

    notebook: NotebookId
    kind: OperationKind
    time_ns: int
    by: str  # user@host
    changes: tuple[RefChange, ...]
    description: str = ""
    number: int = 0
    undoes: int = 0  # the operation that this one undid
    values: tuple[Digest, ...] = ()  # VALUE objects that were thinned out


class _Payload(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    format: int
    kind: int
    time_ns: int
    by: str
    changes: tuple[tuple[str, bytes | bool | None, bytes | None], ...]
    description: str = ""
    undoes: int = 0


class _ThinPayload(_Payload, frozen=True, array_like=True, omit_defaults=True):
    values: bytes = b""  # digests, 32 bytes each, joined


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_ThinPayload)


def encode_operation(operation: Operation) -> bytes:
    """Return the record's payload; scope and number are kept by the store."""
    changes = tuple((c.name, True if c.old is FIRST_PARENT else c.old, c.new) for c in operation.changes)
    is_thinning = operation.kind is OperationKind.THIN
    fields = (
        _THINNING_SINCE if is_thinning else 1,
        int(operation.kind),
        operation.time_ns,
        operation.by,
        changes,
        operation.description,
        operation.undoes,
    )
    return _encoder.encode(_ThinPayload(*fields, b"".join(operation.values)) if is_thinning else _Payload(*fields))


def decode_operation(record: Record) -> Operation:
    """Raise UnsupportedFormatError for a newer format, CorruptStoreError for bytes that are no operation."""
    try:
        payload = _decoder.decode(record.payload)
        if payload.format > OPERATION_FORMAT:
            raise _newer(record.number, payload.format)
        return Operation(
            notebook=NotebookId(record.scope),
            kind=OperationKind(payload.kind),
            time_ns=payload.time_ns,
            by=payload.by,
            changes=tuple(_change(*change) for change in payload.changes),
            description=payload.description,
            number=record.number,
            undoes=payload.undoes,
            values=split_digests(payload.values),
        )
    except (msgspec.DecodeError, ValueError) as error:
        number = _leading_number(record.payload)
        if number > OPERATION_FORMAT:
            raise _newer(record.number, number) from None
        raise CorruptStoreError(f"operation {record.number} cannot be read: {error}") from None


def split_digests(joined: bytes) -> tuple[Digest, ...]:
    """Return digests that were joined."""
    return tuple(Digest(joined[i : i + DIGEST_BYTES]) for i in range(0, len(joined), DIGEST_BYTES))


def describe(operation: Operation) -> str:
    """Return one line for listings; operations that need no words of their own get them here."""
    if operation.description:
        return operation.description
    if operation.kind is OperationKind.RECORD:
        made = [c for c in operation.changes if c.name != "HEAD"]
        return "record " + ", ".join(f"{c.new[:4].hex()} on {c.name.partition('/')[2]}" for c in made if c.new)
    return operation.kind.name.lower()


def local_identity() -> str:
    """Return user@host of this process, for operations; reads the environment, so callers at the edge use it."""
    import getpass
    import socket

    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def _change(name: str, old: bytes | bool | None, new: bytes | None) -> RefChange:
    return RefChange(name, FIRST_PARENT if isinstance(old, bool) else old, new)


def _newer(record: int, number: int) -> UnsupportedFormatError:
    return UnsupportedFormatError(
        f"operation {record} has format {number}; this Cellar reads up to {OPERATION_FORMAT}",
        hint="upgrade with: pip install --upgrade nbcellar",
    )


def _leading_number(payload: bytes) -> int:
    try:
        first = msgspec.msgpack.decode(payload)
    except msgspec.DecodeError:
        return 0
    return first[0] if isinstance(first, list) and first and isinstance(first[0], int) else 0


__all__ = [
    "FIRST_PARENT",
    "Operation",
    "OperationKind",
    "RefChange",
    "decode_operation",
    "describe",
    "encode_operation",
    "local_identity",
]

"""The operation log: every change of a notebook's refs, with the values before and after.

Invariant: playing the changes of all operations in order gives the refs as they are; `decode_operation` inverts
`encode_operation`. A recorded cell costs about 75 bytes: the value before is left out when it is the first parent of
the value after. Not for: undoing one (`opundo.py`).
"""

from __future__ import annotations

import enum

import msgspec

from nbcellar.errors import CorruptStoreError, UnsupportedFormatError
from nbcellar.ids import NotebookId
from nbcellar.store.interface import Record

OPERATION_FORMAT = 1


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


class _Payload(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    format: int
    kind: int
    time_ns: int
    by: str
    changes: tuple[tuple[str, bytes | bool | None, bytes | None], ...]
    description: str = ""
    undoes: int = 0


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Payload)


def encode_operation(operation: Operation) -> bytes:
    """Return the record's payload; scope and number are kept by the store."""
    changes = tuple((c.name, True if c.old is FIRST_PARENT else c.old, c.new) for c in operation.changes)
    return _encoder.encode(
        _Payload(
            OPERATION_FORMAT,
            int(operation.kind),
            operation.time_ns,
            operation.by,
            changes,
            operation.description,
            operation.undoes,
        )
    )


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
        )
    except (msgspec.DecodeError, ValueError) as error:
        number = _leading_number(record.payload)
        if number > OPERATION_FORMAT:
            raise _newer(record.number, number) from None
        raise CorruptStoreError(f"operation {record.number} cannot be read: {error}") from None


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

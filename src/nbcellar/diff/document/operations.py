"""Diffs as data: the operations of the Jupyter Enhancement Proposal for diffs, and two of our own.

Invariant: frozen, and its own JSON: `from_json(to_json(operations)) == operations`. Keys and indices are those of the
base. In a list, operations are in the order of their keys; what is added at a key comes before what is done to it.
A text is a list of lines (as `str.splitlines` cuts them), a line in it a list of characters.

Beside the proposal's six there are two, for lists of cells alone; `jep.py` turns them into the six:

    {"op": "move", "key": 7, "to": 2}          the base's item 7 is item 2 of the result
    {"op": "ids", "key": 0, "valuelist": [..]} new ids of the base's cells from 0 on; null: as it is, "": none
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from nbcellar.errors import InvalidInputError

Key = int | str


class Add(msgspec.Struct, frozen=True, tag_field="op", tag="add"):
    """A key that was not there."""

    key: Key
    value: Any


class Remove(msgspec.Struct, frozen=True, tag_field="op", tag="remove"):
    """A key that is no longer there."""

    key: Key


class Replace(msgspec.Struct, frozen=True, tag_field="op", tag="replace"):
    """Another value of a key."""

    key: Key
    value: Any


class AddRange(msgspec.Struct, frozen=True, tag_field="op", tag="addrange"):
    """Items before item `key`; characters come as a text."""

    key: int
    valuelist: list[Any] | str


class RemoveRange(msgspec.Struct, frozen=True, tag_field="op", tag="removerange"):
    """`length` items from `key` on are no longer there."""

    key: int
    length: int


class Patch(msgspec.Struct, frozen=True, tag_field="op", tag="patch"):
    """What changed inside of a value."""

    key: Key
    diff: list[Operation]


class Move(msgspec.Struct, frozen=True, tag_field="op", tag="move"):
    """Item `key` of the base is item `to` of the result."""

    key: int
    to: int


class Ids(msgspec.Struct, frozen=True, tag_field="op", tag="ids"):
    """Ids of the base's cells from `key` on: None leaves the id, "" takes it away."""

    key: int
    valuelist: list[str | None]


Operation = Add | Remove | Replace | AddRange | RemoveRange | Patch | Move | Ids
Operations = list[Operation]


def to_json(operations: Sequence[Operation]) -> list[dict[str, Any]]:
    """Return the operations as JSON values."""
    return msgspec.to_builtins(list(operations))  # type: ignore[no-any-return]


def from_json(value: Any) -> Operations:
    """Return the operations in a JSON value. Raises InvalidInputError that says where it is no diff."""
    try:
        return msgspec.convert(value, Operations)
    except msgspec.ValidationError as error:
        raise InvalidInputError(
            f"not a diff of a notebook: {error}",
            hint="`cellar diff --format jep` and nbdime write diffs that can be applied",
        ) from None


def size(operations: Sequence[Operation]) -> int:
    """Return about how many characters of JSON the operations take."""
    total = 0
    for operation in operations:
        total += 25 + len(str(operation.key))
        if isinstance(operation, Patch):
            total += size(operation.diff) + 8
        elif isinstance(operation, AddRange | Ids):
            values = operation.valuelist
            total += 15 + (len(values) if isinstance(values, str) else sum(value_size(value) + 1 for value in values))
        elif isinstance(operation, Add | Replace):
            total += 9 + value_size(operation.value)
    return total


def value_size(value: Any) -> int:
    """Return about how many characters of JSON a value takes."""
    if isinstance(value, str):
        return len(value) + 2
    try:
        return len(msgspec.json.encode(value))
    except (OverflowError, RecursionError, UnicodeEncodeError, ValueError):
        return 1_000_000  # what C cannot write is no small value


__all__ = [
    "Add",
    "AddRange",
    "Ids",
    "Key",
    "Move",
    "Operation",
    "Operations",
    "Patch",
    "Remove",
    "RemoveRange",
    "Replace",
    "from_json",
    "size",
    "to_json",
    "value_size",
]

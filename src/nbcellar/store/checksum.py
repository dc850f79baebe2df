"""The checksum of a row in `meta.db`: eight bytes that say its values are those that were written.

Rows of `objects`, `refs`, `records`, `signatures` and `meta` carry one. What a row points to by number is in its
checksum by name: the scope of a ref, the object and key of a signature; so it holds for what a reader gets.

Invariant: any change of one bit of a row, of its checksum or of what it points to shows; the row as it was written can
be found again. Not for: an object's bytes, which its digest vouches for, and index tables of history, which follow from
the commits. Nor for who wrote a row: a checksum has no key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from xxhash import xxh3_64_digest

CHECKSUM_BYTES = 8  # XXH3: three times as fast as BLAKE3 on a row, and nobody is to be kept from forging one
_INTEGER_BITS = 63

Value = str | bytes | int | float | None  # the last two are in damaged rows only
Row = tuple[Any, ...]

_encode = msgspec.msgpack.Encoder().encode


def checksum(table: str, *values: Value) -> bytes:
    """Return the checksum of a row: the values are those that `CHECKED` lists."""
    return xxh3_64_digest(_encode((table, *values)))


def checksum_of_ref(scope: str, name: str, value: bytes) -> bytes:
    """Return the checksum of a row of `refs`; the scope by name."""
    return checksum("refs", scope, name, value)


def checksum_of_record(number: int, scope: str, payload: bytes) -> bytes:
    """Return the checksum of a row of `records`; the scope by name."""
    return checksum("records", number, scope, payload)


def checksum_of_object(number: int, digest: bytes, kind: int, codec: int, raw_bytes: int, stored_bytes: int) -> bytes:
    """Return the checksum of a row of `objects`; not of where its bytes are, which a joining of packs changes."""
    return checksum("objects", number, digest, kind, codec, raw_bytes, stored_bytes)


def checksum_of_signature(digest: bytes, key: bytes, signature: bytes) -> bytes:
    """Return the checksum of a row of `signatures`; object and key by their bytes."""
    return checksum("signatures", digest, key, signature)


def checksum_of_meta(key: str, value: Value) -> bytes:
    """Return the checksum of a row of `meta`."""
    return checksum("meta", key, value)


CHECKED = {
    "meta": "SELECT key, value, checksum FROM meta ORDER BY key",
    "objects": "SELECT id, digest, kind, codec, raw_bytes, stored_bytes, checksum FROM objects ORDER BY id",
    "signatures": """SELECT o.digest, k.key, s.signature, s.checksum FROM signatures s
        LEFT JOIN objects o ON o.id = s.object LEFT JOIN keys k ON k.id = s.key ORDER BY s.object, s.key""",
    "refs": "SELECT s.name, r.name, r.value, r.checksum FROM refs r LEFT JOIN scopes s ON s.id = r.scope",
    "records": """SELECT r.number, s.name, r.payload, r.checksum FROM records r LEFT JOIN scopes s ON s.id = r.scope
        ORDER BY r.number""",
}
"""The rows that carry a checksum, by table: what it is of, then the checksum itself."""


def is_sound(table: str, row: Row) -> bool:
    """True if the checksum, the last of the values, is that of the others."""
    try:
        return bool(checksum(table, *row[:-1]) == row[-1])
    except (TypeError, ValueError, OverflowError):  # a value of a type that is never written
        return False


def describe(table: str, row: Row) -> str:
    """Return what a damaged row of `CHECKED` is, as far as it can be believed."""
    first = row[0].hex()[:8] if isinstance(row[0], bytes) else row[0]
    if table == "refs":
        return f"the ref {row[1]!r} of {first or 'the project'}"
    if table == "signatures":
        return f"a signature of object {first}"
    words = {"meta": f"the entry {first!r} of meta", "records": f"operation {first}"}
    return words.get(table) or f"the entry of object {row[1].hex()[:8] if isinstance(row[1], bytes) else first}"


def as_written(table: str, row: Row, others: Iterable[tuple[int, Value]] = ()) -> Row | None:
    """Return the values of a row as they were when its checksum was made, None if they cannot be told.

    Sound rows and those with one flipped bit can be: every bit is tried. others: (place, value) pairs to be tried in
    the row, too, for what it points to.
    """
    *values, stored = row
    if not isinstance(stored, bytes):
        return None
    if len(stored) != CHECKSUM_BYTES:  # it is the last of the row: what is before it has its place
        return tuple(values)
    matches = _matcher(table, stored)
    if matches(values) or _is_one_bit(table, values, stored):
        return tuple(values)
    for place, value in _candidates(values, others):
        tried = [*values[:place], value, *values[place + 1 :]]
        if matches(tried):
            return tuple(tried)
    return None


def _matcher(table: str, stored: bytes) -> Callable[[list[Value]], bool]:
    return lambda values: is_sound(table, (*values, stored))


def _is_one_bit(table: str, values: list[Value], stored: bytes) -> bool:
    """True if it is the checksum itself that has a flipped bit."""
    try:
        wrong = int.from_bytes(stored, "big") ^ int.from_bytes(checksum(table, *values), "big")
    except (TypeError, ValueError, OverflowError):
        return False
    return wrong.bit_count() == 1


def _candidates(values: list[Value], others: Iterable[tuple[int, Value]]) -> Iterator[tuple[int, Value]]:
    yield from others
    for place, value in enumerate(values):
        if isinstance(value, int):
            yield from ((place, value ^ 1 << bit) for bit in range(_INTEGER_BITS))
        elif isinstance(value, bytes):
            yield from ((place, flipped) for flipped in flips(value))
        elif isinstance(value, str):
            yield from (
                (place, text)
                for flipped in flips(value.encode(errors="surrogateescape"))
                if (text := _text(flipped)) is not None
            )


def flips(data: bytes) -> Iterator[bytes]:
    """Yield the data with one bit flipped, for each bit."""
    flipped = bytearray(data)
    for place in range(len(data)):
        for bit in range(8):
            flipped[place] ^= 1 << bit
            yield bytes(flipped)
            flipped[place] ^= 1 << bit


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


__all__ = [
    "CHECKED",
    "CHECKSUM_BYTES",
    "as_written",
    "describe",
    "flips",
    "is_sound",
    "checksum",
    "checksum_of_meta",
    "checksum_of_object",
    "checksum_of_record",
    "checksum_of_ref",
    "checksum_of_signature",
]

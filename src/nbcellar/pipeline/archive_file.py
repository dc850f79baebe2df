"""An archive as a file: a tar of plain files, in gzip, written and read piece by piece.

Invariant: equal members make equal bytes, whenever and by whomever they are written. What is read is exactly what would
have been written: a member of another name, order, kind or header is refused, so no path is ever made of a name. No
more is unpacked than was asked for, and a file that unpacks to far more than it is long is refused. Not for: what the
members mean (`archive_format.py`).
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from nbcellar.errors import CellarError, CorruptStoreError, InvalidInputError, NotFoundError, StoreUnavailableError
from nbcellar.files import written_beside

MOST_RATIO = 200
FREE_OF_RATIO_BYTES = 64 << 20  # what any file may unpack to: small archives of zeros are nobody's trouble

_BLOCK = 512
_GZIP = 31  # zlib's word for a gzip header around the stream
_READ_BYTES = 1 << 18
_LEVEL = 1  # values are numbers more than texts: the higher levels cost time and gain little

_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"5": "a folder",
    b"6": "a named pipe",
}


class Writer:
    """Writes members, one after the other. Use `write_archive`."""

    def __init__(self, file: IO[bytes], level: int) -> None:
        self._file = file
        self._packer = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
        self.raw_bytes = 0

    def add(self, name: str, data: bytes) -> None:
        """Add a member."""
        self._put(header(name, len(data)))
        self._put(data)
        self._put(bytes(-len(data) % _BLOCK))

    def end(self) -> None:
        """Write the end."""
        self._put(bytes(2 * _BLOCK))
        self._file.write(self._packer.flush())

    def _put(self, data: bytes) -> None:
        self.raw_bytes += len(data)
        self._file.write(self._packer.compress(data))


def write_archive(path: Path, members: Callable[[], Iterator[tuple[str, bytes]]]) -> int:
    """Write a file whole or not at all; return its size. members: called again where the first try packed too well."""
    try:
        with written_beside(path, b"") as aside:
            for level in (_LEVEL, 0):
                with open(aside, "wb") as file:
                    writer = Writer(file, level)
                    for name, data in members():
                        writer.add(name, data)
                    writer.end()
                    size = file.tell()
                    file.flush()
                    os.fsync(file.fileno())
                if not is_too_much(writer.raw_bytes, size):
                    break
            aside.replace(path)
            return size
    except CellarError:
        raise
    except OSError as error:
        raise StoreUnavailableError(f"cannot write {path}: {error.strerror or error}") from error


def is_too_much(raw_bytes: int, packed_bytes: int) -> bool:
    """True if a file unpacks to so much that it is made to fill a disk."""
    return raw_bytes > FREE_OF_RATIO_BYTES and raw_bytes > MOST_RATIO * packed_bytes


def header(name: str, size: int) -> bytes:
    """Return the header of a plain file, as in POSIX ustar, with nothing of the machine it was made on."""
    fields = (
        name.encode("ascii").ljust(100, b"\0"),
        b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % size + b"00000000000\0",
        b"        0" + bytes(100) + b"ustar\00000" + bytes(64) + b"0000000\0" * 2,
    )
    made = b"".join(fields).ljust(_BLOCK, b"\0")
    return made[:148] + b"%06o\0 " % sum(made) + made[156:]


class Reader:
    """Reads members in the order in which they must come. Use `reading`. Raises CorruptStoreError for what is not."""

    def __init__(self, file: IO[bytes], what: str) -> None:
        self._file, self._what = file, what
        self._unpacker = zlib.decompressobj(_GZIP)
        self._packed = self._raw = 0
        self._waiting = b""
        self._said_first = False

    def member(self, name: str, *, size: int | None = None, most: int) -> bytes:
        """Return the next member, which must be called so. size: what it must be; None: at most `most`."""
        block = self._take(_BLOCK)
        found = _size_in(block) if size is None else size
        if found is None or found > most or block != header(name, found):
            raise CorruptStoreError(self._about(block, name, found, most))
        self._said_first = True
        data = self._take(found)
        if any(self._take(-found % _BLOCK)):
            raise CorruptStoreError(f"{self._what}: there is something between its members")
        return data

    def end(self) -> None:
        """Raise CorruptStoreError unless this is the end."""
        block = self._take(2 * _BLOCK)
        if any(block):
            raise CorruptStoreError(f"{self._what}: {_told(block[:_BLOCK])} is in it, which its manifest does not list")
        if not self._some(1) and not self._unpacker.eof:
            raise CorruptStoreError(f"{self._what} is cut off, {self._file.tell():,} bytes from its beginning")
        if self._unpacker.unused_data or self._file.read(1):
            raise CorruptStoreError(f"{self._what}: there is something after its end")

    def _about(self, block: bytes, name: str, found: int | None, most: int) -> str:
        if _is_plain(block) and _name_in(block) == name and found is not None:
            if found > most:
                return f"{self._what}: {name} is of {found:,} bytes; the limit is {most:,}"
            return f"{self._what} was packed anew by another program; it is read only as Cellar wrote it"
        if not self._said_first:
            return f"{self._what} is no archive of results: " + (
                "it is empty" if not any(block) else f"it begins with {_told(block)}"
            )
        if not any(block):
            return f"{self._what} is cut off: {name} is missing"
        return f"{self._what}: {_told(block)} is in it, where {name} should be"

    def _take(self, size: int) -> bytes:
        parts, left = [], size
        while left:
            part = self._some(left)
            if not part and not self._raw and not self._waiting and self._unpacker.eof:
                raise CorruptStoreError(f"{self._what} is no archive of results: it is empty")
            if not part:
                raise CorruptStoreError(f"{self._what} is cut off, {self._file.tell():,} bytes from its beginning")
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def _some(self, most: int) -> bytes:
        """Return up to `most` bytes; none only at the end of the stream or of the file."""
        while not self._unpacker.eof:
            data = self._waiting or self._file.read(_READ_BYTES)
            try:
                made = self._unpacker.decompress(data, most)
            except zlib.error as error:
                raise CorruptStoreError(f"{self._what} is damaged: {error}") from None
            self._waiting = self._unpacker.unconsumed_tail
            self._raw += len(made)
            if is_too_much(self._raw, self._file.tell()):
                raise CorruptStoreError(
                    f"{self._what} unpacks to more than {MOST_RATIO} times its size: it is not unpacked further"
                )
            if made or not data:
                return made
        return b""


@contextlib.contextmanager
def reading(path: Path, shown: str) -> Iterator[Reader]:
    """Open an archive. shown: what it is called in messages. Raises CellarError that says what it is if it is none."""
    if path.exists() and not path.is_file():  # what is none may never end
        raise InvalidInputError(f"{shown} is no file")
    try:
        with open(path, "rb") as file:
            start = file.read(_BLOCK)
            if not start.startswith(b"\x1f\x8b"):
                raise InvalidInputError(f"{shown} is no archive of results: it is {_what_is(start)}")
            file.seek(0)
            yield Reader(file, shown)
    except FileNotFoundError:
        raise NotFoundError(f"there is no file {shown}") from None
    except CellarError:
        raise
    except OSError as error:
        raise StoreUnavailableError(f"cannot read {shown}: {error.strerror or error}") from error


def _size_in(block: bytes) -> int | None:
    digits = block[124:135]
    return int(digits, 8) if digits.isdigit() and not digits.strip(b"01234567") else None


def _is_plain(block: bytes) -> bool:
    return block[156:157] in (b"0", b"\0")


def _name_in(block: bytes) -> str:
    return block[:100].split(b"\0")[0].decode("ascii", "replace")


def _told(block: bytes) -> str:
    """Return what a header says it is."""
    if block[257:262] != b"ustar":
        return "what is no tar archive"
    name = _name_in(block)
    kind = _KINDS.get(block[156:157])
    return f"{kind}, {name!r}," if kind else f"{name!r}"


def _what_is(start: bytes) -> str:
    if not start:
        return "empty"
    for mark, words in _MARKS:
        if start.startswith(mark):
            return words
    if start[257:262] == b"ustar":
        return "a tar archive that is not packed by gzip"
    if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05":
        return "a pickle, which is never loaded from a file"
    return "not packed by gzip"


_MARKS = (
    (b"PK", "a zip archive"),
    (b"\x28\xb5\x2f\xfd", "packed by zstandard"),
    (b"BZh", "packed by bzip2"),
    (b"\xfd7zXZ", "packed by xz"),
    (b"SQLite format 3", "an SQLite database"),
    (b"{", "JSON; a pipeline is read by: cellar pipeline import"),
)


__all__ = ["MOST_RATIO", "Reader", "Writer", "header", "is_too_much", "reading", "write_archive"]

"""Pack files: immutable, self-describing containers of objects, named by the BLAKE3 of all their bytes.

    magic  stored bytes of object 1, 2, ...  index entries  footer

Invariant: a pack whose name, footer and index check out can be read without `meta.db`. A `PackWriter` leaves either a
complete, durable file or none. Not for: knowing which pack holds an object (`database.py`). See docs/format.md.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from blake3 import blake3

from nbcellar.errors import CorruptStoreError, UnsupportedFormatError
from nbcellar.ids import DIGEST_BYTES, Digest
from nbcellar.store.codec import UPGRADE_HINT
from nbcellar.store.files import file_errors, publish, read_all, sync_file, write_all
from nbcellar.store.interface import Data

MAGIC = b"CELLARP\x01"
"""The last byte is the format number of packs."""

LOG_KIND = 0
"""Kind of an entry that carries a stretch of metadata; no object of a store has it."""

_ENTRY = struct.Struct("<32sBBQQQ")
_FOOTER = struct.Struct("<QQ32s8s")
_HASHED_AT_ONCE = 1 << 20


class Entry(msgspec.Struct, frozen=True):
    """One line of a pack's index; offset and sizes in bytes."""

    digest: Digest
    kind: int
    codec: int
    raw_bytes: int
    stored_bytes: int
    offset: int


class Sealed(msgspec.Struct, frozen=True):
    """A finished pack."""

    name: Digest
    size_bytes: int
    entries: tuple[Entry, ...]


class Mark(NamedTuple):
    """How far a pack was written; see `PackWriter.mark`."""

    size: int
    entries: int
    hash: blake3


def pack_path(folder: Path, name: bytes) -> Path:
    """Return where the pack `name` of the store in `folder` is kept."""
    text = name.hex()
    return folder / "packs" / text[:2] / text


def pack_paths(folder: Path) -> list[Path]:
    """Return the pack files that are there, by name; files of other names are not packs and left out."""
    return sorted(path for path in (folder / "packs").glob("??/*") if is_pack_name(path.name))


def is_pack_name(name: str) -> bool:
    """True for 64 lower-case hexadecimal digits."""
    return len(name) == 2 * DIGEST_BYTES and set(name) <= set("0123456789abcdef")


class PackWriter:
    """Streams objects into a temporary file; `seal` makes it a pack, `discard` leaves nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "tmp" / f"{os.getpid()}-{os.urandom(8).hex()}.pack"
        self._hash = blake3()
        self._entries: list[Entry] = []
        self._size = 0
        with file_errors("create", self._path):
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            self._write(MAGIC)
        except BaseException:
            self.discard()
            raise

    @property
    def size_bytes(self) -> int:
        """Bytes written so far."""
        return self._size

    def add(self, digest: Digest, kind: int, codec: int, raw_bytes: int, stored: Data) -> Entry:
        """Append one object. After an error the file is useless: `discard` it."""
        entry = Entry(digest, int(kind), int(codec), raw_bytes, len(stored), self._size)
        self._write(stored)
        self._entries.append(entry)
        return entry

    def mark(self) -> Mark:
        """Return where the file is now, for `rewind`."""
        return Mark(self._size, len(self._entries), self._hash.copy())

    def rewind(self, mark: Mark) -> None:
        """Take back what was added since `mark`."""
        with file_errors("write", self._path):
            os.ftruncate(self._descriptor, mark.size)
            os.lseek(self._descriptor, mark.size, os.SEEK_SET)
        self._size, self._hash = mark.size, mark.hash.copy()
        del self._entries[mark.entries :]

    def seal(self) -> Sealed:
        """Write index and footer, sync, and give the file its name; on an error nothing is left of it."""
        try:
            index = b"".join(_ENTRY.pack(*msgspec.structs.astuple(entry)) for entry in self._entries)
            index_offset = self._size
            self._write(index + _FOOTER.pack(index_offset, len(self._entries), blake3(index).digest(), MAGIC))
            name = Digest(self._hash.digest())
            with file_errors("write", self._path):
                sync_file(self._descriptor)
                descriptor, self._descriptor = self._descriptor, -1
                os.close(descriptor)
                publish(self._path, pack_path(self._folder, name))
        except BaseException:
            self.discard()
            raise
        return Sealed(name, self._size, tuple(self._entries))

    def discard(self) -> None:
        """Close and remove the temporary file; may be called twice."""
        descriptor, self._descriptor = self._descriptor, -1
        with contextlib.suppress(OSError):
            if descriptor >= 0:
                os.close(descriptor)
        with contextlib.suppress(OSError):
            self._path.unlink()

    def forget_after_fork(self) -> None:
        """Close this process's copy of the descriptor; the file is the parent's."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _write(self, data: Data) -> None:
        with file_errors("write", self._path):
            write_all(self._descriptor, memoryview(data))
        self._hash.update(data)
        self._size += len(data)


def read_index(path: Path) -> tuple[Entry, ...]:
    """Return the index of a pack, its own digest verified.

    Raises CorruptStoreError naming the file, UnsupportedFormatError for a newer pack, OSError when it cannot be read.
    """
    with _opened(path) as descriptor:
        size = os.fstat(descriptor).st_size
        if size < len(MAGIC) + _FOOTER.size:
            raise CorruptStoreError(f"pack {path} is cut off")
        _check_magic(os.pread(descriptor, len(MAGIC), 0), path)
        start, count, digest, magic = _FOOTER.unpack(read_all(descriptor, _FOOTER.size, size - _FOOTER.size))
        _check_magic(magic, path)
        length = size - _FOOTER.size - start
        if start < len(MAGIC) or length < 0 or length != count * _ENTRY.size:
            raise CorruptStoreError(f"pack {path} has a damaged footer")
        index = read_all(descriptor, length, start)
    if blake3(index).digest() != digest:
        raise CorruptStoreError(f"pack {path} has a damaged index")
    entries = tuple(Entry(Digest(fields[0]), *fields[1:]) for fields in _ENTRY.iter_unpack(index))
    if any(entry.offset + entry.stored_bytes > start for entry in entries):
        raise CorruptStoreError(f"pack {path} has an entry outside of it")
    return entries


def file_digest(path: Path) -> Digest:
    """Return the BLAKE3 of a whole file, which for a sound pack is its name."""
    digest = blake3()
    with _opened(path) as descriptor:
        offset = 0
        while data := os.pread(descriptor, _HASHED_AT_ONCE, offset):
            digest.update(data)
            offset += len(data)
    return Digest(digest.digest())


def read_stored(path: Path, offset: int, size: int) -> bytes:
    """Return an object's stored bytes; fewer when the file is cut off. Raises OSError.

    Reading into a caller's buffer is no faster: the kernel copies to unaligned memory at a quarter of the speed.
    """
    with _opened(path) as descriptor:
        return read_all(descriptor, size, offset)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _check_magic(magic: bytes, path: Path) -> None:
    if magic == MAGIC:
        return
    if magic[:-1] == MAGIC[:-1] and magic[-1] > MAGIC[-1]:
        raise UnsupportedFormatError(f"pack {path} is of format {magic[-1]}, unknown here", hint=UPGRADE_HINT)
    raise CorruptStoreError(f"{path} is not a pack")

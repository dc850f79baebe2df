"""A stored value as it is looked at: its streams as nodes, its memory as runs of bytes, within a budget.

Invariant: a block is read only when something in it is asked for, and nothing is believed of a manifest that its blocks
do not keep: sizes, offsets and numbers are checked before they are used. Not for: what the bytes mean (`arrays.py`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec

from nbcellar.ids import Digest
from nbcellar.values.inert import Limits, Reader, UnreadableError
from nbcellar.values.manifest import StoredRegion, Value
from nbcellar.values.nodes import Dict, List, Node

Read = Callable[[Digest, int], bytes]
"""Returns a block of a known size; raises UnreadableError if it has another one."""


class TooLargeError(UnreadableError):
    """More bytes would have to be read than is allowed."""


class Budget:
    """How many bytes may still be read. Shared by both sides of a comparison; mutable."""

    def __init__(self, size_bytes: int) -> None:
        self.left = size_bytes
        self.spent = 0

    def spend(self, size_bytes: int) -> None:
        """Count bytes that are about to be read. Raises TooLargeError."""
        if size_bytes > self.left:
            raise TooLargeError("more would have to be read than is allowed")
        self.left -= size_bytes
        self.spent += size_bytes


class Cut(msgspec.Struct, frozen=True):
    """A part of a run of bytes. Parts of equal `key` at equal `phase` hold equal bytes; None: nothing is known."""

    start: int
    stop: int
    key: object = None
    phase: int = 0


class Run(Protocol):
    """Bytes in a row."""

    size: int

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes; raises TooLargeError, UnreadableError."""
        ...

    def cuts(self) -> list[Cut]:
        """Return the parts that it is stored in, in order, without gaps."""
        ...


class InlineRun:
    """Bytes at hand."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read(self, start: int, stop: int) -> bytes:
        return self.data[start:stop]

    def cuts(self) -> list[Cut]:
        return [Cut(0, self.size)]


class RegionRun:
    """A part of a stored region; the block read last is kept."""

    def __init__(self, region: StoredRegion, start: int, size: int, read: Read, budget: Budget) -> None:
        self.size = size
        self._read = read
        self._budget = budget
        self._blocks: list[tuple[int, int, Digest]] = []
        begin = 0
        for end, digest in zip(region.ends, region.digests(), strict=True):
            if end > start and begin < start + size:
                self._blocks.append((begin - start, end - start, digest))
            begin = end
        self._kept: tuple[Digest, bytes] | None = None

    def read(self, start: int, stop: int) -> bytes:
        parts = []
        for begin, end, digest in self._blocks:
            if end <= start or begin >= stop:
                continue
            parts.append(self._block(digest, end - begin)[max(start - begin, 0) : stop - begin])
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def cuts(self) -> list[Cut]:
        return [Cut(max(begin, 0), min(end, self.size), digest, max(-begin, 0)) for begin, end, digest in self._blocks]

    def _block(self, digest: Digest, size: int) -> bytes:
        if self._kept is not None and self._kept[0] == digest:
            return self._kept[1]
        self._budget.spend(size)
        data = self._read(digest, size)
        self._kept = digest, data
        return data


class Stored:
    """One version of a co-variable. Raises UnreadableError from every method, and at once for a broken manifest."""

    def __init__(self, value: Value, read: Read, budget: Budget, limits: Limits | None = None) -> None:
        self.value = value
        self._read = read
        self._budget = budget
        self._limits = limits or Limits()
        _check(value)

    @property
    def stream_bytes(self) -> int:
        """Size of the pickle stream or streams."""
        return self.value.stream.size_bytes if self.value.stream is not None else len(self.value.inline)

    def objects(self) -> tuple[Node, ...]:
        """Return the objects of the co-variable as nodes, in the order of its names."""
        value = self.value
        reader = Reader(self._limits)
        if not value.container:
            found = reader.read(self._stream())
            if type(found) is not tuple:
                raise UnreadableError("its pickle holds no objects")
            return found
        parts = [reader.read(part) for part in self._parts()]
        if value.container == "list":
            return (List([item for part in parts if type(part) is List for item in part.items]),)
        return (Dict([pair for part in parts if type(part) is Dict for pair in part.pairs]),)

    def part_keys(self) -> list[tuple[object, ...]]:
        """Return for each part of a long container what names its bytes; equal keys, equal parts. Else nothing."""
        value = self.value
        if not value.container or value.stream is None or value.raw_buffers or value.places:
            return []
        keys: list[tuple[object, ...]] = []
        run, start = self._stream_run(), 0
        cuts = run.cuts()
        for end in value.part_ends:
            inside = [cut for cut in cuts if cut.start < end and cut.stop > start]
            whole = bool(inside) and inside[0].start == start and inside[-1].stop == end
            keys.append(tuple(cut.key for cut in inside) if whole else (id(self), start))
            start = end
        return keys

    def part(self, index: int) -> Node:
        """Return one part of a long container that has no memory out of band."""
        start = self.value.part_ends[index - 1] if index else 0
        return Reader(self._limits).read(self._stream_run().read(start, self.value.part_ends[index]))

    def run_of_export(self, index: object) -> Run:
        """Return the memory from where export `index` begins to the end of its region."""
        places = self.value.places
        if type(index) is not int or not 0 <= index < len(places) // 2:
            raise UnreadableError("its pickle refers to memory that is not there")
        region, offset = places[2 * index], places[2 * index + 1]
        if region < 0:
            return InlineRun(b"")
        if not 0 <= region < len(self.value.regions):
            raise UnreadableError("its manifest refers to memory that is not there")
        stored = self.value.regions[region]
        if not 0 <= offset <= stored.size_bytes:
            raise UnreadableError("its manifest refers to memory that is not there")
        return RegionRun(stored, offset, stored.size_bytes - offset, self._read, self._budget)

    def is_compacted(self, index: object) -> bool:
        """True if an export was strided and is stored as a contiguous copy."""
        return index in self.value.compacted

    def run_of_whole_region(self, index: int) -> tuple[Run, int]:
        """Return the whole region of an export, and the export's offset in it."""
        run = self.run_of_export(index)  # checks
        region, offset = self.value.places[2 * index], self.value.places[2 * index + 1]
        if region < 0:
            return run, 0
        stored = self.value.regions[region]
        return RegionRun(stored, 0, stored.size_bytes, self._read, self._budget), offset

    def run_of_buffer(self, index: int) -> Run:
        """Return the memory of an out-of-band buffer."""
        value = self.value
        if not 0 <= index < min(len(value.raw_buffers), len(value.sizes)):
            raise UnreadableError("its pickle refers to memory that is not there")
        size = value.sizes[index]
        run = self.run_of_export(value.raw_buffers[index])
        if isinstance(run, RegionRun):
            if size > run.size:
                raise UnreadableError("its manifest refers to memory that is not there")
            export = value.raw_buffers[index]
            region, offset = value.places[2 * export], value.places[2 * export + 1]
            return RegionRun(value.regions[region], offset, size, self._read, self._budget)
        return InlineRun(bytes(size)) if 0 <= size <= 4096 else run

    def digests(self) -> Iterator[Digest]:
        """Yield the blocks of stream and memory, in order."""
        for run in (self.value.stream, *self.value.regions):
            if run is not None:
                yield from run.digests()

    @property
    def size_bytes(self) -> int:
        """Size of streams and memory."""
        return self.stream_bytes + sum(region.size_bytes for region in self.value.regions)

    # private ------------------------------------------------------------------------------------------------------

    def _stream_run(self) -> Run:
        stream = self.value.stream
        if stream is None:
            return InlineRun(self.value.inline)
        return RegionRun(stream, 0, stream.size_bytes, self._read, self._budget)

    def _stream(self) -> bytes:
        if self.stream_bytes > self._limits.stream_bytes:
            raise TooLargeError("its pickle is too large to be looked into")
        return self._stream_run().read(0, self.stream_bytes)

    def _parts(self) -> Iterator[bytes]:
        run, start = self._stream_run(), 0
        for end in self.value.part_ends:
            yield run.read(start, end)
            start = end


def _check(value: Value) -> None:
    """Raise UnreadableError for a manifest that cannot be: numbers come from whoever wrote it."""
    for run in (value.stream, *value.regions):
        if run is None:
            continue
        rising = all(low < high for low, high in zip((0, *run.ends), run.ends, strict=False))
        if len(run.blocks) != 32 * len(run.ends) or not rising:
            raise UnreadableError("its manifest is damaged")
    size = value.stream.size_bytes if value.stream is not None else len(value.inline)
    ends = value.part_ends
    if value.container not in ("", "list", "dict") or len(value.places) % 2:
        raise UnreadableError("its manifest is damaged")
    if value.container and (not ends or ends[-1] > size or any(a >= b for a, b in zip((0, *ends), ends, strict=False))):
        raise UnreadableError("its manifest is damaged")


def count_blocks(before: Stored, after: Stored) -> tuple[int, int, int, int]:
    """Return how many blocks of `after` are not in `before`, of how many, and their bytes, of how many."""
    known = set(before.digests())
    blocks = fresh = size = fresh_size = 0
    for run in (after.value.stream, *after.value.regions):
        if run is None:
            continue
        start = 0
        for end, digest in zip(run.ends, run.digests(), strict=True):
            blocks, size = blocks + 1, size + end - start
            if digest not in known:
                fresh, fresh_size = fresh + 1, fresh_size + end - start
            start = end
    if after.value.inline and not blocks:
        blocks, size = blocks + 1, size + len(after.value.inline)
        if after.value.inline != before.value.inline:
            fresh, fresh_size = fresh + 1, fresh_size + len(after.value.inline)
    return fresh, blocks, fresh_size, size


@contextlib.contextmanager
def damaged_is_unreadable() -> Iterator[None]:
    """Turn what a wrong offset or shape leads to into UnreadableError."""
    try:
        yield
    except UnreadableError:
        raise
    except (IndexError, ValueError, TypeError, OverflowError, KeyError, MemoryError, RecursionError) as error:
        raise UnreadableError(f"it is not of the form that its type has ({type(error).__name__})") from None


__all__ = [
    "Budget",
    "Cut",
    "InlineRun",
    "Read",
    "RegionRun",
    "Run",
    "Stored",
    "TooLargeError",
    "count_blocks",
    "damaged_is_unreadable",
]

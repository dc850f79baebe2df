"""What is left to write of a new version once the cell's objects have been looked at.

Invariant: after `release` no reference to, and no memory of, a user's object is held; blocks that were not written
by then were copied. Each block that is taken is hashed again: a difference from the hash taken at capture means that
the memory changed meanwhile, and raises TornCaptureError.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from typing import Protocol

from blake3 import blake3
from xxhash import xxh3_128_digest

from nbcellar.errors import CellarError
from nbcellar.history.model import Preview
from nbcellar.ids import Digest
from nbcellar.session.blocks import BLOCK_BYTES, INLINE_STREAM_BYTES, memory_at, stream_cuts
from nbcellar.session.groups import Changed, Group
from nbcellar.store.interface import Data, Kind
from nbcellar.values.manifest import VALUE_FORMAT, StoredRegion, Value, encode_value


class ObjectSink(Protocol):
    """The part of a transaction that values need."""

    def put(self, kind: Kind, data: Data, *, digest: Digest | None = None) -> Digest: ...

    def has(self, digest: Digest) -> bool: ...


class TornCaptureError(CellarError):
    """Memory changed between its capture and its writing, by a thread of the user."""

    code = "torn-capture"


@dataclass(slots=True)
class _Block:
    """One block of live memory; `data` once copied."""

    low: int
    size: int
    quick: bytes
    data: bytes | None = None
    done: bool = False


@dataclass(slots=True)
class PendingValue:
    """A version to write: the stream, the blocks by region, the layout."""

    group: Group
    previews: tuple[Preview, ...]
    parts: list[bytes]
    regions: list[tuple[list[int], list[_Block]]]
    places: tuple[int, ...]
    raw_buffers: tuple[int, ...]
    sizes: tuple[int, ...]
    readonly: tuple[bool, ...]
    compacted: tuple[int, ...]
    container: str
    part_ends: list[int]
    needs: tuple[str, ...]
    owners: object
    lock: threading.Lock = field(default_factory=threading.Lock)

    def release(self, allowance: int) -> int:
        """Copy what is not written yet, at most `allowance` bytes; return the bytes that are left in live memory."""
        left = 0
        with self.lock:
            for _, blocks in self.regions:
                for block in blocks:
                    if block.done or block.data is not None:
                        continue
                    if block.size <= allowance:
                        block.data = bytes(memory_at(block.low, block.size))
                        allowance -= block.size
                    else:
                        left += block.size
            if not left:
                self.owners = None
        return left

    def take(self, block: _Block) -> bytes:
        """Return the bytes of a block, checked against the hash taken at capture."""
        with self.lock:
            data = block.data if block.data is not None else bytes(memory_at(block.low, block.size))
            block.data, block.done = None, True
        if xxh3_128_digest(data) != block.quick:
            raise TornCaptureError("memory changed while it was being saved")
        return data


class KnownBlocks:
    """Stored digests by quick hash, of blocks seen by this process. A performance aid: the store is asked again."""

    LIMIT = 500_000

    def __init__(self) -> None:
        self._digests: dict[bytes, Digest] = {}

    def get(self, quick: bytes) -> Digest | None:
        """Return the digest of a block with this quick hash, if one was written or loaded here."""
        return self._digests.get(quick)

    def add(self, quick: bytes, digest: Digest) -> None:
        """Remember a block."""
        if len(self._digests) >= self.LIMIT:
            self._digests.clear()
        self._digests[quick] = digest


def make_pending(change: Changed, previews: tuple[Preview, ...]) -> PendingValue | None:
    """Return what to write of a change; None if it cannot be stored. Drops the change's hold on the pickler."""
    encoded, layout = change.encoded, change.layout
    change.encoded = change.layout = None
    objects, change.objects = change.objects, ()
    if encoded is None or layout is None:
        return None
    regions = []
    for region in layout.regions:
        blocks, start = [], 0
        for end, quick in zip(region.ends, region.hashes, strict=True):
            blocks.append(_Block(region.low + start, end - start, quick))
            start = end
        regions.append((region.ends, blocks))
    raw = [encoded.exports[i] for i in encoded.raw_buffers]
    return PendingValue(
        group=change.group,
        previews=previews,
        parts=encoded.parts,
        regions=regions,
        places=tuple(number for place in layout.places for number in place),
        raw_buffers=tuple(encoded.raw_buffers),
        sizes=tuple(export.high - export.low for export in raw),
        readonly=tuple(export.readonly for export in raw),
        compacted=tuple(sorted(layout.compacted)),
        container=encoded.container,
        part_ends=encoded.part_ends,
        needs=change.group.needs_uids,
        owners=(objects, encoded.exports, layout.regions, encoded.pickler) if layout.regions else None,
    )


def write_value(pending: PendingValue, transaction: ObjectSink, known: KnownBlocks) -> tuple[Digest, int]:
    """Put the blocks and the manifest; return the manifest's digest and the bytes that were new. Runs in the writer."""
    new_bytes = 0
    regions = []
    for ends, blocks in pending.regions:
        digests = []
        for block in blocks:
            digest = known.get(block.quick)
            if digest is not None and transaction.has(digest):
                with pending.lock:
                    block.data, block.done = None, True
            else:
                data = pending.take(block)
                digest = Digest(blake3(data).digest())
                transaction.put(Kind.BLOCK, data, digest=digest)
                known.add(block.quick, digest)
                new_bytes += block.size
            digests.append(digest)
        regions.append(StoredRegion(tuple(ends), b"".join(digests)))
    pending.group.digests = [tuple(region.digests()) for region in regions]
    stream = b"".join(pending.parts)
    inline, stored = stream, None
    if len(stream) > INLINE_STREAM_BYTES:
        inline, stored = b"", _put_stream(stream, pending.part_ends, transaction)
    value = Value(
        format=VALUE_FORMAT,
        python=sys.version_info[:2],
        inline=inline,
        stream=stored,
        regions=tuple(regions),
        places=pending.places,
        sizes=pending.sizes,
        raw_buffers=pending.raw_buffers,
        readonly=pending.readonly,
        compacted=pending.compacted,
        container=pending.container,
        part_ends=tuple(pending.part_ends) if pending.container else (),
    )
    return transaction.put(Kind.VALUE, encode_value(value)), new_bytes


def _put_stream(stream: bytes, part_ends: list[int], transaction: ObjectSink) -> StoredRegion:
    """Put a stream in blocks: a part is one, unless it is long; a single pickle is cut where its content says."""
    ends: list[int] = []
    start = 0
    for part_end in part_ends:
        part = stream[start:part_end]
        if len(part) <= BLOCK_BYTES and len(part_ends) > 1:
            ends.append(part_end)
        else:
            ends.extend(start + end for end in stream_cuts(part))
        start = part_end
    digests = []
    start = 0
    for end in ends:
        digests.append(transaction.put(Kind.BLOCK, stream[start:end]))
        start = end
    return StoredRegion(tuple(ends), b"".join(digests))

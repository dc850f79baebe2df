"""Cutting buffers and streams into blocks, and their quick hashes.

Invariant: cuts depend only on sizes (buffers) or content (streams), so equal data gives equal blocks wherever it lies.
xxh3 answers "did it change"; BLAKE3, computed where blocks are written, names what is stored.
Not for: compression or the layout on disk (`store/`).
"""

from __future__ import annotations

import ctypes

from xxhash import xxh3_128_digest

BLOCK_BYTES = 1 << 20
LONG_ROW_BYTES = 1 << 16
STREAM_AVERAGE_BYTES = 1 << 16
INLINE_STREAM_BYTES = 1 << 14


def buffer_cuts(size_bytes: int, row_bytes: int = 0, first_row: int = 0) -> list[int]:
    """Return block ends of a buffer, strictly increasing, the last one `size_bytes`; [] for an empty buffer.

    row_bytes: size of one step along the outermost axis in memory, 0 if there is none; a row of 64 KiB or more starts
    a new block, shorter rows are grouped to at most 1 MiB. first_row: where the first row starts (a view may begin
    before it). A pandas block's rows are its columns: cuts at their ends are what makes a dropped column free.
    """
    if size_bytes <= BLOCK_BYTES and row_bytes < LONG_ROW_BYTES:
        return [size_bytes] if size_bytes else []
    if row_bytes >= LONG_ROW_BYTES:
        step, unit = BLOCK_BYTES, row_bytes
    else:
        step = unit = BLOCK_BYTES if row_bytes <= 1 else max(1, BLOCK_BYTES // row_bytes) * row_bytes
    ends: list[int] = []
    start = 0
    boundary = first_row % unit or unit
    while start < size_bytes:
        stop = min(boundary, size_bytes)
        ends.extend(range(start + step, stop, step))
        ends.append(stop)
        start = stop
        boundary += unit
    return ends


def stream_cuts(data: bytes) -> list[int]:
    """Return content-defined block ends of a pickle stream; one block for a short one.

    Method: Xia et al., "FastCDC", USENIX ATC 2016.
    """
    if len(data) <= STREAM_AVERAGE_BYTES:
        return [len(data)] if data else []
    from pyfastcdc import FastCDC  # needed for long streams only

    average = STREAM_AVERAGE_BYTES
    cutter = FastCDC(average, min_size=average // 4, max_size=average * 4)
    return [chunk.offset + chunk.length for chunk in cutter.cut_buf(data)]


def memory_at(address: int, size_bytes: int) -> memoryview:
    """Return the memory at `address` as bytes, without a buffer export; the caller keeps its owner alive."""
    return memoryview((ctypes.c_char * size_bytes).from_address(address)).cast("B")


def quick_hashes(data: memoryview | bytes, ends: list[int]) -> list[bytes]:
    """Return the xxh3-128 of each block."""
    if len(ends) == 1:
        return [xxh3_128_digest(data)]
    hashes = []
    start = 0
    view = memoryview(data)
    for end in ends:
        hashes.append(xxh3_128_digest(view[start:end]))
        start = end
    return hashes

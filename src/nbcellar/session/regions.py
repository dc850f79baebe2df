"""Exported memory of one encoding, merged where it overlaps, cut into blocks and hashed.

A *region* is a run of bytes that is stored and restored as one: overlapping exports (an array and its views) fall into
one region, so they are views of one buffer again; copy-on-write holders of one memory get a region each. Invariant:
the layout (region, offset of each export) depends only on how the exports lie relative to each other, never on
addresses. Not for: memory that two variables share (`sharing.py`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from xxhash import xxh3_128_digest

from nbcellar.session.blocks import buffer_cuts, memory_at, quick_hashes
from nbcellar.session.encode import Encoded, Export


@dataclass(frozen=True, slots=True)
class Region:
    """Bytes [low, low + size_bytes) of live memory, or a compact copy of a sparse array (then `low` is in `owner`)."""

    low: int
    size_bytes: int
    ends: list[int]
    hashes: list[bytes]
    owner: object

    def view(self) -> memoryview:
        """Return the live bytes; valid while `owner` lives and is not resized."""
        return memory_at(self.low, self.size_bytes)


@dataclass(frozen=True, slots=True)
class Layout:
    """Regions of an encoding and, for each export, its (region, offset); (-1, 0) for an inline or empty export.

    compacted: exports (by index) that were copied together, so their strides no longer hold.
    """

    regions: list[Region]
    places: list[tuple[int, int]]
    compacted: frozenset[int]


def overlapping_inline(exports: list[Export]) -> bool:
    """True if memory of an array that went into the stream overlaps another export: aliases would be lost."""
    return any(len(group) > 1 and any(exports[i].inline for i in group) for group in _merge(exports, inline=True))


def overlapping_small(exports: list[Export]) -> bool:
    """True if that would be so, had small arrays gone into the stream."""
    groups = _merge(exports, inline=True)
    return any(len(group) > 1 and any(exports[i].inline or exports[i].small for i in group) for group in groups)


KnownHashes = Mapping[tuple[int, int], list[bytes]]  # (low, size) of a region -> quick hashes of its blocks


def lay_out(encoded: Encoded, known: KnownHashes | None = None) -> Layout:
    """Merge, cut and hash the exports of an encoding. Regions are numbered by their first export.

    known: hashes of memory that was hashed a moment ago and has not changed since.
    """
    exports = encoded.exports
    places: list[tuple[int, int]] = [(-1, 0)] * len(exports)
    members = _merge(exports)
    regions: list[Region] = []
    compacted: set[int] = set()
    for indexes in members:
        first = exports[indexes[0]]
        if len(indexes) == 1 and first.sparse:
            regions.append(_compact(first))
            compacted.add(indexes[0])
            places[indexes[0]] = (len(regions) - 1, 0)
            continue
        if len(indexes) == 1:
            places[indexes[0]] = (len(regions), 0)
            regions.append(_region(first.low, first.high - first.low, first.row_bytes, 0, [first.owner], known))
            continue
        low = min(exports[i].low for i in indexes)
        high = max(exports[i].high for i in indexes)
        widest = max((exports[i] for i in indexes), key=lambda e: e.high - e.low)
        regions.append(
            _region(low, high - low, widest.row_bytes, widest.low - low, [exports[i].owner for i in indexes], known)
        )
        for i in indexes:
            places[i] = (len(regions) - 1, exports[i].low - low)
    return Layout(regions, places, frozenset(compacted))


def _merge(exports: list[Export], *, inline: bool = False) -> list[list[int]]:
    """Return groups of export indexes that must stay one memory, each sorted, groups in order of their first member.

    Overlapping memory is one, but not that of two holders whose library keeps them apart when one is written:
    rebuilt as views of one buffer, the library would no longer know of it, and a write to one would show in the
    other. inline: look at arrays in the stream, too.
    """
    order = sorted((e.low, e.high, i) for i, e in enumerate(exports) if e.high > e.low and (inline or not e.inline))
    apart = [entry for entry in order if exports[entry[2]].copy_on_write and not exports[entry[2]].readonly]
    if apart:
        alone = {index for _, _, index in apart}
        order = [entry for entry in order if entry[2] not in alone]
    groups: list[list[int]] = []
    spans: list[tuple[int, int]] = []
    for low, high, index in order:
        if spans and low < spans[-1][1]:
            groups[-1].append(index)
            spans[-1] = spans[-1][0], max(spans[-1][1], high)
        else:
            groups.append([index])
            spans.append((low, high))
    groups = _join(groups, spans, apart)
    for group in groups:
        group.sort()
    groups.sort()
    return groups


def _join(groups: list[list[int]], spans: list[tuple[int, int]], apart: list[tuple[int, int, int]]) -> list[list[int]]:
    """Add exports that are kept apart from each other, but not from the groups (disjoint, ascending) they overlap."""
    lows = [low for low, _ in spans]
    owner = list(range(len(groups)))  # where a group's members went

    def final(number: int) -> int:
        while owner[number] != number:
            number = owner[number]
        return number

    single = []
    for low, high, index in apart:
        first = max(bisect_right(lows, low) - 1, 0)
        touched = [n for n in range(first, bisect_left(lows, high)) if spans[n][1] > low]
        if not touched:
            single.append([index])
            continue
        target = final(touched[0])
        groups[target].append(index)
        for other in map(final, touched[1:]):
            if other != target:
                groups[target].extend(groups[other])
                owner[other] = target
    return [group for number, group in enumerate(groups) if owner[number] == number] + single


def _region(low: int, size: int, row: int, first_row: int, owner: object, known: KnownHashes | None = None) -> Region:
    ends = buffer_cuts(size, row, first_row)
    hashes = known.get((low, size)) if known else None
    if hashes is not None and len(hashes) == len(ends):
        return Region(low, size, ends, hashes, owner)
    if len(ends) == 1 and isinstance(owner, list) and len(owner) == 1:
        try:  # an array as it is: making a view of its memory costs more than hashing a small one
            return Region(low, size, ends, [xxh3_128_digest(owner[0])], owner)
        except (TypeError, ValueError, BufferError):
            pass
    return Region(low, size, ends, quick_hashes(memory_at(low, size), ends), owner)


def _compact(export: Export) -> Region:
    import numpy as np

    array = export.owner
    assert isinstance(array, np.ndarray)
    copy = np.ascontiguousarray(array)
    row = copy.strides[0] if copy.ndim > 1 else 0
    return _region(copy.__array_interface__["data"][0], copy.nbytes, row, 0, copy)

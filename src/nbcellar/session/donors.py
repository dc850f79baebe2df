"""Live arrays that are about to be replaced and that nothing else can see: their memory is taken over, not copied.

Going back one cell replaces a data frame of which one block differs. Copying the other blocks costs more than all the
rest; taking the array over and exchanging the blocks that differ costs next to nothing. Invariant: an array is taken
only if every reference on the way to it is accounted for; until the swap is certain, what was exchanged can be put
back.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from xxhash import xxh3_128_digest

from nbcellar.ids import Digest
from nbcellar.session.blocks import memory_at
from nbcellar.session.groups import Group
from nbcellar.session.regions import Layout

_WORTH_BYTES = 1 << 20
_WORTH_SHARE = 0.5  # of the blocks must be equal


@dataclass(frozen=True, slots=True)
class Place:
    """A region of live memory, by what is stored of it: digests and ends of its blocks."""

    low: int
    size_bytes: int
    ends: tuple[int, ...]
    digests: tuple[bytes, ...]
    hashes: tuple[bytes, ...]  # quick hashes of the blocks


@dataclass(frozen=True, slots=True)
class Donor:
    """An array that may be taken, and what its memory holds."""

    array: Any
    place: Place


@dataclass(frozen=True, slots=True)
class _Patch:
    low: int
    size: int
    digest: Digest
    hashes: list[bytes]  # of the region, to be kept true
    index: int


class Donors:
    """The arrays that may be taken, and the exchanges made in those that were. Mutable; one checkout."""

    def __init__(self) -> None:
        self._donors: list[Donor] = []
        self._undo: list[tuple[int, bytes]] = []
        self._patches: list[_Patch] = []
        self.known: dict[tuple[int, int], list[bytes]] = {}  # (low, size) of what was taken -> quick hashes, kept true

    def add(self, name: str, namespace: dict[str, Any], places: Mapping[int, Place], held: Mapping[int, int]) -> None:
        """Offer the arrays of a variable that will be replaced. held: references that the caller has, by id."""
        for array in _exclusive_arrays(namespace, name, held):
            place = places.get(array.ctypes.data)
            if place is not None and place.size_bytes == array.nbytes:
                self._donors.append(Donor(array, place))

    def take(self, dtype: Any, shape: Any, layout: str, ends: tuple[int, ...], digests: list[Digest]) -> Any:
        """Return an array of that form whose memory will hold these blocks when `exchange` is done; None if none
        fits.
        """
        for index, donor in enumerate(self._donors):
            array, place = donor.array, donor.place
            if array.shape != shape or array.dtype != dtype or place.ends != ends or not _has_layout(array, layout):
                continue
            differing = [i for i, (a, b) in enumerate(zip(place.digests, digests, strict=True)) if a != b]
            if len(differing) > len(digests) * _WORTH_SHARE:
                continue
            del self._donors[index]
            hashes = self.known[place.low, place.size_bytes] = list(place.hashes)
            for i in differing:
                start = ends[i - 1] if i else 0
                self._patches.append(_Patch(place.low + start, ends[i] - start, digests[i], hashes, i))
            return array
        return None

    def stop(self) -> None:
        """Offer nothing any more."""
        self._donors = []

    def mark(self) -> tuple[list[Donor], int]:
        """Return what `rewind` goes back to."""
        return list(self._donors), len(self._patches)

    def rewind(self, mark: tuple[list[Donor], int]) -> None:
        """Take back what was taken since `mark`: nothing of it was exchanged yet."""
        self._donors, count = list(mark[0]), mark[1]
        del self._patches[count:]

    def exchange(self, read: Callable[[Digest], bytes]) -> None:
        """Write the blocks that differ; a failure while reading leaves everything as it was."""
        fresh = [(patch, read(patch.digest)) for patch in self._patches]
        for patch, data in fresh:
            target = memory_at(patch.low, patch.size)
            self._undo.append((patch.low, bytes(target)))
            target[:] = data
            patch.hashes[patch.index] = xxh3_128_digest(data)
        self._patches = []

    def put_back(self) -> None:
        """Undo `exchange`."""
        for low, data in reversed(self._undo):
            memory_at(low, len(data))[:] = data
        self._undo = []


def places_of(group: Group, layout: Layout) -> Iterator[Place]:
    """Yield where a group's stored blocks lie in live memory that was hashed a moment ago."""
    if len(group.digests) != len(layout.regions):
        return
    for digests, region in zip(group.digests, layout.regions, strict=True):
        if len(digests) == len(region.ends):
            yield Place(region.low, region.size_bytes, tuple(region.ends), tuple(digests), tuple(region.hashes))


def _has_layout(array: Any, layout: str) -> bool:
    return bool(array.flags.f_contiguous if layout == "F" else array.flags.c_contiguous)


# References seen from a function that holds an object in a local variable and asks getrefcount: the owner's, the
# variable's, the argument's. Whatever is beyond belongs to somebody else: Out, a view, another variable.
_OWN_REFERENCES = 3


def _exclusive_arrays(namespace: dict[str, Any], name: str, held: Mapping[int, int]) -> list[Any]:
    value = namespace[name]
    if sys.getrefcount(value) > _OWN_REFERENCES + held.get(id(value), 0):
        return []
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and type(value) is numpy.ndarray:
        return [value] if _is_takeable(value) else []
    if pandas is not None and type(value) in (pandas.DataFrame, pandas.Series):
        return _arrays_of_frame(value, numpy, held)
    return []


def _arrays_of_frame(frame: Any, numpy: Any, held: Mapping[int, int]) -> list[Any]:
    manager = getattr(frame, "_mgr", None)
    if manager is None or sys.getrefcount(manager) > _OWN_REFERENCES:
        return []
    found = []
    for block in manager.blocks:
        if sys.getrefcount(block) > _OWN_REFERENCES:
            continue
        values = block.values
        if type(values) is not numpy.ndarray or not _is_takeable(values):
            continue
        if sys.getrefcount(values) <= _OWN_REFERENCES + held.get(id(values), 0):
            found.append(values)
    return found


def _is_takeable(array: Any) -> bool:
    flags = array.flags
    return bool(
        array.nbytes >= _WORTH_BYTES
        and array.base is None
        and flags.owndata
        and flags.writeable
        and not array.dtype.hasobject
        and not weakref.getweakrefcount(array)
    )

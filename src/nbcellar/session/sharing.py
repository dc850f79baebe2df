"""Which variables share mutable state: union-find over shared objects and overlapping memory.

The question asked is "could a change through one be seen through the other?". Ids are compared only while everything
they name is alive. Invariant: two items end in different sets only if no shared-state id and no memory is common.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Protocol

from nbcellar.session.encode import Export

Span = tuple[int, int, bool]  # low, high, copy-on-write


class Sharer(Protocol):
    """What sharing is decided on: sorted ids of shared state, sorted spans of memory."""

    @property
    def shared(self) -> array[int]: ...

    @property
    def spans(self) -> Sequence[Span]: ...


def sorted_ids(ids: array[int]) -> array[int]:
    """Return the ids in increasing order."""
    return array("Q", sorted(ids)) if len(ids) > 1 else ids


# References to an array that pickling made and that nobody else holds, as seen below: the export's, the memo's of the
# pickler, the argument's.
_TEMPORARY_REFERENCES = 3


def spans_of(exports: Iterable[Export]) -> tuple[Span, ...]:
    """Return the memory of exports, sorted, joined where it touches and is of one kind.

    To be asked while the pickler lives. Memory that is a temporary's own is left out: it is shared with nobody.
    """
    spans = sorted((e.low, e.high, e.copy_on_write) for e in exports if e.high > e.low and not _is_temporary(e))
    joined: list[Span] = []
    for low, high, cow in spans:
        if joined and low <= joined[-1][1] and joined[-1][2] == cow:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]), cow)
        else:
            joined.append((low, high, cow))
    return tuple(joined)


def _is_temporary(export: Export) -> bool:
    is_itself = export.low == id(export.owner)  # not its memory, which a view has from another one
    if not is_itself and getattr(export.owner, "base", export) is not None:
        return False
    if sys.getrefcount(export.owner) > _TEMPORARY_REFERENCES:
        return False
    return type(export.owner).__name__ == "ndarray"


def share_ids(few: array[int], many: array[int]) -> bool:
    """True if two sorted id arrays have an element in common."""
    if len(few) > len(many):
        few, many = many, few
    if not few or few[-1] < many[0] or many[-1] < few[0]:
        return False
    if len(few) * 16 < len(many):
        size = len(many)
        for value in few:
            at = bisect_left(many, value)
            if at < size and many[at] == value:
                return True
        return False
    return not set(few).isdisjoint(many)


def share_memory(ours: Sequence[Span], theirs: Sequence[Span]) -> bool:
    """True if spans overlap, unless both are copy-on-write there."""
    if not ours or not theirs or ours[-1][1] <= theirs[0][0] or theirs[-1][1] <= ours[0][0]:
        # The last span's end bounds all but a nested one of another kind; those are checked by the sweep below.
        if max((s[1] for s in ours), default=0) <= (theirs[0][0] if theirs else 0):
            return False
        if max((s[1] for s in theirs), default=0) <= (ours[0][0] if ours else 0):
            return False
    events = sorted([(s, 0) for s in ours] + [(s, 1) for s in theirs])
    reach = [[0, 0], [0, 0]]  # side -> farthest end of spans that are not / are copy-on-write
    for (low, high, cow), side in events:
        other = reach[1 - side]
        if low < other[0] or (not cow and low < other[1]):
            return True
        reach[side][cow] = max(reach[side][cow], high)
    return False


def share(a: Sharer, b: Sharer) -> bool:
    """True if a change through `a` could be seen through `b`."""
    return share_ids(a.shared, b.shared) or (bool(a.spans and b.spans) and share_memory(a.spans, b.spans))


class Sets:
    """Union-find over the numbers 0..n-1, by path halving."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def find(self, item: int) -> int:
        """Return the representative of the item's set."""
        parent = self._parent
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    def union(self, a: int, b: int) -> None:
        """Join two sets."""
        self._parent[self.find(b)] = self.find(a)

    def groups(self) -> list[list[int]]:
        """Return the sets, in order of their first member."""
        found: dict[int, list[int]] = {}
        for item in range(len(self._parent)):
            found.setdefault(self.find(item), []).append(item)
        return list(found.values())


def partition(items: Sequence[Sharer]) -> list[list[int]]:
    """Return the indexes of items that share state, joined transitively."""
    if len(items) == 1:
        return [[0]]
    sets = Sets(len(items))
    owner: dict[int, int] = {}
    for index, item in enumerate(items):
        for ident in item.shared:
            first = owner.setdefault(ident, index)
            if first != index:
                sets.union(first, index)
    _join_by_memory(items, sets)
    return sets.groups()


def _join_by_memory(items: Sequence[Sharer], sets: Sets) -> None:
    """Join items whose spans overlap, unless both are copy-on-write there. One sweep: there may be thousands."""
    spans = sorted((low, high, cow, index) for index, item in enumerate(items) for low, high, cow in item.spans)
    end, owner = 0, 0  # of the plain span that reaches farthest; all that overlap at a point are joined already
    apart: list[tuple[int, int]] = []  # end and item of copy-on-write spans
    for low, high, cow, index in spans:
        if low < end:
            sets.union(owner, index)
        if cow:
            apart.append((high, index))
            continue
        apart = [entry for entry in apart if entry[0] > low]
        for _, other in apart:
            sets.union(other, index)
        if apart:
            apart = [max(apart)]  # they are one now
        if high > end:
            end, owner = high, index


class Together:
    """Many items seen as one, for a quick answer to "does any of them share with that?"."""

    def __init__(self, items: Iterable[Sharer]) -> None:
        chosen = list(items)
        ids = array("Q")
        for item in chosen:
            ids.extend(item.shared)
        self.shared = sorted_ids(ids)
        self.spans: list[Span] = sorted(span for item in chosen for span in item.spans)
        self._lows: list[int] = []
        self._highs: list[int] = []
        for low, high, _ in self.spans:
            if self._highs and low <= self._highs[-1]:
                self._highs[-1] = max(self._highs[-1], high)
            else:
                self._lows.append(low)
                self._highs.append(high)

    def share(self, other: Sharer) -> bool:
        """True if a change through one of the items could be seen through `other`."""
        if share_ids(self.shared, other.shared):
            return True
        return any(map(self._touches, other.spans)) and share_memory(self.spans, other.spans)

    def _touches(self, span: Span) -> bool:
        at = bisect_right(self._lows, span[1] - 1) - 1
        return at >= 0 and self._highs[at] > span[0]

"""Which items of two lists correspond: the shortest way from one to the other, within a budget of work.

Invariant: applying the returned steps to `a` gives `b`. Beyond the budget the middle is one replacement.
Method: Myers, "An O(ND) difference algorithm and its variations", 1986.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import msgspec

_MOST_EDITS = 700
_MOST_STEPS = 5_000_000


class Step(msgspec.Struct, frozen=True):
    """Items `a_start:a_stop` of one list are replaced by `b_start:b_stop` of the other."""

    a_start: int
    a_stop: int
    b_start: int
    b_stop: int


def align(a: Sequence[Hashable], b: Sequence[Hashable], *, most_edits: int = _MOST_EDITS) -> list[Step]:
    """Return what has to be replaced in `a` to get `b`, in order; what is between is equal.

    Beyond `most_edits` items that went or came, only those are paired that both lists hold once.
    """
    start = 0
    most = min(len(a), len(b))
    while start < most and a[start] == b[start]:
        start += 1
    end = 0
    while end < most - start and a[-1 - end] == b[-1 - end]:
        end += 1
    ours, theirs = a[start : len(a) - end], b[start : len(b) - end]
    if not ours and not theirs:
        return []
    if not ours or not theirs:
        return [Step(start, start + len(ours), start, start + len(theirs))]
    pairs = _pairs(ours, theirs, most_edits)
    steps, x, y = [], 0, 0
    for i, j in [*pairs, (len(ours), len(theirs))]:
        if i > x or j > y:
            steps.append(Step(start + x, start + i, start + y, start + j))
        x, y = i + 1, j + 1
    return steps


def _pairs(a: Sequence[Hashable], b: Sequence[Hashable], most_edits: int) -> list[tuple[int, int]]:
    """Return places of equal items, rising on both sides; as many as there can be if the budget allows."""
    known = set(a) & set(b)
    if not known:
        return []
    n, m = len(a), len(b)
    ends = {1: 0}
    trace: list[dict[int, int]] = []
    work = 0
    for d in range(min(n + m + 1, most_edits)):
        trace.append(dict(ends))
        for k in range(-d, d + 1, 2):
            if k < -m or k > n:
                continue
            x = ends[k + 1] if k == -d or (k != d and ends.get(k - 1, -1) < ends.get(k + 1, -1)) else ends[k - 1] + 1
            y = x - k
            while x < n and y < m and a[x] == b[y]:
                x, y, work = x + 1, y + 1, work + 1
            ends[k] = x
            if x >= n and y >= m:
                return _walk_back(trace, n, m)
        if work > _MOST_STEPS:
            break
    return _unique(a, b)


def _walk_back(trace: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    pairs = []
    for d in range(len(trace) - 1, -1, -1):
        ends, k = trace[d], x - y
        before = k + 1 if k == -d or (k != d and ends.get(k - 1, -1) < ends.get(k + 1, -1)) else k - 1
        from_x = ends.get(before, 0)
        from_y = from_x - before
        while x > max(from_x, 0) and y > max(from_y, 0):
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = from_x, from_y
    return pairs[::-1]


def _unique(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Return pairs of items that both lists hold once, as far as they rise."""
    places: dict[Hashable, int] = {}
    repeated = set()
    for place, item in enumerate(b):
        if item in places:
            repeated.add(item)
        places[item] = place
    seen: set[Hashable] = set()
    twice = {item for item in a if item in seen or seen.add(item)}  # type: ignore[func-returns-value]
    pairs, last = [], -1
    for place, item in enumerate(a):
        there = places.get(item, -1)
        if there > last and item not in twice and item not in repeated:
            pairs.append((place, there))
            last = there
    return pairs


__all__ = ["Step", "align"]

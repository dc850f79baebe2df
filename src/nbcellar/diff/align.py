"""Which items of two lists correspond: the shortest way from one to the other, within a budget of work.

Invariant: applying the returned steps to `a` gives `b`. Beyond the budget the middle is one replacement.
Method: Myers, "An O(ND) difference algorithm and its variations", 1986.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import msgspec

from nbcellar.diff.rising import longest_rising

_MOST_EDITS = 700
_MOST_STEPS = 5_000_000
_DEEPEST = 4


class Step(msgspec.Struct, frozen=True):
    """Items `a_start:a_stop` of one list are replaced by `b_start:b_stop` of the other."""

    a_start: int
    a_stop: int
    b_start: int
    b_stop: int


def align(a: Sequence[Hashable], b: Sequence[Hashable], *, most_edits: int = _MOST_EDITS) -> list[Step]:
    """Return what has to be replaced in `a` to get `b`, in order; what is between is equal.

    `most_edits`: where more of the items that both lists hold went and came, those that occur once are paired first.
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


def _pairs(a: Sequence[Hashable], b: Sequence[Hashable], most_edits: int, depth: int = 0) -> list[tuple[int, int]]:
    """Return places of equal items, rising on both sides; as many as there can be if the budget allows."""
    known = set(a) & set(b)
    if not known:
        return []
    # An item that only one list holds is in no pair, and every one of them would make the way longer.
    places_a = [place for place, item in enumerate(a) if item in known]
    places_b = [place for place, item in enumerate(b) if item in known]
    some_a, some_b = [a[place] for place in places_a], [b[place] for place in places_b]
    pairs = _shortest(some_a, some_b, most_edits)
    if pairs is None:
        pairs = _between_unique(some_a, some_b, most_edits, depth)
    return [(places_a[x], places_b[y]) for x, y in pairs]


def _shortest(a: Sequence[Hashable], b: Sequence[Hashable], most_edits: int) -> list[tuple[int, int]] | None:
    """Return the pairs of a shortest way, None if it is beyond the budget."""
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
    return None


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


def _between_unique(a: Sequence[Hashable], b: Sequence[Hashable], most_edits: int, depth: int) -> list[tuple[int, int]]:
    """Return pairs of items that both lists hold once, as far as they rise, and pairs between these."""
    once_a, once_b = _once(a), _once(b)
    both = [(place, once_b[item]) for item, place in once_a.items() if item in once_b]
    anchors = [both[place] for place in longest_rising([there for _, there in both])]
    if not anchors or depth >= _DEEPEST:
        return anchors
    pairs, x, y = [], 0, 0
    for i, j in [*anchors, (len(a), len(b))]:
        while x < i and y < j and a[x] == b[y]:
            pairs.append((x, y))
            x, y = x + 1, y + 1
        if x < i and y < j:
            pairs += [(x + p, y + q) for p, q in _pairs(a[x:i], b[y:j], most_edits, depth + 1)]
        if i < len(a) and j < len(b):
            pairs.append((i, j))
        x, y = i + 1, j + 1
    return pairs


def _once(items: Sequence[Hashable]) -> dict[Hashable, int]:
    """Return the places of the items that occur once, in order."""
    places: dict[Hashable, int] = {}
    for place, item in enumerate(items):
        places[item] = -1 if item in places else place
    return {item: place for item, place in places.items() if place >= 0}


__all__ = ["Step", "align"]

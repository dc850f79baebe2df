"""Comparing elements in a row: how many differ, by how much, where; with numpy or without, to the same result.

Invariant: NaN equals NaN, NaT equals NaT. Only parts that may differ are read. Elements that are equal as numbers but
not as bits are counted apart. Not for: what the elements are part of (`arrays.py`, `tables.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from nbcellar.diff.model import Changed, Example, Statistics
from nbcellar.values.dtypes import NAT, DType, shown
from nbcellar.values.elements import Elements, loaded_numpy
from nbcellar.values.nodes import Node
from nbcellar.values.words import word

MOST_EXAMPLES = 5
_CHUNK_BYTES = 8 << 20
_WORTH_NUMPY = 2000
"""Elements from which on numpy is loaded: that takes as long as this many comparisons without it."""

Where = Callable[[int], str]
"""Words the place of an element."""


def differing(a: Elements, b: Elements) -> list[tuple[int, int]]:
    """Return the ranges of places, of those both have, that may hold different elements; nothing is read."""
    count = min(a.count, b.count)
    found: list[tuple[int, int]] = []
    if a.dtype != b.dtype:
        return [(0, count)] if count else []
    ours, theirs = a.pieces(), b.pieces()
    i = j = at = 0
    while at < count:
        while ours[i].stop <= at:
            i += 1
        while theirs[j].stop <= at:
            j += 1
        one, other = ours[i], theirs[j]
        stop = min(one.stop, other.stop, count)
        if one.key is None or one.key != other.key or one.start != other.start:
            if found and found[-1][1] == at:
                found[-1] = found[-1][0], stop
            else:
                found.append((at, stop))
        at = stop
    return found


def compare(a: Elements, b: Elements, where: Where = str) -> Changed:
    """Return what differs between two rows of elements, over the places that both have."""
    count = min(a.count, b.count)
    tally = _Tally(a.dtype, b.dtype)
    size = max(a.dtype.size, b.dtype.size, 1)
    step = max(_CHUNK_BYTES // size, 1)
    ranges = differing(a, b)
    numpy = _numpy_for(sum(last - first for first, last in ranges), a.dtype, b.dtype)
    for first, last in ranges:
        for start in range(first, last, step):
            stop = min(start + step, last)
            ours, theirs = a.read(start, stop), b.read(start, stop)
            if a.dtype == b.dtype and ours == theirs:
                continue
            if numpy is None:
                tally.add(start, ours, theirs)
            else:
                tally.add_with(numpy, start, ours, theirs)
    return tally.result(count, where)


def statistics(a: Elements) -> Statistics | None:
    """Return numbers about all elements, None for those that have none. All of them are read."""
    dtype = a.dtype
    if not (dtype.is_number or dtype.kind in "Mm") or not a.count:
        return None
    numpy = _numpy_for(a.count, dtype, dtype)
    step = max(_CHUNK_BYTES // dtype.size, 1)
    missing, low, high, sums = 0, None, None, []
    for start in range(0, a.count, step):
        data = a.read(start, min(start + step, a.count))
        part = _statistics_with(numpy, dtype, data) if numpy is not None else _statistics(dtype, dtype.unpack(data))
        missing += part[0]
        if part[1] is not None:
            low = part[1] if low is None else min(low, part[1])
            high = part[2] if high is None else max(high, part[2])
            sums.append(part[3])
    there = a.count - missing
    mean = None if dtype.kind in "Mm" or not there else _sum(sums) / there
    return Statistics(
        count=a.count,
        missing=missing,
        min="" if low is None else word(shown(dtype, low)),
        max="" if high is None else word(shown(dtype, high)),
        mean=mean,
    )


def statistics_of_values(values: list[Any], missing: int) -> Statistics | None:
    """Return numbers about Python numbers; `missing` were not there."""
    numbers = [value for value in values if type(value) in (int, float)]
    there = [value for value in numbers if value == value]
    if len(numbers) < len(values) or not there:
        return None
    gone = missing + len(numbers) - len(there)
    mean = _sum([float(value) for value in there]) / len(there)
    low, high = word(min(there)), word(max(there))
    return Statistics(count=len(values) + missing, missing=gone, min=low, max=high, mean=mean)


def difference(old: Any, new: Any) -> int | float | None:
    """Return the absolute difference of two numbers, of whole ones exactly; None if one of them is no number."""
    if type(old) not in _NUMBERS or type(new) not in _NUMBERS:
        return None
    try:
        found: int | float = abs(new - old)
    except OverflowError:
        return math.inf
    return found if found == found else None


def _as_float(number: int | float | None) -> float | None:
    try:
        return None if number is None else float(number)
    except OverflowError:
        return math.inf


_NUMBERS = (int, float, complex)


def _numpy_for(count: int, *dtypes: DType) -> Any:
    """Return numpy if it is worth it and knows how to compare these."""
    import sys

    if count < _WORTH_NUMPY and "numpy" not in sys.modules:
        return None
    one, other = dtypes
    both_plain = one.kind in "iufb" and other.kind in "iufb" and _fits(one) and _fits(other)
    exact = {one.kind, other.kind} <= set("ib") or {one.kind, other.kind} <= set("ub")
    floats = {one.kind, other.kind} <= set("fb")
    if one == other or (both_plain and (exact or floats)):
        return loaded_numpy()
    return None


def _fits(dtype: DType) -> bool:
    return dtype.size <= 8


def _sum(parts: list[float]) -> float:
    try:
        return math.fsum(parts)
    except (OverflowError, ValueError):  # inf and -inf
        return sum(parts)


def _statistics(dtype: DType, items: list[Any]) -> tuple[int, Any, Any, float]:
    there = [item for item in items if item != NAT] if dtype.kind in "Mm" else [item for item in items if item == item]
    if not there:
        return len(items), None, None, 0.0
    total = 0.0 if dtype.kind in "Mm" else _sum([float(item) for item in there])
    return len(items) - len(there), min(there), max(there), total


def _statistics_with(np: Any, dtype: DType, data: bytes) -> tuple[int, Any, Any, float]:
    items = np.frombuffer(data, dtype.code)
    hidden = items == NAT if dtype.kind in "Mm" else items != items
    there = items[~hidden]
    if not there.size:
        return len(items), None, None, 0.0
    with np.errstate(all="ignore"):
        total = 0.0 if dtype.kind in "Mm" else float(there.sum(dtype=np.float64))
    return int(hidden.sum()), there.min().item(), there.max().item(), total


class _Tally:
    """Adds up what chunks say."""

    def __init__(self, before: DType, after: DType) -> None:
        self.before, self.after = before, after
        self.changed = 0
        self.same_number = 0
        self.largest: int | float | None = None
        self.largest_of: tuple[int, Any, Any] | None = None
        self.examples: list[tuple[int, Any, Any]] = []
        plain = not (before.code.startswith("|V") or after.code.startswith("|V"))
        self.measured = plain and before.kind in "iufcmM" and after.kind in "iufcmM"

    def add(self, start: int, ours: bytes, theirs: bytes) -> None:
        """Compare without numpy."""
        before, after = self.before, self.after
        sizes = before.size, after.size
        for place, (old, new) in enumerate(zip(before.unpack(ours), after.unpack(theirs), strict=True)):
            if old == new or (old != old and new != new):
                one, other = (
                    data[place * size : (place + 1) * size] for data, size in zip((ours, theirs), sizes, strict=True)
                )
                self.same_number += before == after and one != other
                continue
            self._note(start + place, old, new)

    def _note(self, place: int, old: Any, new: Any) -> None:
        self.changed += 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append((place, old, new))
        if self.measured and not (self.before.kind in "mM" and NAT in (old, new)):
            found = difference(old, new)
            if found is not None and (self.largest is None or found > self.largest):
                self.largest, self.largest_of = found, (place, old, new)

    def add_with(self, np: Any, start: int, ours: bytes, theirs: bytes) -> None:
        """Compare with numpy."""
        old, new = np.frombuffer(ours, self.before.code), np.frombuffer(theirs, self.after.code)
        kind = self.before.kind
        if self.before.code.startswith("|V"):
            size = self.before.size
            unequal = (np.frombuffer(ours, np.uint8) != np.frombuffer(theirs, np.uint8)).reshape(-1, size).any(axis=1)
        else:
            with np.errstate(all="ignore"):
                unequal = old != new
                if kind in "fc":
                    unequal &= ~((old != old) & (new != new))
        if self.before == self.after and kind in "fc" and not unequal.all():
            size = self.before.size
            bits = (np.frombuffer(ours, np.uint8) != np.frombuffer(theirs, np.uint8)).reshape(-1, size).any(axis=1)
            self.same_number += int((bits & ~unequal).sum())
        places = np.flatnonzero(unequal)
        if not places.size:
            return
        self.changed += int(places.size)
        self._take_examples(start, places, old, new)
        if self.measured:
            self._take_largest(np, start, places, old[places], new[places])

    def _take_examples(self, start: int, places: Any, old: Any, new: Any) -> None:
        for place in places[: MOST_EXAMPLES - len(self.examples)].tolist():
            self.examples.append(
                (start + place, self._item(old, self.before, place), self._item(new, self.after, place))
            )

    def _item(self, items: Any, dtype: DType, place: int) -> Any:
        return dtype.unpack(items[place : place + 1].tobytes())[0]

    def _take_largest(self, np: Any, start: int, places: Any, old: Any, new: Any) -> None:
        kinds = self.before.kind + self.after.kind
        with np.errstate(all="ignore"):
            if set(kinds) <= set("iu"):
                low, high = np.minimum(old, new), np.maximum(old, new)
                apart = high.astype("u8") - low.astype("u8") if "i" not in kinds else _signed_distance(np, low, high)
                known = np.ones(len(apart), bool)
            elif set(kinds) <= set("mM"):
                known = (old != NAT) & (new != NAT)
                apart = _signed_distance(np, np.minimum(old, new), np.maximum(old, new))
            else:
                wide = "c16" if "c" in kinds else "f8"
                apart = np.abs(new.astype(wide) - old.astype(wide))
                known = apart == apart
        candidates = np.flatnonzero(known)
        if not candidates.size:
            return
        best = int(candidates[apart[candidates].argmax()])
        found = apart[best].item()
        if self.largest is None or found > self.largest:
            items = self._item(old, self.before, best), self._item(new, self.after, best)
            self.largest, self.largest_of = found, (start + int(places[best]), *items)

    def result(self, compared: int, where: Where) -> Changed:
        before, after = self.before, self.after

        def worded(place: int, old: Any, new: Any) -> Example:
            return Example(at=where(place), before=word(shown(before, old)), after=word(shown(after, new)))

        top = worded(*self.largest_of) if self.largest_of is not None else None
        return Changed(
            compared=compared,
            changed=self.changed,
            largest=_as_float(self.largest) if before.kind not in "mM" else None,
            largest_at=top.at if top else "",
            largest_before=top.before if top else "",
            largest_after=top.after if top else "",
            same_number=self.same_number,
            examples=[worded(*example) for example in self.examples],
        )


def _signed_distance(np: Any, low: Any, high: Any) -> Any:
    """Return high - low, which may need one bit more than they have, as unsigned numbers."""
    return high.astype("i8").view("u8") - low.astype("i8").view("u8")


def compare_values(
    before: list[Node],
    after: list[Node],
    where: Where,
    *,
    same: Callable[[Node, Node], bool],
    words: Callable[[Node], str] = word,
) -> Changed:
    """Return what differs between two lists of Python values and nodes, place by place."""
    changed, largest, top = 0, None, None
    examples: list[Example] = []
    for place, (old, new) in enumerate(zip(before, after, strict=False)):
        if old is new or same(old, new):
            continue
        changed += 1
        apart = difference(old, new)
        measured = apart is not None and (largest is None or apart > largest)
        if len(examples) < MOST_EXAMPLES or measured:
            example = Example(at=where(place), before=words(old), after=words(new))
            if measured:
                largest, top = apart, example
            if len(examples) < MOST_EXAMPLES:
                examples.append(example)
    return Changed(
        compared=min(len(before), len(after)),
        changed=changed,
        largest=_as_float(largest),
        largest_at=top.at if top else "",
        largest_before=top.before if top else "",
        largest_after=top.after if top else "",
        examples=examples,
    )


__all__ = ["MOST_EXAMPLES", "Where", "compare", "compare_values", "difference", "differing", "statistics"]

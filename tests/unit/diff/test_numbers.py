"""Comparing elements: with numpy and without it the same, and nothing is read that is known to be equal."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbcellar.diff import numbers
from nbcellar.diff.numbers import compare, differing, statistics
from nbcellar.values import elements as module
from nbcellar.values.dtypes import DType
from nbcellar.values.elements import Elements
from nbcellar.values.stored import Cut, InlineRun

np = pytest.importorskip("numpy")

KINDS = [*"?bBhHiIqQefdFD", "S3", "U2", "M8[s]", "m8[ms]", ">i4", ">f8"]


def elements(array: Any) -> Elements:
    kind = array.dtype
    unit = np.datetime_data(kind)[0] if kind.kind in "mM" else ""
    order = ">" if kind.byteorder == ">" else "<"
    return Elements(InlineRun(array.tobytes()), DType(kind.kind, kind.itemsize, order, unit), array.size)


def arrays(kind: str) -> st.SearchStrategy[Any]:
    dtype = np.dtype(kind)
    size = st.integers(0, 12)
    special = [math.nan, -math.nan, math.inf, -math.inf, 0.0, -0.0, 1.5, -2.25]
    if dtype.kind in "fc":
        items: st.SearchStrategy[Any] = st.sampled_from(special)
    elif dtype.kind in "iu":
        info = np.iinfo(dtype)
        items = st.sampled_from([info.min, info.max, 0, 1, 7])
    elif dtype.kind in "mM":
        items = st.sampled_from([np.iinfo("i8").min, 0, 1, 10**9, -5])
    elif dtype.kind == "b":
        items = st.booleans()
    else:
        items = st.sampled_from(["", "a", "ab"])
    make = "i8" if dtype.kind in "mM" else None
    return size.flatmap(lambda n: st.tuples(*(st.lists(items, min_size=n, max_size=n) for _ in range(2)))).map(
        lambda pair: tuple(np.array(side, make or dtype).astype(dtype) for side in pair)
    )


def elements_of(array: Any) -> list[float]:
    plain = array.view("i8") if array.dtype.kind in "mM" else array
    return [value for value in plain.tolist() if abs(value) < math.inf] or [0.0]


def both_ways(old: Elements, new: Elements) -> tuple[Any, Any]:
    """Return what is found with numpy and without."""
    found = compare(old, new), statistics(old)
    module._without_numpy = True
    try:
        return found, (compare(old, new), statistics(old))
    finally:
        module._without_numpy = False


@given(st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), arrays(kind))))
def test_numpy_and_its_absence_agree(case: tuple[str, tuple[Any, Any]]) -> None:
    old, new = map(elements, case[1])
    (changed, stats), (plain, plain_stats) = both_ways(old, new)
    if changed.largest is not None and case[0] in "FD":  # the last bit of a root
        assert math.isclose(changed.largest, plain.largest or 0, rel_tol=1e-6) or changed.largest == plain.largest
    else:
        assert changed == plain
    if stats is None or plain_stats is None:
        assert stats is plain_stats
    else:
        assert (stats.count, stats.missing, stats.min, stats.max) == tuple(
            getattr(plain_stats, name) for name in ("count", "missing", "min", "max")
        )
        size = max(abs(float(old_value)) for old_value in elements_of(case[1][0]))
        close = math.isclose(stats.mean or 0, plain_stats.mean or 0, abs_tol=1e-12 * size)
        assert stats.mean == plain_stats.mean or close or math.isnan(stats.mean or 0)


@given(st.sampled_from(KINDS).flatmap(arrays))
def test_changes_are_counted_as_numpy_counts_them(pair: tuple[Any, Any]) -> None:
    old, new = pair
    if old.dtype.kind in "mM":
        wanted = int((old.view("i8") != new.view("i8")).sum())
    elif old.dtype.kind in "fc":
        wanted = int((~((old == new) | ((old != old) & (new != new)))).sum())
    else:
        wanted = int((old != new).sum())
    assert compare(elements(old), elements(new)).changed == wanted


@given(st.sampled_from(KINDS).flatmap(arrays))
def test_an_array_does_not_differ_from_itself(pair: tuple[Any, Any]) -> None:
    found = compare(elements(pair[0]), elements(pair[0]))
    assert (found.changed, found.same_number) == (0, 0)


def test_the_largest_difference_of_far_numbers_is_exact() -> None:
    old, new = np.array([-(2**63), 5]), np.array([2**63 - 1, 5])
    for found in both_ways(elements(old), elements(new)):
        assert found[0].largest == float(2**64 - 1) and found[0].largest_at == "0"


def test_signs_of_zero_and_kinds_of_nan_are_told_apart_from_changes() -> None:
    old = np.array([0.0, np.nan, 1.0])
    new = old.copy()
    new.view("u8")[0] |= 1 << 63
    new.view("u8")[1] |= 1
    for found in both_ways(elements(old), elements(new)):
        assert (found[0].changed, found[0].same_number) == (0, 2)


def test_numbers_of_two_types_are_compared_as_numbers() -> None:
    for kinds in (("i4", "i8"), ("f4", "f8"), ("i8", "f8"), ("?", "i1"), ("u8", "i8")):
        old, new = np.arange(2).astype(kinds[0]), np.arange(2).astype(kinds[1])
        for found in both_ways(elements(old), elements(new)):
            assert found[0].changed == 0, kinds
    old, new = np.array([2**53 + 1]), np.array([2.0**53])
    for found in both_ways(elements(old), elements(new)):
        assert found[0].changed == 1


class Blocks:
    """Bytes in blocks; notes what is read of them."""

    def __init__(self, data: bytes, size: int) -> None:
        self.data, self.size, self._block = data, len(data), size
        self.read_bytes = 0

    def read(self, start: int, stop: int) -> bytes:
        self.read_bytes += stop - start
        return self.data[start:stop]

    def cuts(self) -> list[Cut]:
        step = self._block
        return [Cut(at, min(at + step, self.size), self.data[at : at + step]) for at in range(0, self.size, step)]


@given(
    st.integers(1, 40),
    st.integers(1, 20),
    st.sampled_from([1, 2, 3, 8]),
    st.integers(0, 3),
    st.lists(st.integers(0, 39), max_size=3),
)
def test_every_changed_element_lies_in_a_part_that_may_differ(
    count: int, block: int, size: int, offset: int, places: list[int]
) -> None:
    """Wherever blocks are cut, across elements too."""
    old = bytes(offset) + bytes(range(1, 200))[:count] * size
    old = old[: offset + count * size].ljust(offset + count * size, b"x")
    new = bytearray(old)
    changed = {place for place in places if place < count}
    for place in changed:
        new[offset + place * size] ^= 255
    kind = DType("V", size)
    a = Elements(Blocks(old, block), kind, count, offset)
    b = Elements(Blocks(bytes(new), block), kind, count, offset)
    ranges = differing(a, b)
    assert all(any(first <= place < last for first, last in ranges) for place in changed)
    assert compare(a, b).changed == len(changed)
    pieces = a.pieces()
    assert [p.start for p in pieces] == [0, *(p.stop for p in pieces[:-1])] and pieces[-1].stop == count


@given(st.integers(1, 30), st.integers(1, 24), st.integers(1, 4), st.lists(st.integers(0, 29), max_size=3))
def test_columns_of_rows_are_found_through_their_blocks(rows: int, block: int, columns: int, places: list[int]) -> None:
    data = bytes(index * 7 % 251 for index in range(rows * columns * 2))
    new = bytearray(data)
    changed = {place for place in places if place < rows}
    for place in changed:
        new[place * columns * 2] ^= 255
    kind = DType("V", 2)
    a = Elements(Blocks(data, block), kind, rows, 0, columns * 2)
    b = Elements(Blocks(bytes(new), block), kind, rows, 0, columns * 2)
    assert compare(a, b).changed == len(changed)


def test_of_equal_blocks_nothing_is_read() -> None:
    data = bytes(range(256)) * 64
    new = bytearray(data)
    new[8000] ^= 1
    runs = Blocks(data, 1024), Blocks(bytes(new), 1024)
    kind = DType("i", 8)
    found = compare(Elements(runs[0], kind, len(data) // 8), Elements(runs[1], kind, len(data) // 8))
    assert found.changed == 1
    assert runs[0].read_bytes == runs[1].read_bytes == 1024


def test_elements_beyond_their_memory_are_refused() -> None:
    with pytest.raises(ValueError, match="beyond"):
        Elements(InlineRun(bytes(16)), DType("i", 8), 3)
    with pytest.raises(ValueError, match="beyond"):
        Elements(InlineRun(bytes(16)), DType("i", 8), 2, 8, -16)


def test_numpy_is_not_loaded_for_a_few_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.delitem(sys.modules, "numpy")
    monkeypatch.setattr(numbers, "loaded_numpy", lambda: pytest.fail("numpy was asked for"))
    kind = DType("i", 8)
    assert (
        compare(Elements(InlineRun(bytes(80)), kind, 10), Elements(InlineRun(b"\1" + bytes(79)), kind, 10)).changed == 1
    )

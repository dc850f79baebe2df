"""Which variables share mutable state: the fast answers are the plain ones."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from nbcellar.session.sharing import Sets, Span, Together, partition, share, share_memory


@dataclass(frozen=True)
class Item:
    shared: array[int]
    spans: tuple[Span, ...]


@st.composite
def items(draw: st.DrawFn) -> Item:
    ids = draw(st.sets(st.integers(0, 12), max_size=3))
    spans = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12), st.booleans()), max_size=3))
    return Item(array("Q", sorted(ids)), tuple(sorted((low, low + size, cow) for low, size, cow in spans)))


def overlaps(a: Item, b: Item) -> bool:
    if set(a.shared) & set(b.shared):
        return True
    return any(x[0] < y[1] and y[0] < x[1] and not (x[2] and y[2]) for x in a.spans for y in b.spans)


@given(items(), items())
def test_two_items_share_if_ids_or_memory_that_is_not_copy_on_write_meet(a: Item, b: Item) -> None:
    assert share(a, b) == overlaps(a, b)
    assert share_memory(a.spans, b.spans) == overlaps(Item(array("Q"), a.spans), Item(array("Q"), b.spans))


@given(st.lists(items(), max_size=8))
def test_partition_joins_whatever_shares_and_nothing_else(found: list[Item]) -> None:
    sets = Sets(len(found))
    for i, a in enumerate(found):
        for j, b in enumerate(found[:i]):
            if overlaps(a, b):
                sets.union(i, j)
    assert sorted(map(sorted, partition(found))) == sorted(map(sorted, sets.groups()))


@given(st.lists(items(), max_size=6), items())
def test_items_together_share_with_what_any_of_them_shares_with(found: list[Item], other: Item) -> None:
    assert Together(found).share(other) == any(overlaps(item, other) for item in found)

"""The longest rising part of a list of numbers."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from nbcellar.diff.rising import longest_rising


@given(st.lists(st.integers(0, 9), max_size=9))
def test_no_rising_part_is_longer(numbers: list[int]) -> None:
    places = longest_rising(numbers)
    found = [numbers[place] for place in places]
    assert places == sorted(set(places))
    assert found == sorted(set(found))
    longer = combinations(numbers, len(found) + 1)
    assert not any(all(x < y for x, y in pairwise(some)) for some in longer)

"""The longest rising part of a list of numbers: what stayed in order when things were moved.

Method: patience sorting; Fredman, "On computing the length of longest increasing subsequences", 1975. O(n log n).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


def longest_rising(numbers: Sequence[int]) -> list[int]:
    """Return the places of a longest strictly rising subsequence of `numbers`, in order."""
    tails: list[int] = []  # the smallest number that ends a rising run of each length
    places: list[int] = []  # where that number stands
    before: list[int] = []  # for each place, the place before it in its run
    for place, number in enumerate(numbers):
        length = bisect_left(tails, number)
        before.append(places[length - 1] if length else -1)
        if length == len(tails):
            tails.append(number)
            places.append(place)
        else:
            tails[length] = number
            places[length] = place
    found = []
    place = places[-1] if places else -1
    while place >= 0:
        found.append(place)
        place = before[place]
    return found[::-1]


__all__ = ["longest_rising"]

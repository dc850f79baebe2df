"""How alike the sources of two cells are: a quick answer from their words, a close one from their letters.

Invariant: 1.0 for equal sources, 0.0 for sources with nothing in common; the order of the two does not matter.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

_WORD = re.compile(r"\w+|[^\w\s]")
# Letters are compared in time that grows with the product of both lengths: 0.5 s for two texts of 200 kB.
_LONGEST = 20_000
_LONGEST_BY_HAND = 2_000  # 1 ms
_MOST_BY_HAND = 20
_MOST_FEATURES = 40
_MOST_HOLDERS = 4
_SHORTEST_FEATURE = 3
_SETTLED = 0.6
_SHORTEST_KEPT = 5


class Likeness:
    """Compares cells of one notebook with cells of another by place; what it computes of a cell is kept.

    `left` counts down the close comparisons that may still be made: the work of one pairing is bounded.
    """

    def __init__(self, a: Sequence[str], b: Sequence[str], most: int = 60_000) -> None:
        self._a, self._b = a, b
        self._bags_a: dict[int, tuple[Counter[str], int]] = {}
        self._bags_b: dict[int, tuple[Counter[str], int]] = {}
        self._similarity: Callable[..., int] | None = None
        self.left = most
        self._by_hand = _MOST_BY_HAND

    def quick(self, i: int, j: int) -> float:
        """Return the part of both sources that is the same words, each word as heavy as it is long.

        Of very long sources only the beginning and the end count.
        """
        (ours, our_size), (theirs, their_size) = (
            self._bag(self._bags_a, self._a, i),
            self._bag(self._bags_b, self._b, j),
        )
        if not our_size or not their_size:
            return 1.0 if our_size == their_size else 0.0
        if len(theirs) < len(ours):
            ours, theirs = theirs, ours
        common = sum(len(word) * min(count, theirs[word]) for word, count in ours.items() if word in theirs)
        return 2 * common / (our_size + their_size)

    def close(self, i: int, j: int, least: float) -> float:
        """Return the part of both sources that is the same letters in the same order; 0.0 if it is below `least`."""
        old, new = self._a[i], self._b[j]
        shorter, longer = sorted((len(old), len(new)))
        if 2 * shorter < least * (shorter + longer):
            return 0.0
        if longer > _LONGEST or self.left <= 0:
            found = max(self.quick(i, j), 2 * sum(common_ends(old, new)) / (shorter + longer))
            return found if found >= least else 0.0
        self.left -= 1
        if not longer:
            return 1.0
        found = 2 * self._common(old, new, longer, int(least * (shorter + longer) / 2)) / (shorter + longer)
        return found if found >= least else 0.0

    def _common(self, old: str, new: str, longer: int, least: int) -> int:
        """Return how many letters two texts have in common in order; maybe 0 if fewer than `least`."""
        if self._by_hand > 0 and longer <= _LONGEST_BY_HAND:
            self._by_hand -= 1
            return common_letters(old, new)
        if self._similarity is None:
            # Imported when many are compared: that takes 18 ms, of the 80 that a diff may take to start.
            from rapidfuzz.distance import LCSseq

            self._similarity = LCSseq.similarity
        return self._similarity(old, new, score_cutoff=least)

    def alike(self, i: int, j: int, least: float) -> float:
        """Return how alike two cells are: quickly if that settles it, else closely; 0.0 if below `least`."""
        found = self.quick(i, j)
        if found >= max(least, _SETTLED):
            return found
        return self.close(i, j, least) or (_SETTLED if least <= _SETTLED and self._grew(i, j) else 0.0)

    def _grew(self, i: int, j: int) -> bool:
        """Return whether one source is the other with lines before or after it."""
        shorter, longer = sorted((self._a[i].strip("\n"), self._b[j].strip("\n")), key=len)
        return len(shorter) >= _SHORTEST_KEPT and f"\n{shorter}\n" in f"\n{longer}\n"

    @staticmethod
    def _bag(bags: dict[int, tuple[Counter[str], int]], texts: Sequence[str], place: int) -> tuple[Counter[str], int]:
        found = bags.get(place)
        if found is None:
            text = texts[place]
            if len(text) > 2 * _LONGEST:
                text = text[:_LONGEST] + text[-_LONGEST:]
            words = Counter(_WORD.findall(text))
            found = bags[place] = words, sum(len(word) * count for word, count in words.items())
        return found


def common_letters(old: str, new: str) -> int:
    """Return the length of the longest common subsequence of two texts.

    Method: Hyyrö, "Bit-parallel LCS-length computation revisited", 2004; a row of the table is one number.
    """
    masks: dict[str, int] = {}
    for place, letter in enumerate(old):
        masks[letter] = masks.get(letter, 0) | 1 << place
    full = row = (1 << len(old)) - 1
    for letter in new:
        mask = masks.get(letter)
        if mask is not None:
            met = row & mask
            row = (row + met | row - met) & full
    return len(old) - row.bit_count()


def common_ends(old: str, new: str) -> tuple[int, int]:
    """Return how many letters two texts have in common at the start, and of the others at the end."""
    low, high = 0, min(len(old), len(new))
    while low < high:  # by halves: slices are compared at C speed
        middle = (low + high + 1) // 2
        low, high = (middle, high) if old[low:middle] == new[low:middle] else (low, middle - 1)
    start = low
    low, high = 0, min(len(old), len(new)) - start
    while low < high:
        middle = (low + high + 1) // 2
        same = old[len(old) - middle : len(old) - low] == new[len(new) - middle : len(new) - low]
        low, high = (middle, high) if same else (low, middle - 1)
    return start, low


def likely_pairs(
    a: Sequence[str], b: Sequence[str], ours: Iterable[int], theirs: Iterable[int]
) -> list[tuple[int, int]]:
    """Return pairs of places that are each other's best match by the rare lines and words that both hold.

    The work is bounded: few features of a cell count, and only those that few cells hold.
    """
    features_a = {place: _features(a[place]) for place in ours}
    features_b = {place: _features(b[place]) for place in theirs}
    holders_a, holders_b = _holders(features_a), _holders(features_b)
    best_a = _best(features_a, holders_a, holders_b)
    best_b = _best(features_b, holders_b, holders_a)
    return [(i, j) for i, j in best_a.items() if best_b.get(j) == i]


def _features(source: str) -> set[str]:
    lines = {line.strip() for line in source[:_LONGEST].split("\n")}
    words = set(_WORD.findall(source[:_LONGEST]))
    return {feature for feature in lines | words if len(feature) >= _SHORTEST_FEATURE}


def _holders(features: dict[int, set[str]]) -> dict[str, list[int]]:
    holders: dict[str, list[int]] = {}
    for place, found in features.items():
        for feature in found:
            holders.setdefault(feature, []).append(place)
    return holders


def _best(features: dict[int, set[str]], own: dict[str, list[int]], other: dict[str, list[int]]) -> dict[int, int]:
    best = {}
    for place, found in features.items():
        rare = [
            f for f in found if len(own[f]) <= _MOST_HOLDERS and len(other.get(f, ())) in range(1, _MOST_HOLDERS + 1)
        ]
        if len(rare) > _MOST_FEATURES:
            rare = sorted(rare, key=lambda f: (len(own[f]) + len(other[f]), -len(f), f))[:_MOST_FEATURES]
        votes: dict[int, float] = {}
        for feature in rare:
            weight = len(feature) / len(other[feature])
            for candidate in other[feature]:
                votes[candidate] = votes.get(candidate, 0.0) + weight
        if votes:
            best[place] = max(votes, key=lambda candidate: (votes[candidate], -abs(candidate - place), -candidate))
    return best


__all__ = ["Likeness", "common_ends", "common_letters", "likely_pairs"]

"""Cells between two cells of the backbone, paired: what stands in the same neighbourhood before anything else.

Invariant: within a gap, pairs keep their order. The work in a gap is bounded by its size, not by its square: all cells
are held against all others in small gaps only; a big one is first cut at cells that share rare lines or words.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Literal

from nbcellar.diff.align import align
from nbcellar.diff.best_pairs import best_pairs
from nbcellar.diff.document.equality import json_key
from nbcellar.diff.document.similarity import Likeness, likely_pairs
from nbcellar.diff.rising import longest_rising
from nbcellar.ids import CellId
from nbcellar.notebook.model import Cell

How = Literal["same", "id", "similar"]
Key = tuple[str, str]

ALIKE = 0.6
ALIKE_ALONE = 0.5
_ALIKE_BY_ID = 0.3
_ALIKE_OTHER_TYPE = 0.8
_ALIKE_OTHER_ID = 0.8
_SMALL = 1024
_CHUNK = 24


class Side:
    """The cells of one notebook and what is asked of them again and again."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells = cells
        self.sources = [cell.source for cell in cells]
        self.keys: list[Key] = [(cell.type, cell.source) for cell in cells]
        self.ids = [cell.id for cell in cells]
        self.unique_ids: dict[CellId, int] = unique_places(self.ids)
        self.unique_ids.pop(CellId(""), None)

    def is_numbered(self) -> bool:
        """Return whether the ids just count the cells, as nbstripout writes them."""
        return all(id == str(place) for place, id in enumerate(self.ids))

    def is_blank(self, place: int) -> bool:
        """Return whether a cell says nothing: it can be any empty cell."""
        return not self.sources[place].strip()


class Gaps:
    """The state of one pairing: `found` maps places of `ours` to places of `theirs`, and grows."""

    def __init__(
        self, ours: Side, theirs: Side, likeness: Likeness, trusted: bool, found: dict[int, tuple[int, How]]
    ) -> None:
        self.ours, self.theirs = ours, theirs
        self.likeness, self.trusted, self.found = likeness, trusted, found

    def score(self, i: int, j: int, least: float) -> float:
        """Return how alike two cells are that have different keys, 0.0 if below `least`."""
        if self.ours.cells[i].type != self.theirs.cells[j].type:
            least = max(least, _ALIKE_OTHER_TYPE)
        if self.are_others(i, j):
            least = max(least, _ALIKE_OTHER_ID)
        return self.likeness.alike(i, j, least)

    def are_others(self, i: int, j: int) -> bool:
        """Return whether both cells have ids of their own that may be trusted, and not the same."""
        one, other = self.ours.ids[i], self.theirs.ids[j]
        return self.trusted and one != other and one in self.ours.unique_ids and other in self.theirs.unique_ids

    def same_id(self, i: int, j: int) -> bool:
        """Return whether both cells have the same id, which no other cell has."""
        id = self.ours.ids[i]
        return bool(id) and self.ours.unique_ids.get(id) == i and self.theirs.unique_ids.get(id) == j

    def how(self, i: int, j: int, otherwise: How) -> How:
        """Return how two cells correspond that are a pair: "same" if they are."""
        return "same" if self.ours.keys[i] == self.theirs.keys[j] else otherwise

    def accept(self, i: int, j: int, *, alone: bool = False) -> How | None:
        """Return how two cells of one neighbourhood correspond, None if they do not."""
        if self.ours.keys[i] == self.theirs.keys[j]:
            return "same"
        if self.trusted and self.same_id(i, j) and (alone or self.likeness.alike(i, j, _ALIKE_BY_ID)):
            return "id"
        return "similar" if self.score(i, j, ALIKE_ALONE if alone else ALIKE) else None


def unique_places(items: Iterable[object]) -> dict:  # type: ignore[type-arg]
    """Return the places of the items that occur once."""
    places: dict[object, int] = {}
    for place, item in enumerate(items):
        places[item] = -1 if item in places else place
    return {item: place for item, place in places.items() if place >= 0}


def pair_gaps(gaps: Gaps) -> None:
    """Pair what is open between the pairs of the backbone, and before the first and after the last.

    Empty cells are left open, but for those whose ids are trusted: see `blanks.py`.
    """
    for ours, theirs in open_gaps(gaps):
        _pair_gap(gaps, ours, theirs)


def open_gaps(gaps: Gaps) -> list[tuple[list[int], list[int]]]:
    """Return the places of both sides that are open between two pairs of the backbone."""
    pairs = sorted((i, j) for i, (j, _) in gaps.found.items())
    backbone = [pairs[place] for place in longest_rising([j for _, j in pairs])]
    taken = {j for _, j in pairs}
    open_a = [i for i in range(len(gaps.ours.keys)) if i not in gaps.found]
    open_b = [j for j in range(len(gaps.theirs.keys)) if j not in taken]
    return _between(open_a, open_b, backbone)


def _between(
    open_a: list[int], open_b: list[int], anchors: Sequence[tuple[int, int]]
) -> list[tuple[list[int], list[int]]]:
    """Return the open places of both sides between the anchors, as far as both sides have some."""
    starts_a, starts_b = [i for i, _ in anchors], [j for _, j in anchors]
    rows: dict[int, tuple[list[int], list[int]]] = {}
    for i in open_a:
        rows.setdefault(bisect_right(starts_a, i), ([], []))[0].append(i)
    for j in open_b:
        row = rows.get(bisect_right(starts_b, j))
        if row is not None:
            row[1].append(j)
    return [row for row in rows.values() if row[1]]


def _pair_gap(gaps: Gaps, ours: list[int], theirs: list[int]) -> None:
    said_a = [i for i in ours if not gaps.ours.is_blank(i)]
    said_b = [j for j in theirs if not gaps.theirs.is_blank(j)]
    pairs = _pair_equal(gaps, said_a, said_b)
    for rest_a, rest_b in _between(*_left(said_a, said_b, pairs), list(pairs)):
        pairs += _pair_alike(gaps, rest_a, rest_b)
    pairs.sort()
    for rest_a, rest_b in _between(*_left(ours, theirs, pairs), pairs):
        _pair_last(gaps, rest_a, rest_b)


def _left(ours: list[int], theirs: list[int], pairs: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    taken_a, taken_b = {i for i, _ in pairs}, {j for _, j in pairs}
    return [i for i in ours if i not in taken_a], [j for j in theirs if j not in taken_b]


def _pair_equal(gaps: Gaps, ours: list[int], theirs: list[int]) -> list[tuple[int, int]]:
    """Pair equal sources of a gap in order; outputs tell apart those that repeat, as far as they do."""
    keys_a, keys_b = [gaps.ours.keys[i] for i in ours], [gaps.theirs.keys[j] for j in theirs]
    common = set(keys_a) & set(keys_b)
    if not common:
        return []
    some_a = [i for i, key in zip(ours, keys_a, strict=True) if key in common]
    some_b = [j for j, key in zip(theirs, keys_b, strict=True) if key in common]
    pairs = []
    if len(some_a) > 1 or len(some_b) > 1:
        known_a = unique_places([(gaps.ours.keys[i], json_key(gaps.ours.cells[i].outputs)) for i in some_a])
        known_b = unique_places([(gaps.theirs.keys[j], json_key(gaps.theirs.cells[j].outputs)) for j in some_b])
        sure = [(some_a[x], some_b[known_b[key]]) for key, x in known_a.items() if key in known_b]
        pairs = [sure[place] for place in longest_rising([j for _, j in sure])]
    for rest_a, rest_b in _between(*_left(some_a, some_b, pairs), list(pairs)):
        pairs += _pair_by_order(gaps, rest_a, rest_b)
    pairs.sort()
    for i, j in pairs:
        gaps.found[i] = j, "same"
    return pairs


def _pair_by_order(gaps: Gaps, ours: list[int], theirs: list[int]) -> list[tuple[int, int]]:
    keys_a, keys_b = [gaps.ours.keys[i] for i in ours], [gaps.theirs.keys[j] for j in theirs]
    pairs: list[tuple[int, int]] = []
    x = y = 0
    for step in align(keys_a, keys_b):
        pairs += zip(ours[x : step.a_start], theirs[y : step.b_start], strict=True)
        x, y = step.a_stop, step.b_stop
    return pairs + list(zip(ours[x:], theirs[y:], strict=True))


def _pair_alike(gaps: Gaps, ours: list[int], theirs: list[int]) -> list[tuple[int, int]]:
    """Pair sources that are alike, in order."""
    if len(ours) == len(theirs) == 1:
        return _keep(gaps, [(ours[0], theirs[0])])
    pairs: list[tuple[int, int]] = []
    if gaps.trusted:
        pairs = _keep(gaps, _rising([(i, j) for i in ours for j in _by_id(gaps, i, theirs)]))
    for rest_a, rest_b in _between(*_left(ours, theirs, pairs), list(pairs)):
        if len(rest_a) * len(rest_b) > _SMALL:
            pairs += _pair_big(gaps, rest_a, rest_b)
        else:
            pairs += _pair_small(gaps, rest_a, rest_b)
    return sorted(pairs)


def _by_id(gaps: Gaps, i: int, theirs: list[int]) -> list[int]:
    j = gaps.theirs.unique_ids.get(gaps.ours.ids[i], -1)
    # `theirs` rises, and what is open in it lies between its ends.
    return [j] if theirs[0] <= j <= theirs[-1] and gaps.same_id(i, j) and j in theirs else []


def _pair_big(gaps: Gaps, ours: list[int], theirs: list[int]) -> list[tuple[int, int]]:
    likely = likely_pairs(gaps.ours.sources, gaps.theirs.sources, ours, theirs)
    pairs = _keep(gaps, _rising(likely))
    for rest_a, rest_b in _between(*_left(ours, theirs, pairs), list(pairs)):
        # Where nothing tells them apart, cells are held against those at about the same place.
        pieces = max(1, min(len(rest_a), len(rest_b)) // _CHUNK)
        for piece in range(pieces):
            some_a = rest_a[len(rest_a) * piece // pieces : len(rest_a) * (piece + 1) // pieces]
            some_b = rest_b[len(rest_b) * piece // pieces : len(rest_b) * (piece + 1) // pieces]
            pairs += _pair_small(gaps, some_a, some_b)
    return pairs


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    pairs = sorted(pairs)
    return [pairs[place] for place in longest_rising([j for _, j in pairs])]


def _keep(gaps: Gaps, pairs: list[tuple[int, int]], *, alone: bool = False) -> list[tuple[int, int]]:
    kept = []
    for i, j in pairs:
        how = gaps.accept(i, j, alone=alone)
        if how is not None:
            gaps.found[i] = j, how
            kept.append((i, j))
    return kept


def _pair_small(gaps: Gaps, ours: list[int], theirs: list[int]) -> list[tuple[int, int]]:
    """Pair so that the sum of likeness is the highest; ids are worth something, too."""
    gains = []
    for i in ours:
        row = []
        for j in theirs:
            score = gaps.score(i, j, ALIKE)
            # One pair that is much alike is worth more than two that hardly are.
            row.append(score - 0.5 + (0.05 if gaps.same_id(i, j) else 0.0) if score else 0.0)
        gains.append(row)
    return _keep(gaps, [(ours[x], theirs[y]) for x, y in best_pairs(gains)])


def _pair_last(gaps: Gaps, ours: list[int], theirs: list[int]) -> None:
    """Pair one cell against one that nothing else explains; and cells whose trusted ids are equal."""
    if len(ours) == len(theirs) == 1:
        _keep(gaps, [(ours[0], theirs[0])], alone=True)
    elif gaps.trusted:
        _keep(gaps, _rising([(i, j) for i in ours for j in _by_id(gaps, i, theirs)]), alone=True)


__all__ = ["Gaps", "How", "Side", "open_gaps", "pair_gaps", "unique_places"]

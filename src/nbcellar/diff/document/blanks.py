"""Empty cells, paired when all others are: one says nothing, so only its place tells which it is.

Invariant: only cells without a counterpart are paired, never two that have trusted ids of their own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from nbcellar.diff.best_pairs import best_pairs
from nbcellar.diff.document.equality import json_key
from nbcellar.diff.document.gaps import Gaps, Side, open_gaps
from nbcellar.notebook.model import Cell
from nbcellar.notebook.plain import cell_to_plain

_FILLED = 0.25  # an empty cell that became another, to one that is empty still
_FILLED_AND_NOT_RUN = 0.3
_SMALL = 1024


def pair_blanks(gaps: Gaps, *, move: bool) -> None:
    """Pair empty cells with empty cells beside the same neighbour, then with what stands in the same gap.

    `move`: then with empty cells anywhere.
    """
    blanks = [i for i in range(len(gaps.ours.keys)) if gaps.ours.is_blank(i) and i not in gaps.found]
    if not blanks:
        return
    _pair_beside_neighbours(gaps, blanks)
    for ours, theirs in open_gaps(gaps):
        _pair_in_gap(gaps, [i for i in ours if gaps.ours.is_blank(i)], theirs)
    if move:
        _pair_anywhere(gaps, blanks)


def _pair_beside_neighbours(gaps: Gaps, blanks: list[int]) -> None:
    taken = {j: i for i, (j, _) in gaps.found.items()}
    for steps in ((-1, 1), (1,), (-1,)):  # both neighbours, or one
        for i in blanks:
            partners = [gaps.found[i + step][0] - step if i + step in gaps.found else -1 for step in steps]
            j = partners[0]
            if i not in gaps.found and j not in taken and 0 <= j < len(gaps.theirs.keys) and {*partners} == {j}:
                if gaps.ours.keys[i] == gaps.theirs.keys[j] and not gaps.are_others(i, j):
                    gaps.found[i] = j, "same"
                    taken[j] = i


def _pair_in_gap(gaps: Gaps, blanks: list[int], theirs: list[int]) -> None:
    """Pair empty cells with cells that are empty still, and else with those that were written into them."""
    if len(blanks) * len(theirs) > _SMALL:
        theirs = [j for j in theirs if gaps.theirs.is_blank(j)]
        _keep(gaps, zip(blanks, theirs, strict=False))
    elif blanks:
        gains = [[_gain(gaps, i, j) for j in theirs] for i in blanks]
        _keep(gaps, [(blanks[x], theirs[y]) for x, y in best_pairs(gains)])


def _gain(gaps: Gaps, i: int, j: int) -> float:
    old, new = gaps.ours.cells[i], gaps.theirs.cells[j]
    if old.type != new.type or gaps.are_others(i, j):
        return 0.0
    if gaps.theirs.is_blank(j):
        return 1.0
    return _FILLED if new.outputs else _FILLED_AND_NOT_RUN


def _keep(gaps: Gaps, pairs: Iterable[tuple[int, int]]) -> None:
    for i, j in pairs:
        if _gain(gaps, i, j):
            gaps.found[i] = j, gaps.how(i, j, "similar")


def _pair_anywhere(gaps: Gaps, blanks: list[int]) -> None:
    """Pair each empty cell that came with the nearest one that went and is the same in all but its id."""
    taken = {j for j, _ in gaps.found.values()}
    gone: dict[bytes, list[int]] = {}
    for i in blanks:
        if i not in gaps.found and not _is_known(gaps, gaps.ours, i):
            gone.setdefault(_contents(gaps.ours.cells[i]), []).append(i)
    if not gone:
        return
    for j in range(len(gaps.theirs.keys)):
        if gaps.theirs.is_blank(j) and j not in taken and not _is_known(gaps, gaps.theirs, j):
            places = gone.get(_contents(gaps.theirs.cells[j]))
            if places:
                after = bisect_left(places, j)
                near = range(max(after - 1, 0), min(after + 1, len(places)))
                i = places.pop(min(near, key=lambda place: abs(places[place] - j)))
                gaps.found[i] = j, "same"


def _is_known(gaps: Gaps, side: Side, place: int) -> bool:
    """Return whether a cell's id may be trusted to tell which cell it is."""
    return gaps.trusted and side.ids[place] in side.unique_ids


def _contents(cell: Cell) -> bytes:
    return json_key({**cell_to_plain(cell), "id": ""})


__all__ = ["pair_blanks"]

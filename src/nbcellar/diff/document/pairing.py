"""Which cells of two notebooks correspond.

Invariant: each cell is in exactly one place: in one pair, or in `removed`, or in `added`. Splits and joins are told on
top of that: their cells are in pairs, `removed` and `added`, too.

What the cells say outweighs their ids: ids can be missing, doubled, made anew or counted through. First equal sources,
those that both notebooks hold once; the longest part of them that kept its order is the backbone. Then what lies
between two cells of the backbone (`gaps.py`), then what moved and was edited, then empty cells (`blanks.py`), and then
cells that were split or joined.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from nbcellar.diff.document.blanks import pair_blanks
from nbcellar.diff.document.equality import same_json
from nbcellar.diff.document.gaps import Gaps, How, Side, pair_gaps, unique_places
from nbcellar.diff.document.similarity import Likeness, common_ends, likely_pairs
from nbcellar.diff.document.splits import Split, find_splits
from nbcellar.diff.rising import longest_rising
from nbcellar.notebook.model import Cell

_MOVED_IS_ALIKE = 0.75
_MOVED_BY_ID_IS_ALIKE = 0.3
_MOVED_IS_THE_SAME = 0.9
_SHORTEST_MOVED = 30
_FEW = 2
_KEPT_BY_ONE_EDIT = 0.95
_TRUSTED = 0.9


class Pair(msgspec.Struct, frozen=True):
    """Cell `a` of the first notebook is cell `b` of the second.

    `moved`: it left the order that the most cells kept. `how`: "same" for equal type and source, "id" for equal ids
    and another source, "similar" for sources that are alike.
    """

    a: int
    b: int
    moved: bool
    how: How


class Pairing(msgspec.Struct, frozen=True):
    """What became of each cell: `pairs` in the order of the second notebook, and cells without a counterpart."""

    pairs: tuple[Pair, ...]
    removed: tuple[int, ...] = ()
    added: tuple[int, ...] = ()
    splits: tuple[Split, ...] = ()


def pair_cells(a: Sequence[Cell], b: Sequence[Cell], *, blanks_move: bool = False) -> Pairing:
    """Return which cells correspond. Near-linear in their number; similarity is asked inside gaps only.

    `blanks_move`: an empty cell that went in one place and came in another moved. It says in one line what else takes
    two, but nothing shows that it is the same cell. So not for a merge: what the other side wrote into it would move.
    """
    trimmed = _same_ends(a, b)
    if trimmed == len(a) == len(b):
        return Pairing(tuple(Pair(i, i, False, "same") for i in range(len(a))))
    ours, theirs = Side(a), Side(b)
    found: dict[int, tuple[int, How]] = {}
    trusted = _pair_unique(ours, theirs, found)
    likeness = Likeness(ours.sources, theirs.sources)
    gaps = Gaps(ours, theirs, likeness, trusted, found)
    pair_gaps(gaps)
    _pair_moved(gaps)
    pair_blanks(gaps, move=blanks_move)
    splits = find_splits(ours.cells, theirs.cells, found)
    return _pairing(len(a), len(b), found, splits)


def _same_ends(a: Sequence[Cell], b: Sequence[Cell]) -> int:
    """Return how many cells at the beginning are the same by type and source."""
    count = 0
    for old, new in zip(a, b, strict=False):
        if old is not new and (old.source != new.source or old.type != new.type):
            break
        count += 1
    return count


def _pair_unique(ours: Side, theirs: Side, found: dict[int, tuple[int, How]]) -> bool:
    """Pair sources that both notebooks hold once; return whether the ids may be trusted, too.

    Ids that are trusted tell equal sources apart.
    """
    once_b = unique_places(theirs.keys)
    for key, i in unique_places(ours.keys).items():
        if key in once_b and key[1].strip():  # an empty cell can be any empty cell
            found[i] = once_b[key], "same"
    copied = _copied(ours, theirs, found)
    trusted = _ids_are_trusted(ours, theirs, {i: j for i, (j, _) in found.items() if i not in copied})
    if trusted:
        found.update((i, (j, "id")) for i, j in copied.items())
        for i, j in _pairs_by_id(ours, theirs):
            if i not in found and ours.keys[i] == theirs.keys[j]:
                found[i] = j, "same"
    return trusted


def _copied(ours: Side, theirs: Side, found: dict[int, tuple[int, How]]) -> dict[int, int]:
    """Return where cells are that were copied and then edited, as ids tell: a new cell has the source, not the id."""
    taken = {j for j, _ in found.values()}
    places = []
    for i, (j, _) in found.items():
        stayed = theirs.unique_ids.get(ours.ids[i], j)
        if stayed not in taken and theirs.ids[j] in theirs.unique_ids and theirs.ids[j] not in ours.unique_ids:
            places.append((i, stayed))
    likeness = Likeness(ours.sources, theirs.sources)
    return {i: j for i, j in places if likeness.alike(i, j, _MOVED_BY_ID_IS_ALIKE)}


def _ids_are_trusted(ours: Side, theirs: Side, found: dict[int, int]) -> bool:
    """True if the ids agree with the contents nearly everywhere, and are not mere numbers of places."""
    compared = agreed = 0
    for i, j in found.items():
        if ours.ids[i] and theirs.ids[j]:
            compared += 1
            agreed += ours.ids[i] == theirs.ids[j]
    if compared:
        return agreed >= _TRUSTED * compared
    return not (ours.is_numbered() or theirs.is_numbered())


def _pairs_by_id(ours: Side, theirs: Side) -> Iterable[tuple[int, int]]:
    once_b = theirs.unique_ids
    return [(i, once_b[id]) for id, i in ours.unique_ids.items() if id in once_b]


def _pair_moved(gaps: Gaps) -> None:
    """Pair what is left over, wherever it stands: equal sources, then ids, then sources that are much alike."""
    ours, theirs, found, likeness = gaps.ours, gaps.theirs, gaps.found, gaps.likeness
    taken = {j for j, _ in found.values()}
    left_a = [i for i in range(len(ours.keys)) if i not in found]
    left_b = [j for j in range(len(theirs.keys)) if j not in taken]
    if not left_a or not left_b:
        return
    _pair_equal_leftovers(gaps, left_a, left_b)
    open_b = {j for j in left_b if j not in {j for j, _ in found.values()}}
    for i, j in _pairs_by_id(ours, theirs):
        if i not in found and j in open_b and (gaps.trusted or not ours.is_blank(i)):
            least = _MOVED_BY_ID_IS_ALIKE if gaps.trusted else _MOVED_IS_ALIKE
            if likeness.alike(i, j, least):
                found[i] = j, gaps.how(i, j, "id")
                open_b.discard(j)
    rest_a = [i for i in left_a if i not in found and len(ours.sources[i]) >= _SHORTEST_MOVED]
    rest_b = [j for j in left_b if j in open_b and len(theirs.sources[j]) >= _SHORTEST_MOVED]
    if rest_a and rest_b:
        _pair_edited_leftovers(gaps, rest_a, rest_b)


def _pair_edited_leftovers(gaps: Gaps, left_a: list[int], left_b: list[int]) -> None:
    """Pair sources that moved and were edited: those that share most of what no other cell says.

    To be much alike is not enough: cells of one notebook often are, such as those that plot.
    """
    ours, theirs, found = gaps.ours, gaps.theirs, gaps.found
    common = Counter(line for source in ours.sources for line in set(source.splitlines()))
    for i, j in likely_pairs(ours.sources, theirs.sources, left_a, left_b):
        if ours.cells[i].type == theirs.cells[j].type and gaps.likeness.alike(i, j, _MOVED_IS_ALIKE):
            old, new = ours.sources[i], theirs.sources[j]
            if (
                _share_rare_lines(old, new, common)
                or _is_one_edit(old, new)
                or gaps.likeness.close(i, j, _MOVED_IS_THE_SAME)
            ):
                found[i] = j, gaps.how(i, j, "similar")


def _share_rare_lines(old: str, new: str, common: Mapping[str, int]) -> bool:
    ours, theirs = ({line for line in side.splitlines() if common[line] <= _FEW} for side in (old, new))
    return 4 * sum(map(len, ours & theirs)) >= sum(map(len, ours)) + sum(map(len, theirs))


def _is_one_edit(old: str, new: str) -> bool:
    """Return whether one source is the other with something put into it in one place."""
    return sum(common_ends(old, new)) >= _KEPT_BY_ONE_EDIT * min(len(old), len(new))


def _pair_equal_leftovers(gaps: Gaps, left_a: list[int], left_b: list[int]) -> None:
    """Pair equal sources that went in one place and came in another: told apart by outputs if there are several."""
    ours, theirs, found = gaps.ours, gaps.theirs, gaps.found
    waiting: dict[tuple[str, str], list[int]] = {}
    for j in left_b:
        waiting.setdefault(theirs.keys[j], []).append(j)
    alone = unique_places([ours.keys[i] for i in left_a])
    for i in left_a:
        places = waiting.get(ours.keys[i])
        if not places or not ours.sources[i].strip():
            continue
        same = [
            j for j in places if ours.cells[i].outputs and same_json(ours.cells[i].outputs, theirs.cells[j].outputs)
        ]
        if len(same) == 1 or (len(places) == 1 and ours.keys[i] in alone):
            j = same[0] if same else places[0]
            found[i] = j, "same"
            places.remove(j)


def _pairing(count_a: int, count_b: int, found: dict[int, tuple[int, How]], splits: tuple[Split, ...]) -> Pairing:
    ordered = sorted((j, i, how) for i, (j, how) in found.items())
    stayed = set(longest_rising([i for _, i, _ in ordered]))
    pairs = tuple(Pair(i, j, place not in stayed, how) for place, (j, i, how) in enumerate(ordered))
    taken = {j for j, _ in found.values()}
    return Pairing(
        pairs,
        tuple(i for i in range(count_a) if i not in found),
        tuple(j for j in range(count_b) if j not in taken),
        splits,
    )


__all__ = ["How", "Pair", "Pairing", "Split", "pair_cells"]

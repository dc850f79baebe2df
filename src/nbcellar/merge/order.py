"""The order of the cells of a merged notebook.

Invariant: every cell of ours and of theirs has one slot; a cell that one side moved stands where that side put it;
cells that only one side has stand behind the same neighbour as there; of one gap that both put cells into, ours come
first.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nbcellar.diff.document.pairing import Pairing, pair_cells
from nbcellar.diff.rising import longest_rising
from nbcellar.merge.trees import COMPONENT, value_at
from nbcellar.notebook.model import Cell


class Slot(msgspec.Struct, frozen=True):
    """A place of the merged notebook: the number of its cell in each version, None where that has no such cell."""

    base: int | None
    ours: int | None
    theirs: int | None


class _Placed(msgspec.Struct, frozen=True):
    """A slot, and which sides say where it stands."""

    slot: Slot
    by_ours: bool
    by_theirs: bool


def slots(base: Sequence[Cell], ours: Sequence[Cell], theirs: Sequence[Cell]) -> list[Slot]:
    """Return the slots of a merge in order; without those that both sides deleted."""
    mine, yours = pair_cells(base, ours), pair_cells(base, theirs)
    placed = [*_of_base(mine, yours), *_added(ours, theirs, mine, yours)]
    in_ours = sorted((one for one in placed if one.by_ours), key=lambda one: one.slot.ours or 0)
    in_theirs = sorted((one for one in placed if one.by_theirs), key=lambda one: one.slot.theirs or 0)
    common = [one.slot for one in in_ours if one.by_theirs]
    anchors = [common[place] for place in longest_rising([slot.theirs or 0 for slot in common])]
    found: list[Slot] = []
    i = j = 0
    for anchor in [*anchors, None]:
        for one in in_ours[i:]:
            if one.slot == anchor:
                break
            i += 1
            found.append(one.slot)
        for one in in_theirs[j:]:
            if one.slot == anchor:
                break
            j += 1
            if not one.by_ours:  # else it stands where ours has it
                found.append(one.slot)
        if anchor is not None:
            found.append(anchor)
            i, j = i + 1, j + 1
    return found


def _of_base(mine: Pairing, yours: Pairing) -> list[_Placed]:
    ours = {pair.a: pair for pair in mine.pairs}
    theirs = {pair.a: pair for pair in yours.pairs}
    found = []
    for number in sorted({*ours, *theirs}):
        a, b = ours.get(number), theirs.get(number)
        slot = Slot(number, a.b if a else None, b.b if b else None)
        if a is None or b is None:
            found.append(_Placed(slot, a is not None, b is not None))
        else:
            found.append(_Placed(slot, a.moved or not b.moved, not a.moved))
    return found


def _added(ours: Sequence[Cell], theirs: Sequence[Cell], mine: Pairing, yours: Pairing) -> list[_Placed]:
    """Return slots of cells that the base does not have; the same cell added on both sides has one."""
    pairs = _added_on_both(ours, theirs, mine, yours)
    found = [_Placed(Slot(None, i, pairs.get(i)), True, i in pairs) for i in mine.added]
    taken = set(pairs.values())
    return found + [_Placed(Slot(None, None, j), False, True) for j in yours.added if j not in taken]


def _added_on_both(ours: Sequence[Cell], theirs: Sequence[Cell], mine: Pairing, yours: Pairing) -> dict[int, int]:
    """Return pairs of cells that are the same one: the same id, or the same source beside the same neighbour."""
    if not mine.added or not yours.added:
        return {}
    near_ours, near_theirs = _neighbours(mine, len(ours)), _neighbours(yours, len(theirs))
    found = _components_on_both(ours, theirs, mine, yours)
    left = [i for i in mine.added if i not in found], [j for j in yours.added if j not in set(found.values())]
    for pair in pair_cells([ours[i] for i in left[0]], [theirs[j] for j in left[1]]).pairs:
        i, j = left[0][pair.a], left[1][pair.b]
        a, b = ours[i], theirs[j]
        is_near = any(x == y for x, y in zip(near_ours[i], near_theirs[j], strict=True))
        is_same = bool(a.id and a.id == b.id) or (a.source == b.source and is_near)
        # Of one source and two types they are one cell, in conflict; but an empty cell can be any empty cell.
        if is_same and (a.type == b.type or (a.source == b.source and a.source.strip())):
            found[i] = j
    return found


def _components_on_both(ours: Sequence[Cell], theirs: Sequence[Cell], mine: Pairing, yours: Pairing) -> dict[int, int]:
    """Return pairs of added cells with one source that are components of one name, wherever they stand."""
    named = {key: j for j in reversed(yours.added) if (key := _component(theirs[j])) is not None}
    if not named:
        return {}
    keys = {key: i for i in reversed(mine.added) if (key := _component(ours[i])) in named}
    return {i: named[key] for key, i in keys.items() if key is not None}


def _component(cell: Cell) -> tuple[str, str] | None:
    held = value_at(cell.metadata, COMPONENT)
    name = held.get("name") if isinstance(held, dict) else None
    return (name, cell.source) if isinstance(name, str) else None


def _neighbours(pairing: Pairing, count: int) -> list[tuple[int, int]]:
    """Return for each cell of a side the cells of the base that come before and after it, -1 for the end."""
    of_base = {pair.b: pair.a for pair in pairing.pairs if not pair.moved}
    before, last = [], -1
    for place in range(count):
        before.append(last)
        last = of_base.get(place, last)
    after, last = [], -1
    for place in reversed(range(count)):
        after.append(last)
        last = of_base.get(place, last)
    return list(zip(before, reversed(after), strict=True))


__all__ = ["Slot", "slots"]

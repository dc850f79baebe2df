"""Outputs put back into a clean notebook, cell by cell.

Invariant: a cell gets outputs only from a cell of the same type and source; cells of the clean notebook are otherwise
as they were. Whether the whole still cleans to the same bytes is for the caller to see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from nbcellar.notebook.model import Cell, Notebook


def put_back(clean: Notebook, donors: Sequence[tuple[Cell, Cell]]) -> Notebook:
    """Return `clean` with outputs of `donors`: pairs of a cell as it was and its cleaned form, in document order.

    Cells are found by id and source, then by source where as many cells have it on both sides. A cell that is exactly
    a donor's cleaned form becomes that donor; one that differs in metadata gets outputs and execution count.
    """
    found = _by_id(clean.cells, donors)
    found = {**_by_source(clean.cells, donors, found), **found}
    cells = (_filled(cell, donors[found[at]]) if at in found else cell for at, cell in enumerate(clean.cells))
    return msgspec.structs.replace(clean, cells=tuple(cells))


def _by_id(cells: Sequence[Cell], donors: Sequence[tuple[Cell, Cell]]) -> dict[int, int]:
    """Return the place of the donor for each cell whose id and source say which one it is."""
    places: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for at, (before, _) in enumerate(donors):
        places[(before.id, before.type, before.source)].append(at)
    found = {}
    for at, cell in enumerate(cells):
        same = places.get((cell.id, cell.type, cell.source), []) if cell.id else []
        if same:
            found[at] = same.pop(0)
    return found


def _by_source(cells: Sequence[Cell], donors: Sequence[tuple[Cell, Cell]], found: Mapping[int, int]) -> dict[int, int]:
    """Return the same for the others, where the order of equal sources leaves no choice."""
    used = frozenset(found.values())
    wanted: dict[tuple[str, str], list[int]] = defaultdict(list)
    offered: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, cell in enumerate(cells):
        if at not in found:
            wanted[(cell.type, cell.source)].append(at)
    for at, (before, _) in enumerate(donors):
        if at not in used:
            offered[(before.type, before.source)].append(at)
    return {
        at: donor
        for source, places in wanted.items()
        if len(places) == len(offered.get(source, ()))
        for at, donor in zip(places, offered[source], strict=True)
    }


def _filled(cell: Cell, donor: tuple[Cell, Cell]) -> Cell:
    before, cleaned = donor
    if cleaned == cell:
        return before
    if cell.outputs is None or before.outputs is None:
        return cell
    return msgspec.structs.replace(cell, outputs=before.outputs, execution_count=before.execution_count)

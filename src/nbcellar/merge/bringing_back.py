"""Bringing back what a merge left out of one side by a policy.

Invariant: only what the entry names is put into the notebook; what it replaces there is on the other side, and a cell
that is no more there comes back whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nbcellar.errors import NotFoundError
from nbcellar.merge.marks import mark_of
from nbcellar.merge.model import Dropped
from nbcellar.merge.structure.held import with_value
from nbcellar.merge.trees import with_value_at
from nbcellar.notebook.ids import with_unique_ids
from nbcellar.notebook.model import Cell, Notebook
from nbcellar.notebook.stale import KEY, STALE_KEY, with_stale_mark

_MINOR_WITH_IDS = 5


def bring_back(notebook: Notebook, entry: Dropped, side: Notebook) -> Notebook:
    """Return the notebook with what `entry` says was left out; `side` is the version that has it.

    Raises NotFoundError for an entry that is not of this merge.
    """
    if not entry.number:
        header = with_value_at({"metadata": notebook.metadata, **notebook.extra}, entry.path, entry.value)
        extra = {key: value for key, value in header.items() if key != "metadata"}
        return msgspec.structs.replace(notebook, metadata=header["metadata"], extra=extra)
    if entry.number > len(side.cells):
        raise NotFoundError(f"cell {entry.number} is not in {entry.side}", hint="load the merge again")
    cell = side.cells[entry.number - 1]
    place = _find(notebook.cells, cell)
    cells = list(notebook.cells)
    if place is None or entry.path == ("cell",):
        cells.insert(_behind_neighbour(notebook.cells, side.cells[: entry.number - 1]), cell)
    elif entry.path == ("outputs",):
        cells[place] = _with_outputs(cells[place], cell)
    else:
        cells[place] = with_value(cells[place], entry.path[1:], entry.value)
    made = with_unique_ids(cells) if notebook.nbformat_minor >= _MINOR_WITH_IDS else tuple(cells)
    return msgspec.structs.replace(notebook, cells=made)


def _find(cells: Sequence[Cell], wanted: Cell) -> int | None:
    """Return the place of a merged cell: the one with the id, or else with the source; no part of a conflict."""
    free = [place for place, cell in enumerate(cells) if mark_of(cell) is None]
    for place in free:
        if wanted.id and cells[place].id == wanted.id:
            return place
    return next((place for place in free if cells[place].source == wanted.source), None)


def _behind_neighbour(cells: Sequence[Cell], before: Sequence[Cell]) -> int:
    """Return the place behind the nearest cell before it that both notebooks have."""
    for neighbour in reversed(before):
        place = _find(cells, neighbour)
        if place is not None:
            return place + 1
    return 0


def _with_outputs(cell: Cell, ran: Cell) -> Cell:
    if cell.type != "code":  # outputs have no place there: the cell as it was then, under this id
        return msgspec.structs.replace(ran, id=cell.id)
    held = cell.metadata.get(KEY)
    own = {key: value for key, value in held.items() if key != STALE_KEY} if isinstance(held, dict) else {}
    metadata = {key: value for key, value in cell.metadata.items() if key != KEY}
    if own:
        metadata = {**metadata, KEY: own}
    made = msgspec.structs.replace(cell, metadata=metadata, outputs=ran.outputs, execution_count=ran.execution_count)
    return with_stale_mark(made) if made.outputs and ran.source != cell.source else made


__all__ = ["bring_back"]

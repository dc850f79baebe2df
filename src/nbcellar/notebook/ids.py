"""Cell ids that are made here: for cells without one, for duplicates, for a notebook that wants them all anew.

Invariant: an id follows from what the cell says and how many equal cells stand before it, so two people who make ids
for the same notebook make the same ones; ids of one notebook are unique and fit nbformat 4.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec
from blake3 import blake3

from nbcellar.ids import CellId
from nbcellar.notebook.model import Cell

if TYPE_CHECKING:
    from typing import TypeGuard

LONGEST = 64
_valid = re.compile(r"^[a-zA-Z0-9-_]+$")


def is_valid(value: object) -> TypeGuard[str]:
    """Return whether nbformat 4.5 takes `value` for a cell id."""
    return isinstance(value, str) and len(value) <= LONGEST and _valid.search(value) is not None


class FreshIds:
    """Makes ids for the cells of one notebook, in their order; `taken` are those that it has, and grows."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._turns: dict[tuple[str, str], int] = {}  # of equal cells each goes on where the one before ended

    def make(self, kind: str, source: str) -> CellId:
        """Return an id of eight hexadecimal digits that is not taken, made from a cell's type and source."""
        turn = self._turns.get((kind, source), 0)
        while True:
            text = f"{turn}:{kind}:{source}".encode("utf-8", "surrogatepass")
            made = blake3(text).hexdigest()[:8]
            turn += 1
            if made not in self._taken:
                break
        self._turns[kind, source] = turn
        self._taken.add(made)
        return CellId(made)


def with_unique_ids(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Return the cells with an id each: the first of several equal ids stays, missing and unfit ones are made."""
    return _with_ids(cells, FreshIds(cell.id for cell in cells if is_valid(cell.id)))


def with_new_ids(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Return the cells with all ids made anew; an edit of one cell changes that cell's id only."""
    return _with_ids([msgspec.structs.replace(cell, id=CellId("")) for cell in cells], FreshIds())


def _with_ids(cells: Iterable[Cell], fresh: FreshIds) -> tuple[Cell, ...]:
    seen: set[str] = set()
    made = []
    for cell in cells:
        if not is_valid(cell.id) or cell.id in seen:
            cell = msgspec.structs.replace(cell, id=fresh.make(cell.type, cell.source))
        seen.add(cell.id)
        made.append(cell)
    return tuple(made)

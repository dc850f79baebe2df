"""A comparison of two notebooks as rows to draw: which cells stand beside each other, and what changed in each.

Invariant: each cell of either notebook is in exactly one row, but for a cell that moved: it stands beside its
counterpart, and a row "gone" stands where it was. Rows come in the order of the second notebook.

Pure. Not for: finding changes (`diff/document/compare.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from nbcellar.api.shown_outputs import OutputShown, shown_outputs, size_of
from nbcellar.diff.document.changes import CellChange, NotebookChange
from nbcellar.diff.document.compare import NotebookDiff
from nbcellar.diff.document.noise import join_streams
from nbcellar.notebook.model import Cell

RowKind = Literal["equal", "changed", "replaced", "added", "removed", "moved", "gone", "split", "joined"]

# What of outputs goes out with the rows; the rest is asked for when it comes into view.
_MOST_OUTPUT_BYTES = 1_000_000


class CellShown(msgspec.Struct, frozen=True, kw_only=True):
    """A cell of one side. `source` is None where it is that of the cell beside it. `outputs` counts them.

    `shown`: its outputs, where they changed and are not too large to come along; None: ask for them.
    """

    place: int
    type: str
    id: str = ""
    source: str | None = None
    count: int | None = None
    tags: list[str] = []
    outputs: int = 0
    shown: list[OutputShown] | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Cells that stand beside each other, by their places. `change` is None where nothing changed.

    "gone": from here a cell moved to the row that has `before` and `after`.
    """

    kind: RowKind
    before: list[int] = []
    after: list[int] = []
    change: CellChange | None = None


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """All of a comparison. `changes` has what is not of one cell; its `cells` are empty, those of `rows` are they."""

    changes: NotebookChange
    rows: list[Row]
    before: list[CellShown]
    after: list[CellShown]


def rows_of(diff: NotebookDiff) -> Rows:
    """Return what a view draws of a comparison."""
    changes = diff.changes
    rows = _rows(diff, changes.cells)
    budget = _Budget(_MOST_OUTPUT_BYTES)
    counterparts = {row.after[0]: row.before[0] for row in rows if len(row.before) == len(row.after) == 1}
    before, after = _with_outputs(rows)
    return Rows(
        changes=msgspec.structs.replace(changes, cells=[]),
        rows=rows,
        before=[_cell(cell, i, None, i in before, budget) for i, cell in enumerate(diff.before.cells)],
        after=[
            _cell(cell, j, _source_of(diff, counterparts.get(j)), j in after, budget)
            for j, cell in enumerate(diff.after.cells)
        ],
    )


class _Budget:
    """Bytes that are left."""

    def __init__(self, left: int) -> None:
        self.left = left


def _source_of(diff: NotebookDiff, place: int | None) -> str | None:
    return None if place is None else diff.before.cells[place].source


def _with_outputs(rows: Iterable[Row]) -> tuple[set[int], set[int]]:
    """Return the cells of both sides whose outputs changed."""
    before: set[int] = set()
    after: set[int] = set()
    for row in rows:
        if row.change is not None and row.change.outputs and row.kind != "gone":
            before.update(row.before)
            after.update(row.after)
    return before, after


def _cell(cell: Cell, place: int, beside: str | None, with_outputs: bool, budget: _Budget) -> CellShown:
    shown = None
    if with_outputs and budget.left > 0:
        shown = shown_outputs(cell.outputs)
        size = size_of(shown)
        if size > budget.left:
            shown = None
        else:
            budget.left -= size
    return CellShown(
        place=place,
        type=cell.type,
        id=cell.id,
        source=None if cell.source == beside else cell.source,
        count=cell.execution_count,
        tags=list(cell.tags),
        outputs=len(join_streams(cell.outputs or ())),
        shown=shown,
    )


def _rows(diff: NotebookDiff, changed: Iterable[CellChange]) -> list[Row]:
    """Return the rows: cells of the second notebook in their order, what is not there where it stood."""
    pairing = diff.pairing
    by_cells = {(tuple(change.before), tuple(change.after)): _light(change) for change in changed}
    splits = {split.b[0]: split for split in pairing.splits}
    cut_a = {i for split in pairing.splits for i in split.a}
    cut_b = {j for split in pairing.splits for j in split.b}
    placed: list[tuple[tuple[int, int, int], Row]] = []
    near: dict[int, int] = {}
    gone: list[tuple[int, Row]] = []
    for j, split in splits.items():
        change = by_cells.get((split.a, split.b))
        kind: RowKind = "split" if len(split.a) == 1 else "joined"
        placed.append(((j, 0, 0), Row(kind=kind, before=list(split.a), after=list(split.b), change=change)))
        near[split.a[-1]] = split.b[-1]
    for pair in pairing.pairs:
        if pair.a in cut_a or pair.b in cut_b:
            continue
        change = by_cells.get(((pair.a,), (pair.b,)))
        row = Row(kind=change.change if change is not None else "equal", before=[pair.a], after=[pair.b], change=change)
        placed.append(((pair.b, 0, 0), row))
        if pair.moved:
            gone.append((pair.a, msgspec.structs.replace(row, kind="gone", change=None)))
        else:
            near[pair.a] = pair.b
    placed += [
        ((j, 0, 0), Row(kind="added", after=[j], change=by_cells.get(((), (j,)))))
        for j in pairing.added
        if j not in cut_b
    ]
    gone += [
        (i, Row(kind="removed", before=[i], change=by_cells.get(((i,), ())))) for i in pairing.removed if i not in cut_a
    ]
    placed += _among(sorted(gone, key=lambda entry: entry[0]), near)
    return [row for _, row in sorted(placed, key=lambda entry: entry[0])]


def _among(gone: list[tuple[int, Row]], near: dict[int, int]) -> Iterable[tuple[tuple[int, int, int], Row]]:
    """Yield rows of the first notebook with their places: behind the last cell before them that stayed."""
    stayed = iter(sorted(near.items()))
    following = next(stayed, None)
    last = -1
    for place, row in gone:
        while following is not None and following[0] < place:
            last = following[1]
            following = next(stayed, None)
        yield (last, 1, place), row


def _light(change: CellChange) -> CellChange:
    """Return a change without the lines of its source: a view has both sources and draws their lines itself."""
    if change.source is None:
        return change
    return msgspec.structs.replace(change, source=msgspec.structs.replace(change.source, lines=[]))


__all__ = ["CellShown", "Row", "RowKind", "Rows", "rows_of"]

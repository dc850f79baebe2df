"""Three-way merging of notebooks: the way in.

Invariant: for valid input, merging with the base gives the other side as it is; the result is valid, with unique ids,
conflicts or not; nothing of either side is in neither the notebook nor the lists of `Merged`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from nbcellar.diff.document.equality import same_json
from nbcellar.errors import CellarError
from nbcellar.ids import CellId
from nbcellar.merge.cells import merge_cell, only_ran, same_cell, value_at
from nbcellar.merge.header import merge_headers
from nbcellar.merge.marks import conflict_id, find_groups, group_cells, mark_of, marks_of, notebook_marker
from nbcellar.merge.model import Conflict, Dropped, Labels, Merged, MergeSettings, Side
from nbcellar.merge.order import Slot, slots
from nbcellar.merge.trees import ABSENT, Path
from nbcellar.notebook.codec import notebook_from_json
from nbcellar.notebook.ids import with_unique_ids
from nbcellar.notebook.model import Cell, Notebook, cell_to_json, notebook_keys
from nbcellar.notebook.repair import repair

MINOR_WITH_IDS = 5
_SETTINGS = MergeSettings()
_LABELS = Labels()


def merge_notebooks(
    base: Notebook | None,
    ours: Notebook,
    theirs: Notebook,
    *,
    settings: MergeSettings = _SETTINGS,
    labels: Labels = _LABELS,
) -> Merged:
    """Merge two edits of a notebook; `base` is None where they have none in common."""
    if same_notebook(ours, theirs) or (base is not None and same_notebook(theirs, base)):
        return Merged(notebook=ours)
    if base is not None and same_notebook(ours, base):
        return Merged(notebook=theirs)
    said: list[str] = []
    ours, theirs = _repaired(ours, labels.ours, said), _repaired(theirs, labels.theirs, said)
    base = _nothing_before(ours, theirs) if base is None else _repaired(base, "", [])
    merged = _Run(_decided_since(base, ours, theirs), ours, theirs, settings, labels).merge()
    return msgspec.structs.replace(merged, repairs=(*said, *merged.repairs))


def _nothing_before(ours: Notebook, theirs: Notebook) -> Notebook:
    """Return the base of two notebooks that have none in common: layout as ours has it, the newer format."""
    minor = min(ours.nbformat_minor, theirs.nbformat_minor)
    return msgspec.structs.replace(theirs, cells=(), metadata={}, extra={}, nbformat_minor=minor)


def _decided_since(base: Notebook, ours: Notebook, theirs: Notebook) -> Notebook:
    """Return the base without the conflicts that both sides decided: it has what these began with, to compare with.

    Git makes such a base when two branches merged each other (criss-cross): a merge of merges, conflicts and all.
    """
    groups = find_groups(base)
    if not groups:
        return base
    from nbcellar.merge.resolving import resolve

    left = {mark["id"] for side in (ours, theirs) for cell in side.cells for mark in marks_of(cell)}
    for group in groups:
        if group.is_open and group.id not in left:
            try:
                base = resolve(base, {group.id: "base"})
            except CellarError:  # a group that a person took apart: it is merged cell by cell
                continue
    return base


def _repaired(notebook: Notebook, label: str, said: list[str]) -> Notebook:
    """Return the notebook with what nbformat does not allow mended as far as that is plain; say so in `said`."""
    members = {**notebook_keys(notebook), "cells": [cell_to_json(cell) for cell in notebook.cells]}
    found = repair(members)
    if not found.repairs:
        return notebook
    said += [f"{label}: {entry}" for entry in found.repairs]
    mended = notebook_from_json(found.members, where=label)
    return msgspec.structs.replace(mended, formatting=notebook.formatting, verbatim=notebook.verbatim)


class _Run:
    """One merge. Cells are collected in order; conflicts and what is dropped beside them."""

    def __init__(
        self, base: Notebook, ours: Notebook, theirs: Notebook, settings: MergeSettings, labels: Labels
    ) -> None:
        self._base = base
        self._ours = ours
        self._theirs = theirs
        self._settings = settings
        self._labels = labels
        self._taken = {str(mark["id"]) for side in (ours, theirs) for cell in side.cells for mark in marks_of(cell)}
        self._cells: list[Cell] = []
        self._conflicts: list[Conflict] = []
        self._dropped: list[Dropped] = []

    def merge(self) -> Merged:
        """Return the outcome."""
        header = merge_headers(self._base, self._ours, self._theirs, self._settings)
        self._dropped += header.dropped
        if header.conflicts:
            values = tuple({"path": list(path), **self._sides_at(path)} for path in header.conflicts)
            what = tuple(".".join(path) for path in header.conflicts)
            conflict = Conflict(id=conflict_id(["notebook", what], self._taken), what=what, values=values)
            self._conflicts.append(conflict)
            self._cells.append(notebook_marker(conflict, self._labels))
        for slot in slots(self._base.cells, self._ours.cells, self._theirs.cells):
            self._merge_slot(slot)
        cells, renamed = self._with_ids(header.notebook.nbformat_minor)
        return Merged(
            notebook=msgspec.structs.replace(header.notebook, cells=cells),
            conflicts=tuple(self._conflicts),
            dropped=tuple(self._dropped),
            repairs=renamed,
        )

    def _sides_at(self, path: tuple[str, ...]) -> dict[str, Any]:
        sides = {"base": self._base, "ours": self._ours, "theirs": self._theirs}
        found = {}
        for name, notebook in sides.items():
            value = value_at({"metadata": notebook.metadata, **notebook.extra}, path)
            if value is not ABSENT:
                found[name] = value
        return found

    def _merge_slot(self, slot: Slot) -> None:
        base = None if slot.base is None else self._base.cells[slot.base]
        ours = None if slot.ours is None else self._ours.cells[slot.ours]
        theirs = None if slot.theirs is None else self._theirs.cells[slot.theirs]
        if ours is not None and theirs is not None:
            self._merge_versions(slot, base, ours, theirs)
        elif base is None:
            self._cells += [cell for cell in (ours, theirs) if cell is not None]
        else:
            self._merge_deleted(slot, base, ours, theirs)

    def _merge_versions(self, slot: Slot, base: Cell | None, ours: Cell, theirs: Cell) -> None:
        merged = merge_cell(base, ours, theirs, self._settings)
        self._dropped += [msgspec.structs.replace(entry, number=_number(slot, entry.side)) for entry in merged.dropped]
        if merged.conflicts:
            self._conflict(slot, merged.conflicts, base, merged.ours, merged.theirs)
        else:
            self._cells.append(merged.ours)

    def _merge_deleted(self, slot: Slot, base: Cell, ours: Cell | None, theirs: Cell | None) -> None:
        """One side deleted the cell: it goes, unless the other did more to it than run it."""
        side: Side = "ours" if ours is not None else "theirs"
        kept = ours if ours is not None else theirs
        assert kept is not None
        if not only_ran(base, kept):
            self._conflict(slot, (), base, ours, theirs)
        elif kept.outputs and not same_json(kept.outputs, base.outputs):
            self._drop(slot, side, "outputs", list(kept.outputs), "the other side deleted the cell")

    def _conflict(
        self, slot: Slot, what: Sequence[Path], base: Cell | None, ours: Cell | None, theirs: Cell | None
    ) -> None:
        """Leave a decision to a person, or take one side; `what` is empty where one side has no such cell."""
        named = tuple(".".join(path) for path in what) or (f"deleted by {'ours' if ours is None else 'theirs'}",)
        if self._settings.conflicts == "mark":
            seed = [
                named,
                slot.base,
                *(None if cell is None else [cell.id, cell.source] for cell in (base, ours, theirs)),
            ]
            id_ = conflict_id(seed, self._taken)
            conflict = Conflict(id=id_, what=named, cell=len(self._cells), base=base, ours=ours, theirs=theirs)
            self._conflicts.append(conflict)
            self._cells += group_cells(conflict, self._labels)
        elif self._settings.conflicts == "ours":
            self._take(slot, "ours", ours, theirs, what)
        else:
            self._take(slot, "theirs", theirs, ours, what)

    def _take(self, slot: Slot, side: Side, kept: Cell | None, gone: Cell | None, what: Sequence[Path]) -> None:
        """Decide a conflict for one side; say what the other had."""
        reason = f"both sides changed it; the policy keeps {side}"
        other: Side = "theirs" if side == "ours" else "ours"
        if kept is not None:
            self._cells.append(kept)
        if gone is None:
            return
        if kept is None:
            self._drop(slot, other, "cell", cell_to_json(gone), reason)
            return
        for path in what:
            self._drop(slot, other, ".".join(path), _value_of(gone, path), reason)
        if gone.outputs and not same_json(gone.outputs, kept.outputs):
            self._drop(slot, other, "outputs", list(gone.outputs), reason)

    def _drop(self, slot: Slot, side: Side, what: str, value: Any, reason: str) -> None:
        cell = self._cell_of(slot, side)
        number = _number(slot, side)
        id_ = "" if cell is None else cell.id
        self._dropped.append(Dropped(side=side, what=what, reason=reason, value=value, cell=id_, number=number))

    def _cell_of(self, slot: Slot, side: Side) -> Cell | None:
        place = slot.ours if side == "ours" else slot.theirs
        notebook = self._ours if side == "ours" else self._theirs
        return None if place is None else notebook.cells[place]

    def _with_ids(self, minor: int) -> tuple[tuple[Cell, ...], tuple[str, ...]]:
        """Give every cell an id of its own where the format has ids, none where it has not."""
        if minor < MINOR_WITH_IDS:
            cells = [msgspec.structs.replace(cell, id=CellId("")) if cell.id else cell for cell in self._cells]
            return tuple(cells), ()
        return with_unique_ids(self._cells), tuple(self._renamed())

    def _renamed(self) -> Iterator[str]:
        """Say which ids two cells had, but for the two variants of a conflict."""
        seen: set[str] = set()
        for number, cell in enumerate(self._cells, 1):
            mark = mark_of(cell)
            if cell.id and cell.id in seen and mark is None:
                yield f"cell {number}: id {cell.id!r} was taken by another cell; it has a new one"
            seen.add(cell.id)


def same_notebook(a: Notebook, b: Notebook) -> bool:
    """Return whether two notebooks are the same, their layout in a file included; 1, 1.0 and true differ."""
    return a is b or (
        (a.nbformat, a.nbformat_minor, a.keys, a.formatting) == (b.nbformat, b.nbformat_minor, b.keys, b.formatting)
        and len(a.cells) == len(b.cells)
        and same_json(a.metadata, b.metadata)
        and same_json(a.extra, b.extra)
        and all(map(_same_in_file, a.cells, b.cells))
        and a.verbatim == b.verbatim
    )


def _same_in_file(a: Cell, b: Cell) -> bool:
    return a is b or (a.keys == b.keys and a.source_as_text == b.source_as_text and same_cell(a, b))


def _number(slot: Slot, side: Side) -> int:
    place = slot.ours if side == "ours" else slot.theirs
    return 0 if place is None else place + 1


def _value_of(cell: Cell, path: Path) -> Any:
    """Return what a cell has at an attribute, or at keys therein; None where there is nothing."""
    value = getattr(cell, path[0])
    value = value_at(value, path[1:])
    return None if value is ABSENT else value


__all__ = ["merge_notebooks"]

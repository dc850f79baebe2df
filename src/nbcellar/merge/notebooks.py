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
from nbcellar.merge.cells import merge_cell, only_ran, same_cell
from nbcellar.merge.header import merge_headers
from nbcellar.merge.marks import (
    MARKERS,
    conflict_id,
    find_groups,
    group_cells,
    mark_of,
    marks_of,
    notebook_marker,
    structure_marker,
)
from nbcellar.merge.model import Conflict, Dropped, Labels, Merged, MergeSettings, Side, other_side
from nbcellar.merge.order import Slot, slots
from nbcellar.merge.structure.held import component_of, has_components, name_of
from nbcellar.merge.structure.telling import PLAIN, Sentence, deleted
from nbcellar.merge.structure.versions import Versions, read_versions
from nbcellar.merge.trees import ABSENT, Path, value_at
from nbcellar.notebook.codec import notebook_from_json
from nbcellar.notebook.ids import with_unique_ids
from nbcellar.notebook.model import Cell, JsonObject, Notebook, cell_to_json, notebook_keys
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
        self._slots: list[int | None] = []  # of each cell the slot it is a version of; a note is of none
        self._slot: int | None = None  # the one that is being merged
        self._versions: Versions | None = None  # of the pipeline, if there is one
        self._pending: dict[CellId, Sequence[JsonObject]] = {}
        self._deleted: dict[CellId, Side] = {}
        self._repairs: list[str] = []
        self._warnings: tuple[str, ...] = ()
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
            self._put(notebook_marker(conflict, self._labels))
        placed = slots(self._base.cells, self._ours.cells, self._theirs.cells)
        if has_components(self._base, self._ours, self._theirs):
            self._versions = read_versions(self._base, self._ours, self._theirs, placed)
            self._base, self._ours, self._theirs = self._versions.notebooks
            self._repairs += self._versions.repairs
        for self._slot, slot in enumerate(placed):
            self._merge_slot(slot)
        if self._versions is not None:
            self._merge_structure(self._versions, header.notebook)
        cells, renamed = self._with_ids(header.notebook.nbformat_minor)
        return Merged(
            notebook=msgspec.structs.replace(header.notebook, cells=cells),
            conflicts=tuple(self._conflicts),
            dropped=tuple(self._dropped),
            repairs=(*self._repairs, *renamed),
            warnings=self._warnings,
        )

    def _put(self, *cells: Cell, made: str = "") -> None:
        """Add cells of the slot that is being merged; made: the conflict whose notes among them are of none."""
        for cell in cells:
            mark = mark_of(cell) if made else None
            is_note = mark is not None and mark["id"] == made and mark["role"] in MARKERS
            self._cells.append(cell)
            self._slots.append(None if is_note else self._slot)

    def _merge_structure(self, versions: Versions, header: Notebook) -> None:
        """Settle what does not fit together in the graph; put a note to each decision that is left."""
        from nbcellar.merge.structure.checking import check
        from nbcellar.merge.structure.settling import Graph, settle

        policies = (self._settings.metadata, self._settings.conflicts)
        policy = next((policy for policy in policies if policy != "mark"), None)
        has_ids = header.nbformat_minor >= MINOR_WITH_IDS
        graph = Graph(versions, self._cells, self._slots, policy, has_ids)
        settle(graph, self._pending, self._deleted)
        self._warnings = check(graph, header.metadata)
        self._cells = graph.cells
        self._dropped += graph.dropped
        self._repairs += graph.repairs
        notes: dict[int, list[Cell]] = {}
        for found in graph.found:
            id_ = conflict_id(["structure", found.what, found.values], self._taken)
            conflict = Conflict(id=id_, what=found.what, cell=0, values=found.values, said=found.said(PLAIN))
            self._conflicts.append(conflict)
            place = self._before_group(graph.place(found.anchor))
            notes.setdefault(place, []).append(structure_marker(conflict, self._labels, found.said))
        if notes:
            self._cells = [made for place, cell in enumerate(self._cells) for made in (*notes.get(place, ()), cell)]
            self._conflicts = self._placed()

    def _before_group(self, place: int) -> int:
        """Return the place of the first note of the conflict that a cell is in, its own place if it is in none."""
        while place and self._slots[place - 1] is None and self._role(place - 1) in ("begin", "middle"):
            place -= 1
        return place

    def _role(self, place: int) -> str:
        return str((mark_of(self._cells[place]) or {}).get("role"))

    def _placed(self) -> list[Conflict]:
        """Return the conflicts in the order of their cells, with the places that these have now."""
        places: dict[str, int] = {}
        for place, cell in enumerate(self._cells):
            for mark in marks_of(cell):
                places.setdefault(mark["id"], place)
        found = [
            conflict if conflict.cell is None else msgspec.structs.replace(conflict, cell=places[conflict.id])
            for conflict in self._conflicts
        ]
        return sorted(found, key=lambda conflict: -1 if conflict.cell is None else conflict.cell)

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
            self._put(*(cell for cell in (ours, theirs) if cell is not None))
        else:
            self._merge_deleted(slot, base, ours, theirs)

    def _merge_versions(self, slot: Slot, base: Cell | None, ours: Cell, theirs: Cell) -> None:
        merged = merge_cell(base, ours, theirs, self._settings)
        self._dropped += [msgspec.structs.replace(entry, number=_number(slot, entry.side)) for entry in merged.dropped]
        if merged.conflicts:
            self._conflict(slot, merged.conflicts, base, merged.ours, merged.theirs)
        else:
            self._put(merged.ours)
            if merged.structure and self._versions is not None and self._slot is not None:
                self._pending[self._versions.ids[self._slot]] = merged.structure

    def _merge_deleted(self, slot: Slot, base: Cell, ours: Cell | None, theirs: Cell | None) -> None:
        """One side deleted the cell: it goes, unless the other did more to it than run it."""
        side: Side = "ours" if ours is not None else "theirs"
        kept = ours if ours is not None else theirs
        assert kept is not None
        is_changed = not only_ran(base, kept)
        drawn = self._drawn_from(side)
        if is_changed or drawn:
            by = other_side(side)
            held = component_of(kept) or component_of(base)
            said = deleted(name_of(held), by, drawn, is_changed=is_changed) if held is not None else None
            if self._versions is not None and self._slot is not None and self._settings.conflicts in ("mark", side):
                self._deleted[self._versions.ids[self._slot]] = by
            self._conflict(slot, (), base, ours, theirs, said)
        elif kept.outputs and not same_json(kept.outputs, base.outputs):
            self._drop(slot, side, ("outputs",), list(kept.outputs), "the other side deleted the cell")

    def _drawn_from(self, side: Side) -> list[str]:
        """Return the names of components that a side drew an edge to from the cell that is being merged."""
        if self._versions is None or self._slot is None:
            return []
        version, id = self._versions.side(side), self._versions.ids[self._slot]
        return [version.name(child) for child in self._versions.drawn_from(id, side) if id in version.components]

    def _conflict(
        self,
        slot: Slot,
        what: Sequence[Path],
        base: Cell | None,
        ours: Cell | None,
        theirs: Cell | None,
        said: Sentence | None = None,
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
            conflict = Conflict(
                id=id_,
                what=named,
                cell=len(self._cells),
                base=base,
                ours=ours,
                theirs=theirs,
                said=said(PLAIN) if said is not None else "",
            )
            self._conflicts.append(conflict)
            self._put(*group_cells(conflict, self._labels, said), made=id_)
        elif self._settings.conflicts == "ours":
            self._take(slot, "ours", ours, theirs, what)
        else:
            self._take(slot, "theirs", theirs, ours, what)

    def _take(self, slot: Slot, side: Side, kept: Cell | None, gone: Cell | None, what: Sequence[Path]) -> None:
        """Decide a conflict for one side; say what the other had."""
        reason = f"both sides changed it; the policy keeps {side}"
        other = other_side(side)
        if kept is not None:
            self._put(kept)
        if gone is None:
            return
        if kept is None:
            self._drop(slot, other, ("cell",), cell_to_json(gone), reason)
            return
        for path in what:
            self._drop(slot, other, path, _value_of(gone, path), reason)
        if gone.outputs and not same_json(gone.outputs, kept.outputs):
            self._drop(slot, other, ("outputs",), list(gone.outputs), reason)

    def _drop(self, slot: Slot, side: Side, path: Path, value: Any, reason: str) -> None:
        cell = self._cell_of(slot, side)
        number = _number(slot, side)
        id_ = "" if cell is None else cell.id
        what = ".".join(path)
        self._dropped.append(
            Dropped(side=side, what=what, reason=reason, value=value, cell=id_, number=number, path=path)
        )

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

"""Three-way merging of one cell.

Invariant: every part that only one side changed is that side's; the variants of a conflict differ in the conflicting
parts alone. What a cell says as a component of a pipeline makes no variants of it: that is a conflict of the structure.
Not for: cells that one side deleted, and where cells stand (`notebooks.py`, `order.py`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from nbcellar.diff.document.equality import same_json
from nbcellar.merge.lines import merge_texts
from nbcellar.merge.model import Dropped, MergeSettings, Side, other_side
from nbcellar.merge.outputs import RUN_KEYS, OutputChoice, choose_outputs, new_outputs
from nbcellar.merge.trees import ABSENT, COMPONENT, Path, merge_trees, value_at, with_value_at
from nbcellar.notebook.model import Cell, JsonObject
from nbcellar.notebook.stale import KEY, with_stale_mark

_WHOLE = frozenset({"execution", "ExecuteTime"})
_STRUCTURE: Path = ("metadata", *COMPONENT)


class CellMerge(msgspec.Struct, frozen=True):
    """The variants of a merged cell, the same but for the parts in `conflicts`: attributes of a cell, keys therein.

    structure: what the two say differently of it as a component, where that is all: there is one cell then, and it has
    what ours says. Each has its `path` in the metadata and what `base`, `ours` and `theirs` have there.
    """

    ours: Cell
    theirs: Cell
    conflicts: tuple[Path, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    structure: tuple[JsonObject, ...] = ()


def same_cell(a: Cell, b: Cell) -> bool:
    """Return whether two cells are the same in a file, but for the layout of their JSON."""
    return (
        a.source == b.source
        and a.type == b.type
        and a.id == b.id
        and a.execution_count == b.execution_count
        and same_json(a.metadata, b.metadata)
        and same_json(a.outputs, b.outputs)
        and same_json(a.attachments, b.attachments)
        and same_json(a.extra, b.extra)
    )


def only_ran(base: Cell, side: Cell) -> bool:
    """Return whether a side did nothing to a cell that a person would miss: it ran it, or gave it another id."""
    return (
        base.source == side.source
        and base.type == side.type
        and same_json(base.attachments, side.attachments)
        and same_json(base.extra, side.extra)
        and same_json(_lasting(base.metadata), _lasting(side.metadata))
    )


def merge_cell(base: Cell | None, ours: Cell, theirs: Cell, settings: MergeSettings) -> CellMerge:
    """Merge two versions of a cell; `base` is None for a cell that both sides added."""
    if same_cell(ours, theirs) or (base is not None and same_cell(base, theirs)):
        return CellMerge(ours, ours)
    if base is not None and same_cell(base, ours):
        return CellMerge(theirs, theirs)
    conflicts: list[Path] = []
    mine: dict[str, Any] = {}
    yours: dict[str, Any] = {}

    def put(name: str, merged: tuple[Any, ...], is_conflict: bool) -> None:
        mine[name], yours[name] = merged
        if is_conflict:
            conflicts.append((name,))

    text = merge_texts(base.source if base else "", ours.source, theirs.source)
    for name in ("type", "source_as_text", "keys", "id"):
        kept = merge_trees(getattr(base, name, ABSENT), getattr(ours, name), getattr(theirs, name))
        only = name == "type"
        put(name, (kept.ours, kept.theirs if only else kept.ours), bool(kept.conflicts) and only)
    put("source", (text.ours, text.theirs), not text.is_clean)
    for name in ("attachments", "extra"):
        parts = merge_trees(*(_part(cell, name) for cell in (base, ours, theirs)), whole=_WHOLE)
        absent = name == "attachments" and (ours.attachments is None or theirs.attachments is None)
        put(name, tuple(value or (None if absent else {}) for value in (parts.ours, parts.theirs)), False)
        conflicts += [(name, *path) for path in parts.conflicts]
    choice = choose_outputs(base, ours, theirs, text.ours, settings)
    metadata = _merge_metadata(base, ours, theirs, choice.side or "ours", settings)
    mine["metadata"], yours["metadata"] = metadata.ours, metadata.theirs
    conflicts += metadata.conflicts
    if ours.type != theirs.type and (conflicts or (mine["type"] == "code" and mine["attachments"])):
        # Outputs and attachments fit one type alone: each variant stays of its own, with what it has.
        conflicts = [("type",), *(path for path in conflicts if path[0] not in ("type", "attachments"))]
        if not same_json(ours.attachments, theirs.attachments):
            conflicts.append(("attachments",))
        for side, own in ((mine, ours), (yours, theirs)):
            side.update(type=own.type, attachments=own.attachments, keys=own.keys)
    variants = msgspec.structs.replace(ours, **mine), msgspec.structs.replace(theirs, **yours)
    structure = [path[1:] for path in conflicts if path[:3] == _STRUCTURE]
    if len(structure) < len(conflicts):
        told = _told_stale(variants[0], ours), _told_stale(variants[1], theirs)
        return CellMerge(*told, tuple(conflicts), metadata.dropped)
    merged, dropped = _with_outputs(variants[0], base, ours, theirs, choice)
    values = tuple(_values(path, _part(base, "metadata"), mine["metadata"], yours["metadata"]) for path in structure)
    return CellMerge(merged, merged, (), (*dropped, *metadata.dropped), values)


def _with_outputs(
    cell: Cell, base: Cell | None, ours: Cell, theirs: Cell, choice: OutputChoice
) -> tuple[Cell, tuple[Dropped, ...]]:
    """Give the merged cell the chosen outputs, none if it is no code any more."""
    if cell.type != "code":
        keys = tuple(key for key in cell.keys if key not in ("outputs", "execution_count"))
        dropped = new_outputs(base, ours, theirs, "the cell is no code any more")
        return msgspec.structs.replace(cell, outputs=None, execution_count=None, keys=keys), dropped
    side = ours if choice.side == "ours" else theirs
    if choice.side is None or side.type != "code":
        return msgspec.structs.replace(cell, outputs=(), execution_count=None), choice.dropped
    cell = msgspec.structs.replace(cell, outputs=side.outputs, execution_count=side.execution_count)
    return _told_stale(cell, side), choice.dropped


def _values(path: Path, *versions: JsonObject) -> JsonObject:
    held = {side: value_at(tree, path) for side, tree in zip(("base", "ours", "theirs"), versions, strict=True)}
    return {"path": list(path), **{side: value for side, value in held.items() if value is not ABSENT}}


def _told_stale(cell: Cell, ran: Cell) -> Cell:
    """Mark outputs that the version `ran` made, if the cell has another source now."""
    return with_stale_mark(cell) if cell.outputs and ran.source != cell.source else cell


def _part(cell: Cell | None, name: str) -> Any:
    return {} if cell is None else getattr(cell, name) or {}


class _MetadataMerge(msgspec.Struct, frozen=True):
    ours: JsonObject
    theirs: JsonObject
    conflicts: tuple[Path, ...]
    dropped: tuple[Dropped, ...]


def _merge_metadata(base: Cell | None, ours: Cell, theirs: Cell, ran: Side, settings: MergeSettings) -> _MetadataMerge:
    merged = merge_trees(base.metadata if base else {}, ours.metadata, theirs.metadata, whole=_WHOLE)
    mine, yours = merged.ours, merged.theirs
    conflicts = list(merged.conflicts)
    if COMPONENT not in conflicts and _is_taken_out_against_an_edit(base, ours, theirs):
        mine = with_value_at(mine, COMPONENT, value_at(ours.metadata, COMPONENT))
        yours = with_value_at(yours, COMPONENT, value_at(theirs.metadata, COMPONENT))
        conflicts.append(COMPONENT)
    left: list[Path] = []
    dropped: list[Dropped] = []
    for path in conflicts:
        is_run = not RUN_KEYS.isdisjoint(path)
        side: Side | None = ran if is_run else None if settings.metadata == "mark" else settings.metadata
        if side is None:
            left.append(("metadata", *path))
            continue
        if not is_run:
            other = other_side(side)
            gone, id_ = (yours, theirs.id) if side == "ours" else (mine, ours.id)
            value = value_at(gone, path)
            if value is not ABSENT:
                reason = f"both sides changed it; the policy keeps that of {side}"
                keys = ("metadata", *path)
                what = ".".join(keys)
                dropped.append(Dropped(side=other, what=what, reason=reason, value=value, cell=id_, path=keys))
        value = value_at(mine if side == "ours" else yours, path)
        mine, yours = with_value_at(mine, path, value), with_value_at(yours, path, value)
    return _MetadataMerge(mine, yours, tuple(left), tuple(dropped))


def _is_taken_out_against_an_edit(base: Cell | None, ours: Cell, theirs: Cell) -> bool:
    """Return whether one side made a component a plain cell while the other wrote at its source."""
    if base is None or value_at(base.metadata, COMPONENT) is ABSENT or ours.source == theirs.source:
        return False
    gone = [value_at(side.metadata, COMPONENT) is ABSENT for side in (ours, theirs)]
    return gone[0] != gone[1] and (theirs if gone[0] else ours).source != base.source


def _lasting(metadata: JsonObject) -> JsonObject:
    """Return metadata without what a run or a look at the outputs leaves there."""
    lasting = {}
    for key, value in metadata.items():
        if key in RUN_KEYS:
            continue
        if key in ("jupyter", KEY) and isinstance(value, dict):
            value = {name: held for name, held in value.items() if name not in RUN_KEYS}
            if not value:
                continue
        lasting[key] = value
    return lasting


__all__ = ["CellMerge", "merge_cell", "only_ran", "same_cell"]

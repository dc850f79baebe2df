"""What changed in one cell: source, outputs, attachments, states and metadata.

Invariant: what differs between two cells (their ids apart) is in the change, or is named in its `noise`.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nbcellar.diff.document.changes import AttachmentChange, CellChange, CellKind
from nbcellar.diff.document.equality import same_json
from nbcellar.diff.document.filters import Filters
from nbcellar.diff.document.metadata import cell_states, other_cell_metadata, stale_states, tag_changes, value_changes
from nbcellar.diff.document.noise import GENERATED_IDS, NOISES, RUN_TIMES, Noise, pieces_differ
from nbcellar.diff.document.outputs.model import OutputSettings
from nbcellar.diff.document.outputs.registry import compare_bundle
from nbcellar.diff.document.results import compare_outputs
from nbcellar.diff.model import TextChange
from nbcellar.diff.texts import compare_texts
from nbcellar.notebook.model import Cell, JsonObject
from nbcellar.notebook.plain import attachments_to_plain

MOST_LINES = 2000


def change_of_new_cell(cell: Cell, place: int, filters: Filters) -> CellChange:
    """Return an added cell, with all that it holds."""
    return _alone(Cell(type=cell.type, source=""), cell, "added", filters, after=[place])


def change_of_gone_cell(cell: Cell, place: int, filters: Filters) -> CellChange:
    """Return a removed cell, with all that it held."""
    return _alone(cell, Cell(type=cell.type, source=""), "removed", filters, before=[place])


def _alone(
    old: Cell, new: Cell, change: CellKind, filters: Filters, *, before: Sequence[int] = (), after: Sequence[int] = ()
) -> CellChange:
    tags_added, tags_removed, _ = tag_changes(old, new)
    return CellChange(
        change=change,
        type=new.type,
        before=list(before),
        after=list(after),
        id=old.id or new.id,
        source=compare_sources(old.source, new.source, new.type) if filters.sources else None,
        outputs=compare_outputs(old.outputs or (), new.outputs or (), _settings(filters)) if filters.outputs else [],
        attachments=compare_attachments(old, new) if filters.attachments else [],
        tags_added=tags_added if filters.metadata else [],
        tags_removed=tags_removed if filters.metadata else [],
        states=[*cell_states(old.metadata, new.metadata), *stale_states(old, new)] if filters.metadata else [],
    )


def change_of_cell(
    old: Cell, new: Cell, places: tuple[int, int], change: CellKind, filters: Filters, *, moved: bool = False
) -> CellChange:
    """Return what changed between two cells that correspond."""
    outputs = compare_outputs(old.outputs or (), new.outputs or (), _settings(filters)) if filters.outputs else []
    if not filters.transient:
        outputs = [output for output in outputs if not output.only_noise]
    metadata = filters.metadata and not same_json(old.metadata, new.metadata)
    tags_added, tags_removed, tags_reordered = tag_changes(old, new) if metadata else ([], [], False)
    counts = old.execution_count != new.execution_count and filters.transient and filters.outputs
    found = CellChange(
        change=change,
        type=new.type,
        type_before=old.type if old.type != new.type else "",
        before=[places[0]],
        after=[places[1]],
        id=new.id,
        moved=moved,
        source=compare_sources(old.source, new.source, new.type) if filters.sources else None,
        outputs=outputs,
        attachments=compare_attachments(old, new) if filters.attachments else [],
        tags_added=tags_added,
        tags_removed=tags_removed,
        tags_reordered=tags_reordered,
        states=[*cell_states(old.metadata, new.metadata), *stale_states(old, new)] if metadata else [],
        metadata=[
            *(other_cell_metadata(old, new, RUN_TIMES | GENERATED_IDS) if metadata else []),
            *value_changes(old.extra, new.extra),
        ],
        count_before=old.execution_count if counts else None,
        count_after=new.execution_count if counts else None,
        noise=_noise(old, new, outputs, filters),
    )
    only_noise = not moved and not _says_more(found)
    noise = found.noise or (["layout"] if only_noise else [])
    return msgspec.structs.replace(found, noise=noise, only_noise=only_noise)


def _says_more(change: CellChange) -> bool:
    """Return whether a cell changed beyond noise."""
    parts = (change.source, change.attachments, change.tags_added, change.tags_removed, change.states, change.metadata)
    more = bool(change.type_before or change.tags_reordered) or any(part for part in parts)
    return more or any(not output.only_noise for output in change.outputs)


def compare_sources(before: str, after: str, type: str) -> TextChange | None:
    """Return the lines that differ between two sources, None if none does."""
    if before == after:
        return None
    return compare_texts(before, after, code=type == "code", most=MOST_LINES)


def _settings(filters: Filters) -> OutputSettings | None:
    """Return how outputs are compared, None for the usual way."""
    tolerance = filters.tolerance
    if not tolerance.absolute and not tolerance.relative and filters.pictures:
        return None
    return OutputSettings(absolute=tolerance.absolute, relative=tolerance.relative, draw=filters.pictures)


def _noise(old: Cell, new: Cell, outputs: Sequence[object], filters: Filters) -> list[Noise]:
    if not filters.transient:
        return []
    found: set[Noise] = set()
    if filters.outputs:
        found.update(kind for output in outputs for kind in getattr(output, "noise", ()))
        if old.execution_count != new.execution_count:
            found.add("execution order")
        if pieces_differ(old, new):
            found.add("pieces")
    if filters.metadata:
        if _differ(old.metadata, new.metadata, RUN_TIMES):
            found.add("run time")
        if _differ(old.metadata, new.metadata, GENERATED_IDS):
            found.add("ids")
    return [kind for kind in NOISES if kind in found]


def _differ(old: JsonObject, new: JsonObject, keys: frozenset[str]) -> bool:
    return any((key in old) != (key in new) or not same_json(old.get(key), new.get(key)) for key in keys)


def compare_attachments(old: Cell, new: Cell) -> list[AttachmentChange]:
    """Return attachments that came, went or changed, by file name."""
    before, after = (attachments_to_plain(cell.attachments or {}) for cell in (old, new))
    found = []
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            found.append(AttachmentChange(name=name, change="removed"))
        elif name not in before:
            found.append(AttachmentChange(name=name, change="added"))
        elif not same_json(before[name], after[name]):
            one, other = (side[name] if isinstance(side[name], dict) else {} for side in (before, after))
            found.append(AttachmentChange(name=name, change="changed", parts=list(compare_bundle(one, other))))
    return found


__all__ = ["change_of_cell", "change_of_gone_cell", "change_of_new_cell", "compare_attachments", "compare_sources"]

"""What `cellar merge-file --json` and the merge functions report: frozen, text and numbers alone."""

from __future__ import annotations

from typing import Any

import msgspec

from nbcellar.merge.model import Conflict, Dropped, Merged
from nbcellar.notebook.stale import is_stale


class ConflictView(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that is left. `cell` is the place of its first cell in the merged notebook, from 1; 0: no cell.

    said: a sentence about it, for components of a pipeline; "" for others."""

    id: str
    what: list[str]
    cell: int
    base: str | None = None
    ours: str | None = None
    theirs: str | None = None
    said: str = ""


class DroppedView(msgspec.Struct, frozen=True, kw_only=True):
    """What the merged notebook does not have of one side; `cell` is its place on that side, from 1; 0: the notebook."""

    side: str
    what: str
    reason: str
    cell: int
    cell_id: str
    value: Any


class MergeReport(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a merge without the notebook. `stale`: the cells of it, from 1, whose outputs are from before
    their source. `warnings`: what to look at in the merged pipeline, as sentences."""

    schema: int = 1
    clean: bool
    cells: int
    conflicts: list[ConflictView]
    dropped: list[DroppedView]
    repairs: list[str]
    stale: list[int] = []
    warnings: list[str] = []


def merge_report(merged: Merged) -> MergeReport:
    """Return what there is to say of a merge."""
    return MergeReport(
        clean=merged.is_clean,
        cells=len(merged.notebook.cells),
        conflicts=[_conflict(conflict) for conflict in merged.conflicts],
        dropped=[_dropped(entry) for entry in merged.dropped],
        repairs=list(merged.repairs),
        warnings=list(merged.warnings),
        stale=[number for number, cell in enumerate(merged.notebook.cells, 1) if is_stale(cell)],
    )


def _conflict(conflict: Conflict) -> ConflictView:
    sides = {name: getattr(conflict, name) for name in ("base", "ours", "theirs")}
    return ConflictView(
        id=conflict.id,
        what=list(conflict.what),
        cell=0 if conflict.cell is None else conflict.cell + 1,
        said=conflict.said,
        **{name: None if cell is None else cell.source for name, cell in sides.items()},
    )


def _dropped(entry: Dropped) -> DroppedView:
    return DroppedView(
        side=entry.side,
        what=entry.what,
        reason=entry.reason,
        cell=entry.number,
        cell_id=entry.cell,
        value=entry.value,
    )


__all__ = ["ConflictView", "DroppedView", "MergeReport", "merge_report"]

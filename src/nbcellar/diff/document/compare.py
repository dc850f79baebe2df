"""Comparing two notebooks: the way in.

Invariant: a comparison is falsy exactly if it has no operation; with everything compared, then the notebooks are the
same documents. The two notebooks are kept as they are; details are computed when somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec

from nbcellar.diff.document.cells import change_of_cell, change_of_gone_cell, change_of_new_cell
from nbcellar.diff.document.changes import CellChange, CellKind, NotebookChange, StateChange, summarize
from nbcellar.diff.document.filters import EVERYTHING, Filters
from nbcellar.diff.document.jep import to_jep
from nbcellar.diff.document.metadata import notebook_states, other_notebook_metadata, unnamed_noise
from nbcellar.diff.document.noise import NOISES, NOTEBOOK_NOISE, Noise
from nbcellar.diff.document.notebooks import diff_notebooks
from nbcellar.diff.document.operations import Operations, Patch
from nbcellar.diff.document.pairing import Pair, Pairing, pair_cells
from nbcellar.diff.document.similarity import Likeness
from nbcellar.diff.model import ValueChange
from nbcellar.notebook.model import Cell, JsonObject, Notebook

_ANOTHER_CELL = 0.3
_NOISY_STATES: dict[str, Noise] = {
    "kernel": "kernel",
    "language": "kernel",
    "language version": "kernel",
    "widgets": "widgets",
    "format": "format",
}


class NotebookDiff:
    """What leads from one notebook to another. Falsy if nothing that is compared changed."""

    def __init__(self, before: Notebook, after: Notebook, filters: Filters) -> None:
        self.before, self.after, self.filters = before, after, filters

    def __bool__(self) -> bool:
        return bool(self.operations)

    @cached_property
    def pairing(self) -> Pairing:
        """Which cells correspond."""
        return pair_cells(self.before.cells, self.after.cells, blanks_move=True)

    @cached_property
    def operations(self) -> Operations:
        """What `patch_notebook` applies to the first notebook to get the second."""
        return diff_notebooks(self.before, self.after, self.pairing, self.filters)

    @cached_property
    def changes(self) -> NotebookChange:
        """What a view draws."""
        return _changes(self)

    def to_jep(self) -> list[dict[str, Any]]:
        """Return the operations as JSON in the words of the Jupyter Enhancement Proposal alone."""
        return to_jep(self.before, self.operations)

    def to_json(self) -> dict[str, Any]:
        """Return the changes as JSON values."""
        return msgspec.to_builtins(self.changes)  # type: ignore[no-any-return]


def compare_notebooks(a: Notebook, b: Notebook, filters: Filters = EVERYTHING) -> NotebookDiff:
    """Return what leads from `a` to `b`."""
    return NotebookDiff(a, b, filters)


def _changes(diff: NotebookDiff) -> NotebookChange:
    a, b, filters = diff.before, diff.after, diff.filters
    cells = _cells(diff)
    states, metadata, noise = _members(a, b, filters)
    kept = diff.pairing.pairs
    ids_changed = sum(a.cells[pair.a].id != b.cells[pair.b].id for pair in kept) if filters.ids else 0
    kinds = {*noise, *(kind for cell in cells for kind in cell.noise), *_ids(ids_changed)}
    if diff.operations and not (kinds or cells or states or metadata):
        kinds.add("layout")
    found = [kind for kind in NOISES if kind in kinds]
    more = bool(metadata) or any(state.name not in _NOISY_STATES for state in states)
    only_noise = bool(found) and not more and all(cell.only_noise for cell in cells)
    return NotebookChange(
        cells_before=len(a.cells),
        cells_after=len(b.cells),
        cells=cells,
        states=states,
        metadata=metadata,
        ids_changed=ids_changed,
        ids_of=len(kept),
        noise=found,
        only_noise=only_noise,
        summary=summarize(cells, members=more, noise=found),
    )


def _ids(changed: int) -> list[Noise]:
    return ["ids"] if changed else []


def _members(a: Notebook, b: Notebook, filters: Filters) -> tuple[list[StateChange], list[ValueChange], set[Noise]]:
    """Return what changed beside the cells, and which of it is noise."""
    states = notebook_states(a, b)
    others = other_notebook_metadata(a, b)
    if not filters.metadata:
        states = [state for state in states if state.name == "format"]
        others = [
            change for change in others if change.path.partition(".")[0] not in (a.metadata.keys() | b.metadata.keys())
        ]
    noise: set[Noise] = {_NOISY_STATES[state.name] for state in states if state.name in _NOISY_STATES}
    if filters.metadata and unnamed_noise(a, b):
        noise.add("kernel")
    quiet = [change for change in others if change.path.partition(".")[0] in NOTEBOOK_NOISE]
    noise.update(NOTEBOOK_NOISE[change.path.partition(".")[0]] for change in quiet)
    others = [change for change in others if change not in quiet]
    if not filters.transient:
        return [state for state in states if state.name not in _NOISY_STATES], others, set()
    return states, others, noise


def _cells(diff: NotebookDiff) -> list[CellChange]:
    """Return the changed cells in the order of the second notebook, removed ones where they stood."""
    a, b, filters, pairing = diff.before.cells, diff.after.cells, diff.filters, diff.pairing
    cut = _splits(diff)
    in_splits_a = {i for change, _ in cut for i in change.before}
    in_splits_b = {j for change, _ in cut for j in change.after}
    found: list[tuple[float, CellChange]] = [(at, change) for change, at in cut]
    patched = _patched(diff.operations)
    near: dict[int, int] = {}
    for pair in pairing.pairs:
        if not pair.moved:
            near[pair.a] = pair.b
        if pair.b in in_splits_b or pair.a in in_splits_a:
            continue
        if pair.a in patched or pair.moved:
            found.append((pair.b, _paired(diff, pair, changed=pair.a in patched)))
    found += [(j, change_of_new_cell(b[j], j, filters)) for j in pairing.added if j not in in_splits_b]
    gone = [i for i in pairing.removed if i not in in_splits_a]
    found += zip(_where(gone, near), [change_of_gone_cell(a[i], i, filters) for i in gone], strict=True)
    return [change for _, change in sorted(found, key=lambda entry: entry[0])]


def _patched(operations: Operations) -> set[int]:
    """Return the places of cells that have another change than that of their id."""
    on_cells = [operation for operation in operations if operation.key == "cells" and isinstance(operation, Patch)]
    return {
        operation.key
        for patch in on_cells
        for operation in patch.diff
        if isinstance(operation, Patch)
        and isinstance(operation.key, int)
        and any(e.key != "id" for e in operation.diff)
    }


def _where(gone: list[int], near: dict[int, int]) -> list[float]:
    """Return where removed cells stand among those of the second notebook: behind the last one that stayed."""
    found, last, stayed = [], -1, iter(sorted(near))
    following = next(stayed, None)
    for place in gone:
        while following is not None and following < place:
            last = near[following]
            following = next(stayed, None)
        found.append(last + 0.5)
    return found


def _paired(diff: NotebookDiff, pair: Pair, *, changed: bool) -> CellChange:
    old, new = diff.before.cells[pair.a], diff.after.cells[pair.b]
    change: CellKind = "changed" if changed else "moved"
    if pair.how == "id" and Likeness([old.source], [new.source]).quick(0, 0) < _ANOTHER_CELL:
        change = "replaced"
    return change_of_cell(old, new, (pair.a, pair.b), change, diff.filters, moved=pair.moved)


def _splits(diff: NotebookDiff) -> list[tuple[CellChange, float]]:
    """Return cells that were split or joined, with their places."""
    a, b = diff.before.cells, diff.after.cells
    found: list[tuple[CellChange, float]] = []
    for split in diff.pairing.splits:
        old, new = _together([a[i] for i in split.a]), _together([b[j] for j in split.b])
        kind: CellKind = "split" if len(split.a) == 1 else "joined"
        change = change_of_cell(old, new, (0, 0), kind, diff.filters)
        found.append(
            (msgspec.structs.replace(change, before=list(split.a), after=list(split.b), only_noise=False), split.b[0])
        )
    return found


def _together(cells: Sequence[Cell]) -> Cell:
    """Return neighbours as the one cell that they make up; states are those of the largest."""
    if len(cells) == 1:
        return cells[0]
    main = max(cells, key=lambda cell: len(cell.source))
    attachments: JsonObject = {}
    for cell in cells:
        attachments.update(cell.attachments or {})
    return msgspec.structs.replace(
        main,
        source="\n".join(cell.source for cell in cells),
        outputs=tuple(output for cell in cells for output in cell.outputs or ()),
        attachments=attachments or None,
    )


__all__ = ["NotebookDiff", "compare_notebooks"]

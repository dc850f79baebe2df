"""Cleaning of one notebook: the way in.

Invariant: pure and idempotent; a cell that has nothing to clean stays the very same object.
"""

from __future__ import annotations

from typing import Any

import msgspec

from nbcellar.clean.layout import as_jupyter
from nbcellar.clean.metadata import clean_kernel, clean_metadata
from nbcellar.clean.model import Cleaned, LeftOut
from nbcellar.clean.outputs import clean_outputs
from nbcellar.clean.rules import Rules
from nbcellar.notebook.ids import with_new_ids
from nbcellar.notebook.model import NEWEST_MINOR, Cell, Notebook
from nbcellar.notebook.stale import KEY, STALE_KEY, is_stale, with_settled_mark


def clean(notebook: Notebook, rules: Rules) -> Cleaned:
    """Return the notebook in canonical form, and what was left out."""
    left_out: list[LeftOut] = []
    metadata = clean_metadata(notebook.metadata, "metadata", rules, 0, left_out)
    metadata = clean_kernel(metadata, rules, left_out)
    cells = []
    for number, cell in enumerate(notebook.cells, 1):
        if _is_dropped(cell, rules):
            left_out.append(LeftOut("cell", f"{cell.type} cell", number))
        else:
            cells.append(_clean_cell(cell, notebook, rules, number, left_out))
    made = _with(notebook, tuple(cells), metadata)
    if rules.settings.ids == "new" and made.nbformat_minor >= NEWEST_MINOR:
        made = _with_new_ids(made, left_out)
    if rules.settings.layout == "jupyter":
        made = as_jupyter(made)
    return Cleaned(made, tuple(left_out))


def _is_dropped(cell: Cell, rules: Rules) -> bool:
    settings = rules.settings
    if any(tag in settings.drop_cell_tags for tag in cell.tags):
        return True
    return settings.drop_empty_cells and not cell.source.strip() and not cell.attachments


def _clean_cell(cell: Cell, notebook: Notebook, rules: Rules, number: int, left_out: list[LeftOut]) -> Cell:
    changes: dict[str, Any] = {}
    if cell.execution_count is not None and not rules.settings.execution_counts:
        changes["execution_count"] = None
        left_out.append(LeftOut("execution count", "of a cell", number))
    if cell.metadata:
        metadata = clean_metadata(cell.metadata, "cell.metadata", rules, number, left_out)
        if metadata is not cell.metadata:
            changes["metadata"] = metadata
    outputs = clean_outputs(cell, notebook, rules, number, left_out)
    if outputs is not cell.outputs:
        changes["outputs"] = outputs
    made = msgspec.structs.replace(cell, **changes) if changes else cell
    return _with_settled_mark(made, cell, number, left_out) if KEY in made.metadata else made


def _with_settled_mark(made: Cell, cell: Cell, number: int, left_out: list[LeftOut]) -> Cell:
    """Take the mark of stale outputs along to what is left of them; without them, or after a new run, it goes."""
    settled = with_settled_mark(made, cell)
    if settled is not made and not is_stale(settled):
        left_out.append(LeftOut("metadata", f"cell.metadata.{KEY}.{STALE_KEY}", number))
    return settled


def _with(notebook: Notebook, cells: tuple[Cell, ...], metadata: dict[str, Any]) -> Notebook:
    if metadata is notebook.metadata and len(cells) == len(notebook.cells):
        if all(new is old for new, old in zip(cells, notebook.cells, strict=True)):
            return notebook
    return msgspec.structs.replace(notebook, cells=cells, metadata=metadata)


def _with_new_ids(notebook: Notebook, left_out: list[LeftOut]) -> Notebook:
    cells = with_new_ids(notebook.cells)
    changed = sum(new.id != old.id for new, old in zip(cells, notebook.cells, strict=True))
    if not changed:
        return notebook
    left_out.append(LeftOut("id", "made anew", 0, changed))
    return msgspec.structs.replace(notebook, cells=cells)

"""What the filter asks of cleaning.

Invariant: a cleaner is pure and idempotent, keeps the number and order of cells, and its `key` differs when its results
may, so that what one cleaner left out is never taken for the work of another.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from nbcellar.notebook.model import Cell, Notebook


class Cleaner(Protocol):
    """The canonical form of a notebook, for one project's settings."""

    @property
    def key(self) -> str:
        """Return a text that names rules and settings."""

    def clean(self, notebook: Notebook, path: str) -> Notebook:
        """Return the notebook without what the settings leave out for the file `path`."""


class WithoutOutputs:
    """Leaves out outputs and execution counts, and nothing else."""

    key = "without-outputs-1"

    def clean(self, notebook: Notebook, path: str) -> Notebook:
        """Return the notebook as if no cell had run; the very same object where none had."""
        cells = tuple(_without_outputs(cell) for cell in notebook.cells)
        if all(new is old for new, old in zip(cells, notebook.cells, strict=True)):
            return notebook
        return msgspec.structs.replace(notebook, cells=cells)


def _without_outputs(cell: Cell) -> Cell:
    if cell.type != "code" or not (cell.outputs or cell.execution_count is not None):
        return cell
    return msgspec.structs.replace(cell, outputs=None if cell.outputs is None else (), execution_count=None)

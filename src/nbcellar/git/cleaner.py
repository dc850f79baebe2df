"""What the filter asks of cleaning.

Invariant: a cleaner is pure and idempotent, keeps the number and order of cells, and its `key` differs when its results
may, so that what one cleaner left out is never taken for the work of another.
"""

from __future__ import annotations

from pathlib import Path
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


def load_cleaner(folder: Path) -> Cleaner:
    """Return the rules that hold for the repository at `folder`."""
    return WithoutOutputs()


def object_id(data: bytes, digits: int) -> str:
    """Return git's name of a file's content, in a repository whose names have so many digits."""
    import hashlib

    head = b"blob %d\0" % len(data)
    hashed = hashlib.sha256(head) if digits == 64 else hashlib.sha1(head, usedforsecurity=False)
    hashed.update(data)
    return hashed.hexdigest()


def _without_outputs(cell: Cell) -> Cell:
    if cell.type != "code" or not (cell.outputs or cell.execution_count is not None):
        return cell
    return msgspec.structs.replace(cell, outputs=None if cell.outputs is None else (), execution_count=None)

"""Notebooks as an editor holds them, with edits that are in no file yet.

Invariant: what comes out is what would be in the file if the editor saved now: what it only remembers for itself is
left out. See `ContentsManager.mark_trusted_cells` of jupyter_server, which takes it off when it saves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from nbcellar.ids import CellId
from nbcellar.notebook import plain
from nbcellar.notebook.model import Cell, Notebook

_OF_THE_EDITOR = "trusted"
_OF_OLD_FILES = frozenset({"signature", "orig_nbformat"})


def from_editor(value: Mapping[str, Any]) -> Notebook:
    """Return the notebook in the JSON of an editor's model. Raises InvalidInputError for what is none."""
    notebook = plain.from_plain(value)
    metadata = {key: value for key, value in notebook.metadata.items() if key not in _OF_OLD_FILES}
    return msgspec.structs.replace(notebook, cells=tuple(_saved(cell) for cell in notebook.cells), metadata=metadata)


def saved_cell(value: Mapping[str, Any], *, has_id: bool, where: str = "cell") -> Cell:
    """Return a cell as it would stand in a file that Jupyter saves, keys sorted; ids only where the notebook has them.

    Raises InvalidInputError.
    """
    cell = _saved(plain.saved_cell(value, where=where))
    if has_id:
        return cell
    return msgspec.structs.replace(cell, id=CellId(""), keys=tuple(key for key in cell.keys if key != "id"))


def saved_members(value: Mapping[str, Any]) -> Notebook:
    """Return a notebook without cells as it would stand in a file that Jupyter saves. Raises InvalidInputError."""
    return from_editor({**plain.sorted_keys(value), "cells": []})


def _saved(cell: Cell) -> Cell:
    if _OF_THE_EDITOR not in cell.metadata:
        return cell
    metadata = {key: value for key, value in cell.metadata.items() if key != _OF_THE_EDITOR}
    return msgspec.structs.replace(cell, metadata=metadata)


__all__ = ["from_editor", "saved_cell", "saved_members"]

"""Diffs in the words of the Jupyter Enhancement Proposal alone, as nbdime reads and writes them.

Invariant: a diff that was lowered leads to the same notebook as the one it was made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbcellar.diff.document.operations import (
    Add,
    AddRange,
    Ids,
    Move,
    Operation,
    Operations,
    Patch,
    Remove,
    RemoveRange,
    Replace,
    to_json,
)
from nbcellar.diff.document.patching import patch_dict
from nbcellar.notebook.model import Cell, Notebook
from nbcellar.notebook.plain import cell_to_plain


def to_jep(base: Notebook, operations: Sequence[Operation]) -> list[dict[str, Any]]:
    """Return the diff as JSON with the proposal's six operations: a move is a removal and an addition."""
    lowered = [
        Patch(operation.key, _lower(base.cells, operation.diff))
        if isinstance(operation, Patch) and operation.key == "cells"
        else operation
        for operation in operations
    ]
    return to_json(lowered)


def _lower(cells: Sequence[Cell], operations: Operations) -> Operations:
    if not any(isinstance(operation, Move | Ids) for operation in operations):
        return operations
    operations = _with_ids_in_patches(cells, operations)
    moves = {operation.key: operation.to for operation in operations if isinstance(operation, Move)}
    patches = {operation.key: operation for operation in operations if isinstance(operation, Patch)}
    line = _result(len(cells), operations, moves)
    return _from_result(cells, line, moves, patches)


def _with_ids_in_patches(cells: Sequence[Cell], operations: Operations) -> Operations:
    patches: dict[int, Operations] = {}
    for operation in operations:
        if isinstance(operation, Patch) and isinstance(operation.key, int):
            patches[operation.key] = operation.diff
        elif isinstance(operation, Ids):
            for place, id in enumerate(operation.valuelist, operation.key):
                if id is not None and id != cells[place].id:
                    patches.setdefault(place, [])
    for operation in operations:
        if isinstance(operation, Ids):
            for place, id in enumerate(operation.valuelist, operation.key):
                if id is not None and id != cells[place].id:
                    change = _id_change(cells[place], id)
                    patches[place] = sorted([*patches[place], change], key=lambda entry: str(entry.key))
    rest = [operation for operation in operations if not isinstance(operation, Ids | Patch)]
    return [*rest, *(Patch(place, inner) for place, inner in patches.items())]


def _id_change(cell: Cell, id: str) -> Operation:
    if not id:
        return Remove("id")
    return Replace("id", id) if cell.id else Add("id", id)


_Kept = int
_New = tuple[Any]


def _result(count: int, operations: Operations, moves: dict[int, int]) -> list[_Kept | _New]:
    """Return what the result is made of: places of the base, and new cells."""
    gone: set[int] = set()
    added: dict[int, list[_New]] = {}
    for operation in operations:
        if isinstance(operation, RemoveRange):
            gone.update(range(operation.key, operation.key + operation.length))
        elif isinstance(operation, AddRange):
            added.setdefault(operation.key, []).extend((value,) for value in operation.valuelist)
    line: list[_Kept | _New] = []
    for place in range(count + 1):
        line += added.get(place, ())
        if place < count and place not in gone and place not in moves:
            line.append(place)
    for place, to in sorted(moves.items(), key=lambda entry: entry[1]):
        line.insert(to, place)
    return line


def _from_result(
    cells: Sequence[Cell], line: list[_Kept | _New], moves: dict[int, int], patches: dict[Any, Patch]
) -> Operations:
    found: Operations = []
    fresh: list[Any] = []
    at = 0  # the first place of the base that is not done
    for entry in [*line, len(cells)]:
        if isinstance(entry, tuple):
            fresh.append(entry[0])
        elif entry in moves:
            inner = patches[entry].diff if entry in patches else []
            fresh.append(patch_dict(cell_to_plain(cells[entry]), inner, f"cells[{entry}]"))
        else:
            if fresh:
                found.append(AddRange(at, fresh))
            if entry > at:
                found.append(RemoveRange(at, entry - at))
            if entry in patches:
                found.append(patches[entry])
            fresh, at = [], entry + 1
    return found


__all__ = ["to_jep"]

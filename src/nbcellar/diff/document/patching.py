"""Applying a diff.

Invariant: the base stays as it is; a diff that does not fit it is refused with an error that says where.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from nbcellar.diff.document.operations import (
    Add,
    AddRange,
    Ids,
    Move,
    Operation,
    Patch,
    Remove,
    RemoveRange,
    Replace,
)
from nbcellar.errors import InvalidInputError
from nbcellar.ids import CellId
from nbcellar.notebook.model import Cell, JsonObject, Notebook, notebook_keys
from nbcellar.notebook.plain import cell_from_plain, cell_to_plain, from_plain

Item = Any
PatchItem = Callable[[Item, Sequence[Operation], str], Item]


def patch_notebook(notebook: Notebook, operations: Sequence[Operation]) -> Notebook:
    """Return the notebook with a diff applied; cells that it does not touch are the same objects.

    Raises InvalidInputError naming the place where the diff does not fit, or where its result is no notebook.
    """
    members = notebook_keys(notebook)
    on_cells = [operation for operation in operations if operation.key == "cells"]
    if len(on_cells) > 1 or any(not isinstance(operation, Patch) for operation in on_cells):
        raise _misfit("cells", "the list of cells can only be patched, and once")
    cells: list[Any] = list(notebook.cells)
    if on_cells:
        diff = on_cells[0].diff  # type: ignore[union-attr]
        cells = patch_list(cells, diff, "cells", _patch_cell, _with_id)
    members.pop("cells")
    members = patch_dict(members, [operation for operation in operations if operation.key != "cells"], "")
    patched = from_plain({**members, "cells": []}, like=notebook)
    made = tuple(
        cell if isinstance(cell, Cell) else cell_from_plain(cell, where=f"cell {place + 1} of the result")
        for place, cell in enumerate(cells)
    )
    return msgspec.structs.replace(patched, cells=made)


def patch_value(value: Any, operations: Sequence[Operation], where: str = "") -> Any:
    """Return a dict, list or text with operations applied; `where` words the errors."""
    if isinstance(value, dict):
        return patch_dict(value, operations, where)
    if isinstance(value, list):
        return patch_list(value, operations, where, patch_value, _dict_with_id)
    if isinstance(value, str):
        return "".join(
            patch_list(value.splitlines(keepends=True), _on_text(operations, where), where, _patch_line, None)
        )
    raise _misfit(where, f"{_name(value)} cannot be patched")


def patch_dict(value: Mapping[str, Any], operations: Sequence[Operation], where: str) -> JsonObject:
    """Return a dict with operations applied."""
    made = dict(value)
    done = set()
    for operation in operations:
        key = operation.key
        at = f"{where}.{key}" if where else str(key)
        if not isinstance(key, str):
            raise _misfit(at, "a member has a name, not a number")
        if key in done:
            raise _misfit(at, "there are two operations for it")
        done.add(key)
        if isinstance(operation, Add):
            if key in value:
                raise _misfit(at, "it is there already")
            made[key] = operation.value
            continue
        if key not in value:
            raise _misfit(at, "it is not there")
        if isinstance(operation, Replace):
            made[key] = operation.value
        elif isinstance(operation, Remove):
            del made[key]
        elif isinstance(operation, Patch):
            made[key] = patch_value(value[key], operation.diff, at)
        else:
            raise _misfit(at, "an operation for lists")
    return made


def patch_list(
    items: Sequence[Item],
    operations: Sequence[Operation],
    where: str,
    patch_item: PatchItem,
    with_id: Callable[[Item, str, str], Item] | None,
) -> list[Item]:
    """Return a list with operations applied; `patch_item` and `with_id` change one of its items."""
    items = list(items)
    for operation in operations:
        if isinstance(operation, Ids):
            _set_ids(items, operation, where, with_id)
    moves = [operation for operation in operations if isinstance(operation, Move)]
    moved: dict[int, Item] = {}
    for move in moves:
        if move.key in moved or not 0 <= move.key < len(items):
            raise _misfit(f"{where}[{move.key}]", f"it cannot be moved: {_length(items)}, or it is moved twice")
        moved[move.key] = items[move.key]
    made: list[Item] = []
    taken = last = 0
    for operation in operations:
        if isinstance(operation, Move | Ids):
            continue
        key = operation.key
        at = f"{where}[{key}]"
        if not isinstance(key, int) or not 0 <= key <= len(items):
            raise _misfit(at, _length(items))
        if key < last:
            raise _misfit(at, "operations are not in order")
        last = key
        made += _unmoved(items, moved, taken, key)
        taken = max(taken, key)
        if isinstance(operation, AddRange | Add):
            made += operation.valuelist if isinstance(operation, AddRange) else [operation.value]
            continue
        length = operation.length if isinstance(operation, RemoveRange) else 1
        if key < taken or length < 0 or key + length > len(items):
            raise _misfit(at, _length(items) if key >= taken else "it is removed or patched twice")
        taken = key + length
        if isinstance(operation, Patch):
            item = patch_item(items[key], operation.diff, at)
            if key in moved:
                moved[key] = item
            else:
                made.append(item)
        elif any(place in moved for place in range(key, key + length)):
            raise _misfit(at, "it is moved as well as removed")
        elif isinstance(operation, Replace):
            made.append(operation.value)
    made += _unmoved(items, moved, taken, len(items))
    for move in sorted(moves, key=lambda move: move.to):
        if not 0 <= move.to <= len(made):
            raise _misfit(f"{where}[{move.key}]", f"it cannot be moved to {move.to}: the result is not as long")
        made.insert(move.to, moved[move.key])
    return made


def _unmoved(items: Sequence[Item], moved: Mapping[int, Item], start: int, stop: int) -> list[Item]:
    if not moved:
        return list(items[start:stop])
    return [items[place] for place in range(start, stop) if place not in moved]


def _set_ids(items: list[Item], operation: Ids, where: str, with_id: Callable[[Item, str, str], Item] | None) -> None:
    if with_id is None or not 0 <= operation.key <= operation.key + len(operation.valuelist) <= len(items):
        raise _misfit(f"{where}[{operation.key}]", f"new ids for {len(operation.valuelist)} cells: {_length(items)}")
    for place, id in enumerate(operation.valuelist, operation.key):
        if id is not None:
            items[place] = with_id(items[place], id, f"{where}[{place}]")


def _patch_line(line: str, operations: Sequence[Operation], where: str) -> str:
    """Return a line with operations on its characters applied."""
    if any(isinstance(operation, Patch) for operation in operations):
        raise _misfit(where, "a character cannot be patched")
    return "".join(patch_list(list(line), _on_text(operations, where), where, _patch_line, None))


def _on_text(operations: Sequence[Operation], where: str) -> Sequence[Operation]:
    for operation in operations:
        values = operation.valuelist if isinstance(operation, AddRange) else ()
        if isinstance(operation, Add | Replace):
            values = [operation.value]
        if not all(isinstance(value, str) for value in values):
            raise _misfit(f"{where}[{operation.key}]", "what is added to a text must be text")
    return operations


def _patch_cell(cell: Cell, operations: Sequence[Operation], where: str) -> Cell:
    return cell_from_plain(patch_dict(cell_to_plain(cell), operations, where), like=cell, where=where)


def _with_id(cell: Cell, id: str, where: str) -> Cell:
    return msgspec.structs.replace(cell, id=CellId(id))


def _dict_with_id(item: Any, id: str, where: str) -> Any:
    if not isinstance(item, dict):
        raise _misfit(where, f"{_name(item)} has no id")
    rest = {key: value for key, value in item.items() if key != "id"}
    return {**rest, "id": id} if id else rest


def _misfit(where: str, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"the diff does not fit this notebook: {where or 'the notebook'}: {why}",
        hint="a diff can be applied to the notebook that it was made from",
    )


def _length(items: Sequence[Item]) -> str:
    return f"there are {len(items)} items" if len(items) != 1 else "there is 1 item"


def _name(value: Any) -> str:
    return "null" if value is None else type(value).__name__


__all__ = ["patch_dict", "patch_list", "patch_notebook", "patch_value"]

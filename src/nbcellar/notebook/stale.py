"""The mark on a cell whose outputs are from before its source, as a merge can leave them.

It stands in `metadata.cellar.stale_outputs`.

Invariant: the mark names the outputs it is about, with their count; on other outputs, of a new run or none, it is void
and says nothing.
"""

from __future__ import annotations

import json

import msgspec

from nbcellar.notebook.model import Cell, JsonObject

KEY = "cellar"
STALE_KEY = "stale_outputs"
STALE_WORDS = "from before this source"


def is_stale(cell: Cell) -> bool:
    """Return whether the outputs that the cell has now are marked as those of another source."""
    mark = _mark(cell)
    return mark is not None and bool(cell.outputs) and mark == _digest(cell)


def with_stale_mark(cell: Cell) -> Cell:
    """Return the cell with a mark that holds as long as it has these outputs; a new run makes the mark void."""
    held = cell.metadata.get(KEY)
    own = {**held, STALE_KEY: _digest(cell)} if isinstance(held, dict) else {STALE_KEY: _digest(cell)}
    return _with_metadata(cell, {**cell.metadata, KEY: own})


def with_settled_mark(cell: Cell, before: Cell) -> Cell:
    """Return the cell, which has what is left of the outputs of `before`, with a mark that is right or without one."""
    if _mark(cell) is None:
        return cell
    if not cell.outputs or not is_stale(before):
        return _unmarked(cell)
    return cell if is_stale(cell) else with_stale_mark(cell)


def _mark(cell: Cell) -> object:
    held = cell.metadata.get(KEY)
    return held.get(STALE_KEY) if isinstance(held, dict) else None


def _unmarked(cell: Cell) -> Cell:
    held = {key: value for key, value in cell.metadata[KEY].items() if key != STALE_KEY}
    metadata = {key: held if key == KEY else value for key, value in cell.metadata.items() if key != KEY or held}
    return _with_metadata(cell, metadata)


def _with_metadata(cell: Cell, metadata: JsonObject) -> Cell:
    return msgspec.structs.replace(cell, metadata=metadata)


def _digest(cell: Cell) -> str:
    from blake3 import blake3  # rarely needed here

    text = json.dumps([cell.execution_count, cell.outputs], sort_keys=True, ensure_ascii=False)
    return blake3(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


__all__ = ["KEY", "STALE_KEY", "STALE_WORDS", "is_stale", "with_settled_mark", "with_stale_mark"]

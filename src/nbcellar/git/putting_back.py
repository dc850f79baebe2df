"""What cleaning left out, put back into a clean notebook: outputs and noise, cell by cell.

Invariant: a cell gets something only from a cell of the same type and source, and only where what both have of outputs
in clean form is equal: outputs, counts and times of one run are never mixed with those of another. What is in the clean
notebook stays. Whether the whole still cleans to the same bytes is for the caller to see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from nbcellar.notebook.model import Cell, JsonObject, Notebook


def put_back(clean: Notebook, before: Notebook, cleaned: Notebook) -> Notebook:
    """Return `clean` with what `cleaned` lacks of `before`: a notebook as it was, and its clean form, cell for cell.

    Cells are found by id and source, then by source where as many cells have it on both sides. A cell that is exactly
    the clean form of another becomes that other; one that differs in metadata gets outputs, count and noise.
    """
    donors = list(zip(before.cells, cleaned.cells, strict=True))
    found = _by_id(clean.cells, donors)
    found = {**_by_source(clean.cells, donors, found), **found}
    cells = tuple([_filled(cell, *donors[found[at]]) if at in found else cell for at, cell in enumerate(clean.cells)])
    metadata = _restored(clean.metadata, before.metadata, cleaned.metadata)
    return msgspec.structs.replace(clean, cells=cells, metadata=metadata)


def settled(filled: Notebook, clean: Notebook, again: Notebook) -> Notebook:
    """Return `filled` with what was put back taken out again where it does not clean to what `clean` has.

    again: the clean form of `filled`. A tag that a cell has in one version only can decide about its outputs.
    """
    triples = zip(filled.cells, clean.cells, again.cells, strict=True)
    cells = tuple([cell if made == wanted else wanted for cell, wanted, made in triples])
    metadata = filled.metadata if again.metadata == clean.metadata else clean.metadata
    return msgspec.structs.replace(filled, cells=cells, metadata=metadata)


def _by_id(cells: Sequence[Cell], donors: Sequence[tuple[Cell, Cell]]) -> dict[int, int]:
    """Return the place of the donor for each cell whose id and source say which one it is."""
    places: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for at, (before, _) in enumerate(donors):
        places[(before.id, before.type, before.source)].append(at)
    found = {}
    for at, cell in enumerate(cells):
        same = places.get((cell.id, cell.type, cell.source), []) if cell.id else []
        if same:
            found[at] = same.pop(0)
    return found


def _by_source(cells: Sequence[Cell], donors: Sequence[tuple[Cell, Cell]], found: Mapping[int, int]) -> dict[int, int]:
    """Return the same for the others, where the order of equal sources leaves no choice."""
    used = frozenset(found.values())
    wanted: dict[tuple[str, str], list[int]] = defaultdict(list)
    offered: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at, cell in enumerate(cells):
        if at not in found:
            wanted[(cell.type, cell.source)].append(at)
    for at, (before, _) in enumerate(donors):
        if at not in used:
            offered[(before.type, before.source)].append(at)
    return {
        at: donor
        for source, places in wanted.items()
        if len(places) == len(offered.get(source, ()))
        for at, donor in zip(places, offered[source], strict=True)
    }


def _filled(cell: Cell, before: Cell, cleaned: Cell) -> Cell:
    if cleaned == cell:
        return before
    if cleaned.outputs != cell.outputs or cleaned.execution_count != cell.execution_count:
        return cell  # outputs that are committed, of another run
    return msgspec.structs.replace(
        cell,
        outputs=before.outputs,
        execution_count=before.execution_count,
        metadata=_restored(cell.metadata, before.metadata, cleaned.metadata),
    )


def _restored(clean: JsonObject, before: JsonObject, cleaned: JsonObject) -> JsonObject:
    """Return an object with the keys that `cleaned` lacks of `before`, and what was changed of equal values."""
    if before is cleaned:
        return clean
    made = {}
    for key, value in before.items():
        if key in clean:
            made[key] = _value(clean[key], value, cleaned[key]) if key in cleaned else clean[key]
        elif key not in cleaned:
            made[key] = value
    if [key for key in made if key in clean] != list(clean):
        made = {**{key: made.get(key, value) for key, value in clean.items()}, **made}
    return made


def _value(clean: Any, before: Any, cleaned: Any) -> Any:
    if clean == cleaned:
        return before
    if isinstance(clean, dict) and isinstance(before, dict) and isinstance(cleaned, dict):
        return _restored(clean, before, cleaned)
    return clean

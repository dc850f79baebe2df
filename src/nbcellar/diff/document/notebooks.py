"""The operations that lead from one notebook to another, cell by cell.

Invariant: with all parts compared, applying them to the first notebook gives the second, as documents: layout and
order of keys are no part of a document.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nbcellar.diff.document.equality import same_json
from nbcellar.diff.document.filters import EVERYTHING, Filters
from nbcellar.diff.document.making import diff_dicts, diff_lists, diff_member, diff_texts
from nbcellar.diff.document.noise import (
    GENERATED_IDS,
    NOTEBOOK_NOISE,
    RUN_TIMES,
    output_noise,
)
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
    size,
    value_size,
)
from nbcellar.diff.document.pairing import Pair, Pairing
from nbcellar.notebook.model import Cell, JsonObject, Notebook, notebook_keys
from nbcellar.notebook.plain import cell_to_plain

_PART_OF_KEY = {"source": "sources", "outputs": "outputs", "metadata": "metadata", "attachments": "attachments"}
_LONGEST_REST = 4
_SAYS_MORE = 120


def diff_notebooks(a: Notebook, b: Notebook, pairing: Pairing, filters: Filters = EVERYTHING) -> Operations:
    """Return the operations from `a` to `b` for cells that correspond as `pairing` says."""
    old, new = notebook_keys(a), notebook_keys(b)
    del old["cells"], new["cells"]
    found = _diff_members(old, new, filters)
    on_cells = _diff_cells(a.cells, b.cells, pairing, filters)
    if on_cells:
        found.append(Patch("cells", on_cells))
    return sorted(found, key=lambda operation: str(operation.key))


def _diff_members(old: JsonObject, new: JsonObject, filters: Filters) -> Operations:
    if not filters.metadata:
        old, new = ({key: value for key, value in side.items() if key != "metadata"} for side in (old, new))
    if not filters.transient:
        old, new = _without_noise(old), _without_noise(new)
    return diff_dicts(old, new)


def _without_noise(members: JsonObject) -> JsonObject:
    kept = {key: value for key, value in members.items() if key != "nbformat_minor"}
    if isinstance(kept.get("metadata"), dict):
        kept["metadata"] = {key: value for key, value in kept["metadata"].items() if key not in NOTEBOOK_NOISE}
    return kept


def same_cell(a: Cell, b: Cell) -> bool:
    """Return whether two cells are the same but for their ids; False may be given for cells that differ in layout."""
    if a is b:
        return True
    if a.source != b.source or a.type != b.type or a.execution_count != b.execution_count:
        return False
    if a.keys != b.keys and set(a.keys) - {"id"} != set(b.keys) - {"id"}:
        return False
    return (a.outputs is b.outputs and a.metadata is b.metadata and a.extra is b.extra and a.attachments is None) or (
        same_json((a.metadata, a.outputs, a.attachments, a.extra), (b.metadata, b.outputs, b.attachments, b.extra))
    )


def diff_cell(a: Cell, b: Cell, filters: Filters = EVERYTHING) -> Operations:
    """Return the operations from one cell to another, ids apart."""
    if same_cell(a, b):
        return []
    old, new = cell_to_plain(a), cell_to_plain(b)
    found: Operations = []
    for key in sorted((old.keys() | new.keys()) - {"id"}):
        if not _is_compared(key, filters) or (key in old and key in new and same_json(old[key], new[key])):
            continue
        operation = _diff_key(key, old, new, filters)
        if operation is not None:
            found.append(operation)
    return found


def _is_compared(key: str, filters: Filters) -> bool:
    part = _PART_OF_KEY.get(key)
    if part is not None:
        return bool(getattr(filters, part))
    return key != "execution_count" or (filters.transient and filters.outputs)


def _diff_key(key: str, old: JsonObject, new: JsonObject, filters: Filters) -> Operation | None:
    if key not in new:
        return Remove(key)
    if key not in old:
        return Add(key, new[key])
    if key == "outputs":
        outputs = new[key] if filters.transient else _without_quiet_changes(old[key], new[key])
        return None if same_json(old[key], outputs) else diff_member(key, old[key], outputs, 1, _diff_outputs)
    if key == "metadata" and not filters.transient:
        noise = RUN_TIMES | GENERATED_IDS
        before, after = ({k: v for k, v in side[key].items() if k not in noise} for side in (old, new))
        inner = diff_dicts(before, after, 1)
        return Patch(key, inner) if inner else None
    if key == "source":
        return _diff_source(old[key], new[key])
    return diff_member(key, old[key], new[key], 1)


def _diff_source(old: str, new: str) -> Operation:
    """Return a patch by lines wherever the sources have something in common: it says more than it takes."""
    inner = diff_texts(old, new)
    return Patch("source", inner) if size(inner) < value_size(new) + _SAYS_MORE else Replace("source", new)


def _without_quiet_changes(old: list[JsonObject], new: list[JsonObject]) -> list[JsonObject]:
    """Return the new outputs, with the old one wherever only noise changed."""
    if len(old) != len(new):
        return new
    return [x if output_noise(x, y) is not None else y for x, y in zip(old, new, strict=True)]


def _diff_outputs(a: Any, b: Any, depth: int) -> Operations:
    return diff_lists(a, b, depth, alike_outputs)


def alike_outputs(a: JsonObject, b: JsonObject) -> bool:
    """Return whether one output may have become another: of one type, and one stream or of common MIME types."""
    if a.get("output_type") != b.get("output_type") or a.get("name") != b.get("name"):
        return False
    old, new = a.get("data"), b.get("data")
    return not (isinstance(old, dict) and isinstance(new, dict)) or bool(old.keys() & new.keys()) or not old or not new


def _diff_cells(a: Sequence[Cell], b: Sequence[Cell], pairing: Pairing, filters: Filters) -> Operations:
    patches: dict[int, Operations] = {}
    for pair in pairing.pairs:
        inner = diff_cell(a[pair.a], b[pair.b], filters)
        if inner:
            patches[pair.a] = inner
    ids = _ids(a, b, pairing.pairs, patches) if filters.ids else []
    found: list[tuple[int, int, Operation]] = [(place, 1, Patch(place, inner)) for place, inner in patches.items()]
    found += [(start, 1, RemoveRange(start, length)) for start, length in _runs(pairing.removed)]
    found += [(at, 0, AddRange(at, [cell_to_plain(b[j]) for j in added])) for at, added in _additions(pairing)]
    found += [(pair.a, 2, Move(pair.a, pair.b)) for pair in pairing.pairs if pair.moved]
    return [*ids, *(operation for _, _, operation in sorted(found, key=lambda entry: entry[:2]))]


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """Return places that follow each other as (first, how many)."""
    runs: list[tuple[int, int]] = []
    for place in places:
        if runs and sum(runs[-1]) == place:
            runs[-1] = runs[-1][0], runs[-1][1] + 1
        else:
            runs.append((place, 1))
    return runs


def _additions(pairing: Pairing) -> list[tuple[int, list[int]]]:
    """Return the added cells by the place in the first notebook before which they come."""
    at = 0
    found: list[tuple[int, list[int]]] = []
    pairs = iter([*pairing.pairs, None])
    pair = next(pairs)
    for j in pairing.added:
        while pair is not None and pair.b < j:
            at = at if pair.moved else pair.a + 1
            pair = next(pairs)
        if found and found[-1][0] == at:
            found[-1][1].append(j)
        else:
            found.append((at, [j]))
    return found


def _ids(a: Sequence[Cell], b: Sequence[Cell], pairs: Sequence[Pair], patches: dict[int, Operations]) -> list[Ids]:
    """Return new ids of many cells as few operations; what is shorter as a patch of its cell goes to `patches`."""
    changed = {pair.a: b[pair.b].id for pair in pairs if a[pair.a].id != b[pair.b].id}
    runs: list[list[int]] = []
    for place in sorted(changed):
        if runs and place - runs[-1][-1] <= _LONGEST_REST:
            runs[-1].append(place)
        else:
            runs.append([place])
    found = []
    for run in runs:
        together = Ids(run[0], [changed.get(place) for place in range(run[0], run[-1] + 1)])
        apart = {place: _id_operation(a[place], changed[place]) for place in run}
        if len(run) > 1 and size([together]) < sum(size([operation]) for operation in apart.values()):
            found.append(together)
            continue
        for place, operation in apart.items():
            patches[place] = sorted([*patches.get(place, []), operation], key=lambda entry: str(entry.key))
    return found


def _id_operation(cell: Cell, id: str) -> Operation:
    if not id:
        return Remove("id")
    return Replace("id", id) if cell.id else Add("id", id)


__all__ = ["alike_outputs", "diff_cell", "diff_notebooks", "same_cell"]

"""A merge that waits for decisions, as a browser sees it: what there is to decide, and the notebook once it is.

Invariant: pure; what is passed in is not changed, and files are `merging_files.py`'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence, Set
from typing import Any

import msgspec
from blake3 import blake3

from nbcellar.api.merging_views import (
    Decision,
    MergeConflict,
    MergeDropped,
    MergeLabels,
    MergeLook,
    MergeOutputs,
    MergeResult,
    MergeValue,
    Pick,
)
from nbcellar.api.shown_outputs import OutputShown, shown_outputs
from nbcellar.errors import CellarError, InvalidInputError, NotFoundError
from nbcellar.merge.bringing_back import bring_back
from nbcellar.merge.marks import MARKERS, Group, find_groups, is_own_text, marks_of, without_mark
from nbcellar.merge.model import SIDES, Dropped, Labels, Merged, MergeSettings
from nbcellar.merge.notebooks import merge_notebooks
from nbcellar.merge.resolving import Choice, Edited, resolve
from nbcellar.notebook.codec import cell_from_json, read
from nbcellar.notebook.model import Cell, JsonObject, Notebook
from nbcellar.notebook.plain import cell_to_plain, to_plain

_SETTINGS = MergeSettings()


class Versions(msgspec.Struct, frozen=True):
    """The three versions of a merge, and what merging them anew comes to: what was left out, and outputs of the base.

    `texts` are ours and theirs as they were read.
    """

    base: Notebook | None
    ours: Notebook
    theirs: Notebook
    merged: Merged
    texts: tuple[bytes, bytes]


def merge_versions(
    base: bytes | None, ours: bytes, theirs: bytes, labels: Labels, settings: MergeSettings = _SETTINGS
) -> Versions:
    """Merge three texts. Raises InvalidInputError for a side that is no notebook; such a base counts as none."""
    try:
        common = read(base) if base is not None and base.strip() else None
    except CellarError:  # git's own merge of merges, with marks in it
        common = None
    mine, yours = read(ours, path=labels.ours), read(theirs, path=labels.theirs)
    merged = merge_notebooks(common, mine, yours, labels=labels, settings=settings)
    return Versions(common, mine, yours, merged, (ours, theirs))


def look(notebook: Notebook, versions: Versions | None, *, target: str, version: str) -> MergeLook:
    """Return what is to be decided in a notebook; with its `versions` also what was left out on the way."""
    found = find_groups(notebook)
    groups = [group for group in found if group.is_open]
    extra = {place for group in found for place, _ in group.cells[1:]}
    anew = {conflict.id: conflict for conflict in versions.merged.conflicts} if versions is not None else {}
    labels = groups[0].labels if groups else Labels()
    shown = {group.id for group in groups}
    inside = {mark["id"] for cell in notebook.cells for mark in marks_of(cell) if mark["role"] in MARKERS} - shown
    return MergeLook(
        state="marked" if groups else "none",
        target=target,
        version=version,
        labels=MergeLabels(base=labels.base, ours=labels.ours, theirs=labels.theirs),
        language=notebook.language,
        hidden=len(inside),
        conflicts=[
            _conflict(notebook, group, anew[group.id].base if group.id in anew else None, extra) for group in groups
        ],
        dropped=[_dropped(entry) for entry in versions.merged.dropped] if versions is not None else [],
        repairs=list(versions.merged.repairs) if versions is not None else [],
        warnings=list(versions.merged.warnings) if versions is not None else [],
    )


def decide(
    notebook: Notebook, decisions: Sequence[Decision], back: Sequence[str] = (), versions: Versions | None = None
) -> Notebook:
    """Return the notebook with decisions taken and what was left out brought back, by the ids that `look` gave.

    Raises NotFoundError for an id that is not known (any more), InvalidInputError for a pick that makes no sense.
    """
    choices: dict[str, Choice | Edited] = {}
    for one in decisions:
        if one.id in choices:
            raise InvalidInputError(f"conflict {one.id} is decided twice")
        choices[one.id] = Edited(one.source, one.side) if one.pick == "edited" else one.pick
    made = resolve(notebook, choices) if choices else notebook
    known = {} if versions is None else {_dropped_id(entry): entry for entry in versions.merged.dropped}
    for id_ in back:
        if id_ not in known or versions is None:
            raise NotFoundError(f"nothing that was left out is called {id_!r}", hint="load the merge again")
        entry = known[id_]
        made = bring_back(made, entry, versions.ours if entry.side == "ours" else versions.theirs)
    return made


def result(notebook: Notebook, *, shown: bool = False) -> MergeResult:
    """Return a notebook for an editor or, with its outputs `shown`, for a page."""
    outputs = [shown_outputs(cell.outputs) for cell in notebook.cells] if shown else []
    return MergeResult(notebook=to_plain(notebook), left=count_open(notebook), shown=outputs)


def count_open(notebook: Notebook) -> int:
    """Return how many conflicts are open, also those inside of others."""
    return len({mark["id"] for cell in notebook.cells for mark in marks_of(cell) if mark["role"] in MARKERS})


def _conflict(notebook: Notebook, group: Group, base: Cell | None, extra: Set[int]) -> MergeConflict:
    """extra: the places that do not count, for a conflict counts as one cell."""
    first = group.cells[0][0]
    versions = {
        "base": [cell_to_plain(base)] if base is not None else _recorded(group.base),
        "ours": _side(notebook, group, "ours"),
        "theirs": _side(notebook, group, "theirs"),
    }
    return MergeConflict(
        id=group.id,
        kind="notebook" if group.note == "notebook" else "structure" if group.note else "cell",
        said=group.said,
        what=list(group.what),
        cell=first + 1 - sum(place < first for place in extra),
        choices=list(_choices(group)),
        **versions,
        outputs=MergeOutputs(**{side: _shown(cells) for side, cells in versions.items()}),
        notes=[
            cell_to_plain(without_mark(notebook.cells[place]))
            for place, role in group.cells
            if role in MARKERS and is_own_text(notebook.cells[place])
        ],
        values=[_value(sides) for sides in group.values],
    )


def _shown(cells: Sequence[JsonObject]) -> list[OutputShown]:
    return [shown for cell in cells for shown in shown_outputs(cell.get("outputs") or ())]


def _choices(group: Group) -> Iterator[Pick]:
    """Yield what `resolve` would take."""
    if group.note:
        yield from ("ours", "theirs", "base")
        return
    yield from (side for side in SIDES if group.is_told or group.places(side))
    yield "both"
    if group.is_told:
        yield "base"
    if group.places("ours") or group.places("theirs") or group.base is not None:
        yield "edited"


def _side(notebook: Notebook, group: Group, side: str) -> list[JsonObject]:
    places = group.places(side)
    if places:
        return [cell_to_plain(without_mark(notebook.cells[place])) for place in places]
    return _recorded(getattr(group, side))


def _recorded(cell: JsonObject | None) -> list[JsonObject]:
    if cell is None:
        return []
    try:
        return [cell_to_plain(cell_from_json(cell, where="a version of a conflict"))]
    except InvalidInputError:  # what a person or a program made of the mark
        return []


def _value(sides: JsonObject) -> MergeValue:
    there: list[str] = [side for side in ("base", "ours", "theirs") if side in sides]
    label = sides.get("label")
    return MergeValue(
        path=list(sides["path"]),
        label=label if isinstance(label, str) else "",
        there=there,
        **{side: sides[side] for side in there},
    )


def _dropped(entry: Dropped) -> MergeDropped:
    return MergeDropped(
        id=_dropped_id(entry),
        side=entry.side,
        what=entry.what,
        reason=entry.reason,
        cell=entry.number,
        value=entry.value,
    )


def _dropped_id(entry: Dropped) -> str:
    seed: list[Any] = [entry.side, list(entry.path), entry.cell, entry.number, entry.value]
    return blake3(json.dumps(seed, sort_keys=True).encode()).hexdigest()[:16]


__all__ = ["Versions", "count_open", "decide", "look", "merge_versions", "result"]

"""Deciding conflicts of a notebook: ours, theirs, both, base, or a text of one's own.

Invariant: the cells of a group are taken as they are now, with what a person did to them since; what is not in a group
stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from nbcellar.errors import InvalidInputError, NotFoundError
from nbcellar.ids import CellId
from nbcellar.merge.cells import with_value_at
from nbcellar.merge.marks import Group, find_groups, without_mark
from nbcellar.merge.trees import ABSENT
from nbcellar.notebook.codec import cell_from_json
from nbcellar.notebook.ids import with_unique_ids
from nbcellar.notebook.model import Cell, JsonObject, Notebook

Choice = Literal["ours", "theirs", "both", "base"]
CHOICES: tuple[Choice, ...] = ("ours", "theirs", "both", "base")


class Edited(msgspec.Struct, frozen=True):
    """A choice of one's own: the source of the one cell that is to stand there."""

    source: str


def resolve(notebook: Notebook, choices: Mapping[str, Choice | Edited] | Choice) -> Notebook:
    """Return the notebook with conflicts decided: all of them alike, or each by its id; others are left open.

    Groups whose markdown cells are gone count as decided; what is left of them loses its marks.
    Raises NotFoundError for an id that no open conflict has, InvalidInputError for a choice that makes no sense.
    """
    groups = find_groups(notebook)
    open_groups = {group.id: group for group in groups if group.is_open}
    wanted = dict.fromkeys(open_groups, choices) if isinstance(choices, str) else dict(choices)
    for id_ in wanted:
        if id_ not in open_groups:
            known = ", ".join(open_groups) or "none"
            raise NotFoundError(f"no open conflict {id_!r}", hint=f"open conflicts: {known}")
    replaced: dict[int, list[Cell]] = {}
    header = {"metadata": notebook.metadata, **notebook.extra}
    for group in groups:
        if group.is_open and group.id not in wanted:
            continue
        for place, _ in group.cells:
            replaced[place] = []
        if not group.is_open:
            replaced |= {place: [without_mark(notebook.cells[place])] for place, _ in group.cells}
        elif group.places("notebook"):
            header = _decide_header(header, group, wanted[group.id])
        else:
            replaced[group.cells[0][0]] = _decide(notebook, group, wanted[group.id])
    cells: list[Cell] = []
    for place, cell in enumerate(notebook.cells):
        cells += replaced.get(place, [cell])
    return msgspec.structs.replace(
        notebook,
        cells=with_unique_ids(cells) if notebook.nbformat_minor >= 5 and replaced else tuple(cells),
        metadata=header.get("metadata", {}),
        extra={key: value for key, value in header.items() if key != "metadata"},
    )


def _decide(notebook: Notebook, group: Group, choice: Choice | Edited) -> list[Cell]:
    ours, theirs = (_cells(notebook, group, role) for role in ("ours", "theirs"))
    if isinstance(choice, Edited):
        model = (ours or theirs or _from_json(group.base))[:1]
        if not model:
            raise InvalidInputError(f"conflict {group.id}: no cell is left that could take the text")
        changed = model[0].source != choice.source
        stale = {"outputs": (), "execution_count": None} if changed and model[0].type == "code" else {}
        return [msgspec.structs.replace(model[0], source=choice.source, **stale)]
    if choice == "ours":
        return ours
    if choice == "theirs":
        return [_with_own_id(theirs[0], group)] if len(theirs) == 1 else theirs
    if choice == "both":
        return ours + theirs
    if choice != "base":
        raise InvalidInputError(f"{choice!r} is no choice", hint=f"one of: {', '.join(CHOICES)}")
    return _from_json(group.base)


def _cells(notebook: Notebook, group: Group, role: str) -> list[Cell]:
    return [without_mark(notebook.cells[place]) for place in group.places(role)]


def _with_own_id(cell: Cell, group: Group) -> Cell:
    """Return their cell with the id that it had there: beside ours it could not have it."""
    own = group.theirs.get("id") if group.theirs is not None else None
    return msgspec.structs.replace(cell, id=CellId(own)) if isinstance(own, str) and cell.id else cell


def _from_json(cell: JsonObject | None) -> list[Cell]:
    if cell is None:
        return []
    found = cell_from_json(cell, where="the base of a conflict")
    is_code = found.type == "code"
    keys = (*found.keys, "execution_count", "outputs") if is_code else found.keys
    return [msgspec.structs.replace(found, outputs=() if is_code else None, keys=keys)]


def _decide_header(header: JsonObject, group: Group, choice: Choice | Edited) -> JsonObject:
    if isinstance(choice, Edited) or choice == "both":
        raise InvalidInputError(
            f"conflict {group.id} is about settings of the notebook: both cannot be kept",
            hint="choose ours, theirs or base, or edit the notebook's metadata and delete the note",
        )
    for sides in group.values:
        value: Any = sides.get(choice, ABSENT)
        header = with_value_at(header, tuple(sides["path"]), value)
    return header


__all__ = ["CHOICES", "Choice", "Edited", "resolve"]

"""Deciding conflicts of a notebook: ours, theirs, both, base, or a text of one's own.

Invariant: the cells of a group are taken as they are now, with what a person did to them since, and where they are now;
what a person wrote into a note stays as a cell. What is not in a group stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from nbcellar.errors import InvalidInputError, NotFoundError
from nbcellar.ids import CellId
from nbcellar.merge.marks import MARKERS, Group, find_groups, is_own_text, mark_of, marks_of, without_mark
from nbcellar.merge.model import Side
from nbcellar.merge.structure.deciding import Change, apply, changes_of, renamed, settled
from nbcellar.merge.trees import ABSENT, with_value_at
from nbcellar.notebook.codec import cell_from_json
from nbcellar.notebook.ids import is_valid, with_unique_ids
from nbcellar.notebook.model import Cell, JsonObject, Notebook

Choice = Literal["ours", "theirs", "both", "base"]
MINOR_WITH_IDS = 5
CHOICES: tuple[Choice, ...] = ("ours", "theirs", "both", "base")


class Edited(msgspec.Struct, frozen=True):
    """A choice of one's own: the source of the one cell that is to stand there; all else is as `side` has it.

    For a conflict about the names of components it is the name.
    """

    source: str
    side: Side = "ours"


def resolve(notebook: Notebook, choices: Mapping[str, Choice | Edited] | Choice) -> Notebook:
    """Return the notebook with conflicts decided: all of them alike, or each by its id; others are left open.

    Groups whose markdown cells are gone count as decided; what is left of them loses its marks. A conflict in which
    another one is open stays open, too. Raises NotFoundError for an id that no open conflict has, InvalidInputError for
    a choice that makes no sense.
    """
    if isinstance(choices, str):
        wanted: Mapping[str, Choice | Edited] = dict.fromkeys(_open_ids(notebook), choices)
    else:
        wanted = choices
        known = _open_ids(notebook)
        for id_ in wanted:
            if id_ not in known:
                raise NotFoundError(f"no open conflict {id_!r}", hint=f"open conflicts: {', '.join(known) or 'none'}")
    begun = notebook
    while True:
        before = notebook
        notebook = _decide_outermost(notebook, wanted)
        if notebook is before:
            return settled(begun, notebook)


def _open_ids(notebook: Notebook) -> list[str]:
    """Return the ids of open conflicts, also of those that stand around others."""
    found = {mark["id"]: None for cell in notebook.cells for mark in marks_of(cell) if mark["role"] in MARKERS}
    return list(found)


def _decide_outermost(notebook: Notebook, wanted: Mapping[str, Choice | Edited]) -> Notebook:
    """Decide what no open conflict stands inside of; return the very same notebook if there is nothing to do."""
    waiting = {mark["id"] for cell in notebook.cells for mark in list(marks_of(cell))[1:]}
    replaced: dict[int, list[Cell]] = {}
    header = {"metadata": notebook.metadata, **notebook.extra}
    changes: list[Change] = []
    for group in find_groups(notebook):
        if group.is_open and (group.id not in wanted or group.id in waiting):
            continue
        if not group.is_open:
            replaced |= {place: [without_mark(notebook.cells[place])] for place, _ in group.cells}
            continue
        if group.places("notebook"):
            header = _decide_header(header, group, wanted[group.id])
        if group.note == "structure":
            changes += _decide_structure(notebook, group, wanted[group.id])
        for place, kept in _decide(notebook, group, wanted[group.id]).items():
            replaced[place] = [_without(group.id, cell) for cell in kept]
        _give_back_id(notebook, group, wanted[group.id], replaced)
    if not replaced:
        return notebook
    for place in {place for place, _, _ in changes}:
        kept = replaced.get(place, [notebook.cells[place]])
        replaced[place] = [apply(cell, place, changes) for cell in kept]
    cells = [made for place, cell in enumerate(notebook.cells) for made in replaced.get(place, [cell])]
    return msgspec.structs.replace(
        notebook,
        cells=with_unique_ids(cells) if notebook.nbformat_minor >= MINOR_WITH_IDS else tuple(cells),
        metadata=header.get("metadata", {}),
        extra={key: value for key, value in header.items() if key != "metadata"},
    )


def _give_back_id(notebook: Notebook, group: Group, choice: Choice | Edited, replaced: dict[int, list[Cell]]) -> None:
    """Give the one cell that is left of theirs the id that it came with; beside ours it could not have the same."""
    places = group.places("theirs")
    id_ = (group.theirs or {}).get("id")
    if choice != "theirs" or len(places) != 1 or not is_valid(id_) or notebook.nbformat_minor < MINOR_WITH_IDS:
        return
    gone = {place for place, _ in group.cells}
    if not any(cell.id == id_ for place, cell in enumerate(notebook.cells) if place not in gone):
        replaced[places[0]] = [msgspec.structs.replace(cell, id=CellId(id_)) for cell in replaced[places[0]]]


def _without(id_: str, cell: Cell) -> Cell:
    """Return the cell without the mark of this conflict, however often it has it."""
    while (mark := mark_of(cell)) is not None and mark["id"] == id_:
        cell = without_mark(cell)
    return cell


def _decide(notebook: Notebook, group: Group, choice: Choice | Edited) -> dict[int, list[Cell]]:
    """Return what comes to the places of a group. Cells that are kept stay where they are, notes that a person wrote
    into as well."""
    if not isinstance(choice, Edited) and choice not in CHOICES:
        raise InvalidInputError(f"{choice!r} is no choice", hint=f"one of: {', '.join(CHOICES)}")
    kept = _kept_roles(choice)
    found: dict[int, list[Cell]] = {}
    for place, role in group.cells:
        cell = notebook.cells[place]
        found[place] = [cell] if role in kept or is_own_text(cell) else []
    if group.note:
        return found
    if isinstance(choice, Edited):
        place, model = _model(notebook, group, choice.side)
        found[place] = [_with_source(model, choice.source), *found[place]]
    elif choice == "base":
        found[group.cells[0][0]] += _told(group, "base")
    for role in kept:
        if not group.places(role) and (choice != "both" or group.is_told):
            found[group.cells[0][0]] += _told(group, role)
    return found


def _kept_roles(choice: Choice | Edited) -> tuple[Side, ...]:
    if choice == "both":
        return ("ours", "theirs")
    if choice == "ours":
        return ("ours",)
    return ("theirs",) if choice == "theirs" else ()


def _model(notebook: Notebook, group: Group, side: Side) -> tuple[int, Cell]:
    """Return the cell that takes a text of one's own, and where it is to stand."""
    for role in (side, "ours", "theirs"):
        for place in group.places(role):
            return place, notebook.cells[place]
    for cell in _from_json(group.base):
        return group.cells[0][0], cell
    raise InvalidInputError(f"conflict {group.id}: no cell is left that could take the text")


def _with_source(cell: Cell, source: str) -> Cell:
    changed = cell.source != source
    stale = {"outputs": (), "execution_count": None} if changed and cell.type == "code" else {}
    return msgspec.structs.replace(cell, source=source, **stale)


def _told(group: Group, version: str) -> list[Cell]:
    """Return a version of which no cell is left, as its notes have it; there need not have been one."""
    if not group.is_told:
        raise InvalidInputError(
            f"conflict {group.id}: what {version} was is not known any more: its first and its last note are gone",
            hint="choose a version that is still there, or edit its cells and delete what is left of its notes; "
            "while git has the merge open, git show :1:NOTEBOOK prints the base",
        )
    return _from_json(getattr(group, version))


def _from_json(cell: JsonObject | None) -> list[Cell]:
    if cell is None:
        return []
    found = cell_from_json(cell, where="a version of a conflict")
    is_code = found.type == "code"
    keys = (*found.keys, "execution_count", "outputs") if is_code else found.keys
    return [msgspec.structs.replace(found, outputs=() if is_code else None, keys=keys)]


def _decide_structure(notebook: Notebook, group: Group, choice: Choice | Edited) -> list[Change]:
    if isinstance(choice, Edited):
        return renamed(notebook, group, choice.source)
    if choice == "both":
        raise InvalidInputError(
            f"conflict {group.id} is about a pipeline: both cannot be kept",
            hint="choose ours, theirs or base; cellar pipeline connect, disconnect and rename change it later",
        )
    return changes_of(notebook, group, choice)


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

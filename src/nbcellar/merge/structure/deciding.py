"""Carrying out what a person decides about the structure of a pipeline.

Invariant: cells are found where they are now, by id, or by the component's name where cells have none; a decision makes
no two components of one name, and leaves no edge from a component that it took away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from nbcellar.errors import AlreadyExistsError, InvalidInputError
from nbcellar.merge.marks import Group, mark_of
from nbcellar.merge.structure.held import (
    NAME,
    after_of,
    component_of,
    free_name,
    has_components,
    name_of,
    with_after,
    with_value,
)
from nbcellar.merge.trees import ABSENT, COMPONENT, Path, value_at
from nbcellar.notebook.model import Cell, JsonObject, Notebook

Change = tuple[int, Path, Any]
"""The place of a cell, and a value of its metadata."""


def changes_of(notebook: Notebook, group: Group, choice: str) -> list[Change]:
    """Return what a choice makes of the cells that a conflict is about; those that are gone are left out."""
    note = group.cells[0][0]
    found = []
    for held in group.values:
        path, value = tuple(held["path"]), held.get(choice, ABSENT)
        if path == NAME and value is ABSENT:
            path = COMPONENT  # it was a plain cell
        for place in _places(notebook, held, note):
            if path == NAME and len(group.values) > 1 and not _is_one_of(notebook.cells[place], held):
                continue  # it was renamed since, so nothing is to be told apart
            found.append((place, path, value))
    return found


def renamed(notebook: Notebook, group: Group, name: str) -> list[Change]:
    """Return the changes that give the component a name of one's own; the second one of two that had the same name.

    Raises InvalidInputError for what is no name, or where the conflict is not about one; AlreadyExistsError.
    """
    if not can_be_named(group):
        raise InvalidInputError(
            f"conflict {group.id} is about a pipeline: there is no text to be edited",
            hint="choose ours, theirs or base; cellar pipeline connect and disconnect change it later",
        )
    from nbcellar.components.naming import name_problem

    wrong = name_problem(name)
    if wrong:
        raise InvalidInputError(f"{name!r}: {wrong}")
    places = _places(notebook, group.values[-1], group.cells[0][0])
    others = {name_of(component_of(cell)) for place, cell in enumerate(notebook.cells) if place not in places}
    if name in others:
        raise AlreadyExistsError(f"another component is called '{name}'", hint="choose another name")
    return [(place, NAME, name) for place in places]


def can_be_named(group: Group) -> bool:
    """Return whether a conflict is about the names of components alone."""
    return group.note == "structure" and all(tuple(held["path"]) == NAME for held in group.values)


def apply(cell: Cell, place: int, changes: Sequence[Change]) -> Cell:
    """Return the cell that stood at a place with the changes to it."""
    for at, path, value in changes:
        if at == place:
            cell = with_value(cell, path, value)
    return cell


def settled(before: Notebook, after: Notebook) -> Notebook:
    """Return the notebook without what decisions would leave behind: edges that lead nowhere, one name for two cells.

    before: the notebook as it was; what was wrong in it already stays.
    """
    if after is before or not has_components(after):
        return after
    gone = {cell.id for cell in _components(before)} - {cell.id for cell in _components(after)} - {""}
    untouched = {id(cell) for cell in before.cells}
    owners = {
        name_of(component_of(cell)): _owner(cell, place)
        for place, cell in enumerate(after.cells)
        if id(cell) in untouched
    }
    cells = list(after.cells)
    for place, cell in enumerate(cells):
        component = component_of(cell)
        if component is None:
            continue
        edges = after_of(component)
        if not gone.isdisjoint(edges):
            cells[place] = with_after(cell, [parent for parent in edges if parent not in gone])
        name = name_of(component)
        if name and id(cell) not in untouched:
            if owners.get(name, _owner(cell, place)) != _owner(cell, place):
                name = free_name(name, owners)
            owners[name] = _owner(cell, place)
            cells[place] = with_value(cells[place], NAME, name)
    return msgspec.structs.replace(after, cells=tuple(cells))


def _owner(cell: Cell, place: int) -> object:
    """Return what has a component's name: the conflict that a variant is in, for its variants have one name."""
    mark = mark_of(cell)
    return place if mark is None else mark["id"]


def _components(notebook: Notebook) -> Iterator[Cell]:
    return (cell for cell in notebook.cells if component_of(cell) is not None)


def _places(notebook: Notebook, held: Mapping[str, Any], note: int) -> list[int]:
    """Return the places of the cell that a value is about; of a cell in conflict, those of its variants."""
    cells = notebook.cells
    if held.get("cell"):
        found = [place for place, cell in enumerate(cells) if cell.id == held["cell"]]
    else:
        found = [place for place, cell in enumerate(cells) if name_of(component_of(cell)) == held.get("name")]
        behind = (place for place in range(note + 1, len(cells)) if cells[place].type == "code")
        found = found[:1] or list(behind)[:1]
    groups = {mark["id"] for place in found if (mark := mark_of(cells[place])) is not None}
    variants = [
        place
        for place, cell in enumerate(cells)
        if (mark := mark_of(cell)) is not None and mark["id"] in groups and mark["role"] in ("ours", "theirs")
    ]
    return sorted({*found, *variants})


def _is_one_of(cell: Cell, held: JsonObject) -> bool:
    """Return whether a cell has one of the values that a conflict is about."""
    return value_at(cell.metadata, tuple(held["path"])) in [held.get(side) for side in ("base", "ours", "theirs")]


__all__ = ["Change", "apply", "can_be_named", "changes_of", "renamed", "settled"]

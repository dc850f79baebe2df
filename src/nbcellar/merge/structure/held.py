"""What the metadata of a cell says of it as a component, read without trust in it, and changed at one place."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from nbcellar.ids import CellId
from nbcellar.merge.trees import ABSENT, AFTER, COMPONENT, Path, value_at, with_value_at
from nbcellar.notebook.model import Cell, JsonObject, Notebook

NAME: Path = (*COMPONENT, "name")
DRAWN = "drawn"
"""The value of an edge that is there, in a conflict; its path is that of `after` and the id of the parent."""


def has_components(*notebooks: Notebook) -> bool:
    """Return whether a cell of one of them says something as a component, right or wrong."""
    return any(
        "cellar" in cell.metadata and value_at(cell.metadata, COMPONENT) is not ABSENT
        for found in notebooks
        for cell in found.cells
    )


def component_of(cell: Cell | None) -> JsonObject | None:
    """Return what a cell says as a component, None for a plain cell."""
    found = None if cell is None else value_at(cell.metadata, COMPONENT)
    return found if isinstance(found, dict) else None


def name_of(component: JsonObject | None) -> str:
    """Return the name, "" where there is none that is text."""
    name = None if component is None else component.get("name")
    return name if isinstance(name, str) else ""


def after_of(component: JsonObject | None) -> list[CellId]:
    """Return the ids that somebody drew an edge from; nothing where they cannot be understood."""
    after = None if component is None else component.get("after")
    return after if isinstance(after, list) and all(isinstance(id, str) for id in after) else []


def is_edge(path: Path) -> bool:
    """Return whether a path is of one edge: that of `after`, and a parent."""
    return path[:-1] == AFTER


def with_value(cell: Cell, path: Path, value: Any) -> Cell:
    """Return the cell with a value of its metadata at `path` (`ABSENT` takes it away), or with an edge or without."""
    if is_edge(path):
        return _with_edge(cell, CellId(path[-1]), value == DRAWN)
    return msgspec.structs.replace(cell, metadata=with_value_at(cell.metadata, path, value))


def _with_edge(cell: Cell, parent: CellId, is_drawn: bool) -> Cell:
    component = component_of(cell)
    after = after_of(component)
    if component is None or (parent in after) == is_drawn:
        return cell
    return with_after(cell, [*after, parent] if is_drawn else [id for id in after if id != parent])


def with_after(cell: Cell, after: Collection[CellId]) -> Cell:
    """Return a component that comes after these; without the key where there are none."""
    component = {key: value for key, value in (component_of(cell) or {}).items() if key != "after" or after}
    if after:
        component["after"] = list(after)
    return msgspec.structs.replace(cell, metadata=with_value_at(cell.metadata, COMPONENT, component))


def free_name(name: str, taken: Collection[str]) -> str:
    """Return the name with the first number behind it, from 2, that nobody has."""
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"


__all__ = [
    "DRAWN",
    "NAME",
    "after_of",
    "component_of",
    "free_name",
    "has_components",
    "is_edge",
    "name_of",
    "with_after",
    "with_value",
]

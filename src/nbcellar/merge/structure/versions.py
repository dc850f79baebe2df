"""The three versions of a pipeline in one language: edges name cells by the ids that these have when merged.

A cell can have another id on each side: a tool made all ids anew, both sides added the same cell, or two cells of the
two sides have one id by chance. Edges hold ids, so they are written anew before anything is compared.

Invariant: a version whose edges name what they will name anyway stays the very same object.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from nbcellar.ids import CellId
from nbcellar.merge.cells import only_ran
from nbcellar.merge.model import Side
from nbcellar.merge.order import Slot
from nbcellar.merge.structure.held import after_of, component_of, name_of, with_after
from nbcellar.notebook.ids import FreshIds
from nbcellar.notebook.model import Cell, JsonObject, Notebook


class Version(msgspec.Struct, frozen=True):
    """The components of one version by the ids of the merged notebook, each as its metadata says, and their cells."""

    components: Mapping[CellId, JsonObject]
    cells: Mapping[CellId, Cell]
    numbers: Mapping[CellId, int]

    def name(self, id: CellId) -> str:
        """Return the name of a component, "" for none."""
        return name_of(self.components.get(id))

    def after(self, id: CellId) -> frozenset[CellId]:
        """Return what edges were drawn to a component from."""
        return frozenset(after_of(self.components.get(id)))

    def children(self, id: CellId) -> list[CellId]:
        """Return the components that an edge was drawn to from this one."""
        return [child for child, held in self.components.items() if id in after_of(held)]


class Versions(msgspec.Struct, frozen=True):
    """The notebooks with their edges in the merged ids, and their pipelines.

    ids: for each slot the id that its cell is known by here: its own, or a made one that fits no notebook. repairs:
    sentences about cells that got another id.
    """

    notebooks: tuple[Notebook, Notebook, Notebook]
    ids: tuple[CellId, ...]
    base: Version
    ours: Version
    theirs: Version
    repairs: tuple[str, ...] = ()

    def side(self, side: Side) -> Version:
        """Return one side."""
        return self.ours if side == "ours" else self.theirs

    def drawn_from(self, id: CellId, side: Side) -> list[CellId]:
        """Return the components that one side drew an edge to from this one, which the base does not have."""
        return [child for child in self.side(side).children(id) if id not in self.base.after(child)]

    def was_component(self, id: CellId) -> bool:
        """Return whether it is a component in one version at least."""
        return any(id in version.components for version in (self.base, self.ours, self.theirs))

    def known_name(self, id: CellId) -> str:
        """Return what a component is or was called."""
        names = (version.name(id) for version in (self.ours, self.theirs, self.base))
        return next((name for name in names if name), id)


def read_versions(base: Notebook, ours: Notebook, theirs: Notebook, placed: Sequence[Slot]) -> Versions:
    """Return the three versions in the ids that the cells of the slots will have."""
    notebooks = [base, ours, theirs]
    ids, made = _merged_ids(notebooks, placed)
    versions = []
    for which, notebook in enumerate(notebooks):
        places = {place: ids[n] for n, slot in enumerate(placed) if (place := _places(slot)[which]) is not None}
        notebooks[which] = notebook = _renamed(notebook, places, made)
        taken = set(ids)
        gone = {n: cell.id for n, cell in enumerate(notebook.cells) if n not in places and cell.id not in taken}
        versions.append(_version(notebook, {**places, **gone}))
    repairs = tuple(f"id {was!r} was taken by another cell; one of the two has {id!r} now" for id, was in made.items())
    return Versions(
        notebooks=(notebooks[0], notebooks[1], notebooks[2]),
        ids=tuple(ids),
        base=versions[0],
        ours=versions[1],
        theirs=versions[2],
        repairs=repairs,
    )


def _places(slot: Slot) -> tuple[int | None, int | None, int | None]:
    return (slot.base, slot.ours, slot.theirs)


def _version(notebook: Notebook, places: Mapping[int, CellId]) -> Version:
    cells = {id: notebook.cells[place] for place, id in places.items() if id}
    numbers = {id: place + 1 for place, id in places.items() if id}
    components = {id: held for id, cell in cells.items() if (held := component_of(cell)) is not None}
    return Version(components, cells, numbers)


def _merged_ids(notebooks: Sequence[Notebook], placed: Sequence[Slot]) -> tuple[list[CellId], dict[CellId, str]]:
    """Return the id of each slot's cell; of two that would have the same one the second gets an id of its own.

    These are returned as well, each with the id that was taken.
    """
    fresh = FreshIds(cell.id for notebook in notebooks for cell in notebook.cells)
    seen: set[str] = set()
    ids: list[CellId] = []
    made: dict[CellId, str] = {}
    for number, slot in enumerate(placed):
        base, ours, theirs = (
            None if place is None else notebook.cells[place]
            for notebook, place in zip(notebooks, _places(slot), strict=True)
        )
        kept = ours if ours is not None else theirs
        assert kept is not None  # what both deleted has no slot
        id = kept.id
        if ours is not None and theirs is not None and base is not None and ours.id == base.id:
            id = theirs.id
        is_there = (ours is not None and theirs is not None) or base is None or not only_ran(base, kept)
        if id and id in seen and is_there:
            taken, id = id, fresh.make(kept.type, kept.source)
            made[id] = taken
        if is_there:
            seen.add(id)
        ids.append(id or CellId(f"#{number}"))
    return ids, made


def _renamed(notebook: Notebook, ids: Mapping[int, CellId], made: Collection[CellId]) -> Notebook:
    """Return the notebook with edges that name cells by the ids of the slots; cells that got a new id have it."""
    cells = notebook.cells
    known = {cells[place].id: id for place, id in ids.items() if cells[place].id and cells[place].id != id}
    if not known:
        return notebook
    return msgspec.structs.replace(notebook, cells=tuple(_with_ids(cells, ids, known, made)))


def _with_ids(
    cells: Sequence[Cell], ids: Mapping[int, CellId], known: Mapping[CellId, CellId], made: Collection[CellId]
) -> Iterator[Cell]:
    for place, cell in enumerate(cells):
        if ids.get(place) in made:
            cell = msgspec.structs.replace(cell, id=ids[place])
        after = after_of(component_of(cell))
        if any(id in known for id in after):
            cell = with_after(cell, list(dict.fromkeys(known.get(id, id) for id in after)))
        yield cell


__all__ = ["Version", "Versions", "read_versions"]

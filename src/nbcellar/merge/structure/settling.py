"""What does not fit together in the graph of a merged pipeline, though each cell merged: found, and settled for now.

Invariant: where a decision is left the cells say what ours says, so that the pipeline can be read and run meanwhile; no
two cells get one name and no circle of edges comes in by a merge; an edge that leads nowhere any more is listed.
Not for: what one side alone made wrong; that stays as it is, and `cellar pipeline show` tells it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from nbcellar.ids import CellId
from nbcellar.merge.model import SIDES, Dropped, Side, other_side
from nbcellar.merge.structure.held import (
    DRAWN,
    NAME,
    after_of,
    component_of,
    free_name,
    name_of,
    with_after,
    with_value,
)
from nbcellar.merge.structure.telling import (
    Sentence,
    Words,
    both_renamed,
    both_set,
    circle,
    edge_label,
    same_name,
    taken_out,
)
from nbcellar.merge.structure.versions import Version, Versions
from nbcellar.merge.trees import ABSENT, AFTER, COMPONENT, Path
from nbcellar.notebook.model import Cell, JsonObject

Entry = tuple[CellId, JsonObject]
"""A component, and what each side has at one place of its metadata."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that is left. anchor: the component that its note stands at. entries: components, and what the sides
    have there as in `Conflict`."""

    anchor: CellId
    what: tuple[str, ...]
    entries: tuple[Entry, ...]
    said: Sentence

    @property
    def values(self) -> tuple[JsonObject, ...]:
        """Return what each side has at each place."""
        return tuple(value for _, value in self.entries)


class Graph:
    """The components of a merged notebook while they are settled; the one thing here that changes.

    A cell that is in conflict has two variants: both change, and ours counts.
    """

    def __init__(
        self,
        versions: Versions,
        cells: Sequence[Cell],
        placed: Sequence[int | None],
        policy: Side | None,
        has_ids: bool,
    ) -> None:
        self.versions = versions
        self.cells = list(cells)
        self.policy = policy
        self.has_ids = has_ids
        self.found: list[Found] = []
        self.dropped: list[Dropped] = []
        self.repairs: list[str] = []
        self._at: dict[CellId, list[int]] = {}
        for index, slot in enumerate(placed):
            if slot is not None:
                self._at.setdefault(versions.ids[slot], []).append(index)
        self.components: dict[CellId, JsonObject] = {}
        for id in self._at:
            self._note(id)

    def place(self, id: CellId) -> int:
        """Return the place of a component among the cells."""
        return self._at[id][0]

    def representatives(self) -> list[tuple[CellId, Cell]]:
        """Return each cell that is of a version, in order; of two variants ours."""
        return [(id, self.cells[indexes[0]]) for id, indexes in self._at.items()]

    def is_cell(self, id: CellId) -> bool:
        """Return whether it is a cell of the merged notebook."""
        return id in self._at

    def name(self, id: CellId) -> str:
        """Return what a component is called."""
        return name_of(self.components.get(id)) or self.versions.known_name(id)

    def after(self, id: CellId) -> list[CellId]:
        """Return what comes before a component by an edge that somebody drew, as far as it is a component."""
        return [parent for parent in after_of(self.components.get(id)) if parent in self.components]

    def change(self, id: CellId, path: Path, value: Any) -> None:
        """Set what a component's metadata has at a path, or take an edge away."""
        for index in self._at[id]:
            self.cells[index] = with_value(self.cells[index], path, value)
        self._note(id)

    def keep_after(self, id: CellId, after: Sequence[CellId]) -> None:
        """Set what comes before a component."""
        for index in self._at[id]:
            if component_of(self.cells[index]) is not None:
                self.cells[index] = with_after(self.cells[index], after)
        self._note(id)

    def entry(self, id: CellId, path: Path, label: str, **sides: Any) -> Entry:
        """Return what each side has at one place, for a note."""
        held = {side: value for side, value in sides.items() if value is not ABSENT}
        cell = str(self.cells[self.place(id)].id) if self.has_ids else ""
        return id, {"cell": cell, "name": self.name(id), "path": list(path), "label": label, **held}

    def edge(self, parent: CellId, child: CellId) -> Entry:
        """Return which versions have an edge."""
        versions = {"base": self.versions.base, "ours": self.versions.ours, "theirs": self.versions.theirs}
        drawn = {side: DRAWN for side, version in versions.items() if parent in version.after(child)}
        return self.entry(child, (*AFTER, parent), edge_label(self.name(parent), self.name(child)), **drawn)

    def leave(self, anchor: CellId, what: Iterable[str], entries: Sequence[Entry], said: Sentence) -> None:
        """Leave a decision to a person, with ours in the cells; or take the side that the policy says."""
        if self.policy is None:
            found = Found(anchor=anchor, what=tuple(dict.fromkeys(what)), entries=tuple(entries), said=said)
            self.found.append(found)
            return
        other = other_side(self.policy)
        for id, value in entries:
            path = tuple(value["path"])
            kept, gone = (value.get(side, ABSENT) for side in (self.policy, other))
            self.change(id, path, kept)
            if gone is not ABSENT and gone != kept:
                reason = f"{said(Words('ours', 'theirs', repr))}; the policy keeps {self.policy}"
                self._drop(other, id, value["label"], path, gone, reason)

    def lose_edge(self, side: Side, parent: CellId, child: CellId, reason: str) -> None:
        """List an edge of one side that is not in the merged notebook."""
        label = edge_label(self.versions.known_name(parent), self.name(child))
        self._drop(side, child, label, (*AFTER, parent), DRAWN, reason)

    def _drop(self, side: Side, id: CellId, what: str, path: Path, value: Any, reason: str) -> None:
        version = self.versions.side(side)
        cell = version.cells.get(id)
        self.dropped.append(
            Dropped(
                side=side,
                what=what,
                reason=reason,
                value=value,
                cell="" if cell is None else str(cell.id),
                number=version.numbers.get(id, 0),
                path=("metadata", *path),
            )
        )

    def _note(self, id: CellId) -> None:
        held = component_of(self.cells[self._at[id][0]])
        if held is None:
            self.components.pop(id, None)
        elif id in self.components:
            self.components[id] = held
        else:
            self.components[id] = held
            self.components = {known: self.components[known] for known in self._at if known in self.components}


_Edge = tuple[CellId, CellId]


def settle(graph: Graph, pending: Mapping[CellId, Sequence[JsonObject]], deleted: Mapping[CellId, Side]) -> None:
    """Settle what each cell left open, then names and edges.

    pending: by component, what its versions say differently (`CellMerge.structure`). deleted: components whose cell
    one side deleted, and which are there because that is in conflict.
    """
    changed = {id for id, values in pending.items() if any(tuple(value["path"]) == COMPONENT for value in values)}
    out = _taken_out(graph, changed)
    for id, values in pending.items():
        if id not in out:
            _fields(graph, id, values)
    for id, side in deleted.items():
        kept = graph.versions.side(other_side(side))
        for child in kept.children(id):
            if child in graph.components:
                graph.change(child, (*AFTER, id), DRAWN)
    _dangling(graph)
    _names(graph)
    _circles(graph)


def _fields(graph: Graph, id: CellId, values: Sequence[JsonObject]) -> None:
    """Both sides gave one component another name, or another way to be run."""
    sentences, entries, what = [], [], []
    for value in values:
        path = tuple(value["path"])
        field = path[-1]
        sides = {side: value.get(side, ABSENT) for side in ("base", "ours", "theirs")}
        label = "name of the component" if path == NAME else f"{field} of '{graph.name(id)}'"
        entries.append(graph.entry(id, path, label, **sides))
        what.append(f"component.{field}")
        said = [sides[side] if sides[side] is not ABSENT else ... for side in SIDES]
        if path == NAME and all(isinstance(name, str) for name in said):
            sentences.append(both_renamed(graph.versions.base.name(id), str(said[0]), str(said[1])))
        else:
            sentences.append(both_set(graph.name(id), field, said[0], said[1]))
    graph.leave(id, what, entries, lambda words: "; ".join(sentence(words) for sentence in sentences))


def _taken_out(graph: Graph, changed: set[CellId]) -> set[CellId]:
    """One side made a component a plain cell, the other changed it, or drew an edge from it: return those."""
    versions = graph.versions
    found: set[CellId] = set()
    for id, was in versions.base.components.items():
        by: list[Side] = [side for side in SIDES if id not in versions.side(side).components]
        if len(by) != 1 or not graph.is_cell(id) or not all(id in versions.side(side).cells for side in SIDES):
            continue
        other = other_side(by[0])
        drawn = [child for child in versions.drawn_from(id, other) if child in graph.components]
        if id not in changed and not drawn:
            continue
        kept = versions.side(other).components[id]
        name = versions.known_name(id)
        children = [child for child in versions.side(other).children(id) if child in graph.components]
        entry = graph.entry(id, COMPONENT, f"component '{name}'", base=was, **{other: kept})
        edges = [graph.edge(id, child) for child in children]
        graph.change(id, COMPONENT, kept if other == "ours" else ABSENT)
        for child in children:
            graph.change(child, (*AFTER, id), DRAWN if id in versions.ours.after(child) else ABSENT)
        said = taken_out(name, by[0], [graph.name(child) for child in drawn], is_changed=id in changed)
        graph.leave(id, ["component"], [entry, *edges], said)
        found.add(id)
    return found


def _dangling(graph: Graph) -> None:
    """Take away edges from components that are gone, and list them; what never was a component stays."""
    versions = graph.versions
    for id, held in list(graph.components.items()):
        after = after_of(held)
        gone = [parent for parent in after if parent not in graph.components and versions.was_component(parent)]
        if not graph.has_ids:
            gone = list(after)
        gone = [parent for parent in gone if not _is_left_open(graph, parent, id)]
        if not gone:
            continue
        graph.keep_after(id, [parent for parent in after if parent not in gone])
        for parent in gone:
            side: Side = "ours" if parent in versions.ours.after(id) else "theirs"
            for named in SIDES:
                if parent in versions.side(named).after(id) and parent in versions.side(named).components:
                    side = named
            reason = "the component is gone" if graph.has_ids else "cells have no ids in this format"
            graph.lose_edge(side, parent, id, reason)


def _is_left_open(graph: Graph, parent: CellId, child: CellId) -> bool:
    """Return whether a decision that is left is about this edge; it is not lost then."""
    path = [*AFTER, parent]
    return any(id == child and value["path"] == path for found in graph.found for id, value in found.entries)


def _names(graph: Graph) -> None:
    """Give the second of two components that the sides gave one name another one, and leave it to be confirmed."""
    versions = graph.versions
    by_name: dict[str, list[CellId]] = {}
    for id, held in graph.components.items():
        if name_of(held):
            by_name.setdefault(name_of(held), []).append(id)
    every = (versions.base, versions.ours, versions.theirs)
    taken = {version.name(id) for version in every for id in version.components} | set(by_name)
    for name, ids in by_name.items():
        of_ours = [id for id in ids if versions.ours.name(id) == name]
        kept = [(of_ours or ids)[0]]
        for id in [id for id in ids if id != kept[0]]:
            if any(_have_one_name(version, [id, other], name) for other in kept for version in _both(versions)):
                kept.append(id)  # somebody's own doing
                continue
            new = free_name(name, taken)
            taken.add(new)
            graph.change(id, NAME, new)
            graph.repairs.append(f"two components are called {name!r}: the one of theirs is {new!r} now")
            before = [versions.base.name(known) for known in (kept[0], id)]
            entries = [
                graph.entry(kept[0], NAME, f"name of '{name}'", base=before[0] or name, ours=name, theirs=new),
                graph.entry(id, NAME, f"name of '{new}'", base=before[1] or new, ours=new, theirs=name),
            ]
            graph.leave(id, ["component.name"], entries, same_name(name, new))


def _both(versions: Versions) -> tuple[Version, Version]:
    return (versions.ours, versions.theirs)


def _have_one_name(version: Version, ids: Sequence[CellId], name: str) -> bool:
    return all(version.name(id) == name for id in ids)


def _circles(graph: Graph) -> None:
    """Leave open which edges are to stay where those of both sides together lead round in a circle."""
    from nbcellar.components.graph import find_circles, find_cycle

    for group in find_circles(list(graph.components), {id: frozenset(graph.after(id)) for id in graph.components}):
        inside = set(group)
        parents = {id: frozenset(set(graph.after(id)) & inside) for id in group}
        if any(
            find_cycle(group, {id: frozenset(parents[id] & side.after(id)) for id in group})
            for side in _both(graph.versions)
        ):
            continue  # one side alone made it
        edges = [(parent, child) for child in group for parent in graph.after(child) if parent in inside]
        by = {edge: _drawn_by(graph.versions, *edge) for edge in edges}
        cycle = find_cycle(group, parents)
        steps = list(zip(cycle, [*cycle[1:], cycle[0]], strict=True))
        said = circle([(graph.name(p), graph.name(c), by.get((p, c), "")) for p, c in _named_first(steps, by)])
        entries = [graph.edge(*edge) for edge in edges if by[edge]]
        for (parent, child), side in by.items():
            if side == "theirs":
                graph.change(child, (*AFTER, parent), ABSENT)
        graph.leave(group[0], ["edges"], entries, said)


def _named_first(steps: Sequence[_Edge], by: Mapping[_Edge, str]) -> list[_Edge]:
    """Return the edges of a circle, beginning with one of ours."""
    first = next((at for at, step in enumerate(steps) if by.get(step) == "ours"), 0)
    return [*steps[first:], *steps[:first]]


def _drawn_by(versions: Versions, parent: CellId, child: CellId) -> str:
    drawn = [side for side in SIDES if parent in versions.side(side).after(child)]
    return drawn[0] if len(drawn) == 1 else ""


__all__ = ["Entry", "Found", "Graph", "settle"]

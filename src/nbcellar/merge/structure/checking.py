"""What the sources of both sides together make of a merged pipeline, where each side alone was in order.

An edge that one side drew can put a component before the one whose value it takes since an edit of the other side: the
two wait for each other, though no circle of drawn edges is there. That is a conflict; what else is new, names without
an order or without a maker, is a warning.

Invariant: what one side alone did is no news. A merge that is as one side, as a pipeline, costs no analysis.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from nbcellar.components.graph import ancestors, serial_order
from nbcellar.components.model import Component, Edge, Pipeline, Problem
from nbcellar.components.reading import read_pipeline
from nbcellar.ids import CellId
from nbcellar.merge.model import SIDES, Side, other_side
from nbcellar.merge.structure.held import component_of
from nbcellar.merge.structure.settling import Graph
from nbcellar.merge.structure.telling import crossed
from nbcellar.merge.structure.versions import Version
from nbcellar.merge.trees import ABSENT, AFTER
from nbcellar.notebook.model import Cell, JsonObject, Notebook

_NEWS = frozenset({"unordered-producers", "undefined"})
_NUMBER = re.compile(r" \(cell \d+\)")


def check(graph: Graph, metadata: JsonObject) -> tuple[str, ...]:
    """Leave open what waits for each other by edges and names; return what else is new, as warnings.

    metadata: that of the merged notebook, which has parameters.
    """
    ours, theirs = graph.versions.notebooks[1:]
    views = [
        _view(graph.versions.ours, ours.metadata),
        _view(graph.versions.theirs, theirs.metadata),
    ]
    merged = _merged_view(graph, metadata)
    if not graph.components or any(_same(merged, view) for view in views):
        return ()
    sides = {side: read_pipeline(view) for side, view in zip(SIDES, views, strict=True)}
    pipeline = read_pipeline(merged)
    for side in SIDES:
        _cross(graph, pipeline, sides, side)
    changed = _merged_view(graph, metadata)
    if not _same(changed, merged):
        pipeline = read_pipeline(changed)
    return _news(pipeline, list(sides.values()))


def _view(version: Version, metadata: JsonObject) -> Notebook:
    """Return what makes the pipeline of one side, in the merged ids."""
    ids = sorted(version.cells, key=lambda id: version.numbers[id])
    return _of_cells([(id, version.cells[id]) for id in ids], metadata)


def _merged_view(graph: Graph, metadata: JsonObject) -> Notebook:
    return _of_cells(graph.representatives(), metadata)


def _of_cells(cells: Sequence[tuple[CellId, Cell]], metadata: JsonObject) -> Notebook:
    kept = tuple(
        Cell(type=cell.type, source=cell.source, id=id, metadata=cell.metadata)
        for id, cell in cells
        if component_of(cell) is not None or "parameters" in cell.tags
    )
    return Notebook(cells=kept, metadata=metadata)


def _same(a: Notebook, b: Notebook) -> bool:
    return [_essence(cell) for cell in a.cells] == [_essence(cell) for cell in b.cells] and (
        a.metadata.get("cellar") == b.metadata.get("cellar")
    )


def _essence(cell: Cell) -> tuple[object, ...]:
    return (cell.id, cell.type, cell.source, component_of(cell), "parameters" in cell.tags)


def _cross(graph: Graph, merged: Pipeline, sides: Mapping[Side, Pipeline], side: Side) -> None:
    """Leave open where the source of `side` takes names along an edge that the other side drew the other way."""
    other = other_side(side)
    known = {component.id: component for component in merged.components}
    before = _before(graph)
    for edge in sides[side].edges:
        if edge.child not in before.get(edge.parent, ()) or not {edge.parent, edge.child} <= known.keys():
            continue
        names = _taken(known[edge.parent], known[edge.child], edge)
        if names and not _is_known(graph, sides[other], other, edge, names):
            _leave(graph, edge, names, side)
            before = _before(graph)


def _before(graph: Graph) -> dict[CellId, frozenset[CellId]]:
    ids = list(graph.components)
    parents = {id: frozenset(graph.after(id)) for id in ids}
    return ancestors(serial_order(ids, parents), parents)


def _taken(parent: Component, child: Component, edge: Edge) -> list[str]:
    """Return which names of an edge are still made and taken in the merged sources."""
    makes = parent.uses.writes | parent.uses.changes
    takes = child.uses.reads | child.uses.changes
    return [name for name in edge.names if name in makes and name in takes]


def _is_known(graph: Graph, pipeline: Pipeline, side: Side, edge: Edge, names: Sequence[str]) -> bool:
    """Return whether the side that drew the edge had the names then: it drew it knowing that."""
    components = {component.id: component for component in pipeline.components}
    if edge.parent not in components or edge.child not in components:
        return False
    version = graph.versions.side(side)
    parents = {id: frozenset(version.after(id) & components.keys()) for id in components}
    before = ancestors(serial_order(list(components), parents), parents)
    is_drawn = edge.child in before.get(edge.parent, frozenset())
    return is_drawn and bool(_taken(components[edge.parent], components[edge.child], edge))


def _leave(graph: Graph, edge: Edge, names: Sequence[str], side: Side) -> None:
    """Leave open whether the drawn edges on the way from child to parent stay, which only the other side has."""
    before = _before(graph)
    on_the_way = {
        id
        for id in graph.components
        if (id == edge.child or edge.child in before.get(id, ())) and (id == edge.parent or id in before[edge.parent])
    }
    versions = graph.versions
    drawn = [
        (first, last)
        for last in graph.components
        for first in graph.after(last)
        if {first, last} <= on_the_way and first not in versions.side(side).after(last)
    ]
    if not drawn:
        return
    entries = [graph.edge(*each) for each in drawn]
    if side == "ours":
        for first, last in drawn:
            graph.change(last, (*AFTER, first), ABSENT)
    said = crossed(
        graph.name(edge.parent),
        graph.name(edge.child),
        names,
        side,
        [(graph.name(first), graph.name(last)) for first, last in drawn],
    )
    graph.leave(edge.child, ["edges"], entries, said)


def _news(merged: Pipeline, sides: Sequence[Pipeline]) -> tuple[str, ...]:
    """Return what is wrong with the merged pipeline by names that was not wrong on either side."""
    told = {_key(side, problem) for side in sides for problem in side.problems}
    found = []
    for problem in merged.problems:
        if problem.code in _NEWS and _key(merged, problem) not in told:
            message = _NUMBER.sub("", problem.message)
            found.append(f"{message}: {problem.hint}" if problem.code == "unordered-producers" else message)
    return tuple(found)


def _key(pipeline: Pipeline, problem: Problem) -> tuple[object, ...]:
    """Return what a problem is known by, whatever its components are called and wherever they stand."""
    message = _NUMBER.sub("", problem.message)
    for id in problem.cells:
        message = message.replace(f"'{pipeline.component(id).name}'", "")
    return (problem.code, problem.cells, message)


__all__ = ["check"]

"""Where components stand in a drawing of the graph: in layers, parents above children.

Layers by the longest path; within a layer ordered by the barycentre of their neighbours (Sugiyama, Tagawa and Toda,
1981), swept down and up, with ties by the document's order. Edges over several layers run through points of their own.
Pure: the same pipeline is drawn the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from nbcellar.components.model import Pipeline
from nbcellar.ids import CellId

_SWEEPS = 8


class Point(msgspec.Struct, frozen=True):
    """A place in the drawing: `column` counts in widths of a component, from the left; `layer` from the top."""

    column: float
    layer: int


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """`places` of the components; for each edge, by parent and child, the points that it runs through."""

    places: Mapping[CellId, Point]
    bends: Mapping[tuple[CellId, CellId], tuple[Point, ...]]
    columns: float
    layers: int


Node = tuple[str, ...]  # a component's id; or parent, child, layer: where an edge passes


def lay_out(pipeline: Pipeline) -> Layout:
    """Return where the components of a pipeline are drawn. Edges of a cycle are left out."""
    position = {id: at for at, id in enumerate(pipeline.order)}
    edges = [
        (edge.parent, edge.child)
        for edge in pipeline.edges
        if position.get(edge.parent, len(position)) < position.get(edge.child, -1)
    ]
    layer = _layers([component.id for component in pipeline.components], pipeline.order, edges)
    rows, links = _with_passing(pipeline, layer, edges)
    for sweep in range(_SWEEPS):
        _sort_rows(rows, links, down=sweep % 2 == 0)
    columns = _columns(rows, links)
    return Layout(
        places={id: Point(columns[(id,)], layer[id]) for id in layer},
        bends={
            (parent, child): tuple(
                Point(columns[(parent, child, str(at))], at) for at in range(layer[parent] + 1, layer[child])
            )
            for parent, child in edges
        },
        columns=max(columns.values(), default=0) + 1,
        layers=len(rows),
    )


def _layers(
    ids: Sequence[CellId], order: Sequence[CellId], edges: Sequence[tuple[CellId, CellId]]
) -> dict[CellId, int]:
    layer = dict.fromkeys(ids, 0)
    children: dict[CellId, list[CellId]] = {}
    for parent, child in edges:
        children.setdefault(parent, []).append(child)
    for id in order:
        for child in children.get(id, ()):
            layer[child] = max(layer[child], layer[id] + 1)
    return layer


def _with_passing(
    pipeline: Pipeline, layer: Mapping[CellId, int], edges: Sequence[tuple[CellId, CellId]]
) -> tuple[list[list[Node]], list[tuple[Node, Node]]]:
    """Return the rows, with a node wherever an edge passes through one, and the links from row to row."""
    rows: list[list[Node]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for component in pipeline.components:
        rows[layer[component.id]].append((component.id,))
    links: list[tuple[Node, Node]] = []
    for parent, child in edges:
        passing: list[Node] = [(parent, child, str(at)) for at in range(layer[parent] + 1, layer[child])]
        for node in passing:
            rows[int(node[2])].append(node)
        chain: list[Node] = [(parent,), *passing, (child,)]
        links += list(pairwise(chain))
    return rows, links


def _sort_rows(rows: list[list[Node]], links: Sequence[tuple[Node, Node]], *, down: bool) -> None:
    near: dict[Node, list[Node]] = {}
    for above, below in links:
        near.setdefault(below if down else above, []).append(above if down else below)
    for row in rows if down else reversed(rows):
        at = {node: float(place) for place_row in rows for place, node in enumerate(place_row)}
        weight = {
            node: sum(at[other] for other in near[node]) / len(near[node]) if near.get(node) else at[node]
            for node in row
        }
        row.sort(key=weight.__getitem__)


def _columns(rows: Sequence[Sequence[Node]], links: Sequence[tuple[Node, Node]]) -> dict[Node, float]:
    """Return columns in which nodes stand under the middle of their parents as far as there is room."""
    above: dict[Node, list[Node]] = {}
    for parent, child in links:
        above.setdefault(child, []).append(parent)
    columns: dict[Node, float] = {}
    for row in rows:
        wanted = [
            sum(columns[parent] for parent in above[node]) / len(above[node]) if above.get(node) else float(place)
            for place, node in enumerate(row)
        ]
        columns.update(zip(row, _apart(wanted, [1.0 if len(node) == 1 else 0.35 for node in row]), strict=True))
    left = min(columns.values(), default=0.0)
    return {node: column - left for node, column in columns.items()}


def _apart(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Return places near the wanted ones, in the same order, with room for each width (pool adjacent violators)."""
    offset = [0.0]
    for left, right in pairwise(widths):
        offset.append(offset[-1] + (left + right) / 2)
    groups: list[tuple[float, int]] = []
    for want, shift in zip(wanted, offset, strict=True):
        groups.append((want - shift, 1))
        while len(groups) > 1 and groups[-2][0] > groups[-1][0]:
            (low, many), (high, some) = groups[-2:]
            groups[-2:] = [((low * many + high * some) / (many + some), many + some)]
    flat = [value for value, count in groups for _ in range(count)]
    return [value + shift for value, shift in zip(flat, offset, strict=True)]


__all__ = ["Layout", "Point", "lay_out"]

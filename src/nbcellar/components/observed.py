"""Edges that runs showed, on a pipeline as its sources have it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from nbcellar.components.graph import serial_order
from nbcellar.components.model import PROVENANCES, Edge, Pipeline
from nbcellar.ids import CellId


def with_observed(pipeline: Pipeline, seen: Iterable[Edge]) -> Pipeline:
    """Return a pipeline with edges that a run showed; those that do not fit it any more are left out.

    An edge fits if both its components are there and it makes no circle with the others.
    """
    seen = tuple(seen)
    if not seen:
        return pipeline
    ids = [component.id for component in pipeline.components]
    edges = {(edge.parent, edge.child): edge for edge in pipeline.edges}
    parents: dict[CellId, frozenset[CellId]] = {}
    for parent, child in edges:
        parents[child] = parents.get(child, frozenset()) | {parent}
    order = serial_order(ids, parents)
    for edge in seen:
        ends = (edge.parent, edge.child)
        if ends in edges:
            edges[ends] = _joined(edges[ends], edge)
            continue
        wider = {**parents, edge.child: parents.get(edge.child, frozenset()) | {edge.parent}}
        if edge.parent in ids and edge.child in ids and len(found := serial_order(ids, wider)) == len(order):
            parents, order = wider, found
            edges[ends] = _joined(Edge(parent=edge.parent, child=edge.child), edge)
    return msgspec.structs.replace(pipeline, edges=tuple(edges.values()), order=tuple(order))


def _joined(known: Edge, seen: Edge) -> Edge:
    provenance = {*known.provenance, "observed"}
    return msgspec.structs.replace(
        known,
        names=tuple(sorted({*known.names, *seen.names})),
        provenance=tuple(how for how in PROVENANCES if how in provenance),
    )


__all__ = ["with_observed"]

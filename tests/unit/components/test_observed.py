"""Edges that runs showed stand beside those of the sources, where they fit."""

from __future__ import annotations

from nbcellar.components.model import Component, Edge, Pipeline
from nbcellar.components.observed import with_observed
from nbcellar.ids import CellId

A, B, C = (CellId(word) for word in "abc")


def edge(parent: CellId, child: CellId, *names: str, provenance: tuple[str, ...] = ()) -> Edge:
    return Edge(parent=parent, child=child, names=names, provenance=provenance)  # type: ignore[arg-type]


def pipeline(*edges: Edge) -> Pipeline:
    components = tuple(Component(id=id, name=id, place=at, source="") for at, id in enumerate((A, B, C)))
    return Pipeline(components=components, edges=edges, order=(A, B, C))


def test_an_edge_that_is_known_is_seen_too() -> None:
    found = with_observed(pipeline(edge(A, B, "x", provenance=("inferred",))), [edge(A, B, "y")])
    assert found.edges == (edge(A, B, "x", "y", provenance=("inferred", "observed")),)


def test_another_edge_is_added_and_orders_the_run() -> None:
    found = with_observed(pipeline(), [edge(C, A, "x")])
    assert found.edges == (edge(C, A, "x", provenance=("observed",)),)
    assert found.order == (B, C, A)


def test_what_does_not_fit_any_more_is_left_out() -> None:
    known = pipeline(edge(A, B, "x", provenance=("inferred",)))
    assert with_observed(known, [edge(B, A, "y"), edge(CellId("gone"), C), edge(A, CellId("gone"))]) == known


def test_nothing_seen_changes_nothing() -> None:
    known = pipeline(edge(A, B, "x", provenance=("declared",)))
    assert with_observed(known, []) is known

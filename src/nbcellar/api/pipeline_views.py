"""What `cellar pipeline show --json` prints: a pipeline as people and programs look at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from nbcellar.api.pipelines import ComponentStatus
from nbcellar.api.views import View
from nbcellar.components.model import Pipeline, Policy, Problem
from nbcellar.components.parameters import as_json


class ComponentLine(msgspec.Struct, frozen=True, kw_only=True):
    """One component. `cell` is the number of its cell, from 1; `after` are declared parents; lists are sorted names.

    changes: objects that it may change in place. needs: what its functions take from the namespace when called. status:
    what is cached of it, null without a repository.
    """

    id: str
    name: str
    cell: int
    reads: list[str]
    writes: list[str]
    changes: list[str]
    needs: dict[str, list[str]]
    after: list[str]
    policy: Policy
    error: str = ""
    status: ComponentStatus | None = None


class EdgeLine(msgspec.Struct, frozen=True, kw_only=True):
    """`parent` is done before `child` begins; `names` are what the child takes from it."""

    parent: str
    child: str
    names: list[str]
    provenance: list[str]


class ParameterLine(msgspec.Struct, frozen=True, kw_only=True):
    """A value that a run can be given; `cell` sets it (its number), None: the notebook's metadata does.

    value: its text in Python where JSON cannot hold it, such as a tuple or an infinite number.
    """

    name: str
    value: Any
    type: str
    used_by: list[str]
    cell: int | None


class ProblemLine(msgspec.Struct, frozen=True, kw_only=True):
    """What keeps a pipeline from being run, or should be known; `cells` are the ids of the components it is about."""

    code: str
    message: str
    cells: list[str]
    hint: str
    is_error: bool


class PipelineView(View, frozen=True, kw_only=True):
    """`cellar pipeline show NB --json`. `order` is that of a serial run; `proposed`: no cell is a component yet."""

    notebook: str
    proposed: bool
    components: list[ComponentLine]
    edges: list[EdgeLine]
    parameters: list[ParameterLine]
    problems: list[ProblemLine]
    order: list[str]


def view_of(pipeline: Pipeline, name: str, status: Mapping[str, ComponentStatus] | None = None) -> PipelineView:
    """Return a pipeline as a view. status: what is cached, by id of the component."""
    return PipelineView(
        notebook=name,
        proposed=pipeline.proposed,
        components=[
            ComponentLine(
                id=component.id,
                name=component.name,
                cell=component.place + 1,
                reads=sorted(component.uses.reads),
                writes=sorted(component.uses.writes),
                changes=sorted(component.uses.changes),
                needs={name: sorted(needed) for name, needed in sorted(component.uses.needs.items()) if needed},
                after=list(component.after),
                policy=component.policy,
                error=component.error,
                status=(status or {}).get(component.id),
            )
            for component in pipeline.components
        ],
        edges=[
            EdgeLine(parent=edge.parent, child=edge.child, names=list(edge.names), provenance=list(edge.provenance))
            for edge in pipeline.edges
        ],
        parameters=[
            ParameterLine(
                name=found.name,
                value=as_json(found.value),
                type=found.type,
                used_by=list(found.used_by),
                cell=found.cell + 1 if found.cell is not None else None,
            )
            for found in pipeline.parameters
        ],
        problems=[line_of(problem) for problem in pipeline.problems],
        order=list(pipeline.order),
    )


def line_of(problem: Problem) -> ProblemLine:
    """Return a problem as a view."""
    return ProblemLine(
        code=problem.code,
        message=problem.message,
        cells=list(problem.cells),
        hint=problem.hint,
        is_error=problem.is_error,
    )


__all__ = ["ComponentLine", "EdgeLine", "ParameterLine", "PipelineView", "ProblemLine", "line_of", "view_of"]

"""A pipeline as frozen data: components, edges with their provenance, parameters, and what is wrong with it.

A component is a code cell; its id is the cell's. Components stand in document order; edges name components by id.
Not for: reading them from a notebook (`reading.py`), finding the edges (`edges.py`).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from nbcellar.components.uses import Uses
from nbcellar.ids import CellId

Provenance = Literal["declared", "inferred", "observed"]
"""How an edge is known: somebody drew it; the sources say so; a run showed it."""

PROVENANCES: tuple[Provenance, ...] = ("declared", "inferred", "observed")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How a component is run. cache: its results are kept. freeze: a result that is there is used, whatever changed.

    retries: how often it is run again after an error. timeout_s: how long a run may take, None without an end.
    """

    cache: bool = True
    freeze: bool = False
    retries: int = 0
    timeout_s: float | None = None


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """A code cell that is a step. `place` is the cell's, from 0; `after`: the components that somebody drew before it.

    proposed: no metadata says that it is one. error: why its source cannot be read, with `error_line` from 1.
    """

    id: CellId
    name: str
    place: int
    source: str
    uses: Uses = Uses()
    after: tuple[CellId, ...] = ()
    policy: Policy = Policy()
    proposed: bool = False
    error: str = ""
    error_line: int = 0


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """`parent` is done before `child` begins. names: what the child takes from it, sorted; none: only the order."""

    parent: CellId
    child: CellId
    names: tuple[str, ...] = ()
    provenance: tuple[Provenance, ...] = ()


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A value that a run can be given. `type` is JSON's word for it.

    used_by: the components that read it as it is given, and not as another component sets it.
    cell: the place of the cell tagged `parameters` that sets it, None for one of the notebook's metadata.
    """

    name: str
    value: Any
    type: str
    used_by: tuple[CellId, ...] = ()
    cell: int | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What keeps a pipeline from being run, or should be known. `cells`: the components it is about."""

    code: Literal[
        "cycle",
        "unknown-parent",
        "duplicate-name",
        "unordered-producers",
        "siblings",
        "rebound",
        "unreadable",
        "undefined",
        "unseen",
        "metadata",
    ]
    message: str
    cells: tuple[CellId, ...] = ()
    hint: str = ""
    is_error: bool = True


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """The pipeline of a notebook. `order`: ids as a serial run takes them. proposed: no cell says that there is one."""

    components: tuple[Component, ...]
    edges: tuple[Edge, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[Problem, ...] = ()
    order: tuple[CellId, ...] = ()
    proposed: bool = False

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Return what keeps it from being run."""
        return tuple(problem for problem in self.problems if problem.is_error)

    def component(self, id: CellId) -> Component:
        """Return a component by its id. Raises KeyError."""
        for found in self.components:
            if found.id == id:
                return found
        raise KeyError(id)


__all__ = ["PROVENANCES", "Component", "Edge", "Parameter", "Pipeline", "Policy", "Problem", "Provenance"]

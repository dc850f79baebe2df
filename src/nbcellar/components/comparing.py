"""What differs between two pipelines: components, what they say, edges, parameters.

A component is the same one where the id of its cell is, whatever it is called; so a rename is told as one.

Invariant: comparing a pipeline with itself gives nothing, and swapping the two swaps what was added and removed. Pure.
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from nbcellar.components.model import Component, Edge, Parameter, Pipeline, Policy, Problem, Provenance
from nbcellar.components.transform import NotPythonError, parse
from nbcellar.ids import CellId

Kind = Literal["added", "removed", "changed"]


class CodeChange(msgspec.Struct, frozen=True, kw_only=True):
    """How many lines came and went. only_layout: nothing but comments and formatting changed."""

    added: int
    removed: int
    only_layout: bool = False


class PolicyChange(msgspec.Struct, frozen=True, kw_only=True):
    """One thing about how a component is run."""

    field: str
    before: Any
    after: Any


class ComponentChange(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one component; `id` is its cell's. Cells are counted from 1, None where it is not.

    old_name: what it was called, where that differs. moved: it stands elsewhere among the others.
    """

    id: CellId
    kind: Kind
    name: str
    old_name: str = ""
    cell: int | None = None
    old_cell: int | None = None
    moved: bool = False
    code: CodeChange | None = None
    policy: tuple[PolicyChange, ...] = ()


class EdgeChange(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one edge, named by the ids of its cells: what is carried, and how the edge is known."""

    parent: CellId
    child: CellId
    kind: Kind
    names: tuple[str, ...] = ()
    old_names: tuple[str, ...] = ()
    provenance: tuple[Provenance, ...] = ()
    old_provenance: tuple[Provenance, ...] = ()


class ParameterChange(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one parameter; the type is "" where it is not.

    Programs get what JSON cannot hold as text in Python.
    """

    name: str
    kind: Kind
    before: Any = None
    after: Any = None
    old_type: str = ""
    type: str = ""


class PipelineChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What leads from one pipeline to another; falsy where nothing does. Only what differs is listed.

    problems: what is wrong with the second and was not with the first. was_proposed, is_proposed: no cell said that
    there is a pipeline, so what it could be is compared.
    """

    components: tuple[ComponentChange, ...] = ()
    edges: tuple[EdgeChange, ...] = ()
    parameters: tuple[ParameterChange, ...] = ()
    problems: tuple[Problem, ...] = ()
    was_proposed: bool = False
    is_proposed: bool = False

    def __bool__(self) -> bool:
        """Return whether anything differs."""
        return bool(
            self.components or self.edges or self.parameters or self.problems or self.was_proposed != self.is_proposed
        )


def compare_pipelines(before: Pipeline, after: Pipeline) -> PipelineChanges:
    """Return what leads from one pipeline to the other."""
    known = {problem.message for problem in before.errors}
    return PipelineChanges(
        components=tuple(_components(before.components, after.components)),
        edges=tuple(_edges(before.edges, after.edges)),
        parameters=tuple(_parameters(before.parameters, after.parameters)),
        problems=tuple(problem for problem in after.errors if problem.message not in known),
        was_proposed=before.proposed and bool(before.components),
        is_proposed=after.proposed and bool(after.components),
    )


def _components(before: Sequence[Component], after: Sequence[Component]) -> Iterator[ComponentChange]:
    old, new = {each.id: each for each in before}, {each.id: each for each in after}
    moved = _moved([id for id in old if id in new], [id for id in new if id in old])
    for component in after:
        if component.id not in old:
            yield ComponentChange(id=component.id, kind="added", name=component.name, cell=component.place + 1)
        else:
            found = _change(old[component.id], component, component.id in moved)
            if found is not None:
                yield found
    for component in before:
        if component.id not in new:
            yield ComponentChange(id=component.id, kind="removed", name=component.name, old_cell=component.place + 1)


def _change(old: Component, new: Component, moved: bool) -> ComponentChange | None:
    found = ComponentChange(
        id=new.id,
        kind="changed",
        name=new.name,
        old_name=old.name if old.name != new.name else "",
        cell=new.place + 1,
        old_cell=old.place + 1,
        moved=moved,
        code=_code(old.source, new.source),
        policy=tuple(
            PolicyChange(field=field, before=getattr(old.policy, field), after=getattr(new.policy, field))
            for field in Policy.__struct_fields__
            if getattr(old.policy, field) != getattr(new.policy, field)
        ),
    )
    return found if found.old_name or found.moved or found.code or found.policy else None


def _moved(before: Sequence[CellId], after: Sequence[CellId]) -> set[CellId]:
    """Return the fewest components that have to move to lead from one order to the other."""
    place = {id: at for at, id in enumerate(before)}
    ends: list[int] = []  # the least last place of a rising run of each length
    runs: list[tuple[int, ...]] = []
    for at in (place[id] for id in after):
        length = bisect_left(ends, at)
        run = (*(runs[length - 1] if length else ()), at)
        ends[length : length + 1] = [at]
        runs[length : length + 1] = [run]
    stays = set(runs[-1]) if runs else set()
    return {id for id in after if place[id] not in stays}


def _code(old: str, new: str) -> CodeChange | None:
    if old == new:
        return None
    from difflib import SequenceMatcher

    before, after = old.splitlines(), new.splitlines()
    added = removed = 0
    for tag, a1, a2, b1, b2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            removed += a2 - a1
            added += b2 - b1
    return CodeChange(added=added, removed=removed, only_layout=_tree(old) == _tree(new) != "")


def _tree(source: str) -> str:
    """Return the code without comments and layout, "" where it cannot be read."""
    try:
        return ast.dump(parse(source))
    except (NotPythonError, RecursionError):
        return ""


def _edges(before: Sequence[Edge], after: Sequence[Edge]) -> Iterator[EdgeChange]:
    old, new = ({(edge.parent, edge.child): edge for edge in edges} for edges in (before, after))
    for ends in (*new, *(ends for ends in old if ends not in new)):
        was, now = old.get(ends), new.get(ends)
        if was != now:
            yield EdgeChange(
                parent=ends[0],
                child=ends[1],
                kind="added" if was is None else "removed" if now is None else "changed",
                names=now.names if now else (),
                old_names=was.names if was else (),
                provenance=now.provenance if now else (),
                old_provenance=was.provenance if was else (),
            )


def _parameters(before: Sequence[Parameter], after: Sequence[Parameter]) -> Iterator[ParameterChange]:
    old, new = ({each.name: each for each in parameters} for parameters in (before, after))
    for name in (*new, *(name for name in old if name not in new)):
        was, now = old.get(name), new.get(name)
        # As text, which tells 1, 1.0 and True apart inside of lists, too.
        if was is None or now is None or (was.type, repr(was.value)) != (now.type, repr(now.value)):
            yield ParameterChange(
                name=name,
                kind="added" if was is None else "removed" if now is None else "changed",
                before=was.value if was else None,
                after=now.value if now else None,
                old_type=was.type if was else "",
                type=now.type if now else "",
            )


__all__ = [
    "CodeChange",
    "ComponentChange",
    "EdgeChange",
    "ParameterChange",
    "PipelineChanges",
    "PolicyChange",
    "compare_pipelines",
]

"""A pipeline for the terminal: components in the order of a run, with what they take from whom."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nbcellar.cli import text
from nbcellar.cli.console import Console
from nbcellar.components.model import Component, Edge, Pipeline, Policy
from nbcellar.components.parameters import as_text
from nbcellar.ids import CellId

if TYPE_CHECKING:
    from nbcellar.api.pipelines import ComponentStatus

_MOST_NAMES = 4
_WIDEST_NAME = 32
_CELL = 8
_MARKS = {"declared": "drawn", "observed": "seen in a run"}


def format_pipeline(
    pipeline: Pipeline, name: str, console: Console, status: Mapping[str, ComponentStatus] | None = None
) -> list[str]:
    """Return the lines of a pipeline. status: what is cached, by id of the component."""
    count = text.plural(len(pipeline.components), "component")
    told = (
        "none of its cells says so: this is a proposal"
        if pipeline.proposed
        else text.plural(len(pipeline.edges), "edge")
    )
    lines = [f"{text.clean(name)}: {count} ({told})" if pipeline.components else f"{text.clean(name)}: no code"]
    parents: dict[CellId, list[Edge]] = {}
    for edge in pipeline.edges:
        parents.setdefault(edge.child, []).append(edge)
    if status is not None and not any(known.result for known in status.values()):
        status = None  # nothing ever ran
    by_id = {component.id: component for component in pipeline.components}
    order = [*pipeline.order, *(id for id in by_id if id not in pipeline.order)]
    width = min(max((text.columns(component.name) for component in pipeline.components), default=0), _WIDEST_NAME)
    if order:
        lines.append("")
    for id in order:
        lines += _component(by_id[id], parents.get(id, []), by_id, width, console)
        if status is not None and id in status:
            lines.append(_status(status[id], width, console))
    parameters = format_parameters(pipeline, console)
    if parameters:
        lines += ["", "parameters:", *(f"  {line}" for line in parameters)]
    if pipeline.problems:
        lines += ["", *format_problems(pipeline, console)]
    if pipeline.proposed and pipeline.components and not any(p.code == "metadata" for p in pipeline.errors):
        lines += ["", f"to write it down: cellar pipeline init {shlex.quote(text.clean(name))}"]
    return lines


def format_parameters(pipeline: Pipeline, console: Console) -> list[str]:
    """Return a line for each parameter."""
    by_id = {component.id: component.name for component in pipeline.components}
    lines = []
    for found in pipeline.parameters:
        users = text.names([by_id[id] for id in found.used_by]) if found.used_by else "nobody"
        where = f", set in cell {found.cell + 1}" if found.cell is not None else ""
        value = text.one_line(as_text(found.value), 40)
        lines.append(f"{console.style(found.name, 'bold')} = {value}  ({found.type}{where}; used by {users})")
    return lines


def format_problems(pipeline: Pipeline, console: Console) -> list[str]:
    """Return what is wrong, errors first, each with what to do."""
    lines = []
    for problem in sorted(pipeline.problems, key=lambda found: not found.is_error):
        word, colour = ("error", "red") if problem.is_error else ("note", "cyan")
        lines.append(f"{console.style(word, colour)}: {text.clean(problem.message)}")
        if problem.hint:
            lines.append(f"  {text.clean(text.with_notebook(problem.hint, console.notebook))}")
    return lines


def format_edit(before: Pipeline, after: Pipeline, console: Console) -> list[str]:
    """Return what an edit changed, and what is wrong since."""
    old = {} if before.proposed else {component.id: component for component in before.components}
    new = {} if after.proposed else {component.id: component for component in after.components}
    lines = [f"+ {_named(new[id], console)}" for id in new if id not in old]
    lines += [f"- {_named(old[id], console)}" for id in old if id not in new]
    lines += [
        f"~ {text.clean(old[id].name)} is called {_named(new[id], console)} now"
        for id in new
        if id in old and old[id].name != new[id].name
    ]
    lines += [
        f"~ {_named(new[id], console)}: {describe_policy(new[id].policy)}"
        for id in new
        if id in old and old[id].policy != new[id].policy
    ]
    lines += _drawn(old, new, console)
    values = {found.name: found.value for found in before.parameters}
    lines += [
        f"{f.name} = {text.clean(as_text(f.value))}" for f in after.parameters if values.get(f.name, ...) != f.value
    ]
    lines += [f"- {name}" for name in values if name not in {found.name for found in after.parameters}]
    known = {problem.message for problem in before.problems}
    fresh = [problem for problem in after.problems if problem.message not in known]
    return lines + (format_problems(Pipeline(components=(), problems=tuple(fresh)), console) if new else [])


def describe_policy(policy: Policy) -> str:
    """Return how a component is run, in words."""
    said = [
        "frozen" if policy.freeze else "cached" if policy.cache else "not cached",
        text.plural(policy.retries, "retry", "retries") if policy.retries else "",
        f"at most {text.seconds(policy.timeout_s)}" if policy.timeout_s is not None else "",
    ]
    return ", ".join(part for part in said if part)


def _drawn(old: dict[CellId, Component], new: dict[CellId, Component], console: Console) -> list[str]:
    lines = []
    for mark, these, others in (("+", new, old), ("-", old, new)):
        for id, component in these.items():
            known = others[id].after if id in others else ()
            for parent in component.after:
                if parent not in known and parent in these:
                    lines.append(f"{mark} {_named(these[parent], console)} -> {_named(component, console)}")
    return lines


def _named(component: Component, console: Console) -> str:
    return f"{console.style(text.clean(component.name), 'bold')} (cell {component.place + 1})"


def _component(
    component: Component, parents: list[Edge], by_id: dict[CellId, Component], width: int, console: Console
) -> list[str]:
    name = text.cut(text.clean(component.name), width)
    padded = console.style(name, "bold") + " " * (width - text.columns(name))
    cell = f"cell {component.place + 1}"
    unusual = component.policy != Policy()
    head = f"  {padded}  {console.style(cell, 'dim')}{' ' * (_CELL - len(cell))}"
    told = [_parent(edge, by_id, console) for edge in parents]
    if unusual:
        told.append(f"({describe_policy(component.policy)})")
    if component.error:
        return [f"{head}  {console.style('cannot be read', 'red')}"]
    if not told:
        return [head.rstrip()]
    indent = " " * (width + 4 + _CELL)
    marked = [line if line.startswith("(") else f"<- {line}" for line in told]
    return [f"{head}  {marked[0]}", *(f"{indent}  {line}" for line in marked[1:])]


def _status(status: ComponentStatus, width: int, console: Console) -> str:
    took = f" (ran {text.seconds(status.seconds)})" if status.seconds is not None and status.cached else ""
    said = f"cached{took}" if status.cached else f"not cached: {text.clean(status.reason)}"
    return " " * (width + 4 + _CELL) + "  " + console.style(said, "dim")


def _parent(edge: Edge, by_id: dict[CellId, Component], console: Console) -> str:
    names = text.names(edge.names, most=_MOST_NAMES) if edge.names else ""
    marks = [_MARKS[how] for how in edge.provenance if how in _MARKS]
    said = [part for part in (names, ", ".join(marks)) if part]
    return f"{text.clean(by_id[edge.parent].name)}{': ' + '; '.join(said) if said else ''}"


__all__ = ["describe_policy", "format_edit", "format_parameters", "format_pipeline", "format_problems"]

"""What became of a pipeline, for the terminal: a line for each component, edge and parameter that differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import unified_diff
from typing import Any

from nbcellar.api.pipeline_changes import Compared, PipelineCommit, names_of
from nbcellar.cli import text
from nbcellar.cli.console import Console
from nbcellar.cli.pipeline_text import format_problems
from nbcellar.components.comparing import (
    ComponentChange,
    EdgeChange,
    ParameterChange,
    PipelineChanges,
)
from nbcellar.components.model import Pipeline
from nbcellar.components.parameters import as_text
from nbcellar.ids import CellId

_MARKS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}
_MOST_LINES = 12
_LONGEST_VALUE = 40
_STATES = {"added": " (new)", "removed": " (deleted)"}


def format_compared(found: Compared, console: Console, *, code: bool = True) -> list[str]:
    """Return the lines of one notebook; code: with the lines of code that differ."""
    head = f"{console.style(text.clean(found.name), 'bold')}{_STATES.get(found.state, '')}: {_summary(found.changes)}"
    sources = _sources(found) if code and found.state == "changed" else {}
    return [head, *_lines(found.changes, names_of(found), sources, console, is_new=found.state != "changed")]


def format_commit(entry: PipelineCommit, console: Console) -> list[str]:
    """Return the lines of one commit."""
    author = console.style(f"({text.clean(entry.author)}, {console.ago(entry.moment)})", "dim")
    lines = [f"{console.style(entry.commit[:10], 'yellow')} {text.clean(entry.title)} {author}"]
    if entry.old_path:
        lines.append(f"  renamed from {text.clean(entry.old_path)}")
    if entry.state == "unreadable":
        return [*lines, "  this version or the one before it is not a readable notebook"]
    if entry.state in ("added", "removed"):
        return [*lines, f"  {entry.state} the notebook: {_summary(entry.changes)}"]
    if entry.state == "same":
        return [*lines, "  nothing of the pipeline"]
    return [*lines, *(f"  {line}" for line in _lines(entry.changes, entry.names, {}, console))]


def _lines(
    changes: PipelineChanges,
    names: Mapping[str, str],
    sources: Mapping[CellId, tuple[str, str]],
    console: Console,
    *,
    is_new: bool = False,
) -> list[str]:
    lines = []
    if not is_new and changes.was_proposed != changes.is_proposed:
        lines.append(
            "no cell says any more what is a component" if changes.is_proposed else "its components are named now"
        )
    whole = {change.id for change in changes.components if change.kind != "changed"}
    for component in changes.components:
        with_it = _edges_of(component, changes.edges, names) if component.id in whole else ""
        lines.append(f"{_mark(component.kind, console)} {_component(component, console)}{with_it}")
        lines += [f"    {line}" for line in _code(*sources[component.id], console)] if component.id in sources else []
    edges = [edge for edge in changes.edges if not {edge.parent, edge.child} & whole]
    lines += [f"{_mark(edge.kind, console)} {_edge(edge, names)}" for edge in edges]
    lines += [f"{_mark(each.kind, console)} {_parameter(each, console)}" for each in changes.parameters]
    return lines + format_problems(Pipeline(components=(), problems=changes.problems), console)


def _summary(changes: PipelineChanges) -> str:
    """Return how much differs, in a line."""
    parts = []
    for noun, found in (
        ("component", changes.components),
        ("edge", changes.edges),
        ("parameter", changes.parameters),
    ):
        kinds = [(kind, sum(each.kind == kind for each in found)) for kind in _MARKS]
        told = ", ".join(f"{count} {kind}" for kind, count in kinds if count)
        if told:
            parts.append(f"{noun}s: {told}")
    proposed = "proposed " if changes.is_proposed and changes.was_proposed else ""
    return proposed + ("; ".join(parts) or "no component")


def _component(change: ComponentChange, console: Console) -> str:
    name = console.style(text.clean(change.name), "bold")
    if change.kind != "changed":
        return f"{name} (cell {change.cell or change.old_cell})"
    said = [f"was called {text.clean(change.old_name)}"] if change.old_name else []
    if change.code is not None:
        counts = f"+{change.code.added} -{change.code.removed}"
        said.append(f"only comments or layout ({counts})" if change.code.only_layout else f"code {counts}")
    said += [f"moved from cell {change.old_cell}"] if change.moved else []
    said += [f"{each.field} {_value(each.before)} -> {_value(each.after)}" for each in change.policy]
    return f"{name} (cell {change.cell}): {', '.join(said)}"


def _edges_of(component: ComponentChange, edges: Sequence[EdgeChange], names: Mapping[str, str]) -> str:
    """Return what a component that came or went was tied to."""
    parents = [text.clean(names.get(edge.parent, edge.parent)) for edge in edges if edge.child == component.id]
    children = [text.clean(names.get(edge.child, edge.child)) for edge in edges if edge.parent == component.id]
    ends = (("after", parents), ("before", children))
    return "".join(f", {word} {text.names(found, most=4)}" for word, found in ends if found)


def _edge(change: EdgeChange, names: Mapping[str, str]) -> str:
    ends = " -> ".join(text.clean(names.get(id, id)) for id in (change.parent, change.child))
    if change.kind != "changed":
        carried = text.names(change.names or change.old_names)
        how = [each for each in change.provenance or change.old_provenance if each != "inferred"]
        said = [part for part in (carried, ", ".join(how)) if part]
        return f"{ends}{': ' + '; '.join(said) if said else ''}"
    came = [f"+{name}" for name in change.names if name not in change.old_names]
    went = [f"-{name}" for name in change.old_names if name not in change.names]
    said = [text.names([*came, *went])] if came or went else []
    if change.provenance != change.old_provenance:
        said.append(f"{', '.join(change.old_provenance)} -> {', '.join(change.provenance)}")
    return f"{ends}: {'; '.join(said)}"


def _parameter(change: ParameterChange, console: Console) -> str:
    name = console.style(text.clean(change.name), "bold")
    if change.kind == "added":
        return f"{name} = {_value(change.after)}"
    if change.kind == "removed":
        return f"{name} (was {_value(change.before)})"
    types = f" ({change.old_type} -> {change.type})" if change.type != change.old_type else ""
    return f"{name} = {_value(change.before)} -> {_value(change.after)}{types}"


def _value(value: Any) -> str:
    return text.one_line(as_text(value), _LONGEST_VALUE)


def _sources(found: Compared) -> dict[CellId, tuple[str, str]]:
    """Return the sources of the components whose code changed, before and after."""
    old, new = ({each.id: each.source for each in side.components} for side in (found.before, found.after))
    return {change.id: (old[change.id], new[change.id]) for change in found.changes.components if change.code}


def _code(before: str, after: str, console: Console) -> list[str]:
    lines = list(unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    shown = [line for line in lines if not line.startswith("@@")]
    told = [
        console.style(text.clean(line[0] + " " + line[1:]), "green" if line[0] == "+" else "red")
        for line in shown[:_MOST_LINES]
    ]
    more = len(shown) - _MOST_LINES
    return [*told, f"... {text.plural(more, 'more line')}"] if more > 0 else told


def _mark(kind: str, console: Console) -> str:
    mark, colour = _MARKS[kind]
    return console.style(mark, colour)


__all__ = ["format_commit", "format_compared"]

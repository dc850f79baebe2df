"""Reads the pipeline of a notebook: which cells are components, what their metadata says, the edges between them.

A cell is a component where its metadata has `cellar.component`:

    {"cellar": {"component": {"name": "load", "after": ["9e1f..."], "cache": false, "freeze": true,
                              "retries": 2, "timeout_s": 60}}}

All but the name may be missing; `after` lists ids of cells, for edges that somebody drew. Parameters are in the
notebook's metadata, `{"cellar": {"parameters": {"scale": 3}}}`, and in a cell with the tag `parameters` (as papermill
has it), where each `name = literal` is one. A notebook without a component gets a proposal: each code cell that does
something is one.

Invariant: the notebook is not changed; metadata that cannot be understood is a problem that names the cell, and the
rest is read all the same.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from nbcellar.components.edges import Observed, find_edges
from nbcellar.components.metadata import COMPONENT, PARAMETERS, held
from nbcellar.components.model import Component, Edge, Parameter, Pipeline, Policy, Problem
from nbcellar.components.naming import name_problem, propose_name
from nbcellar.components.parameters import type_of
from nbcellar.components.transform import NotPythonError, parse
from nbcellar.components.uses import Uses, uses_of
from nbcellar.ids import CellId
from nbcellar.notebook.model import Cell, Notebook

_SETTING_UP = frozenset(
    "aimport alias autoreload autosave autocall colors conda config doctest_mode gui history lsmagic magic "
    "mamba matplotlib page pdb pdef pdoc pfile pinfo pinfo2 pip pprint precision psearch psource quickref "
    "who who_ls whos xmode".split()
)
_INSTALLERS = ("pip", "pip3", "conda", "mamba", "uv")


def read_pipeline(notebook: Notebook, observed: Observed | None = None) -> Pipeline:
    """Return the pipeline of a notebook, a proposal where it has none; `observed` is what runs showed (`edges.py`)."""
    return _Reader(notebook).read(observed)


def has_pipeline(notebook: Notebook) -> bool:
    """True if some cell of the notebook is a component."""
    return any(_said(cell) is not None for cell in notebook.cells)


class _Reader:
    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.problems: list[Problem] = []
        self.names: set[str] = set()

    def read(self, observed: Observed | None) -> Pipeline:
        proposed = not has_pipeline(self.notebook)
        parameters = {found.name: found for found in (*self._of_notebook(), *self._of_cells())}
        ids = cell_ids(self.notebook)
        components = [
            found
            for place, cell in enumerate(self.notebook.cells)
            if (found := self._component(place, cell, ids[place], proposed)) is not None
        ]
        edges = find_edges(components, given=frozenset(parameters), observed=observed)
        place_of = {id: place for place, id in enumerate(edges.order)}
        if other := other_language(self.notebook):
            message = f"the notebook's language is {other}: pipelines are read from Python alone"
            self.problems.append(Problem(code="metadata", message=message))
        else:
            for component in components:
                late = _made_too_late(component, components, place_of)
                self._tell(component, edges.free.get(component.id, frozenset()), proposed, late)
        self._tell_duplicates(components)
        for name in parameters:
            self._tell_rebound(name, components)
        return Pipeline(
            components=tuple(components),
            edges=edges.edges,
            parameters=tuple(_used(parameter, components, edges.edges) for parameter in parameters.values()),
            problems=(*self.problems, *edges.problems),
            order=edges.order,
            proposed=proposed,
        )

    def _component(self, place: int, cell: Cell, id: CellId, proposed: bool) -> Component | None:
        said = _said(cell)
        if cell.type != "code" or PARAMETERS in cell.tags or (said is None and not proposed):
            return None
        uses, error, line = Uses(), "", 0
        try:
            uses = uses_of(cell.source)
        except NotPythonError as failed:
            error, line = str(failed), failed.line
        if proposed and not error and _does_nothing(uses, cell.source):
            return None
        if said is None:
            name = propose_name(cell.source, uses, place, self.names)
            return Component(
                id=id,
                name=name,
                place=place,
                source=cell.source,
                uses=uses,
                proposed=True,
                error=error,
                error_line=line,
            )
        return Component(
            id=id,
            name=self._name(said, id, cell, uses, place),
            place=place,
            source=cell.source,
            uses=uses,
            after=self._after(said, id),
            policy=self._policy(said, id),
            error=error,
            error_line=line,
        )

    # metadata -----------------------------------------------------------------------------------------------------

    def _name(self, said: Mapping[str, Any], id: CellId, cell: Cell, uses: Uses, place: int) -> str:
        name = said.get("name")
        wrong = name_problem(name)
        if not wrong:
            self.names.add(str(name))
            return str(name)
        self._metadata(f"cell {place + 1}: {wrong}", id)
        return propose_name(cell.source, uses, place, self.names)

    def _after(self, said: Mapping[str, Any], id: CellId) -> tuple[CellId, ...]:
        after = said.get("after", [])
        if isinstance(after, list) and all(isinstance(parent, str) and parent for parent in after):
            return tuple(dict.fromkeys(CellId(parent) for parent in after))
        self._metadata(f"'{said.get('name')}': after is a list of ids of cells", id)
        return ()

    def _policy(self, said: Mapping[str, Any], id: CellId) -> Policy:
        fields = {field: said[field] for field in Policy.__struct_fields__ if field in said}
        try:
            policy = msgspec.convert(fields, Policy)
        except msgspec.ValidationError as error:
            self._metadata(f"'{said.get('name')}': {error}", id)
            return Policy()
        if policy.retries < 0 or (policy.timeout_s is not None and not policy.timeout_s > 0):
            self._metadata(f"'{said.get('name')}': retries are 0 or more, timeout_s more than 0", id)
            return Policy()
        return policy

    def _metadata(self, message: str, id: CellId) -> None:
        self.problems.append(Problem(code="metadata", message=message, cells=(id,)))

    # parameters ---------------------------------------------------------------------------------------------------

    def _of_notebook(self) -> Iterator[Parameter]:
        said = held(self.notebook.metadata).get(PARAMETERS, {})
        if not isinstance(said, dict):
            self.problems.append(Problem(code="metadata", message="the notebook's parameters are no object of names"))
            return
        for name, value in said.items():
            if name.isidentifier():
                yield Parameter(name=name, value=value, type=type_of(value))
            else:
                message = f"the parameter {name!r} can be no variable"
                self.problems.append(Problem(code="metadata", message=message))

    def _of_cells(self) -> Iterator[Parameter]:
        for place, cell in enumerate(self.notebook.cells):
            if cell.type == "code" and PARAMETERS in cell.tags:
                yield from self._of_cell(cell, place)

    def _of_cell(self, cell: Cell, place: int) -> Iterator[Parameter]:
        try:
            body = parse(cell.source).body
        except NotPythonError as error:
            message = f"cell {place + 1}, the parameters: {error} (line {error.line})"
            self.problems.append(Problem(code="unreadable", message=message))
            return
        for statement in body:
            found = _literal_assignment(statement)
            if found is not None:
                yield Parameter(name=found[0], value=found[1], type=type_of(found[1]), cell=place)
            elif not _is_text(statement):
                message = (
                    f"cell {place + 1}, the parameters: line {statement.lineno} is no 'name = value' with a plain value"
                )
                self.problems.append(Problem(code="metadata", message=message))

    # problems -----------------------------------------------------------------------------------------------------

    def _tell(self, component: Component, free: frozenset[str], proposed: bool, late: Mapping[str, Component]) -> None:
        at = f"'{component.name}' (cell {component.place + 1})"
        if component.error:
            message = f"{at}, line {component.error_line}: {component.error}"
            self.problems.append(Problem(code="unreadable", message=message, cells=(component.id,)))
        for reason in component.uses.unseen:
            message = f"{at}: what it reads and makes cannot all be seen: {reason}"
            hint = "declare what comes before it: cellar pipeline connect NB PARENT CHILD"
            self.problems.append(
                Problem(code="unseen", message=message, cells=(component.id,), hint=hint, is_error=False)
            )
        for name in sorted(free & late.keys()):
            maker = late[name]
            self.problems.append(
                Problem(
                    code="undefined",
                    message=f"{at} takes {name}, and '{maker.name}' (cell {maker.place + 1}), which makes it, "
                    "comes later by declared edges",
                    cells=(component.id, maker.id),
                    hint=f"say that it comes first: cellar pipeline connect NB {shlex.quote(maker.name)} "
                    f"{shlex.quote(component.name)}; or take an edge away",
                    is_error=False,
                )
            )
        free -= late.keys() | component.uses.writes  # what it binds itself, along some paths
        if free:
            names = ", ".join(sorted(free))
            self.problems.append(
                Problem(
                    code="undefined",
                    message=f"{at} takes {names}, which no component before it makes",
                    cells=(component.id,),
                    hint="" if proposed else "make the cell that does a component: cellar pipeline add NB CELL NAME",
                    is_error=False,
                )
            )

    def _tell_rebound(self, name: str, components: list[Component]) -> None:
        for component in components:
            if name in component.uses.writes and name not in component.uses.reads:
                where = f"'{component.name}' (cell {component.place + 1})"
                self.problems.append(
                    Problem(
                        code="rebound",
                        message=f"{where} sets the parameter {name} itself: what comes after it takes that value",
                        cells=(component.id,),
                        hint=f"take the line out of cell {component.place + 1}, or rename one of the two",
                        is_error=False,
                    )
                )

    def _tell_duplicates(self, components: list[Component]) -> None:
        by_name: dict[str, list[Component]] = {}
        for component in components:
            by_name.setdefault(component.name, []).append(component)
        for name, same in by_name.items():
            if len(same) > 1:
                places = " and ".join(str(component.place + 1) for component in same)
                self.problems.append(
                    Problem(
                        code="duplicate-name",
                        message=f"the cells {places} have the same name: {name}",
                        cells=tuple(component.id for component in same),
                        hint=f"rename one: cellar pipeline rename NB {same[-1].place + 1} NAME",
                    )
                )


def _made_too_late(
    component: Component, components: Iterable[Component], place_of: Mapping[CellId, int]
) -> dict[str, Component]:
    """Return who makes names and stands above a component in the document, but comes after it by declared edges."""
    return {
        name: other
        for other in components
        if other.place < component.place and place_of.get(other.id, -1) > place_of.get(component.id, len(place_of))
        for name in other.uses.writes
    }


def other_language(notebook: Notebook) -> str:
    """Return the language of a notebook that is not of Python, else ""."""
    return "" if notebook.language.startswith(("python", "ipython")) else notebook.language


def cell_ids(notebook: Notebook) -> list[CellId]:
    """Return an id for each cell: its own, or one after its place where it has none (nbformat 4.4) or no own one."""
    found: list[CellId] = []
    taken: set[str] = set()
    for place, cell in enumerate(notebook.cells):
        id = cell.id if cell.id and cell.id not in taken else CellId(f"#{place + 1}")
        taken.add(id)
        found.append(id)
    return found


def _said(cell: Cell) -> Mapping[str, Any] | None:
    said = held(cell.metadata).get(COMPONENT)
    return said if isinstance(said, dict) else None


def _does_nothing(uses: Uses, source: str) -> bool:
    """True for a cell of comments, or of magics that set Jupyter up: no step of a pipeline that is only proposed."""
    if uses.writes or uses.changes or uses.reads:
        return False
    return all(_is_setting_up(statement) or _is_text(statement) for statement in parse(source).body)


def _is_setting_up(statement: ast.stmt) -> bool:
    """True for a magic that shows or sets something of the shell, and for what installs packages."""
    escaped = re.fullmatch(r"get_ipython\(\)\.(\w+)\((['\"])([\w.-]*)(.*)\)", ast.unparse(statement), re.DOTALL)
    if escaped is None:
        return False
    how, name, rest = escaped[1], escaped[3], escaped[4]
    if how == "run_line_magic":
        return name in _SETTING_UP
    return how == "system" and (name in _INSTALLERS or " -m pip " in rest)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _literal_assignment(statement: ast.stmt) -> tuple[str, Any] | None:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target, value = statement.target, statement.value
    else:
        return None
    try:
        return (target.id, ast.literal_eval(value)) if isinstance(target, ast.Name) else None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _used(parameter: Parameter, components: list[Component], edges: Iterable[Edge]) -> Parameter:
    made = {edge.child for edge in edges if parameter.name in edge.names}  # for them another component sets it
    users = tuple(
        component.id
        for component in components
        if component.id not in made
        and parameter.name in component.uses.reads.union(component.uses.lambdas, *component.uses.needs.values())
    )
    return msgspec.structs.replace(parameter, used_by=users)


__all__ = ["cell_ids", "has_pipeline", "other_language", "read_pipeline"]

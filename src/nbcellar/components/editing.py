"""Changes the pipeline of a notebook: each function returns it with the metadata of the cells concerned changed.

Invariant: no other cell is touched, no source and no output, and what else the metadata of these cells holds stays.
What cannot be done raises, and nothing was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from nbcellar.components.graph import find_cycle
from nbcellar.components.metadata import COMPONENT, PARAMETERS, held, held_object, with_held, without
from nbcellar.components.model import Component, Pipeline
from nbcellar.components.naming import name_problem
from nbcellar.components.parameters import is_json, literal
from nbcellar.components.reading import has_pipeline, other_language, read_pipeline
from nbcellar.errors import AlreadyExistsError, InvalidInputError, NotFoundError
from nbcellar.ids import CellId
from nbcellar.notebook.model import Cell, JsonObject, Notebook

Edit = Callable[[Cell], Cell]


def init(notebook: Notebook) -> Notebook:
    """Return the notebook with what `read_pipeline` proposes written down: a name for each component."""
    if has_pipeline(notebook):
        raise AlreadyExistsError("this notebook has a pipeline", hint="add a cell to it: cellar pipeline add NB CELL")
    if other := other_language(notebook):
        raise InvalidInputError(f"the notebook's language is {other}: a pipeline has cells of Python")
    proposed = read_pipeline(notebook).components
    if not proposed:
        raise InvalidInputError("no code cell of this notebook does anything that could be a component")
    edits: dict[int, Edit] = {each.place: partial(_said, component={"name": each.name}) for each in proposed}
    return _with_cells(notebook, edits)


def add(notebook: Notebook, cell: str, name: str | None) -> Notebook:
    """Make a code cell a component; `cell` is its number from 1, or its id. name: None for one after what it makes."""
    place = find_cell(notebook, cell)
    found = notebook.cells[place]
    if found.type != "code":
        raise InvalidInputError(f"cell {place + 1} holds no code")
    if COMPONENT in held(found.metadata):
        raise AlreadyExistsError(
            f"cell {place + 1} is a component", hint="its name: cellar pipeline rename NB CELL NAME"
        )
    known = read_pipeline(notebook).components if has_pipeline(notebook) else ()
    taken = {component.name for component in known}
    chosen = name if name is not None else _proposed_name(notebook, place, taken)
    _check_name(chosen, taken)
    return _with_cells(notebook, {place: lambda cell: _said(cell, {"name": chosen})})


def remove(notebook: Notebook, component: str) -> Notebook:
    """Make a component a plain cell again, and take away the edges that were drawn from it."""
    pipeline = _written(notebook)
    gone = find_component(pipeline, component)
    edits: dict[int, Edit] = {gone.place: _without_component}
    for other in pipeline.components:
        if gone.id in other.after:
            edits[other.place] = lambda cell: _without_parent(cell, gone.id)
    return _with_cells(notebook, edits)


def rename(notebook: Notebook, component: str, name: str) -> Notebook:
    """Give a component another name; edges hold no names and stay."""
    pipeline = _written(notebook)
    found = find_component(pipeline, component)
    _check_name(name, {other.name for other in pipeline.components if other.id != found.id})
    return _with_cells(notebook, {found.place: lambda cell: _said(cell, {**_component(cell), "name": name})})


def connect(notebook: Notebook, parent: str, child: str) -> Notebook:
    """Declare that one component comes before another."""
    pipeline = read_pipeline(notebook)
    before, after = find_component(pipeline, parent), find_component(pipeline, child)
    if before.id == after.id:
        raise InvalidInputError(f"'{before.name}' cannot come before itself")
    if before.id in after.after:
        return notebook
    if before.id.startswith("#"):
        raise InvalidInputError(
            f"'{before.name}' is a cell without an id of its own, so no edge can name it",
            hint="save the notebook in JupyterLab 4 or later once: it gives cells ids (nbformat 4.5)",
        )
    _refuse_proposal(pipeline)
    _refuse_cycle(pipeline, before, after)
    return _with_cells(notebook, {after.place: lambda cell: _with_parent(cell, before.id)})


def disconnect(notebook: Notebook, parent: str, child: str) -> Notebook:
    """Take a declared edge away. `parent` may be the id of a cell that is no component any more."""
    pipeline = _written(notebook)
    after = find_component(pipeline, child)
    id = CellId(parent) if parent in after.after else find_component(pipeline, parent).id
    if id not in after.after:
        edge = next((edge for edge in pipeline.edges if (edge.parent, edge.child) == (id, after.id)), None)
        if edge is None:
            raise NotFoundError(f"no edge leads from '{parent}' to '{after.name}'")
        raise InvalidInputError(
            f"nobody drew the edge from '{parent}' to '{after.name}': it is there because of {', '.join(edge.names)}"
        )
    return _with_cells(notebook, {after.place: lambda cell: _without_parent(cell, id)})


def set_policy(notebook: Notebook, component: str, changes: Mapping[str, Any]) -> Notebook:
    """Set how a component is run: fields of `Policy`; None for a field takes it back to what is usual."""
    found = find_component(_written(notebook), component)

    def edit(cell: Cell) -> Cell:
        said = {**_component(cell), **changes}
        return _said(cell, {key: value for key, value in said.items() if value is not None})

    made = _with_cells(notebook, {found.place: edit})
    wrong = [
        problem for problem in read_pipeline(made).problems if problem.code == "metadata" and found.id in problem.cells
    ]
    if wrong:
        raise InvalidInputError(wrong[0].message)
    return made


def set_parameters(notebook: Notebook, values: Mapping[str, Any], remove: Sequence[str] = ()) -> Notebook:
    """Set parameters of the pipeline in the notebook's metadata, and take others away."""
    own = held(notebook.metadata)
    parameters = dict(held_object(own, PARAMETERS))
    in_cells = {found.name: found.cell for found in read_pipeline(notebook).parameters if found.cell is not None}
    for name in (*values, *remove):
        if name in in_cells:
            raise InvalidInputError(f"{name} is set in cell {in_cells[name] + 1}", hint="change it there")
    for name, value in values.items():
        if not name.isidentifier():
            raise InvalidInputError(f"{name!r} can be no variable, so it is no name of a parameter")
        if not is_json(value):
            raise InvalidInputError(
                f"a notebook's metadata is JSON, which cannot hold {literal(value)}",
                hint=f"set {name} in a cell with the tag `parameters`",
            )
        parameters[name] = value
    for name in remove:
        if name not in parameters:
            raise NotFoundError(f"there is no parameter {name}")
        del parameters[name]
    own = {**own, PARAMETERS: parameters} if parameters else without(own, PARAMETERS)
    return msgspec.structs.replace(notebook, metadata=with_held(notebook.metadata, own))


def find_component(pipeline: Pipeline, text: str) -> Component:
    """Return the component that a text names: by name, the number of its cell from 1, or id. Raises NotFoundError."""
    for matches in (lambda c: c.name == text, lambda c: c.id == text, lambda c: str(c.place + 1) == text):
        found = [component for component in pipeline.components if matches(component)]
        if len(found) > 1:
            cells = " and ".join(str(component.place + 1) for component in found)
            raise InvalidInputError(f"the cells {cells} are both called '{text}'", hint="say the cell's number")
        if found:
            return found[0]
    from rapidfuzz.fuzz import ratio
    from rapidfuzz.process import extractOne

    near = extractOne(text, [component.name for component in pipeline.components], score_cutoff=60, scorer=ratio)
    hint = f"do you mean '{near[0]}'?" if near else "the components: cellar pipeline show NB"
    raise NotFoundError(f"there is no component '{text}'", hint=hint)


def find_cell(notebook: Notebook, text: str) -> int:
    """Return the place of a cell, by its number from 1 or its id. Raises NotFoundError."""
    for place, cell in enumerate(notebook.cells):
        if cell.id and cell.id == text:
            return place
    if text.isdecimal() and 1 <= int(text) <= len(notebook.cells):
        return int(text) - 1
    raise NotFoundError(f"there is no cell {text}", hint=f"say its number, 1 to {len(notebook.cells)}, or its id")


def _written(notebook: Notebook) -> Pipeline:
    """Return the pipeline of a notebook that has one: what is only proposed has no metadata to be changed."""
    pipeline = read_pipeline(notebook)
    _refuse_proposal(pipeline)
    return pipeline


def _refuse_proposal(pipeline: Pipeline) -> None:
    if pipeline.proposed:
        raise InvalidInputError(
            "no cell of this notebook is a component yet: what is shown is a proposal",
            hint="write it down first: cellar pipeline init NB; or begin with one cell: cellar pipeline add NB CELL",
        )


def _proposed_name(notebook: Notebook, place: int, taken: set[str]) -> str:
    from nbcellar.components.naming import propose_name
    from nbcellar.components.transform import NotPythonError
    from nbcellar.components.uses import Uses, uses_of

    source = notebook.cells[place].source
    try:
        uses = uses_of(source)
    except NotPythonError:
        uses = Uses()
    return propose_name(source, uses, place, set(taken))


def _check_name(name: str, taken: set[str]) -> None:
    wrong = name_problem(name)
    if wrong:
        raise InvalidInputError(f"{name!r}: {wrong}")
    if name in taken:
        raise AlreadyExistsError(f"another component is called '{name}'", hint="choose another name")


def _refuse_cycle(pipeline: Pipeline, before: Component, after: Component) -> None:
    parents = {
        c.id: frozenset(c.after) | ({before.id} if c.id == after.id else frozenset()) for c in pipeline.components
    }
    known = [component.id for component in pipeline.components]
    cycle = find_cycle(known, {id: frozenset(p for p in found if p in parents) for id, found in parents.items()})
    if cycle:
        names = [pipeline.component(id).name for id in cycle]
        raise InvalidInputError(f"they would wait for each other: {' -> '.join([*names, names[0]])}")


def _component(cell: Cell) -> JsonObject:
    return held_object(held(cell.metadata), COMPONENT)


def _said(cell: Cell, component: JsonObject) -> Cell:
    return _with_held(cell, {**held(cell.metadata), COMPONENT: component})


def _without_component(cell: Cell) -> Cell:
    return _with_held(cell, without(held(cell.metadata), COMPONENT))


def _with_held(cell: Cell, own: JsonObject) -> Cell:
    return msgspec.structs.replace(cell, metadata=with_held(cell.metadata, own))


def _with_parent(cell: Cell, parent: CellId) -> Cell:
    said = _component(cell)
    after = said.get("after")
    return _said(cell, {**said, "after": [*(after if isinstance(after, list) else []), parent]})


def _without_parent(cell: Cell, parent: CellId) -> Cell:
    said = dict(_component(cell))
    said["after"] = [other for other in said["after"] if other != parent]
    return _said(cell, {key: value for key, value in said.items() if key != "after" or value})


def _with_cells(notebook: Notebook, edits: Mapping[int, Edit]) -> Notebook:
    cells = tuple(edits[place](cell) if place in edits else cell for place, cell in enumerate(notebook.cells))
    return msgspec.structs.replace(notebook, cells=cells)


__all__ = [
    "add",
    "connect",
    "disconnect",
    "find_cell",
    "find_component",
    "init",
    "remove",
    "rename",
    "set_parameters",
    "set_policy",
]

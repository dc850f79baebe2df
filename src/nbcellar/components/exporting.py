"""A notebook's pipeline, or some of its components, as a file for another notebook.

A part has the cells of its components, the Markdown right above each, the parameters that they use, and says under
`needs` what it takes from components that are left out.

Invariant: the notebook is not changed; outputs and run counts stay behind. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import msgspec

from nbcellar.components.editing import find_component, init
from nbcellar.components.metadata import COMPONENT, KEY, PARAMETERS, held, held_object, with_held, without
from nbcellar.components.model import Component, Edge, Parameter, Pipeline, Policy, Problem
from nbcellar.components.parameters import is_json
from nbcellar.components.pipeline_file import (
    READER,
    SCHEMA,
    VERSION,
    CellEntry,
    ComponentEntry,
    Document,
    EdgeEntry,
    Environment,
    NotebookEntry,
    ParameterEntry,
    PipelineFile,
    Producer,
    place_of,
)
from nbcellar.components.reading import has_pipeline, read_pipeline
from nbcellar.errors import InvalidInputError
from nbcellar.ids import CellId
from nbcellar.notebook.ids import with_unique_ids
from nbcellar.notebook.model import Cell, JsonObject, Notebook

KEPT = "pipeline"
"""Where metadata keeps the fields of a file that this version does not know: `cellar.pipeline`."""

_REFUSED = ("cycle", "duplicate-name", "metadata", "unknown-parent")


def export_pipeline(
    notebook: Notebook,
    components: Sequence[str] = (),
    *,
    environment: Environment | None = None,
    producer: Producer | None = None,
) -> PipelineFile:
    """Return the pipeline of a notebook as a file; a plain notebook's is the one that it could be.

    components: names, numbers or ids of those that are wanted, all where there are none. Raises InvalidInputError for
    a pipeline with a cycle, two components of one name, or metadata that cannot be understood.
    """
    notebook = prepared(notebook)
    pipeline = read_pipeline(notebook)
    for problem in refused(pipeline):
        raise InvalidInputError(problem.message, hint=problem.hint)
    chosen = {find_component(pipeline, text).id for text in components}
    wanted = chosen or {component.id for component in pipeline.components}
    used = _names_used(pipeline, wanted)
    parameters = [each for each in pipeline.parameters if not chosen or each.name in used]
    places = _places(notebook, wanted, parameters) if chosen else list(range(len(notebook.cells)))
    document = Document(
        schema=SCHEMA,
        version=VERSION,
        min_reader=READER,
        producer=producer or Producer(),
        notebook=NotebookEntry(
            metadata=_without(notebook.metadata, PARAMETERS, KEPT), order=[cell.id for cell in notebook.cells]
        ),
        cells=[cell_entry(notebook.cells[place]) for place in places],
        components=[component_entry(each) for each in pipeline.components if each.id in wanted],
        edges=[_edge(edge) for edge in pipeline.edges if {edge.parent, edge.child} <= wanted],
        needs=[_edge(edge) for edge in pipeline.edges if edge.child in wanted and edge.parent not in wanted],
        parameters=[_parameter(each, notebook.cells) for each in parameters],
        environment=environment,
    )
    return PipelineFile(document, _unknown(document, notebook))


def prepared(notebook: Notebook) -> Notebook:
    """Return the notebook with components and an id for each cell. Raises InvalidInputError for undecided conflicts."""
    for place, cell in enumerate(notebook.cells):
        if "conflict" in held(cell.metadata):
            raise InvalidInputError(
                f"cell {place + 1} belongs to a conflict that is not decided", hint="decide it: cellar resolve NB"
            )
    notebook = msgspec.structs.replace(notebook, cells=with_unique_ids(notebook.cells))
    return notebook if has_pipeline(notebook) else init(notebook)


def refused(pipeline: Pipeline) -> Iterator[Problem]:
    """Yield why no file can hold a pipeline: it has no order, or cannot be told from its metadata."""
    return (problem for problem in pipeline.errors if problem.code in _REFUSED)


def cell_entry(cell: Cell) -> CellEntry:
    """Return a cell as a file has it; what makes it a component stands elsewhere."""
    if cell.type not in ("code", "markdown", "raw"):
        raise InvalidInputError(f"the cell {cell.id} is of no known type: {cell.type!r}")
    return CellEntry(
        id=cell.id,
        type=cell.type,  # type: ignore[arg-type]
        source=cell.source.splitlines(keepends=True),
        metadata=_without(cell.metadata, COMPONENT, KEPT),
        attachments=cell.attachments,
    )


def component_entry(component: Component) -> ComponentEntry:
    """Return a component as a file has it."""
    policy = msgspec.structs.asdict(component.policy)
    return ComponentEntry(id=component.id, name=component.name, **policy)


def unknown_of(cell: Cell) -> tuple[JsonObject, JsonObject]:
    """Return the fields of later versions that a cell keeps: of its entry, and of its component's."""
    own = held(cell.metadata)
    return held_object(own, KEPT), without(held_object(own, COMPONENT), "name", "after", *Policy.__struct_fields__)


def _names_used(pipeline: Pipeline, ids: Collection[CellId]) -> set[str]:
    """Return the names that components take, their functions when called included."""
    found: set[str] = set()
    for component in pipeline.components:
        if component.id in ids:
            found |= component.uses.reads | component.uses.lambdas | set().union(*component.uses.needs.values())
    return found


def _places(notebook: Notebook, wanted: Collection[CellId], parameters: Sequence[Parameter]) -> list[int]:
    """Return the places of the cells of a part: with Markdown right above, and the cells of parameters in use."""
    setting = {each.cell for each in parameters}
    found: list[int] = []
    above: list[int] = []
    for place, cell in enumerate(notebook.cells):
        if cell.type != "code":
            above.append(place)
            continue
        if cell.id in wanted or place in setting:
            found += [*above, place]
        above = []
    return found


def _parameter(found: Parameter, cells: Sequence[Cell]) -> ParameterEntry:
    return ParameterEntry(
        name=found.name,
        type=found.type,
        value=found.value if is_json(found.value) or found.cell is None else msgspec.UNSET,
        cell=cells[found.cell].id if found.cell is not None else None,
    )


def _edge(edge: Edge) -> EdgeEntry:
    return EdgeEntry(parent=edge.parent, child=edge.child, names=list(edge.names), provenance=list(edge.provenance))


def _unknown(document: Document, notebook: Notebook) -> dict[str, JsonObject]:
    """Return what was kept of a file that was imported before, for the entries that are still there."""
    kept = held_object(held(notebook.metadata), KEPT)
    found = {"": held_object(kept, "file")}
    known = {place_of(entry) for entry in (*document.edges, *document.needs)}
    known |= {place_of(entry) for entry in document.parameters}
    found |= {
        place: fields
        for place, fields in held_object(kept, "entries").items()
        if place in known and isinstance(fields, dict)
    }
    for cell in notebook.cells:
        found[f"cell {cell.id}"], found[f"component {cell.id}"] = unknown_of(cell)
    return {place: _later(fields, place) for place, fields in found.items() if fields}


def _later(fields: JsonObject, place: str) -> JsonObject:
    """Return fields without those that this version has come to know."""
    return without(fields, *_KINDS[place.partition(" ")[0]].__struct_fields__)


_KINDS: dict[str, type[msgspec.Struct]] = {
    "": Document,
    "cell": CellEntry,
    "component": ComponentEntry,
    "edge": EdgeEntry,
    "parameter": ParameterEntry,
}


def _without(metadata: JsonObject, *keys: str) -> JsonObject:
    """Return metadata without some of what it has under `cellar`."""
    if not isinstance(metadata.get(KEY), dict):
        return metadata
    return with_held(metadata, without(held(metadata), *keys))


__all__ = ["KEPT", "cell_entry", "component_entry", "export_pipeline", "prepared", "refused", "unknown_of"]

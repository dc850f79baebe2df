"""A pipeline as an editor shows it: of the notebook as it is open, with places to draw it at; and edits of it.

Invariant: nothing is written: an edit says what has to change in the metadata of which cells, and the editor does it.
Only the key `cellar` of metadata ever changes. What is cached depends on the environment that a notebook runs in, so it
is asked in this process only for notebooks that run in its own. Not for: running.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from nbcellar.api.document_sources import Pair
from nbcellar.api.editors import from_editor
from nbcellar.api.notebook_files import read_bytes
from nbcellar.api.pipeline_changes import compare_notebooks, compare_pair, parameters_of
from nbcellar.api.pipeline_views import EdgeLine, PipelineView, ProblemLine, line_of, view_of
from nbcellar.api.pipelines import ComponentStatus, look
from nbcellar.components import editing
from nbcellar.components.comparing import ComponentChange, EdgeChange, ParameterChange
from nbcellar.components.drawing_changes import joined
from nbcellar.components.layout import Point, lay_out
from nbcellar.components.metadata import KEY
from nbcellar.components.model import Edge, Pipeline
from nbcellar.components.observed import with_observed
from nbcellar.components.reading import has_pipeline, read_pipeline
from nbcellar.errors import InvalidInputError
from nbcellar.ids import CellId
from nbcellar.notebook.codec import read
from nbcellar.notebook.model import Notebook


class Bends(msgspec.Struct, frozen=True, kw_only=True):
    """The points between its ends that an edge is drawn through. One of a cycle is not in the list."""

    parent: str
    child: str
    points: list[Point]


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """Where components stand, as `cellar pipeline show --graph svg` draws them too, in units of one component."""

    places: dict[str, Point]
    bends: list[Bends]
    columns: float
    layers: int


class PipelineShown(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline and its picture."""

    pipeline: PipelineView
    picture: Picture


class SeenEdge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An edge that a run showed, between cells by their ids; `names` are what it carried."""

    parent: str
    child: str
    names: list[str] = []


class PipelineEdit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One edit, as `cellar pipeline KIND` makes it. component, parent, child: a name, the number of a cell or its id.

    add: `component` is a cell, `name` None one after what it makes. set: the parameter `name` to `value`; unset takes
    it away. policy: `value` is an object with fields of `Policy`, null for what is usual.
    """

    kind: Literal["init", "add", "remove", "rename", "connect", "disconnect", "set", "unset", "policy"]
    component: str = ""
    parent: str = ""
    child: str = ""
    name: str | None = None
    value: Any = None


class CellMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a cell's metadata has to hold under `cellar`, None: nothing. `place` counts from 0; `id` may be ""."""

    place: int
    id: str
    cellar: dict[str, Any] | None


class NotebookMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """What the notebook's metadata has to hold under `cellar`; None: nothing."""

    cellar: dict[str, Any] | None


class PipelineEdited(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit changes, and the pipeline after it. `notebook` None: the notebook's own metadata stays."""

    cells: list[CellMetadata]
    notebook: NotebookMetadata | None
    shown: PipelineShown


class PipelineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is cached, by id of the component; nothing where nothing can be known, and then `reason` may say why.

    edited: components that are other than in the file, which `components` are about, and what comes after them. seen:
    the edges that runs showed, for the next question about the pipeline.
    """

    components: dict[str, ComponentStatus] = {}
    edited: list[str] = []
    seen: list[SeenEdge] = []
    reason: str = ""


class PipelineDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions of a pipeline as one picture, `shown`: what is in either of them; and what changed.

    problems: what is wrong with the second and was not with the first. was_proposed, is_proposed: as in
    `PipelineChanges`. A component that went has the number of the cell that it was.
    """

    shown: PipelineShown
    components: tuple[ComponentChange, ...]
    edges: tuple[EdgeChange, ...]
    parameters: tuple[ParameterChange, ...]
    problems: list[ProblemLine]
    was_proposed: bool
    is_proposed: bool


def show_open(notebook: Mapping[str, Any], name: str, seen: Sequence[SeenEdge] = ()) -> PipelineShown:
    """Return the pipeline of a notebook as an editor holds it. Raises InvalidInputError for what is no notebook.

    seen: edges that runs showed, as `PipelineStatus` has them.
    """
    return _shown(from_editor(notebook), name, seen)


def edit_open(
    notebook: Mapping[str, Any], name: str, edit: PipelineEdit, seen: Sequence[SeenEdge] = ()
) -> PipelineEdited:
    """Return what one edit changes in a notebook as an editor holds it. Raises as `components.editing` does."""
    before = from_editor(notebook)
    after = _edited(before, edit)
    return PipelineEdited(
        cells=[
            CellMetadata(place=place, id=cell.id, cellar=cell.metadata.get(KEY))
            for place, (cell, was) in enumerate(zip(after.cells, before.cells, strict=True))
            if cell.metadata != was.metadata
        ],
        notebook=NotebookMetadata(cellar=after.metadata.get(KEY)) if after.metadata != before.metadata else None,
        shown=_shown(after, name, seen),
    )


def status_open(notebook: Mapping[str, Any], file: Path) -> PipelineStatus:
    """Return what is cached of a notebook as an editor holds it, which runs in the environment of this process."""
    found = look(read_pipeline(from_editor(notebook)), file)
    seen = [
        SeenEdge(parent=edge.parent, child=edge.child, names=list(edge.names))
        for edge in found.pipeline.edges
        if "observed" in edge.provenance
    ]
    return PipelineStatus(components=found.status or {}, seen=seen)


def status_elsewhere(shown: bytes, notebook: Mapping[str, Any], file: Path) -> PipelineStatus:
    """Return what `cellar pipeline show FILE --json` said in another environment, beside the notebook as it is open."""
    try:
        view = msgspec.json.decode(shown, type=_Told)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return PipelineStatus(reason="the environment of the kernel has another version of Cellar")
    pipeline = read_pipeline(from_editor(notebook))
    saved = read_pipeline(read(read_bytes(str(file), file.parent), path=file.name))
    return PipelineStatus(
        components={each.id: each.status for each in view.components if each.status is not None},
        edited=sorted(_edited_since(saved, pipeline)),
        seen=[
            SeenEdge(parent=edge.parent, child=edge.child, names=edge.names)
            for edge in view.edges
            if "observed" in edge.provenance
        ],
    )


class _ToldComponent(msgspec.Struct, frozen=True):
    id: str
    status: ComponentStatus | None = None


class _Told(msgspec.Struct, frozen=True):
    components: list[_ToldComponent]
    edges: list[EdgeLine] = []


def _edited_since(before: Pipeline, after: Pipeline) -> set[CellId]:
    """Return the components with another source, or others before them, and all that come after these."""

    def facts(pipeline: Pipeline) -> dict[CellId, tuple[object, ...]]:
        parents: dict[CellId, set[CellId]] = {}
        for edge in pipeline.edges:
            parents.setdefault(edge.child, set()).add(edge.parent)
        values = {parameter.name: parameter.value for parameter in pipeline.parameters}
        return {
            each.id: (
                each.source,
                parents.get(each.id, set()),
                [(name, values[name]) for name in sorted(each.uses.reads & values.keys())],
            )
            for each in pipeline.components
        }

    was, is_now = facts(before), facts(after)
    found = {id for id in is_now if was.get(id) != is_now[id]}
    for id in after.order:
        if any(edge.child == id and edge.parent in found for edge in after.edges):
            found.add(id)
    return found


def difference_of(pair: Pair) -> PipelineDifference:
    """Return both sides of a pair as one picture. Raises InvalidInputError for what is no notebook."""
    found = compare_pair(pair)
    both = joined(found.before, found.after)
    changes = found.changes
    return PipelineDifference(
        shown=PipelineShown(pipeline=view_of(both, found.name), picture=picture_of(both)),
        components=changes.components,
        edges=changes.edges,
        parameters=parameters_of(changes),
        problems=[line_of(problem) for problem in changes.problems],
        was_proposed=changes.was_proposed,
        is_proposed=changes.is_proposed,
    )


def pipeline_state(before: Notebook, after: Notebook) -> Literal["none", "same", "changed"]:
    """Say whether the pipelines of two notebooks differ; "none" where no cell of either says that there is one."""
    if not (has_pipeline(before) or has_pipeline(after)):
        return "none"
    return "changed" if compare_notebooks(before, after, "").changes else "same"


def _shown(notebook: Notebook, name: str, seen: Sequence[SeenEdge]) -> PipelineShown:
    edges = [Edge(parent=CellId(edge.parent), child=CellId(edge.child), names=tuple(edge.names)) for edge in seen]
    pipeline = with_observed(read_pipeline(notebook), edges)
    return PipelineShown(pipeline=view_of(pipeline, name), picture=picture_of(pipeline))


def picture_of(pipeline: Pipeline) -> Picture:
    """Return where the components of a pipeline stand."""
    layout = lay_out(pipeline)
    return Picture(
        places={str(id): place for id, place in layout.places.items()},
        bends=[
            Bends(parent=parent, child=child, points=list(points)) for (parent, child), points in layout.bends.items()
        ],
        columns=layout.columns,
        layers=layout.layers,
    )


def _edited(notebook: Notebook, edit: PipelineEdit) -> Notebook:
    if edit.kind == "init":
        return editing.init(notebook)
    if edit.kind == "add":
        return editing.add(notebook, edit.component, edit.name)
    if edit.kind == "remove":
        return editing.remove(notebook, edit.component)
    if edit.kind == "rename":
        return editing.rename(notebook, edit.component, edit.name or "")
    if edit.kind == "connect":
        return editing.connect(notebook, edit.parent, edit.child)
    if edit.kind == "disconnect":
        return editing.disconnect(notebook, edit.parent, edit.child)
    if edit.kind == "set":
        return editing.set_parameters(notebook, {edit.name or "": edit.value})
    if edit.kind == "unset":
        return editing.set_parameters(notebook, {}, [edit.name or ""])
    if not isinstance(edit.value, dict):
        raise InvalidInputError('a policy is an object, as in {"cache": false}')
    return editing.set_policy(notebook, edit.component, edit.value)


__all__ = [
    "Bends",
    "CellMetadata",
    "NotebookMetadata",
    "Picture",
    "PipelineDifference",
    "PipelineEdit",
    "PipelineEdited",
    "PipelineShown",
    "PipelineStatus",
    "SeenEdge",
    "difference_of",
    "edit_open",
    "picture_of",
    "pipeline_state",
    "show_open",
    "status_elsewhere",
    "status_open",
]

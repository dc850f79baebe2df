"""Pipeline files for an editor: the notebook as it is open goes into one, or takes one in.

Invariant: nothing is written and nothing of a notebook or a file is run: an import says which cells there are then, and
the editor does it. Cells without an id of their own have none here either; an editor gives each one before it imports.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from nbcellar.api.editors import from_editor
from nbcellar.api.pipeline_files import export_file
from nbcellar.components.importing import import_pipeline
from nbcellar.components.metadata import KEY
from nbcellar.components.pipeline_file import EdgeEntry, read_file, write_file
from nbcellar.components.reading import read_pipeline
from nbcellar.errors import InvalidInputError
from nbcellar.notebook.plain import cell_to_plain


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """The component `child` comes after `parent`, which is not there; `names` are what it takes, none: only the order.

    parent: the name of a component, or the id of its cell where no name is known.
    """

    parent: str
    child: str
    names: list[str]


class PipelineExported(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline file, UTF-8 text, and what its components take from others that are not in it."""

    text: str
    needs: list[Need]


class CellImported(msgspec.Struct, frozen=True, kw_only=True):
    """A cell of the notebook after an import: the one at `place` of the notebook before, or a new one.

    cell: what it says, in nbformat; None: as it was. Outputs stay where the source does.
    """

    place: int | None
    cell: dict[str, Any] | None


class PipelineImported(msgspec.Struct, frozen=True, kw_only=True):
    """All cells after an import in their order, and what the notebook's metadata has to hold under `cellar`.

    added, replaced, same: how many cells of the file came, were replaced, were there already.
    """

    cells: list[CellImported]
    cellar: dict[str, Any] | None
    added: int
    replaced: int
    same: int
    needs: list[Need]


def export_open(
    notebook: Mapping[str, Any], components: Sequence[str] = (), *, environment: bool = False
) -> PipelineExported:
    """Return the pipeline of a notebook as an editor holds it, or some components of it, as a file.

    environment: with the versions of what it imports, as they are in this process. Raises as `export_pipeline` does.
    """
    held = from_editor(notebook)
    file = export_file(held, components, environment=environment)
    names = {component.id: component.name for component in read_pipeline(held).components}
    return PipelineExported(text=write_file(file).decode("utf-8"), needs=_needs(file.document.needs, names))


def import_open(notebook: Mapping[str, Any], text: str, name: str, *, replace: bool = False) -> PipelineImported:
    """Return what a notebook as an editor holds it is with a pipeline file in it. name: the file's, for messages.

    replace: what differs becomes as the file has it. Raises AlreadyExistsError otherwise, and InvalidInputError for
    what is no pipeline file, or does not fit.
    """
    before = from_editor(notebook)
    if any(not cell.id for cell in before.cells):
        raise InvalidInputError("each cell needs an id to import a pipeline")
    file = read_file(text.encode("utf-8", "surrogatepass"), name)
    found = import_pipeline(file, before, replace=replace)
    place = {cell.id: at for at, cell in enumerate(before.cells)}
    cells = []
    for cell in found.notebook.cells:
        at = place.get(cell.id)
        is_same = at is not None and cell == before.cells[at]
        cells.append(CellImported(place=at, cell=None if is_same else cell_to_plain(cell)))
    names = {component.id: component.name for component in file.document.components}
    return PipelineImported(
        cells=cells,
        cellar=found.notebook.metadata.get(KEY),
        added=len(found.added),
        replaced=len(found.replaced),
        same=len(found.same),
        needs=_needs(found.needs, names),
    )


def _needs(edges: Iterable[EdgeEntry], names: Mapping[Any, str]) -> list[Need]:
    return [
        Need(
            parent=names.get(edge.parent, edge.parent),
            child=names.get(edge.child, edge.child),
            names=list(edge.names),
        )
        for edge in edges
    ]


__all__ = ["CellImported", "Need", "PipelineExported", "PipelineImported", "export_open", "import_open"]

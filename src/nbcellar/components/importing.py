"""A pipeline file into a notebook: a new one, or one that has some of its cells.

A cell that is there by id and says the same is left as it is; one that differs is an error, or replaced where that is
asked for. New cells go where they stand among the cells that both know.

Invariant: what cannot be done raises, and no notebook comes back; nothing of the file is run. A replaced cell with
another source loses its outputs, since another source made them. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from nbcellar.components.exporting import KEPT, cell_entry, component_entry, refused, unknown_of
from nbcellar.components.metadata import COMPONENT, KEY, PARAMETERS, held, held_object, without
from nbcellar.components.model import Component, Pipeline
from nbcellar.components.pipeline_file import (
    CellEntry,
    ComponentEntry,
    EdgeEntry,
    PipelineFile,
    place_of,
)
from nbcellar.components.reading import has_pipeline, read_pipeline
from nbcellar.errors import AlreadyExistsError, InvalidInputError
from nbcellar.ids import CellId
from nbcellar.notebook.ids import is_valid, with_unique_ids
from nbcellar.notebook.model import NEWEST_MINOR, Cell, JsonObject, Notebook, cell_to_json
from nbcellar.notebook.validate import validate


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """The notebook with the file in it, and what became of the file's cells, by id.

    needs: what components take from others that are not in this notebook. left_out: those of them that somebody drew,
    which this notebook cannot hold. gave_ids: the notebook's cells had none of their own.
    """

    notebook: Notebook
    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    needs: tuple[EdgeEntry, ...] = ()
    left_out: tuple[EdgeEntry, ...] = ()
    gave_ids: bool = False


def import_pipeline(file: PipelineFile, notebook: Notebook | None = None, *, replace: bool = False) -> Imported:
    """Return the notebook with what the file holds; a new one where there is none.

    replace: what differs is replaced. Raises AlreadyExistsError, which names what differs, and InvalidInputError for a
    file that no notebook can hold, or that would give it a cycle or two components of one name.
    """
    return _Import(file, notebook, replace).result()


class _Import:
    def __init__(self, file: PipelineFile, notebook: Notebook | None, replace: bool) -> None:
        self.file = file
        self.document = file.document
        self.is_new = notebook is None
        self.before = notebook or Notebook(cells=(), metadata=self.document.notebook.metadata)
        self.replace = replace
        self.components = {entry.id: entry for entry in self.document.components}
        cells = with_unique_ids(self.before.cells)
        self.gave_ids = cells != self.before.cells
        minor = max(self.before.nbformat_minor, NEWEST_MINOR)
        self.target = msgspec.structs.replace(self.before, cells=cells, nbformat_minor=minor)
        self.there = {cell.id: place for place, cell in enumerate(cells)}

    def result(self) -> Imported:
        self._check_cells()
        known = {entry.id for entry in self.document.components} | {
            component.id for component in self._components_there.values()
        }
        self.drawn = self._drawn(known)
        differing = self._differing()
        swapped = self._swapped()
        if not self.replace:
            self._refuse(differing, swapped)
        cells = self._placed(set(differing), swapped)
        made = msgspec.structs.replace(self.target, cells=tuple(cells), metadata=self._metadata())
        self._check_result(made)
        ids = [entry.id for entry in self.document.cells]
        outside = [need for need in self.document.needs if need.parent not in known]
        return Imported(
            notebook=made,
            added=tuple(id for id in ids if id not in self.there),
            replaced=tuple(id for id in ids if id in differing),
            same=tuple(id for id in ids if id in self.there and id not in differing),
            needs=tuple(outside),
            left_out=tuple(need for need in outside if "declared" in need.provenance),
            gave_ids=self.gave_ids,
        )

    # what the file says -------------------------------------------------------------------------------------------

    def _check_cells(self) -> None:
        for entry in self.document.cells:
            if not is_valid(entry.id):
                raise InvalidInputError(f"{entry.id!r} is no id that a cell can have")
        members: JsonObject = {
            "cells": [cell_to_json(self._cell(entry, ())) for entry in self.document.cells],
            "metadata": self.document.notebook.metadata,
            "nbformat": 4,
            "nbformat_minor": NEWEST_MINOR,
        }
        for problem in validate(members):
            raise InvalidInputError(f"no notebook can hold this: {problem}")
        for entry in self.document.cells:
            tags = entry.metadata.get("tags", ())
            if entry.id in self.components and PARAMETERS in tags:
                raise InvalidInputError(f"the cell {entry.id!r} is a component and sets parameters: it can be one")
            if COMPONENT in held(entry.metadata):
                raise InvalidInputError(f"the cell {entry.id!r} says itself what component it is; 'components' does")

    def _drawn(self, known: set[str]) -> dict[str, list[str]]:
        """Return the parents that were declared, by component, as far as this notebook will have them."""
        found: dict[str, list[str]] = {}
        for edge in (*self.document.edges, *self.document.needs):
            if "declared" in edge.provenance and edge.parent in known:
                found.setdefault(edge.child, []).append(edge.parent)
        return found

    @cached_property
    def _pipeline_there(self) -> Pipeline:
        """The pipeline of the notebook without the file, or what it could be."""
        return read_pipeline(self.target)

    @cached_property
    def _components_there(self) -> Mapping[str, Component]:
        if not has_pipeline(self.target):
            return {}
        return {component.id: component for component in self._pipeline_there.components}

    def _cell(self, entry: CellEntry, after: Sequence[str]) -> Cell:
        """Return the cell that a file's entry stands for."""
        # A front end shows the HTML of a cell that says it is trusted; whoever wrote the file is not to decide that.
        metadata = {key: value for key, value in entry.metadata.items() if key != "trusted"}
        own = dict(held(metadata))
        component = self.components.get(entry.id)
        if component is not None:
            unknown = self.file.unknown.get(place_of(component), {})
            own[COMPONENT] = {**_said(component), **({"after": list(after)} if after else {}), **unknown}
        kept = self.file.unknown.get(place_of(entry))
        if kept:
            own[KEPT] = kept
        if own:
            metadata[KEY] = own
        return Cell(
            type=entry.type,
            source="".join(entry.source),
            id=CellId(entry.id),
            metadata=metadata,
            outputs=() if entry.type == "code" else None,
            attachments=entry.attachments,
        )

    # what differs -------------------------------------------------------------------------------------------------

    def _differing(self) -> dict[str, str]:
        """Return the cells that are there and say something else, with what it is about."""
        there, found = self._components_there, {}
        for entry in self.document.cells:
            if entry.id in self.there:
                cell = self.target.cells[self.there[CellId(entry.id)]]
                what = self._difference(entry, cell, there.get(entry.id))
                if what:
                    found[entry.id] = what
        return found

    def _difference(self, entry: CellEntry, cell: Cell, component: Component | None) -> str:
        wanted = self.components.get(entry.id)
        if entry.type != cell.type:
            return "type"
        if "".join(entry.source) != cell.source:
            return "source"
        if (wanted is None) != (component is None):
            return "component or not"
        if wanted is not None and component is not None:
            if wanted.name != component.name:
                return "name"
            if wanted != component_entry(component):
                return "how it is run"
            if set(self.drawn.get(entry.id, ())) != set(component.after):
                return "edges"
        mine = cell_entry(cell)
        unknown = (self.file.unknown.get(place_of(entry), {}), self.file.unknown.get(f"component {entry.id}", {}))
        same = [
            _strict(entry.attachments) == _strict(mine.attachments),
            _strict(entry.metadata.get("tags", [])) == _strict(mine.metadata.get("tags", [])),
            _strict(list(unknown)) == _strict(list(unknown_of(cell))),
        ]
        return "" if all(same) else "metadata"

    def _swapped(self) -> bool:
        """True if components of both stand in another order: which one makes a name last depends on it."""
        common = [entry.id for entry in self.document.cells if entry.id in self.there and entry.id in self.components]
        places = [self.there[CellId(id)] for id in common]
        return places != sorted(places)

    def _refuse(self, differing: Mapping[str, str], swapped: bool) -> None:
        told = [self._named(id) + f" ({what})" for id, what in differing.items()]
        told += [f"the parameter {name}" for name in self._other_values()]
        if swapped:
            told.append("the order of the components")
        if told:
            shown = ", ".join(told[:8]) + (f" and {len(told) - 8} more" if len(told) > 8 else "")
            raise AlreadyExistsError(
                f"the notebook has this, and it differs: {shown}", hint="take the file's: add --replace"
            )

    def _named(self, id: str) -> str:
        number = self.there[CellId(id)] + 1
        component = self.components.get(id)
        return f"'{component.name}' (cell {number})" if component else f"cell {number}"

    # the notebook -------------------------------------------------------------------------------------------------

    def _placed(self, differing: set[str], swapped: bool) -> list[Cell]:
        cells = list(self.target.cells)
        entries = {entry.id: entry for entry in self.document.cells}
        for id in differing:
            place = self.there[CellId(id)]
            cells[place] = _replaced(cells[place], self._cell(entries[id], self.drawn.get(id, ())))
        if swapped:
            common = [entry.id for entry in self.document.cells if entry.id in self.there]
            by_id = {cell.id: cell for cell in cells}
            slots = sorted(self.there[CellId(id)] for id in common)
            for slot, id in zip(slots, common, strict=True):
                cells[slot] = by_id[CellId(id)]
        return self._with_new(cells)

    def _with_new(self, cells: list[Cell]) -> list[Cell]:
        """Put each new cell behind the one before it that both know; those before all of these before the first."""
        entries = {entry.id: entry for entry in self.document.cells}
        order = list(dict.fromkeys(self.document.notebook.order))
        if [id for id in order if id in entries] != list(entries):
            order = list(entries)
        first: list[Cell] = []
        behind: dict[str, list[Cell]] = {}
        anchor = ""
        for id in order:
            if id in self.there:
                anchor = id
            elif id in entries:
                cell = self._cell(entries[id], self.drawn.get(id, ()))
                (behind.setdefault(anchor, []) if anchor else first).append(cell)
        known = set(order)
        start = next((place for place, cell in enumerate(cells) if cell.id in known), len(cells))
        placed = [*cells[:start], *first]
        for cell in cells[start:]:
            placed += [cell, *behind.get(cell.id, ())]
        return placed

    def _metadata(self) -> JsonObject:
        metadata = dict(self.target.metadata)
        own = dict(held(metadata))
        values = {entry.name: entry.value for entry in self.document.parameters if entry.cell is None}
        parameters = {**held_object(own, PARAMETERS), **values}
        kept = self._kept(held_object(own, KEPT))
        own |= {key: value for key, value in ((PARAMETERS, parameters), (KEPT, kept)) if value}
        return {**metadata, **({KEY: own} if own else {})}

    def _kept(self, before: JsonObject) -> JsonObject:
        """Return the unknown fields that no cell keeps, with those that are kept already."""
        kept = dict(before)
        if self.file.unknown.get(""):
            kept["file"] = {**held_object(kept, "file"), **self.file.unknown[""]}
        entries = {
            place: fields for place, fields in self.file.unknown.items() if place.startswith(("edge ", "parameter "))
        }
        if entries:
            kept["entries"] = {**held_object(kept, "entries"), **entries}
        return kept

    def _other_values(self) -> list[str]:
        """Return the parameters that the notebook sets to something else."""
        there = {parameter.name: parameter for parameter in self._pipeline_there.parameters}
        return [
            entry.name
            for entry in self.document.parameters
            if entry.cell is None
            and entry.name in there
            and (there[entry.name].cell is not None or _strict(there[entry.name].value) != _strict(entry.value))
        ]

    def _check_result(self, made: Notebook) -> None:
        pipeline = read_pipeline(made)
        in_cells = {found.name: found.cell for found in pipeline.parameters if found.cell is not None}
        for entry in self.document.parameters:
            if entry.cell is None and entry.name in in_cells:
                number = in_cells[entry.name] + 1
                raise InvalidInputError(f"the parameter {entry.name} is set in cell {number} of the notebook, too")
        before = set() if self.is_new else {problem.message for problem in self._pipeline_there.errors}
        for problem in refused(pipeline):
            if problem.message not in before:
                raise InvalidInputError(f"the notebook would be wrong: {problem.message}", hint=problem.hint)


def _said(component: ComponentEntry) -> JsonObject:
    """Return what a cell's metadata says of a component: the name, and what is not as usual."""
    members: JsonObject = msgspec.to_builtins(component)
    return {key: value for key, value in members.items() if key != "id"}


def _replaced(old: Cell, new: Cell) -> Cell:
    """Return the file's cell in the place of another; outputs stay with the source that made them."""
    stays = old.type == new.type and old.source == new.source
    own = {**without(held(old.metadata), COMPONENT, KEPT), **held(new.metadata)}
    metadata = {**old.metadata, **new.metadata}
    if "tags" not in new.metadata:
        metadata.pop("tags", None)
    metadata.pop(KEY, None)
    return msgspec.structs.replace(
        new if old.type != new.type else old,
        source=new.source,
        metadata={**metadata, **({KEY: own} if own else {})},
        outputs=old.outputs if stays else new.outputs,
        execution_count=old.execution_count if stays else None,
        attachments=new.attachments,
    )


def _strict(value: Any) -> str:
    """Return a value as text that tells 1, 1.0 and true apart."""
    import json

    return json.dumps(value, sort_keys=True, default=repr)


__all__ = ["Imported", "import_pipeline"]

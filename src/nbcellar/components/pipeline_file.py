"""A pipeline, or a part of one, as a JSON file: what stands in it, reading and writing it.

The classes here are the schema of the file (docs/schemas/pipeline-file.json). Cells carry their sources and what else
their metadata says; components, edges and parameters name cells by id and by nothing else.

Invariant: keys are sorted, so equal pipelines are equal bytes; fields that this version does not know are kept
(`PipelineFile.unknown`). Nothing of a file is run. Not for: notebooks (`exporting.py`, `importing.py`). Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from nbcellar.components.model import Provenance
from nbcellar.components.parameters import type_of
from nbcellar.errors import InvalidInputError, UnsupportedFormatError
from nbcellar.notebook.model import JsonObject

SCHEMA = "urn:nbcellar:pipeline"
VERSION = "1.0"
READER = 1
"""What this version can read: files whose `min_reader` is at most this."""

CellType = Literal["code", "markdown", "raw"]


class CellEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A cell: of a component, of parameters, Markdown, or plain code. `source` is a list of lines with their ends."""

    id: str
    type: CellType
    source: list[str]
    metadata: dict[str, Any] = {}
    attachments: dict[str, Any] | None = None


class ComponentEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A component, by the id of its cell, and how it is run; what is missing is as usual."""

    id: str
    name: str
    cache: bool = True
    freeze: bool = False
    retries: int = 0
    timeout_s: float | None = None


class EdgeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """`parent` is done before `child` begins. Edges that are not `declared` follow from the sources; they are told."""

    parent: str
    child: str
    names: list[str] = []
    provenance: list[Provenance] = []


class ParameterEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A parameter. `type` is JSON's word; `cell`: the cell that sets it, whose source is what counts.

    A value that JSON cannot hold (a tuple, a set) is in its cell alone.
    """

    name: str
    type: str
    value: Any = msgspec.UNSET
    cell: str | None = None


class NotebookEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What the notebook says of itself. `order`: the ids of all its cells, by which a part finds its place."""

    metadata: dict[str, Any] = {}
    order: list[str] = []


class Producer(msgspec.Struct, frozen=True, kw_only=True):
    """The program that wrote the file."""

    name: str = ""
    version: str = ""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was exported: Python, and the distributions that its imports come from. Nothing depends on it."""

    python: str = ""
    distributions: dict[str, str] = {}


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file. Cells stand in the order of the notebook.

    min_reader: the oldest reader that understands it. needs: edges from components that are not in the file.
    """

    schema: str
    version: str
    min_reader: int
    producer: Producer = Producer()
    notebook: NotebookEntry = NotebookEntry()
    cells: list[CellEntry]
    components: list[ComponentEntry]
    edges: list[EdgeEntry] = []
    needs: list[EdgeEntry] = []
    parameters: list[ParameterEntry] = []
    environment: Environment | None = None


class PipelineFile(msgspec.Struct, frozen=True):
    """A file. `unknown`: fields of a later version, by where they stand: `place_of`, "" for the file itself."""

    document: Document
    unknown: Mapping[str, JsonObject] = {}


def place_of(entry: CellEntry | ComponentEntry | EdgeEntry | ParameterEntry) -> str:
    """Return the key of an entry's unknown fields."""
    if isinstance(entry, EdgeEntry):
        return f"edge {entry.parent} {entry.child}"
    if isinstance(entry, ParameterEntry):
        return f"parameter {entry.name}"
    return f"{'cell' if isinstance(entry, CellEntry) else 'component'} {entry.id}"


def write_file(file: PipelineFile) -> bytes:
    """Return the text of a file. Raises InvalidInputError for a number that JSON cannot hold."""
    document = file.document
    members = msgspec.to_builtins(document) | file.unknown.get("", {})
    for key in _LISTS:
        members[key] = [
            msgspec.to_builtins(entry) | file.unknown.get(place_of(entry), {}) for entry in getattr(document, key)
        ]
    if document.environment is None:
        del members["environment"]
    try:
        text = json.dumps(members, ensure_ascii=False, allow_nan=False, indent=1, sort_keys=True)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"a pipeline file is JSON, and this is none: {error}") from None
    text = re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)  # half a letter has no UTF-8
    return f"{text}\n".encode()


def read_file(data: bytes, name: str) -> PipelineFile:
    """Return the file in `data`; `name` words the errors.

    Raises InvalidInputError for what is no pipeline file or not whole, UnsupportedFormatError for a later one.
    """
    members = _members(data, name)
    _check_version(members, name)
    try:
        document = msgspec.convert(members, Document)
    except msgspec.ValidationError as error:
        raise InvalidInputError(f"{name}: {error}") from None
    unknown = {place: found for place, found in _unknown(members, document) if found}
    file = PipelineFile(document, unknown)
    for problem in _problems(document):
        raise InvalidInputError(f"{name}: {problem}")
    return file


_LISTS = ("cells", "components", "edges", "needs", "parameters")


def _members(data: bytes, name: str) -> JsonObject:
    try:
        members = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse, parse_float=_number)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"{name}: no JSON: {error}", hint=_HOW) from None
    if not isinstance(members, dict) or not isinstance(members.get("schema"), str):
        raise InvalidInputError(f"{name}: JSON, but no pipeline file: it names no schema", hint=_HOW)
    return members


def _number(word: str) -> float:
    value = float(word)
    return value if value - value == 0 else _refuse(word)


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no number that can be kept")


_HOW = "cellar pipeline export NB -o P.json writes one"


def _check_version(members: JsonObject, name: str) -> None:
    if members["schema"] != SCHEMA:
        raise InvalidInputError(f"{name}: JSON, but no pipeline file: its schema is {members['schema']!r}", hint=_HOW)
    needed = members.get("min_reader")
    if not isinstance(needed, int) or isinstance(needed, bool):
        raise InvalidInputError(f"{name}: it does not say which reader it needs ('min_reader')", hint=_HOW)
    if needed > READER:
        raise UnsupportedFormatError(
            f"{name}: a pipeline file of version {members.get('version')}, for readers {needed} and later; "
            f"this Cellar is reader {READER}",
            hint="upgrade with: pip install --upgrade nbcellar",
        )


def _unknown(members: JsonObject, document: Document) -> Iterator[tuple[str, JsonObject]]:
    yield "", _others(members, Document)
    for key in _LISTS:
        for raw, entry in zip(members.get(key, ()), getattr(document, key), strict=True):
            yield place_of(entry), _others(raw, type(entry))


def _others(members: JsonObject, kind: type[msgspec.Struct]) -> JsonObject:
    return {key: value for key, value in members.items() if key not in kind.__struct_fields__}


def _problems(document: Document) -> Iterator[str]:
    """Yield what keeps the parts of a file from fitting together."""
    cells = {cell.id: cell for cell in document.cells}
    yield from (f"two cells have the id {id!r}" for id in _twice(cell.id for cell in document.cells))
    yield from (f"the component {id!r} is there twice" for id in _twice(each.id for each in document.components))
    yield from (
        f"two components have the same name: {name!r}" for name in _twice(each.name for each in document.components)
    )
    yield from (f"two parameters have the same name: {name!r}" for name in _twice(p.name for p in document.parameters))
    for component in document.components:
        found = cells.get(component.id)
        if found is None:
            yield f"the component {component.name!r} has no cell: {component.id!r} is not among the cells"
        elif found.type != "code":
            yield f"the component {component.name!r} is a cell of {found.type}, not of code"
    known = {component.id for component in document.components}
    for edge in document.edges:
        yield from (
            f"an edge names {id!r}, which is no component here" for id in (edge.parent, edge.child) if id not in known
        )
    for need in document.needs:
        if need.child not in known:
            yield f"'needs' names {need.child!r}, which is no component here"
    for parameter in document.parameters:
        yield from _parameter_problems(parameter, cells)


def _parameter_problems(parameter: ParameterEntry, cells: Mapping[str, CellEntry]) -> Iterator[str]:
    if not parameter.name.isidentifier():
        yield f"the parameter {parameter.name!r} can be no variable"
    if parameter.cell is not None and parameter.cell not in cells:
        yield f"the cell of the parameter {parameter.name!r} is not among the cells: {parameter.cell!r}"
    if parameter.value is msgspec.UNSET:
        if parameter.cell is None:
            yield f"the parameter {parameter.name!r} has no value"
    elif not _is_of_type(parameter.value, parameter.type):
        shown = json.dumps(parameter.value)
        yield f"the parameter {parameter.name!r} is of type {parameter.type!r}, but its value is {shown[:40]}"


def _is_of_type(value: Any, type: str) -> bool:
    return type_of(value) == type or (type_of(value), type) == ("integer", "number")


def _twice(values: Iterator[str]) -> list[str]:
    seen: set[str] = set()
    found = []
    for value in values:
        if value in seen:
            found.append(value)
        seen.add(value)
    return found


__all__ = [
    "READER",
    "SCHEMA",
    "VERSION",
    "CellEntry",
    "ComponentEntry",
    "Document",
    "EdgeEntry",
    "Environment",
    "NotebookEntry",
    "ParameterEntry",
    "PipelineFile",
    "Producer",
    "place_of",
    "read_file",
    "write_file",
]

"""Notebooks of nbformat 1 to 3 (2011 to 2015), brought to nbformat 4.5 in memory.

Invariant: what nbformat's own upgrade keeps is kept; sources, outputs and metadata come out as it makes them, but for
cell ids, which are the same each time.

Not for: writing older formats.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from nbcellar.errors import InvalidInputError
from nbcellar.notebook.ids import FreshIds
from nbcellar.notebook.model import NEWEST_MINOR, JsonObject

_MIME_TYPES = {
    "text": "text/plain",
    "html": "text/html",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "latex": "text/latex",
    "json": "application/json",
    "javascript": "application/javascript",
}
_TEXTS = ("text", "html", "svg", "latex", "javascript", "json")
_NOT_KEPT = ("name", "signature")  # the file's own name, and a signature of what it said before


def upgrade(members: JsonObject, where: str = "notebook") -> JsonObject:
    """Return the top-level object of nbformat 4.5 for one of nbformat 1 to 3.

    Raises InvalidInputError, which names the cell, where the text is not of the form that its nbformat has.
    """
    major = members["nbformat"]
    fresh = FreshIds()
    cells = []
    for number, cell in enumerate(_cells(members, where), 1):
        place = f"{where}, cell {number} (nbformat {major})"
        made = upgrade_cell(_object(cell, place), major, place)
        made["id"] = fresh.make(str(made["cell_type"]), str(made["source"]))
        cells.append(dict(sorted(made.items())))
    metadata = _object(members.get("metadata", {}), f"{where}, metadata")
    kept = {key: value for key, value in metadata.items() if key not in _NOT_KEPT}
    return {"cells": cells, "metadata": kept, "nbformat": 4, "nbformat_minor": NEWEST_MINOR}


def upgrade_cell(cell: JsonObject, major: int, where: str) -> JsonObject:
    """Return a cell of nbformat 4, without id."""
    cell = dict(cell)
    kind = cell.get("cell_type")
    made: JsonObject = {"metadata": dict(_object(cell.pop("metadata", {}), where))}
    if kind == "code":
        source = cell.pop("code" if major == 1 else "input", "")
        if "collapsed" in cell or major == 1:
            made["metadata"]["collapsed"] = cell.pop("collapsed", False)
        made["execution_count"] = cell.pop("prompt_number", None)
        made["outputs"] = [
            upgrade_output(_object(each, where), major) for each in _list(cell.pop("outputs", []), where)
        ]
        made["source"] = _joined(source, major, where)
        cell.pop("language", None)
    else:
        made["source"] = _joined(cell.pop("text" if major == 1 else "source", ""), major, where)
        if "rendered" in cell:
            cell["rendered"] = _joined(cell["rendered"], major, where)
        if kind == "heading":
            hashes = "#" * int(cell.pop("level", 1))
            made["source"] = f"{hashes} {' '.join(made['source'].splitlines())}"
        kind = "markdown" if kind in ("heading", "html", "text") else kind
    cell.pop("cell_type", None)
    return {**cell, **made, "cell_type": kind}


def upgrade_output(output: JsonObject, major: int) -> JsonObject:
    """Return an output of nbformat 4."""
    output = {key: _joined(value, major, "") if key in _TEXTS else value for key, value in output.items()}
    kind = output.pop("output_type", None)
    if kind in ("pyout", "display_data"):
        made: JsonObject = {
            "output_type": "display_data",
            "metadata": _with_mime_types(_object(output.pop("metadata", {}), "")),
        }
        if kind == "pyout":
            made["output_type"] = "execute_result"
            made["execution_count"] = output.pop("prompt_number", None)
        data = _with_mime_types(output)
        if isinstance(data.get("application/json"), str):
            data["application/json"] = _from_json(data["application/json"])
        return {"data": data, **made}
    if kind == "stream":
        return {"name": output.pop("stream", "stdout"), **output, "output_type": "stream"}
    return {**output, "output_type": "error" if kind == "pyerr" else kind}


def _cells(members: JsonObject, where: str) -> Iterator[Any]:
    if members["nbformat"] == 1:
        yield from _list(members.get("cells"), f"{where}, 'cells'")
        return
    for sheet in _list(members.get("worksheets"), f"{where}, 'worksheets'"):
        yield from _list(_object(sheet, f"{where}, worksheet").get("cells", []), f"{where}, 'cells'")


def _joined(value: Any, major: int, where: str) -> Any:
    """Return text that may be a list of lines; nbformat 2 left out the line breaks, some of nbformat 3 did, too."""
    if isinstance(value, str) or (where == "" and not isinstance(value, list)):
        return value
    lines = _list(value, where) if value is not None else []
    if not all(isinstance(line, str) for line in lines):
        raise InvalidInputError(f"{where or 'output'}: a line must be text")
    has_breaks = major == 3 and bool(lines) and lines[0].endswith(("\n", "\r"))
    return ("" if has_breaks else "\n").join(lines)


def _with_mime_types(values: JsonObject) -> JsonObject:
    return {_MIME_TYPES.get(key, key): value for key, value in values.items()}


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text  # any value may stand there, so what it said is kept


def _object(value: Any, where: str) -> JsonObject:
    if isinstance(value, dict):
        return value
    raise InvalidInputError(f"{where or 'output'}: must be an object, not {type(value).__name__}")


def _list(value: Any, where: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise InvalidInputError(f"{where}: must be a list, not {type(value).__name__}")

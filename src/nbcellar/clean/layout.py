"""The layout that Jupyter gives a notebook: keys in order, long texts as lists of lines, one blank a level.

Invariant: values stay equal; what has the layout already is returned as the very same object.
"""

from __future__ import annotations

from typing import Any

import msgspec

from nbcellar.notebook.model import Cell, Formatting, JsonObject, Notebook

# What nbformat splits into lines besides text/*.
_ALSO_TEXT = ("application/javascript", "image/svg+xml")


def as_jupyter(notebook: Notebook) -> Notebook:
    """Return the notebook laid out as Jupyter does; line endings and a byte order mark stay."""
    old = notebook.formatting
    return msgspec.structs.replace(
        notebook,
        cells=tuple([_cell(cell) for cell in notebook.cells]),
        metadata=_sorted(notebook.metadata),
        extra=_sorted(notebook.extra),
        keys=tuple(sorted(notebook.keys)),
        formatting=Formatting(newline=old.newline, end=old.newline, byte_order_mark=old.byte_order_mark),
        verbatim={},
    )


def _cell(cell: Cell) -> Cell:
    changes: dict[str, Any] = {}
    if cell.source_as_text:
        changes["source_as_text"] = False
    keys = tuple(sorted(cell.keys))
    if keys != cell.keys:
        changes["keys"] = keys
    for name in ("metadata", "extra"):
        value = getattr(cell, name)
        if value and (made := _sorted(value)) is not value:
            changes[name] = made
    if cell.attachments:
        bundles = {name: _bundle(each) for name, each in cell.attachments.items()}
        changes["attachments"] = _sorted(bundles)
    if cell.outputs:
        outputs = tuple([_sorted(_output(output)) for output in cell.outputs])
        if any(new is not old for new, old in zip(outputs, cell.outputs, strict=True)):
            changes["outputs"] = outputs
    return msgspec.structs.replace(cell, **changes) if changes else cell


def _output(output: JsonObject) -> JsonObject:
    kind = output.get("output_type")
    if kind == "stream" and isinstance(output.get("text"), str):
        return {**output, "text": output["text"].splitlines(keepends=True)}
    if kind in ("display_data", "execute_result"):
        data = output.get("data")
        made = _bundle(data)
        return output if made is data else {**output, "data": made}
    return output


def _bundle(data: Any) -> Any:
    if not isinstance(data, dict):
        return data
    changes: dict[str, Any] = {}
    for mime, value in data.items():
        if mime.startswith("text/") or mime in _ALSO_TEXT:
            if isinstance(value, str):
                changes[mime] = value.splitlines(keepends=True)
        elif isinstance(value, list) and value and not mime.endswith("json") and all(isinstance(x, str) for x in value):
            changes[mime] = "".join(value)
    return {**data, **changes} if changes else data


def _sorted(value: Any) -> Any:
    """Return a JSON value with the keys of all objects in order."""
    if isinstance(value, dict):
        keys = list(value)
        in_order = sorted(keys)
        made = {key: _sorted(value[key]) for key in in_order}
        if in_order == keys and all(made[key] is value[key] for key in keys):
            return value
        return made
    if isinstance(value, list) and any(type(item) in (dict, list) for item in value):
        items = [_sorted(item) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    return value

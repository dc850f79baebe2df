"""Notebooks as plain dicts, as Jupyter holds them in memory: text in one piece, not in lists of lines.

Invariant: `from_plain(to_plain(notebook))` holds the same document. What a file adds to that (layout, order of keys,
text as lists of lines) comes from `like`, cell by cell, where that is given.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from nbcellar.errors import InvalidInputError
from nbcellar.notebook.codec import cell_from_json
from nbcellar.notebook.model import Cell, JsonObject, Notebook, cell_to_json, notebook_keys

# What nbformat writes as lists of lines beside text/*.
_SPLIT_MIMES = frozenset({"application/javascript", "image/svg+xml"})
_NOTEBOOK_KEYS = frozenset({"cells", "metadata", "nbformat", "nbformat_minor"})


def to_plain(notebook: Notebook) -> JsonObject:
    """Return the notebook as a dict that shares its values: copy it before you change it."""
    members = notebook_keys(notebook)
    members["cells"] = [cell_to_plain(cell) for cell in notebook.cells]
    return members


def from_plain(value: Mapping[str, Any], *, like: Notebook | None = None) -> Notebook:
    """Return the notebook in a dict; text may be in one piece or in lines.

    Raises InvalidInputError, which names the cell, for what is no notebook of nbformat 4.
    """
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"a notebook must be a dict, not {type(value).__name__}")
    major = value.get("nbformat", 4)
    if major != 4 or isinstance(major, bool) or not isinstance(major, int):
        raise InvalidInputError(f"a notebook of nbformat 4 is wanted, not of {major!r}")
    minor, metadata, cells = value.get("nbformat_minor", 0), value.get("metadata", {}), value.get("cells", [])
    if not isinstance(minor, int) or isinstance(minor, bool):
        raise InvalidInputError(f"'nbformat_minor' must be a whole number, not {type(minor).__name__}")
    if not isinstance(metadata, dict):
        raise InvalidInputError(f"'metadata' must be a dict, not {type(metadata).__name__}")
    if not isinstance(cells, list | tuple):
        raise InvalidInputError(f"'cells' must be a list, not {type(cells).__name__}")
    old = like.cells if like is not None else ()
    made = []
    for place, cell in enumerate(cells):
        made.append(cell_from_plain(cell, like=old[place] if place < len(old) else None, where=f"cell {place + 1}"))
    fresh = Notebook(
        cells=tuple(made),
        metadata=metadata,
        nbformat_minor=minor,
        extra={key: item for key, item in value.items() if key not in _NOTEBOOK_KEYS},
        keys=_key_order(value, like.keys if like is not None else ()),
    )
    if like is None:
        return fresh
    return msgspec.structs.replace(fresh, formatting=like.formatting, verbatim=like.verbatim)


def cell_to_plain(cell: Cell) -> JsonObject:
    """Return the cell as a dict that shares its values."""
    value = cell_to_json(cell)
    value["source"] = cell.source
    if cell.outputs is not None:
        value["outputs"] = [output_to_plain(output) for output in cell.outputs]
    if cell.attachments is not None:
        value["attachments"] = attachments_to_plain(cell.attachments)
    return value


def cell_from_plain(value: Mapping[str, Any], *, like: Cell | None = None, where: str = "cell") -> Cell:
    """Return the cell in a dict; the order of its keys and what is equal in `like` stay as they are there.

    Raises InvalidInputError naming `where`.
    """
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"{where}: a cell must be a dict, not {type(value).__name__}")
    cell = cell_from_json(dict(value), where=where)
    outputs, attachments = cell.outputs, cell.attachments
    if outputs is not None:
        old = (like.outputs or ()) if like is not None else ()
        outputs = tuple(output_to_file(output, old[n : n + 1]) for n, output in enumerate(outputs))
    if attachments is not None:
        same = like is not None and like.attachments is not None and attachments_to_plain(like.attachments)
        attachments = like.attachments if like is not None and same == attachments else attachments
    return msgspec.structs.replace(
        cell,
        outputs=outputs,
        attachments=attachments,
        keys=_key_order(dict.fromkeys(cell.keys), like.keys if like is not None else ()),
        source_as_text=like is not None and like.source_as_text,
    )


def saved_cell(value: Mapping[str, Any], *, where: str = "cell") -> Cell:
    """Return the cell in a dict as it stands in a file that Jupyter saves: keys sorted, text in lines.

    Raises InvalidInputError naming `where`.
    """
    return cell_from_plain(sorted_keys(value), where=where)


def sorted_keys(value: Any) -> Any:
    """Return JSON with the keys of its objects in order, as nbformat writes them."""
    if isinstance(value, Mapping):
        return {key: sorted_keys(value[key]) for key in sorted(value)}
    return [sorted_keys(item) for item in value] if isinstance(value, list) else value


def output_to_plain(output: JsonObject) -> JsonObject:
    """Return an output with its text in one piece; the same object if it was so."""
    text, data = output.get("text"), output.get("data")
    if _is_lines(text):
        output = {**output, "text": "".join(text)}  # type: ignore[arg-type]
    if isinstance(data, dict):
        joined = bundle_to_plain(data)
        output = {**output, "data": joined} if joined is not data else output
    return output


def bundle_to_plain(bundle: JsonObject) -> JsonObject:
    """Return a MIME bundle with its texts in one piece; the same object if it was so."""
    lines = [mime for mime, value in bundle.items() if not is_json_mime(mime) and _is_lines(value)]
    return {**bundle, **{mime: "".join(bundle[mime]) for mime in lines}} if lines else bundle


def attachments_to_plain(attachments: JsonObject) -> JsonObject:
    """Return a cell's attachments with their texts in one piece."""
    return {name: bundle_to_plain(data) if isinstance(data, dict) else data for name, data in attachments.items()}


def is_json_mime(mime: str) -> bool:
    """Return whether values of a MIME type are JSON, whose lists are no lines."""
    return mime == "application/json" or (mime.startswith("application/") and mime.endswith("+json"))


def output_to_file(output: JsonObject, like: Iterable[JsonObject]) -> JsonObject:
    """Return an output as files have it: that of `like` if it is the same, else with its text in lines."""
    for old in like:
        if old is output or json.dumps(output_to_plain(old)) == json.dumps(output):
            return old
    text, data = output.get("text"), output.get("data")
    if isinstance(text, str) and output.get("output_type") == "stream":
        output = {**output, "text": text.splitlines(keepends=True)}
    if isinstance(data, dict):
        split = {
            mime: value.splitlines(keepends=True)
            for mime, value in data.items()
            if isinstance(value, str) and (mime.startswith("text/") or mime in _SPLIT_MIMES)
        }
        output = {**output, "data": {**data, **split}} if split else output
    return output


def _key_order(keys: Iterable[str], like: tuple[str, ...]) -> tuple[str, ...]:
    """Return keys in the order of `like`, new ones where Jupyter's sorted order has them."""
    wanted = set(keys)
    old = [key for key in like if key in wanted]
    new = sorted(wanted.difference(old))
    return tuple(sorted(old + new) if old == sorted(old) else old + new)


def _is_lines(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(line, str) for line in value)


__all__ = [
    "attachments_to_plain",
    "bundle_to_plain",
    "cell_from_plain",
    "cell_to_plain",
    "from_plain",
    "is_json_mime",
    "output_to_plain",
    "saved_cell",
    "sorted_keys",
    "to_plain",
    "output_to_file",
]

"""The readable texts in stored objects: outputs, cells of a document, previews.

Invariant: every text that a person saw is among them, without what commands a terminal and without HTML's tags; an
object that is not what it should be gives none, and never raises. Pure: bytes in, texts out. Not for: values, which
nobody saw (`secrets/values.py`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from nbcellar.history.model import Preview

_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]")
_TAG = re.compile(r"<[A-Za-z/!?][^<>]*>")
_NOT_SHOWN = re.compile(r"<(script|style)\b[^<>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_MOST_DEPTH = 50


class DocumentCell(msgspec.Struct, frozen=True):
    """The texts of a cell of a document: its type, its source, and what its outputs and attachments say."""

    type: str
    source: str
    outputs: tuple[str, ...]


def outputs_texts(payload: bytes) -> list[str]:
    """Return the texts of an OUTPUTS object, one for each output or MIME type."""
    outputs = _json(payload)
    return (
        [text for output in outputs if isinstance(output, dict) for text in output_texts(output)]
        if (isinstance(outputs, list))
        else []
    )


def output_texts(output: dict[str, Any]) -> Iterator[str]:
    """Yield the texts of one nbformat output."""
    kind = output.get("output_type")
    if kind == "stream":
        yield readable(_joined(output.get("text")))
    elif kind == "error":
        yield readable(f"{_joined(output.get('ename'))}: {_joined(output.get('evalue'))}")
        traceback = output.get("traceback")
        if isinstance(traceback, list) and traceback:
            yield readable("\n".join(map(str, traceback)))
    else:
        yield from bundle_texts(output.get("data"))


def bundle_texts(data: object) -> Iterator[str]:
    """Yield the texts of a MIME bundle; images and scripts are none."""
    if not isinstance(data, dict):
        return
    for mime, value in data.items():
        if mime == "text/html":
            yield readable(without_tags(_joined(value)))
        elif mime.startswith("text/") or mime == "application/json" or mime.endswith("+json"):
            yield readable(_joined(value) if isinstance(value, str | list) else "\n".join(strings_in(value)))


def cell_texts(payload: bytes) -> DocumentCell | None:
    """Return the texts of a CELL object; None for what is not JSON (raw text of a file)."""
    cell = _json(payload)
    if not isinstance(cell, dict):
        return None
    outputs = cell.get("outputs")
    found = [output for output in outputs if isinstance(output, dict)] if isinstance(outputs, list) else []
    return DocumentCell(
        type=str(cell.get("cell_type", "")),
        source=readable(_joined(cell.get("source"))),
        outputs=tuple(text for output in found for text in output_texts(output)),
    )


def preview_text(preview: Preview) -> str:
    """Return what a preview says of a variable: its text, its type, and names in its details, such as columns."""
    parts = [preview.text, preview.type]
    for detail in preview.details.values():
        try:
            parts += strings_in(msgspec.msgpack.decode(detail))
        except msgspec.DecodeError:
            continue
    return readable("\n".join(parts))


def readable(text: str) -> str:
    """Return a text without escape sequences and without what cannot be written as UTF-8."""
    if "\x1b" in text:
        text = _TERMINAL.sub("", text)
    if not text.isascii():
        text = text.encode(errors="replace").decode()
    return text


def without_tags(text: str) -> str:
    """Return the text of HTML: tags are blanks, entities what they mean, scripts and styles left out."""
    return html.unescape(_TAG.sub(" ", _NOT_SHOWN.sub(" ", text)))


def strings_in(value: object, depth: int = 0) -> list[str]:
    """Return all strings in a JSON-like value, keys too, in order."""
    if isinstance(value, str):
        return [value]
    if depth > _MOST_DEPTH:
        return []
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in strings_in(part, depth + 1)]
    if isinstance(value, list | tuple):
        return [text for part in value for text in strings_in(part, depth + 1)]
    return []


def every_text(payload: bytes) -> list[str]:
    """Return all strings in a JSON object, whole: lists of lines joined, what HTML hides too; pictures are none.

    Bytes that are no JSON are one text.
    """
    value = _json(payload)
    if value is None:
        return [payload.decode(errors="replace")]
    return _strings(value, 0)


def _strings(value: object, depth: int) -> list[str]:
    if isinstance(value, str):
        return [value]
    if depth > _MOST_DEPTH:
        return []
    if isinstance(value, list):
        if value and all(isinstance(part, str) for part in value):
            return [("" if any("\n" in part for part in value) else "\n").join(value)]
        return [text for part in value for text in _strings(part, depth + 1)]
    if isinstance(value, dict):
        found = []
        for key, part in value.items():
            if not key.startswith(("image/", "video/", "audio/", "font/")):
                found += [key, *_strings(part, depth + 1)]
                if isinstance(part, str):  # what a name says of its value: {"password": ...}
                    found.append(f"{key}: '{part}'" if len(part) < 200 else "")
        return found
    return []


def _json(payload: bytes) -> Any:
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    import json  # reads what Python's json wrote and others refuse: NaN, lone surrogates

    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None


def _joined(value: object) -> str:
    if isinstance(value, list):
        return "".join(map(str, value))
    return "" if value is None else str(value)


__all__ = [
    "DocumentCell",
    "bundle_texts",
    "cell_texts",
    "every_text",
    "output_texts",
    "outputs_texts",
    "preview_text",
    "readable",
    "strings_in",
    "without_tags",
]

"""A notebook as lines of text, for git's textconv: `git log -p`, `git show`, `git blame`, `git diff --stat`.

Invariant: the same notebook gives the same text, two notebooks whose cells differ give different ones, and no line
holds bytes that a terminal would obey.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from blake3 import blake3

from nbcellar.errors import CellarError
from nbcellar.git.limits import too_large
from nbcellar.notebook.codec import read
from nbcellar.notebook.layout import encode_compact
from nbcellar.notebook.model import Cell, JsonObject, Notebook

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def text_form(data: bytes) -> bytes:
    """Return the text of a notebook's file; what is no notebook, or too large for one, as it is."""
    if too_large(len(data)):
        return data
    try:
        notebook = read(data)
    except (CellarError, RecursionError):
        return data
    return "".join(line + "\n" for line in lines_of(notebook)).encode("utf-8", "replace")


def lines_of(notebook: Notebook) -> Iterator[str]:
    """Yield the lines: of each cell its head, source and outputs, then the notebook's metadata."""
    for cell in notebook.cells:
        yield from _cell_lines(cell)
    if notebook.metadata:
        yield f"metadata: {_json(notebook.metadata)}"
    yield f"nbformat: {notebook.nbformat}.{notebook.nbformat_minor}"


def _cell_lines(cell: Cell) -> Iterator[str]:
    count = f" [{cell.execution_count}]" if cell.execution_count is not None else ""
    yield f"--- {_plain(cell.type)}{count}"
    if cell.metadata:
        yield f"metadata: {_json(cell.metadata)}"
    for name, value in sorted((cell.attachments or {}).items()):
        yield f"attachment {_plain(name)}: {_fingerprint(encode_compact(value))}"
    yield from _text_lines(cell.source)
    for output in cell.outputs or ():
        yield from _output_lines(output)
    yield ""


def _output_lines(output: JsonObject) -> Iterator[str]:
    kind = output.get("output_type")
    if kind == "stream":
        yield f"output: {_plain(str(output.get('name', 'stream')))}"
        yield from _text_lines(_joined(output.get("text")), "    ")
    elif kind == "error":
        yield f"output: error {_plain(str(output.get('ename', '')))}: {_plain(_joined(output.get('evalue')))}"
        yield from _text_lines("\n".join(_strings(output.get("traceback"))), "    ")
    else:
        data = output.get("data")
        bundle: JsonObject = data if isinstance(data, dict) else {}
        yield f"output: {_plain(str(kind))}"
        for mime in sorted(bundle):
            yield from _bundle_lines(mime, bundle[mime])


def _bundle_lines(mime: str, value: Any) -> Iterator[str]:
    if mime == "text/plain":
        yield from _text_lines(_joined(value), "    ")
    else:
        text = _joined(value) if isinstance(value, (str, list)) else encode_compact(value)
        yield f"    {_plain(mime)}: {_fingerprint(text)}"


def _fingerprint(text: str) -> str:
    return f"{len(text)} characters, {blake3(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _text_lines(text: str, indent: str = "") -> Iterator[str]:
    for line in text.split("\n") if text else ():
        yield indent + _plain(line)


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _joined(value: Any) -> str:
    return value if isinstance(value, str) else "".join(_strings(value))


def _plain(text: str) -> str:
    return _CONTROL.sub("�", _COLOUR.sub("", text))


def _json(value: Any) -> str:
    return _plain(encode_compact(value))


def both_notebooks(before: bytes, after: bytes) -> tuple[Notebook, Notebook] | None:
    """Return two files as notebooks, an empty one for a file that is not there.

    None when one is no notebook, or too large for one.
    """
    if any(too_large(len(data)) for data in (before, after)):
        return None
    try:
        sides = [read(data) if data else None for data in (before, after)]
    except (CellarError, RecursionError):
        return None
    there = next((side for side in sides if side is not None), None)
    if there is None:
        return None
    nothing = msgspec.structs.replace(there, cells=(), verbatim={})
    return sides[0] or nothing, sides[1] or nothing


def line_difference(before: bytes, after: bytes, old_name: str, new_name: str) -> Iterator[str]:
    """Yield a unified diff of two files, notebooks among them as text."""
    import difflib

    if wrong := too_large(max(len(before), len(after))):
        yield from () if before == after else (_plain(f"a/{old_name} and b/{new_name} differ: {wrong}"),)
        return
    texts = [text_form(data).decode("utf-8", "replace").splitlines() for data in (before, after)]
    for line in difflib.unified_diff(texts[0], texts[1], f"a/{old_name}", f"b/{new_name}", lineterm=""):
        yield _plain(line)

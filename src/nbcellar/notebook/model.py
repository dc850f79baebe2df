"""A notebook as frozen data: cells, metadata and the way its file was written.

Invariant: what the model does not name (unknown keys, key order, indentation) is carried along, so that a notebook
which nobody changed is written byte for byte as it was read.

Not for: reading or writing bytes (`codec.py`), content addresses (`tree.py`), cleaning or comparing notebooks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from nbcellar.ids import CellId

JsonObject = dict[str, Any]

NEWEST_MINOR = 5  # of nbformat 4; later minors are read and kept, too


class Formatting(msgspec.Struct, frozen=True, array_like=True):
    """How the JSON text of a notebook is laid out.

    `indent` is one level of indentation, None for text on one line; `compact` leaves out the blanks of one line;
    `ascii` escapes what is not ASCII; `end` is the text after the closing brace.
    """

    indent: str | None = " "
    compact: bool = False
    ascii: bool = False
    newline: str = "\n"
    end: str = "\n"
    byte_order_mark: bool = False


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell. `outputs` is None where the file has none (markdown and raw cells).

    `extra` holds keys that nbformat does not define; `keys` is the order of all keys in the file, empty for a new cell;
    `source_as_text` is true when the file has the source as one string instead of a list of lines.
    """

    type: str
    source: str
    id: CellId = CellId("")
    metadata: JsonObject = {}
    outputs: tuple[JsonObject, ...] | None = None
    execution_count: int | None = None
    attachments: JsonObject | None = None
    extra: JsonObject = {}
    keys: tuple[str, ...] = ()
    source_as_text: bool = False

    @property
    def tags(self) -> tuple[str, ...]:
        """Return `metadata.tags`, as far as they are strings."""
        tags = self.metadata.get("tags")
        return tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()


class Notebook(msgspec.Struct, frozen=True, kw_only=True):
    """A notebook of nbformat 4.

    `verbatim` maps the BLAKE3 digest of text that the codec would write to the text that the file really had, for the
    pieces where the two differ (1E5 instead of 100000.0, say): a piece that changes is no longer found there and is
    written afresh.
    """

    cells: tuple[Cell, ...]
    metadata: JsonObject = {}
    nbformat: int = 4
    nbformat_minor: int = NEWEST_MINOR
    extra: JsonObject = {}
    keys: tuple[str, ...] = ()
    formatting: Formatting = Formatting()
    verbatim: Mapping[bytes, bytes] = {}

    @property
    def language(self) -> str:
        """Return the kernel's language in lower case, or "" when the notebook does not say."""
        for section, key in (("kernelspec", "language"), ("language_info", "name")):
            part = self.metadata.get(section)
            if isinstance(part, dict) and isinstance(part.get(key), str):
                return str(part[key]).lower()
        return ""

    @property
    def kernel_name(self) -> str:
        """Return the name of the kernelspec, or "" when the notebook names none."""
        spec = self.metadata.get("kernelspec")
        name = spec.get("name") if isinstance(spec, dict) else None
        return name if isinstance(name, str) else ""


def cell_to_json(cell: Cell) -> JsonObject:
    """Return the cell as nbformat's JSON object, keys in the order of the file."""
    values = dict(cell.extra)
    values["cell_type"] = cell.type
    values["source"] = cell.source if cell.source_as_text else cell.source.splitlines(keepends=True)
    if cell.metadata or not cell.keys or "metadata" in cell.keys:
        values["metadata"] = cell.metadata
    if cell.id:
        values["id"] = cell.id
    if cell.attachments is not None:
        values["attachments"] = cell.attachments
    is_new_code = cell.type == "code" and not cell.keys
    if cell.outputs is not None or is_new_code:
        values["outputs"] = list(cell.outputs or ())
    if cell.execution_count is not None or is_new_code or "execution_count" in cell.keys:
        values["execution_count"] = cell.execution_count
    return _in_order(values, cell.keys)


def notebook_keys(notebook: Notebook) -> JsonObject:
    """Return the notebook's top-level object with the cells left empty, keys in the order of the file."""
    values = dict(notebook.extra)
    values["cells"] = []
    values["nbformat"] = notebook.nbformat
    if notebook.nbformat_minor or not notebook.keys or "nbformat_minor" in notebook.keys:
        values["nbformat_minor"] = notebook.nbformat_minor
    if notebook.metadata or not notebook.keys or "metadata" in notebook.keys:
        values["metadata"] = notebook.metadata
    return _in_order(values, notebook.keys)


def _in_order(values: JsonObject, keys: Iterable[str]) -> JsonObject:
    """Order `values` like `keys`; new keys go where Jupyter's sorted order has them, if the old ones are sorted."""
    order = [key for key in keys if key in values]
    new = sorted(key for key in values if key not in order)
    order = sorted(order + new) if order == sorted(order) else order + new
    return {key: values[key] for key in order}

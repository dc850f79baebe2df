"""Read and write the text of a notebook file (.ipynb): nbformat 4.0 to 4.5 in and out, 1 to 3 in.

Invariant: `write(read(data)) == data` for every notebook of nbformat 4 that `read` accepts; after a change only the
changed cells and the top-level members are laid out anew.

Not for: files (callers read and write them), other notebook formats, validation beyond what the model needs
(`validate.py`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from nbcellar.errors import InvalidInputError, UnsupportedFormatError
from nbcellar.ids import CellId
from nbcellar.notebook.layout import detect_formatting
from nbcellar.notebook.model import Cell, JsonObject, Notebook
from nbcellar.notebook.origin import BYTE_ORDER_MARK, Origin, assemble, render_cell
from nbcellar.notebook.scan import Scan

__all__ = ["cell_from_json", "notebook_from_json", "read", "read_members", "render_cell", "write"]

_CELL_KEYS = frozenset({"attachments", "cell_type", "execution_count", "id", "metadata", "outputs", "source"})
_NOTEBOOK_KEYS = frozenset({"cells", "metadata", "nbformat", "nbformat_minor"})
_OLDEST_KEPT = 4
_MISSING = object()


def read(data: bytes, *, path: str = "") -> Notebook:
    """Return the notebook in `data`; `path` only words the errors. Older majors are upgraded in memory (`older.py`).

    Raises InvalidInputError, which names the line, for text that is not JSON or not a notebook, and
    UnsupportedFormatError for nbformat 5 and later.
    """
    where = path or "notebook"
    members = read_members(data, path=path)
    if is_older(members, where):
        from nbcellar.notebook.older import upgrade

        return notebook_from_json(upgrade(members, where), where=where)
    try:
        bare = notebook_from_json(members, where=where)
    except InvalidInputError:
        _complain_with_place(data, members, where)
        raise
    bare = msgspec.structs.replace(bare, formatting=detect_formatting(data))
    return msgspec.structs.replace(bare, verbatim=Origin(data, bare))


def write(notebook: Notebook) -> bytes:
    """Return the text of the file."""
    if isinstance(notebook.verbatim, Origin):
        text = notebook.verbatim.write(notebook)
        if text is not None:
            return text
    return assemble(notebook, notebook.verbatim)


def read_members(data: bytes, *, path: str = "") -> JsonObject:
    """Return the members of the JSON object in `data`. Raises InvalidInputError for anything else."""
    where = path or "notebook"
    try:
        # Three times as quick as json; what it refuses (NaN, numbers out of range, lone surrogates, most of all text
        # that is no JSON) is left to json. What both accept they read alike.
        members = msgspec.json.decode(data.removeprefix(BYTE_ORDER_MARK))
        if isinstance(members, dict):
            return members
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    return Scan(_decode_text(data, where), where).members()


def notebook_from_json(members: JsonObject, *, where: str = "notebook") -> Notebook:
    """Return the notebook of nbformat's top-level JSON object (nbformat 4), laid out as Jupyter does.

    Raises InvalidInputError, which names the cell, for what the model cannot hold.
    """
    if is_older(members, where) or not isinstance(members.get("cells"), list):
        raise InvalidInputError(f"{where}: JSON, but not a notebook: it has no list under 'cells'")
    try:
        cells = tuple([_read_cell(value, "") for value in members["cells"]])
    except InvalidInputError:
        places = (f"{where}, cell {number}" for number, _ in enumerate(members["cells"], 1))
        cells = tuple([_read_cell(value, place) for value, place in zip(members["cells"], places, strict=True)])
    return Notebook(
        cells=cells,
        metadata=_typed(members.get("metadata", {}), dict, "metadata", where),
        nbformat=members["nbformat"],
        nbformat_minor=_typed(members.get("nbformat_minor", 0), int, "nbformat_minor", where),
        extra={key: value for key, value in members.items() if key not in _NOTEBOOK_KEYS},
        keys=tuple(members),
    )


def cell_from_json(value: JsonObject, *, where: str = "cell") -> Cell:
    """Inverse of `model.cell_to_json`. Raises InvalidInputError naming `where`."""
    return _read_cell(value, where)


def is_older(members: JsonObject, where: str = "notebook") -> bool:
    """Return whether a notebook is of nbformat 1 to 3.

    Raises InvalidInputError for what is no notebook, UnsupportedFormatError for nbformat 5 and later.
    """
    major = members.get("nbformat")
    if not isinstance(major, int) or isinstance(major, bool) or major < 1:
        raise InvalidInputError(f"{where}: JSON, but not a notebook: it has no number under 'nbformat'")
    if major > _OLDEST_KEPT:
        raise UnsupportedFormatError(
            f"{where}: nbformat {major}; this Cellar reads nbformat 1 to 4",
            hint="upgrade with: pip install --upgrade nbcellar",
        )
    return major < _OLDEST_KEPT


def _complain_with_place(data: bytes, members: JsonObject, where: str) -> None:
    """Read the cells once more, with their lines at hand for the error."""
    if not isinstance(members.get("cells"), list):
        return
    scan = Scan(_decode_text(data, where), where)
    scan.members()
    for value, place in zip(members["cells"], scan.cell_places(), strict=False):
        _read_cell(value, place)


def _decode_text(data: bytes, where: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidInputError(
            f"{where}, line 1: UTF-16 text; a notebook is UTF-8",
            hint="save it as UTF-8, or convert it with: iconv -f UTF-16 -t UTF-8",
        )
    try:
        return data.removeprefix(BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InvalidInputError(f"{where}, line {line}: not UTF-8 text, so not a notebook") from None


def _read_cell(value: Any, where: str) -> Cell:
    if not isinstance(value, dict):
        raise InvalidInputError(f"{where}: a cell must be an object, not {_name(value)}")
    find = value.get
    kind, source, identity, metadata = find("cell_type"), find("source"), find("id"), find("metadata", _MISSING)
    count, attachments = find("execution_count"), find("attachments")
    keys = tuple(value)
    if ("id" in value and not identity) or ("attachments" in value and attachments is None):
        keys = tuple([key for key in keys if key not in ("id", "attachments") or value[key] not in (None, "")])
    return Cell(
        type=kind if type(kind) is str else _typed(kind, str, "cell_type", where),
        source=source if type(source) is str else _joined(source, where),
        id=CellId(identity) if type(identity) is str else CellId(_optional(identity, str, "id", where) or ""),
        metadata=metadata if type(metadata) is dict else _metadata(metadata, where),
        outputs=_read_outputs(value["outputs"], where) if "outputs" in value else None,
        execution_count=count if type(count) is int else _optional(count, int, "execution_count", where),
        attachments=attachments if attachments is None else _typed(attachments, dict, "attachments", where),
        extra={} if value.keys() <= _CELL_KEYS else {key: value[key] for key in value if key not in _CELL_KEYS},
        keys=keys,
        source_as_text=isinstance(source, str),
    )


def _metadata(value: Any, where: str) -> JsonObject:
    return {} if value is _MISSING else _typed(value, dict, "metadata", where)


def _joined(source: Any, where: str) -> str:
    if isinstance(source, list):
        try:
            return "".join(source)
        except TypeError:  # an item is not text
            pass
    return _typed(source, str, "source", where)  # type: ignore[no-any-return]


def _read_outputs(outputs: Any, where: str) -> tuple[JsonObject, ...]:
    if outputs is None:
        return ()
    for output in _typed(outputs, list, "outputs", where):
        if type(output) is not dict:
            _typed(output, dict, "outputs", where)
    return tuple(outputs)


def _typed(value: Any, wanted: type, key: str, where: str) -> Any:
    if isinstance(value, wanted) and not (wanted is int and isinstance(value, bool)):
        return value
    raise InvalidInputError(f"{where}: '{key}' must be {_names[wanted]}, not {_name(value)}")


def _optional(value: Any, wanted: type, key: str, where: str) -> Any:
    return None if value is None else _typed(value, wanted, key, where)


_names = {dict: "an object", list: "a list", str: "text", int: "a whole number"}


def _name(value: Any) -> str:
    if value is None:
        return "null"
    return {**_names, bool: "true or false", float: "a number"}.get(type(value), type(value).__name__)

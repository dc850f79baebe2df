"""Read and write the text of a notebook file (.ipynb, nbformat 4.0 to 4.5).

Invariant: `write(read(data)) == data` for every notebook that `read` accepts; after a change only the changed cells
and the top-level members are laid out anew.

Not for: files (callers read and write them), other notebook formats, validation beyond what the model needs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from blake3 import blake3

from nbcellar.errors import InvalidInputError, UnsupportedFormatError
from nbcellar.ids import CellId
from nbcellar.notebook.layout import detect_formatting, render_object, render_value
from nbcellar.notebook.model import Cell, JsonObject, Notebook, cell_to_json, notebook_keys

_BYTE_ORDER_MARK = "\ufeff"
_CELL_KEYS = frozenset({"attachments", "cell_type", "execution_count", "id", "metadata", "outputs", "source"})
_NOTEBOOK_KEYS = frozenset({"cells", "metadata", "nbformat", "nbformat_minor"})
_blank = re.compile(r"[ \t\r\n]*")
_decoder = json.JSONDecoder()


def read(data: bytes, *, path: str = "") -> Notebook:
    """Return the notebook in `data`; `path` only words the errors.

    Raises InvalidInputError, which names the line, for text that is not JSON or not a notebook, and
    UnsupportedFormatError for nbformat 5 and later.
    """
    where = path or "notebook"
    text = _decode_text(data, where)
    scan = _Scan(text.removeprefix(_BYTE_ORDER_MARK), where)
    members = scan.members()
    _check_format(members, where)
    cells = tuple(_read_cell(value, place) for value, place in zip(members["cells"], scan.cell_places(), strict=True))
    notebook = Notebook(
        cells=cells,
        metadata=_typed(members.get("metadata", {}), dict, "metadata", where),
        nbformat=members["nbformat"],
        nbformat_minor=_typed(members.get("nbformat_minor", 0), int, "nbformat_minor", where),
        extra={key: value for key, value in members.items() if key not in _NOTEBOOK_KEYS},
        keys=tuple(members),
        formatting=detect_formatting(scan.text, byte_order_mark=text.startswith(_BYTE_ORDER_MARK)),
    )
    return _with_verbatim(notebook, data, scan)


def write(notebook: Notebook) -> bytes:
    """Return the text of the file."""
    return _original(_assemble(notebook, notebook.verbatim), notebook.verbatim)


def render_cell(cell: Cell, notebook: Notebook) -> bytes:
    """Return the text of one cell as it would be laid out in the file of `notebook`, without `verbatim`."""
    return render_value(cell_to_json(cell), notebook.formatting, 2)


def cell_from_json(value: JsonObject, *, where: str = "cell") -> Cell:
    """Inverse of `model.cell_to_json`. Raises InvalidInputError naming `where`."""
    return _read_cell(value, where)


def _assemble(notebook: Notebook, verbatim: Mapping[bytes, bytes]) -> bytes:
    cells = [render_cell(cell, notebook) for cell in notebook.cells]
    head, between, tail = render_object(notebook_keys(notebook), notebook.formatting, splice="cells", items=cells)
    head, tail = _original(head, verbatim), _original(tail, verbatim)
    body = between.join([_original(cell, verbatim) for cell in cells])
    mark = _BYTE_ORDER_MARK.encode() if notebook.formatting.byte_order_mark else b""
    return mark + head + body + tail + notebook.formatting.end.encode()


def _original(text: bytes, verbatim: Mapping[bytes, bytes]) -> bytes:
    return verbatim.get(blake3(text).digest(), text) if verbatim else text


def _with_verbatim(notebook: Notebook, data: bytes, scan: _Scan) -> Notebook:
    """Note the pieces of the file that the layout does not reproduce; nothing to note is the usual case."""
    if _assemble(notebook, {}) == data:
        return notebook
    cells = [render_cell(cell, notebook) for cell in notebook.cells]
    head, _, tail = render_object(notebook_keys(notebook), notebook.formatting, splice="cells", items=cells)
    raw_head, raw_cells, raw_tail = scan.pieces()
    pairs = [(head, raw_head), *zip(cells, raw_cells, strict=True), (tail, raw_tail)]
    verbatim: dict[bytes, bytes] = {}
    for rendered, raw in pairs:
        if rendered != raw:
            verbatim.setdefault(blake3(rendered).digest(), raw)
    text = _assemble(notebook, verbatim)
    if text != data:  # uneven blanks between cells, or two cells that are equal but for their layout
        verbatim = {blake3(_assemble(notebook, {})).digest(): data}
    return msgspec.structs.replace(notebook, verbatim=dict(sorted(verbatim.items())))


def _decode_text(data: bytes, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidInputError(f"{where}, line {line}: not UTF-8 text, so not a notebook") from None


def _check_format(members: JsonObject, where: str) -> None:
    major = members.get("nbformat")
    if not isinstance(major, int) or isinstance(major, bool):
        raise InvalidInputError(f"{where}: JSON, but not a notebook: it has no number under 'nbformat'")
    if major > 4:
        raise UnsupportedFormatError(
            f"{where}: nbformat {major}; this Cellar reads nbformat 4",
            hint="upgrade with: pip install --upgrade nbcellar",
        )
    if major < 4:
        raise InvalidInputError(
            f"{where}: nbformat {major}; this Cellar reads nbformat 4",
            hint=f"convert it with: jupyter nbconvert --to notebook --inplace {where}",
        )
    if not isinstance(members.get("cells"), list):
        raise InvalidInputError(f"{where}: JSON, but not a notebook: it has no list under 'cells'")


def _read_cell(value: Any, where: str) -> Cell:
    if not isinstance(value, dict):
        raise InvalidInputError(f"{where}: a cell must be an object, not {_name(value)}")
    source = value.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        text = "".join(source)
    else:
        text = _typed(source, str, "source", where)
    outputs = value.get("outputs")
    return Cell(
        type=_typed(value.get("cell_type"), str, "cell_type", where),
        source=text,
        id=CellId(_optional(value.get("id"), str, "id", where) or ""),
        metadata=_typed(value.get("metadata", {}), dict, "metadata", where),
        outputs=_read_outputs(outputs, where) if "outputs" in value else None,
        execution_count=_optional(value.get("execution_count"), int, "execution_count", where),
        attachments=_optional(value.get("attachments"), dict, "attachments", where),
        extra={key: item for key, item in value.items() if key not in _CELL_KEYS},
        keys=tuple(key for key in value if key not in ("id", "attachments") or value[key] not in (None, "")),
        source_as_text=isinstance(source, str),
    )


def _read_outputs(outputs: Any, where: str) -> tuple[JsonObject, ...]:
    if outputs is None:
        return ()
    for output in _typed(outputs, list, "outputs", where):
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


class _Scan:
    """The top level of a notebook's JSON text: its members, and where each cell's text begins and ends."""

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        self.cells: list[tuple[int, int]] = []

    def members(self) -> JsonObject:
        """Return the members of the top-level object; note the places of the cells."""
        at = self._skip(0)
        if self.text[at : at + 1] != "{":
            if at == len(self.text):
                raise InvalidInputError(f"{self.where}: empty, so not a notebook")
            self._value(at)
            raise InvalidInputError(f"{self.where}: JSON, but not a notebook: it is not an object")
        members: JsonObject = {}
        at, close = self._enter(at, "}")
        while not close:
            key, at = self._value(at) if self.text[at : at + 1] == '"' else self._fail("a name in quotes", at)
            at = self._expect(":", at)
            is_cells = key == "cells" and self.text[at : at + 1] == "["
            members[key], at = self._list(at) if is_cells else self._value(at)
            at, close = self._next(at, "}")
        if at != len(self.text):
            self._fail("the end of the file", at)
        return members

    def cell_places(self) -> list[str]:
        """Return where each cell is, for errors."""
        places, line, last = [], 1, 0
        for number, (start, _) in enumerate(self.cells, 1):
            line += self.text.count("\n", last, start)
            last = start
            places.append(f"{self.where}, cell {number} (line {line})")
        return places

    def pieces(self) -> tuple[bytes, list[bytes], bytes]:
        """Return the text before the first cell, of each cell and after the last (without the file's end)."""
        body = len(self.text.rstrip())
        if not self.cells:
            close = re.compile(r'"cells"[ \t\r\n]*:[ \t\r\n]*\[[ \t\r\n]*\]').search(self.text)
            middle = close.end() if close else body
            return self.text[:middle].encode(), [], self.text[middle:body].encode()
        cells = [self.text[start:end].encode() for start, end in self.cells]
        return self.text[: self.cells[0][0]].encode(), cells, self.text[self.cells[-1][1] : body].encode()

    def _list(self, at: int) -> tuple[list[Any], int]:
        values: list[Any] = []
        self.cells = []
        at, close = self._enter(at, "]")
        while not close:
            value, end = self._value(at)
            values.append(value)
            self.cells.append((at, end))
            at, close = self._next(end, "]")
        return values, at

    def _enter(self, at: int, close: str) -> tuple[int, bool]:
        at = self._skip(at + 1)
        return (self._skip(at + 1), True) if self.text[at : at + 1] == close else (at, False)

    def _next(self, at: int, close: str) -> tuple[int, bool]:
        at = self._skip(at)
        if self.text[at : at + 1] == close:
            return self._skip(at + 1), True
        return self._expect(",", at), False

    def _expect(self, mark: str, at: int) -> int:
        at = self._skip(at)
        if self.text[at : at + 1] != mark:
            self._fail(f"'{mark}'", at)
        return self._skip(at + 1)

    def _value(self, at: int) -> tuple[Any, int]:
        try:
            return _decoder.raw_decode(self.text, at)
        except json.JSONDecodeError as error:
            what = error.msg.lower().removesuffix(" at")
            message = f"{self.where}, line {error.lineno}, column {error.colno}: not JSON: {what}"
            raise InvalidInputError(message, hint=self._conflict_hint()) from None
        except ValueError as error:  # a number of more digits than Python converts
            raise InvalidInputError(f"{self.where}, line {self._line(at)}: {error}") from None
        except RecursionError:
            raise InvalidInputError(f"{self.where}, line {self._line(at)}: nested too deeply to be read") from None

    def _fail(self, wanted: str, at: int) -> tuple[str, int]:
        column = at - self.text.rfind("\n", 0, at)
        message = f"{self.where}, line {self._line(at)}, column {column}: not JSON: {wanted} expected"
        raise InvalidInputError(message, hint=self._conflict_hint())

    def _conflict_hint(self) -> str:
        if re.search(r"(?m)^(<<<<<<<|>>>>>>>) ", self.text):
            return "the file holds git's conflict marks; take one side with: git checkout --ours|--theirs FILE"
        return ""

    def _skip(self, at: int) -> int:
        found = _blank.match(self.text, at)
        return found.end() if found else at

    def _line(self, at: int) -> int:
        return self.text.count("\n", 0, at) + 1

"""The text a notebook was read from, so that what nobody changed is written as it stood.

Invariant: a notebook whose parts are all the ones that were read is written byte for byte; so is each of its cells
when others changed. Working out which pieces the layout would not reproduce costs more than reading, and most notebooks
are never written: it is done when it is asked for.

Not for: laying out values (`layout.py`). Data is frozen: a cell changed in place would be written as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from nbcellar.notebook.layout import render_object, render_value
from nbcellar.notebook.model import Cell, Notebook, cell_to_json, notebook_keys
from nbcellar.notebook.scan import Scan

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class _Pieces(msgspec.Struct):
    cells: list[msgspec.Raw]


class Origin(Mapping[bytes, bytes]):
    """`Notebook.verbatim` of a notebook that was read: a mapping that is made on the first look at it.

    `bare` is the notebook as it was read, without its `verbatim`.
    """

    __slots__ = ("_bare", "_data", "_verbatim")

    def __init__(self, data: bytes, bare: Notebook) -> None:
        self._data = data
        self._bare = bare
        self._verbatim: dict[bytes, bytes] | None = None

    def write(self, notebook: Notebook) -> bytes | None:
        """Return the text of a notebook that was made from the one that was read; None: it needs the mapping."""
        bare = self._bare
        if _is_same(notebook, bare):
            return self._data
        raw = self._raw_cells() if notebook.formatting == bare.formatting else None
        if raw is None:
            return None
        known = {id(cell): text for cell, text in zip(bare.cells, raw, strict=True)}
        similar = {(cell.source, cell.id): place for place, cell in reversed(list(enumerate(bare.cells)))}
        cells = []
        for cell in notebook.cells:
            text = known.get(id(cell))
            if text is None:
                text = render_cell(cell, notebook)
                place = similar.get((cell.source, cell.id))
                if place is not None and render_cell(bare.cells[place], bare) == text:
                    text = raw[place]
            cells.append(text)
        return _joined(notebook, cells)

    def _raw_cells(self) -> list[bytes] | None:
        """Return the text of each cell, if all the rest of the file is as the layout has it."""
        try:
            pieces = msgspec.json.decode(self._data.removeprefix(BYTE_ORDER_MARK), type=_Pieces)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        raw = [bytes(piece) for piece in pieces.cells]
        return raw if len(raw) == len(self._bare.cells) and _joined(self._bare, raw) == self._data else None

    def _made(self) -> dict[bytes, bytes]:
        if self._verbatim is None:
            self._verbatim = _work_out(self._data, self._bare)
        return self._verbatim

    def __getitem__(self, key: bytes) -> bytes:
        return self._made()[key]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._made())

    def __len__(self) -> int:
        return len(self._made())

    def __repr__(self) -> str:
        return repr(self._made())

    def __reduce__(self) -> tuple[Any, ...]:
        return (dict, (self._made(),))


def render_cell(cell: Cell, notebook: Notebook) -> bytes:
    """Return the text of one cell as it would be laid out in the file of `notebook`, without `verbatim`."""
    return render_value(cell_to_json(cell), notebook.formatting, 2)


def assemble(notebook: Notebook, verbatim: Mapping[bytes, bytes]) -> bytes:
    """Return the text of the file; what `verbatim` has is taken from there."""
    cells = [render_cell(cell, notebook) for cell in notebook.cells]
    if not verbatim:
        return _joined(notebook, cells)
    head, between, tail = render_object(notebook_keys(notebook), notebook.formatting, splice="cells", items=cells)
    body = between.join([_original(cell, verbatim) for cell in cells])
    text = _mark(notebook) + _original(head, verbatim) + body + _original(tail, verbatim) + _end(notebook)
    return _original(text, verbatim)


def _joined(notebook: Notebook, cells: list[bytes]) -> bytes:
    head, between, tail = render_object(notebook_keys(notebook), notebook.formatting, splice="cells", items=cells)
    return b"".join((_mark(notebook), head, between.join(cells), tail, _end(notebook)))


def _mark(notebook: Notebook) -> bytes:
    return BYTE_ORDER_MARK if notebook.formatting.byte_order_mark else b""


def _end(notebook: Notebook) -> bytes:
    return notebook.formatting.end.encode()


def _original(text: bytes, verbatim: Mapping[bytes, bytes]) -> bytes:
    return verbatim.get(_digest(text), text)


def _digest(text: bytes) -> bytes:
    from blake3 import blake3  # rarely needed, and commands that git starts count every millisecond

    return blake3(text).digest()


def _work_out(data: bytes, bare: Notebook) -> dict[bytes, bytes]:
    """Return the pieces of the file that the layout does not reproduce; nothing to note is the usual case."""
    cells = [render_cell(cell, bare) for cell in bare.cells]
    rendered = _joined(bare, cells)
    if rendered == data:
        return {}
    scan = Scan(data.removeprefix(BYTE_ORDER_MARK).decode(), "notebook")
    scan.members()
    head, _, tail = render_object(notebook_keys(bare), bare.formatting, splice="cells", items=cells)
    raw_head, raw_cells, raw_tail = scan.pieces()
    verbatim: dict[bytes, bytes] = {}
    for text, raw in [(head, raw_head), *zip(cells, raw_cells, strict=True), (tail, raw_tail)]:
        if text != raw:
            verbatim.setdefault(_digest(text), raw)
    if (
        assemble(bare, verbatim) != data
    ):  # uneven blanks between cells, or two cells that are equal but for their layout
        verbatim = {_digest(rendered): data}
    return dict(sorted(verbatim.items()))


def _is_same(notebook: Notebook, bare: Notebook) -> bool:
    """Return whether all parts are the very ones that were read, without comparing values."""
    return (
        notebook.metadata is bare.metadata
        and notebook.extra is bare.extra
        and (notebook.nbformat, notebook.nbformat_minor) == (bare.nbformat, bare.nbformat_minor)
        and (notebook.keys, notebook.formatting) == (bare.keys, bare.formatting)
        and len(notebook.cells) == len(bare.cells)
        and all(cell is other for cell, other in zip(notebook.cells, bare.cells, strict=True))
    )

"""Previews of pandas frames, series and indexes.

Invariant: five rows and a dozen columns are looked at, however large the frame; pandas' own formatting, which takes
milliseconds and obeys the user's options, is not used. Importing this module registers the previews; not pandas.
"""

from __future__ import annotations

from typing import Any

from nbcellar.history.model import Preview
from nbcellar.session.preview import MAX_TABLE_TEXT, detail, register
from nbcellar.session.preview_text import bounded_repr, class_name, clean
from nbcellar.session.previews_numpy import format_number

HEAD_ROWS = 5
HEAD_COLUMNS = 12
MAX_LISTED_COLUMNS = 100
_CELL_WIDTH = 24


def preview_frame(value: Any, deadline: float) -> Preview:
    """Return rows, columns with dtypes, and the first five rows as text."""
    rows, columns = len(value.index), len(value.columns)
    listed = value.iloc[:0, :MAX_LISTED_COLUMNS] if columns > MAX_LISTED_COLUMNS else value
    names = [_label(name) for name in listed.columns.tolist()]
    dtypes = [str(dtype) for dtype in listed.dtypes.tolist()]
    head = value.iloc[:HEAD_ROWS, :HEAD_COLUMNS]
    cells = [[_cell(v) for v in column] for column in _columns(head)]
    text = _table(names[:HEAD_COLUMNS], [_label(v) for v in head.index.tolist()], cells)
    if columns > HEAD_COLUMNS:
        text += f"\n… {columns - HEAD_COLUMNS} more columns"
    details = {"rows": detail(rows), "columns": detail([list(pair) for pair in zip(names, dtypes, strict=True)])}
    return Preview(class_name(type(value)), _clean_lines(text), (rows, columns), _frame_bytes(value), details)


def preview_series(value: Any, deadline: float) -> Preview:
    """Return the length, dtype, name and first values."""
    head = [_cell(v) for v in value.iloc[:HEAD_ROWS].tolist()]
    text = "[" + ", ".join(head) + (", …" if len(value) > HEAD_ROWS else "") + f"] {value.dtype}"
    details = {"dtype": detail(str(value.dtype)), "name": detail(_label(value.name))}
    return Preview(class_name(type(value)), clean(text), (len(value),), _frame_bytes(value), details)


def preview_index(value: Any, deadline: float) -> Preview:
    """Return the length, dtype and first labels."""
    head = [_cell(v) for v in value[:HEAD_ROWS].tolist()]
    text = "[" + ", ".join(head) + (", …" if len(value) > HEAD_ROWS else "") + f"] {value.dtype}"
    size = int(value.nbytes) if hasattr(value, "nbytes") else 0
    return Preview(class_name(type(value)), clean(text), (len(value),), size, {"dtype": detail(str(value.dtype))})


def _columns(head: Any) -> list[list[object]]:
    return [head.iloc[:, i].tolist() for i in range(head.shape[1])]


def _frame_bytes(value: Any) -> int:
    """Bytes of the columns' buffers and the index; what object columns point to is not counted."""
    try:
        data = sum(int(array.nbytes) for array in value._mgr.arrays)
    except AttributeError:
        return int(value.memory_usage(index=True, deep=False).sum())
    return data + int(value.index.nbytes)


def _label(value: object) -> str:
    return clean(value if type(value) is str else bounded_repr(value, 1), 80)


def _cell(value: object) -> str:
    if type(value) is str:
        text = value
    elif type(value).__module__.partition(".")[0] == "pandas":  # a timestamp, a period, NA
        text = str(value)
    else:
        text = format_number(value)
    return clean(text.replace("\n", "⏎"), _CELL_WIDTH)


def _table(names: list[str], labels: list[str], cells: list[list[str]]) -> str:
    """Return right-aligned columns under their names, the index at the left."""
    columns = [["", *labels], *([name[:_CELL_WIDTH], *column] for name, column in zip(names, cells, strict=True))]
    widths = [max(map(len, column)) for column in columns]
    rows = zip(*columns, strict=True)
    return "\n".join("  ".join(text.rjust(w) for text, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def _clean_lines(text: str) -> str:
    return "\n".join(clean(line, 1_000) for line in text.split("\n"))[:MAX_TABLE_TEXT]


for _module in ("pandas", "pandas.core.frame"):
    register(f"{_module}.DataFrame", preview_frame)
for _module in ("pandas", "pandas.core.series"):
    register(f"{_module}.Series", preview_series)
for _module in ("pandas", "pandas.core.indexes.base"):
    register(f"{_module}.Index", preview_index)

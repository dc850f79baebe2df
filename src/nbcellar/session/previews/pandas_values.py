"""Previews of pandas frames, series and indexes.

Invariant: five rows and a dozen columns are looked at, however large the frame; pandas' own formatting, which takes
milliseconds and obeys the user's options, is not used. Importing this module registers the previews; not pandas.
"""

from __future__ import annotations

import sys
from typing import Any

from nbcellar.history.model import Preview
from nbcellar.session.previews.numpy_values import format_number
from nbcellar.session.previews.preview import MAX_TABLE_TEXT, detail, register
from nbcellar.session.previews.text import bounded_repr, class_name, clean

HEAD_ROWS = 5
HEAD_COLUMNS = 12
MAX_LISTED_COLUMNS = 100
_CELL_WIDTH = 24
_SCALARS = frozenset({"Timestamp", "Timedelta", "Period", "Interval", "NaTType", "NAType"})


def preview_frame(value: Any, deadline: float) -> Preview:
    """Return rows, columns with dtypes, and the first five rows as text."""
    frame = _plain(value, "DataFrame")
    rows, columns = len(frame.index), len(frame.columns)
    listed = frame.iloc[:0, :MAX_LISTED_COLUMNS] if columns > MAX_LISTED_COLUMNS else frame
    names = [_label(name) for name in listed.columns.tolist()]
    dtypes = [str(dtype) for dtype in listed.dtypes.tolist()]
    head = frame.iloc[:HEAD_ROWS, :HEAD_COLUMNS]
    cells = [[_cell(v) for v in column] for column in _columns(head)]
    text = _table(names[:HEAD_COLUMNS], [_label(v) for v in head.index.tolist()], cells)
    if columns > HEAD_COLUMNS:
        text += f"\n… {columns - HEAD_COLUMNS} more columns"
    details = {"rows": detail(rows), "columns": detail([list(pair) for pair in zip(names, dtypes, strict=True)])}
    return Preview(class_name(type(value)), _clean_lines(text), (rows, columns), _frame_bytes(frame), details)


def preview_series(value: Any, deadline: float) -> Preview:
    """Return the length, dtype, name and first values."""
    series = _plain(value, "Series")
    details = {"dtype": detail(str(series.dtype)), "name": detail(_label(series.name))}
    text = _first(series.iloc[:HEAD_ROWS], len(series), series.dtype)
    return Preview(class_name(type(value)), text, (len(series),), _frame_bytes(series), details)


def preview_array(value: Any, deadline: float) -> Preview:
    """Return the length, dtype and first elements of an index or an array of pandas' own."""
    text = _first(value[:HEAD_ROWS], len(value), value.dtype)
    size = int(value.nbytes)
    return Preview(class_name(type(value)), text, (len(value),), size, {"dtype": detail(str(value.dtype))})


def preview_scalar(value: Any, deadline: float) -> Preview:
    """Return a timestamp, duration, period, interval or missing value as text."""
    return Preview(class_name(type(value)), clean(str(value)))


def _plain(value: Any, kind: str) -> Any:
    """Return a subclass's data as a frame or series of pandas itself: the subclass may define anything."""
    if str(type(value).__module__).partition(".")[0] == "pandas":
        return value
    return getattr(sys.modules["pandas"], kind)(value, copy=False)


def _first(head: Any, length: int, dtype: object) -> str:
    shown = [_cell(v) for v in head.tolist()] + (["…"] if length > HEAD_ROWS else [])
    return clean(f"[{', '.join(shown)}] {dtype}")


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
    elif type(value).__name__ in _SCALARS and str(type(value).__module__).partition(".")[0] == "pandas":
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


# pandas 3 gives its public classes public names; pandas 2 the modules they are made in.
for _name, _previewer, _modules in (
    ("DataFrame", preview_frame, ("pandas", "pandas.core.frame")),
    ("Series", preview_series, ("pandas", "pandas.core.series")),
    ("Index", preview_array, ("pandas", "pandas.core.indexes.base")),
    ("ExtensionArray", preview_array, ("pandas.api.extensions", "pandas.core.arrays.base")),
    ("_Timestamp", preview_scalar, ("pandas._libs.tslibs.timestamps",)),
    ("_Timedelta", preview_scalar, ("pandas._libs.tslibs.timedeltas",)),
    ("_Period", preview_scalar, ("pandas._libs.tslibs.period",)),
    ("Interval", preview_scalar, ("pandas", "pandas._libs.interval")),
    ("_NaT", preview_scalar, ("pandas._libs.tslibs.nattype",)),
    ("C_NAType", preview_scalar, ("pandas._libs.missing",)),
):
    for _module in _modules:
        register(f"{_module}.{_name}", _previewer)

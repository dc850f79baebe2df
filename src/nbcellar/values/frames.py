"""Tables as nodes describe them: frames and series of pandas 2 and 3, tables of pyarrow, arrays of records.

Invariant: nothing of a column is read to make a `Frame`, but the labels of its columns are. A frame whose parts are not
all understood is none: it is compared as the tree of nodes that it is.
"""

from __future__ import annotations

from typing import Any

from nbcellar.values.arrays import Array, ObjectArray, find_array
from nbcellar.values.columns import (
    CategoryColumn,
    Column,
    ObjectColumn,
    PlainColumn,
    RangeColumn,
    ZippedColumn,
    arrow_column,
    column_of,
    column_of_array,
)
from nbcellar.values.elements import Elements
from nbcellar.values.inert import UnreadableError
from nbcellar.values.nodes import Call, Dict, List, Node, global_path, lookup
from nbcellar.values.stored import Stored, damaged_is_unreadable
from nbcellar.values.words import word

_MOST_COLUMNS = 100_000
_NEW_INDEX = (
    "pandas.core.indexes.base._new_Index",
    "pandas.core.indexes.datetimes._new_DatetimeIndex",
    "pandas.core.indexes.interval._new_IntervalIndex",
    "pandas.core.indexes.period._new_PeriodIndex",
)
_UNPICKLE_BLOCK = "pandas._libs.internals._unpickle_block"


class Index:
    """The labels of rows or columns, their names, and the type."""

    def __init__(self, column: Column, names: list[Any], type: str) -> None:
        self.column, self.names, self.type = column, names, type
        self.freq = ""
        """The distance of dates that are known to be at equal ones."""

    @property
    def count(self) -> int:
        return self.column.count


class Frame:
    """Columns of equal length, and labels of the rows if there are any. `extra`: what else it holds (`attrs`)."""

    def __init__(self, type: str, labels: list[Any], columns: list[Column], index: Index | None, rows: int) -> None:
        if len(labels) != len(columns) or any(column.count != rows for column in columns):
            raise UnreadableError("a table whose parts do not fit")
        if index is not None and index.count != rows:
            raise UnreadableError("a table whose index does not fit")
        self.type, self.labels, self.columns, self.index, self.rows = type, labels, columns, index, rows
        self.extra: list[tuple[str, Node]] = []


class Series(Frame):
    """A frame of one column."""


def find_frame(node: Node, stored: Stored) -> Frame | Index | None:
    """Return the table or index that a node is, or None. Raises UnreadableError for one that cannot be."""
    if type(node) is not Call:
        return None
    with damaged_is_unreadable():
        path = node.path
        if path.startswith("pandas."):
            if path in _NEW_INDEX:
                return index_of(node, stored)
            manager = lookup(node.state, "_mgr")
            if type(manager) is Call:
                return _of_manager(node, manager, stored)
        elif path == "pyarrow.lib._reconstruct_table":
            return _of_arrow(node, stored)
        elif type(node.function) is Call or lookup(node.state, "_typ") is not None:  # a subclass of the notebook
            manager = lookup(node.state, "_mgr")
            if type(manager) is Call:
                return _of_manager(node, manager, stored)
    return None


def frame_of_records(array: Array) -> Frame | None:
    """Return an array of records of one dimension as a table."""
    elements = array.elements
    if not array.dtype.fields or len(array.shape) != 1 or type(elements) is not Elements:
        return None
    names = [name for name, _, _ in array.dtype.fields]
    columns: list[Column] = [
        PlainColumn(Elements(elements.run, dtype, elements.count, elements.offset + offset, elements.step))
        for _, dtype, offset in array.dtype.fields
    ]
    return Frame(array.type, names, columns, None, array.shape[0])


def index_of(node: Node, stored: Stored) -> Index | None:
    """Return the labels that an index node holds."""
    if type(node) is not Call or node.path not in _NEW_INDEX or len(node.args) != 2:
        return None
    kind, parts = global_path(node.args[0]), node.args[1]
    if lookup(parts, "levels") is not None:
        return _multi_index(parts, stored)
    names = [lookup(parts, "name")]
    short = kind.rpartition(".")[2]
    start, stop, step = (lookup(parts, key) for key in ("start", "stop", "step"))
    if short == "RangeIndex" and type(start) is int and type(stop) is int and type(step) is int:
        return Index(RangeColumn(start, stop, step), names, short)
    left, right = lookup(parts, "left"), lookup(parts, "right")
    if left is not None and right is not None:
        sides = [index_of(left, stored), index_of(right, stored)]
        known = [side.column for side in sides if side is not None]
        return Index(ZippedColumn(known, "interval", "{} .. {}"), names, short) if len(known) == 2 else None
    column = column_of(lookup(parts, "data"), stored)
    if column is None:
        return None
    index = Index(column, names, short)
    data = lookup(parts, "data")
    state = data.state if type(data) is Call else None
    freq = lookup(parts, "freq")
    if freq is None and type(state) is tuple and state:  # pandas 2
        freq = lookup(state[-1], "_freq")
    index.freq = word(freq, 40) if freq is not None else ""
    return index


def _multi_index(parts: Node, stored: Stored) -> Index | None:
    levels, codes, names = lookup(parts, "levels"), lookup(parts, "codes"), lookup(parts, "names")
    if type(levels) is not List or type(codes) is not List or len(levels.items) != len(codes.items):
        return None
    columns: list[Column] = []
    for level, code in zip(levels.items, codes.items, strict=True):
        labels, numbers = index_of(level, stored), find_array(code, stored)
        if labels is None or not isinstance(numbers, Array):
            return None
        columns.append(CategoryColumn(numbers.elements, labels.column.values(), False))
    named = names.items if type(names) is List else [None] * len(columns)
    return Index(ZippedColumn(columns, "levels"), list(named), "MultiIndex")


def _of_manager(node: Call, manager: Call, stored: Stored) -> Frame | None:
    name = manager.path.rpartition(".")[2]
    if name == "BlockManager" and len(manager.args) >= 2:
        return _frame(node, manager, stored)
    if name == "SingleBlockManager":
        return _series(node, manager, stored)
    return None


def _frame(node: Call, manager: Call, stored: Stored) -> Frame | None:
    blocks, axes = manager.args[0], manager.args[1]
    if type(blocks) is not tuple or type(axes) is not List or len(axes.items) != 2:
        return None
    header, index = index_of(axes.items[0], stored), index_of(axes.items[1], stored)
    if header is None or index is None or header.count > _MOST_COLUMNS:
        return None
    columns: list[Column | None] = [None] * header.count
    for block in blocks:
        if type(block) is not Call or block.path != _UNPICKLE_BLOCK or len(block.args) != 3:
            return None
        places = _places(block.args[1], stored, header.count)
        found = _columns_of_block(block.args[0], len(places), index.count, stored)
        if found is None:
            return None
        for place, column in zip(places, found, strict=True):
            columns[place] = column
    known = [column for column in columns if column is not None]
    if len(known) < len(columns):
        return None
    frame = Frame(_type_of(node), header.column.values(), known, index, index.count)
    frame.extra = [*_names_of(header), *_extra(node)]
    return frame


def _names_of(header: Index) -> list[tuple[str, Node]]:
    """Return what the columns as a whole are called, as a pivot calls them."""
    if all(name is None for name in header.names):
        return []
    return [("columns.name", header.names[0])] if len(header.names) == 1 else [("columns.names", tuple(header.names))]


def _columns_of_block(values: Node, count: int, rows: int, stored: Stored) -> list[Column] | None:
    array = find_array(values, stored)
    if isinstance(array, ObjectArray):
        if array.shape != (count, rows):
            return [ObjectColumn(array.items)] if count == 1 else None
        return [ObjectColumn(array.items[at : at + rows]) for at in range(0, count * rows, rows)] or (
            [ObjectColumn([]) for _ in range(count)]
        )
    if isinstance(array, Array):
        if array.shape == (count, rows):
            return [PlainColumn(row) for row in array.rows()]
        plain = column_of_array(array)
        return [plain] if plain is not None and count == 1 else None
    column = column_of(values, stored)
    if column is None:
        return None
    if count == 1 and column.count == rows:
        return [column]
    return _split(column, count, rows)  # dates of several columns in one array


def _split(column: Column, count: int, rows: int) -> list[Column] | None:
    elements = column.plain()
    if elements is None or elements.count != count * rows:
        return None
    return [PlainColumn(elements.part(i * rows, (i + 1) * rows), column.dtype) for i in range(count)]


def _places(node: Node, stored: Stored, count: int) -> list[int]:
    """Return the numbers of the columns that a block holds."""
    if type(node) is Call and node.path == "builtins.slice" and len(node.args) == 3:
        start, stop, step = node.args
        if type(start) is int and type(stop) is int and (step is None or type(step) is int) and step != 0:
            places = list(range(start, max(stop, -1), step or 1)[: count + 1])
        else:
            places = []
    else:
        array = find_array(node, stored)
        places = array.elements.values(0, array.elements.count) if isinstance(array, Array) else []
    if any(not 0 <= place < count for place in places):
        raise UnreadableError("a table whose parts do not fit")
    return places


def _series(node: Call, manager: Call, stored: Stored) -> Series | None:
    state = manager.state
    if type(state) is tuple and len(state) >= 3 and type(state[0]) is List and type(state[1]) is List:
        if len(state[0].items) != 1 or len(state[1].items) != 1:
            return None
        index, column = index_of(state[0].items[0], stored), column_of(state[1].items[0], stored)
    elif len(manager.args) >= 2 and type(manager.args[1]) is List and len(manager.args[1].items) == 1:
        blocks = manager.args[0]
        block = blocks[0] if type(blocks) is tuple and len(blocks) == 1 else blocks
        if type(block) is not Call or block.path != _UNPICKLE_BLOCK:
            return None
        index, column = index_of(manager.args[1].items[0], stored), column_of(block.args[0], stored)
    else:
        return None
    if index is None or column is None:
        return None
    series = Series(_type_of(node), [lookup(node.state, "_name")], [column], index, index.count)
    series.extra = _extra(node)
    return series


def _of_arrow(node: Call, stored: Stored) -> Frame | None:
    if len(node.args) != 2 or type(node.args[0]) is not List or type(node.args[1]) is not Call:
        return None
    fields = node.args[1].args[0] if node.args[1].args else None
    if type(fields) is not List:
        return None
    labels = [field.args[0] if type(field) is Call and field.args else None for field in fields.items]
    columns = [arrow_column(array, stored) for array in node.args[0].items]
    known = [column for column in columns if column is not None]
    if len(known) < len(columns):
        return None
    return Frame("pyarrow.Table", labels, known, None, known[0].count if known else 0)


def _extra(node: Call) -> list[tuple[str, Node]]:
    """Return what a frame holds beside its data: its `attrs`, attributes of a subclass."""
    if type(node.state) is not Dict:
        return []
    hidden = {"_mgr", "_typ", "_metadata", "_name"}
    return [
        (name, value)
        for name, value in node.state.pairs
        if type(name) is str and name not in hidden and not (type(value) is Dict and not value.pairs)
    ]


_PUBLIC = {"pandas.core.frame.DataFrame": "pandas.DataFrame", "pandas.core.series.Series": "pandas.Series"}


def _type_of(node: Call) -> str:
    return _PUBLIC.get(node.path, node.path)


__all__ = ["Frame", "Index", "Series", "find_frame", "frame_of_records", "index_of"]

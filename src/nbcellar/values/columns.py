"""Columns of tables: a name's worth of values, whatever they are stored in.

`values` gives Python values, MISSING where there is none (NaN counts as a number, None as an object). Invariant: two
columns whose `pieces` say so hold equal values; nothing is read to make a column.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import gt
from typing import Any

from nbcellar.values.arrays import Array, NumpyScalar, ObjectArray, find_array, run_of
from nbcellar.values.dtypes import NAT, DType, Shown, shown
from nbcellar.values.elements import Elements
from nbcellar.values.inert import UnreadableError
from nbcellar.values.nodes import Call, Dict, Global, List, Node, global_path, lookup
from nbcellar.values.stored import InlineRun, Run, Stored
from nbcellar.values.words import word


class Missing:
    """Stands for a value that is not there."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<NA>"


MISSING = Missing()


class Column:
    """`count` values of one type; `dtype` is how the library calls it."""

    count: int
    dtype: str

    def values(self) -> list[Any]:
        """Return all values, in order: Python values, `Shown` dates, MISSING, or nodes."""
        raise NotImplementedError

    def plain(self) -> Elements | None:
        """Return the elements if they are all there is to the column."""
        return None

    def key(self) -> object:
        """Return what names the column's bytes without reading them; equal keys, equal columns. None: not known."""
        return None


class PlainColumn(Column):
    """Numbers, truth values, dates, fixed texts."""

    def __init__(self, elements: Elements, dtype: str = "") -> None:
        self.elements = elements
        self.count = elements.count
        self.dtype = dtype or elements.dtype.name

    def values(self) -> list[Any]:
        kind = self.elements.dtype
        found = kind.unpack(self.elements.read(0, self.count))
        if kind.kind in "Mm":
            return [MISSING if item == NAT else shown(kind, item) for item in found]
        return found

    def plain(self) -> Elements | None:
        return self.elements

    def key(self) -> object:
        return key_of(self.elements)


class MaskedColumn(Column):
    """pandas' nullable numbers: elements, and a truth value for each that is missing."""

    def __init__(self, elements: Elements, mask: Elements, dtype: str) -> None:
        if elements.count != mask.count:
            raise UnreadableError("a column whose parts do not fit")
        self.elements, self.mask, self.dtype, self.count = elements, mask, dtype, elements.count

    def values(self) -> list[Any]:
        items, hidden = self.elements.values(0, self.count), self.mask.read(0, self.count)
        return [MISSING if gone else item for item, gone in zip(items, hidden, strict=True)]

    def key(self) -> object:
        return _both(key_of(self.elements), key_of(self.mask))


class CategoryColumn(Column):
    """Codes into a list of labels; -1 is missing."""

    def __init__(self, codes: Elements, labels: list[Any], ordered: bool) -> None:
        self.codes, self.labels, self.count = codes, labels, codes.count
        self.dtype = "category, ordered" if ordered else "category"

    def values(self) -> list[Any]:
        labels = self.labels
        most = len(labels)
        codes = self.codes.values(0, self.count)
        return [labels[code] if 0 <= code < most else MISSING for code in codes]


class TextColumn(Column):
    """Texts of Arrow: offsets into bytes, and a bit for each that is there."""

    def __init__(self, dtype: str, offsets: Elements, data: Run, valid: Run | None, start: int) -> None:
        self.dtype, self.count = dtype, max(offsets.count - 1, 0)
        self._offsets, self._data, self._valid, self._start = offsets, data, valid, start

    def values(self) -> list[Any]:
        ends = self._offsets.values(0, self.count + 1)
        if not ends or ends[0] < 0 or any(map(gt, ends, ends[1:])):
            raise UnreadableError("a column of texts whose offsets do not fit")
        low = ends[0]
        if ends[-1] > self._data.size:
            raise UnreadableError("a column of texts whose offsets do not fit")
        data = self._data.read(low, ends[-1])
        whole = data.decode("utf-8", "replace") if data.isascii() else None
        if whole is not None:
            found: list[Any] = [whole[a - low : b - low] for a, b in pairwise(ends)]
        else:
            found = [data[a - low : b - low].decode("utf-8", "replace") for a, b in pairwise(ends)]
        return _hide(found, self._valid, self._start)

    def key(self) -> object:
        if not self.count:
            return None
        data = tuple((cut.key, cut.phase, cut.start) for cut in self._data.cuts())
        if any(key is None for key, _, _ in data):
            return None
        valid: object = "all"
        if self._valid is not None:
            size = self._start + self.count
            valid = self._valid.read(0, -(-size // 8))
        return _both(key_of(self._offsets), (data, valid, self._start))


class BitColumn(Column):
    """Truth values or numbers of Arrow, with a bit for each that is there."""

    def __init__(self, dtype: str, elements: Elements | None, bits: Run | None, valid: Run | None, start: int, n: int):
        self.dtype, self.count = dtype, n
        self._elements, self._bits, self._valid, self._start = elements, bits, valid, start

    def values(self) -> list[Any]:
        if self._elements is not None:
            kind = self._elements.dtype
            found: list[Any] = [shown(kind, item) for item in self._elements.values(0, self.count)]
        else:
            assert self._bits is not None
            found = _bits(self._bits, self._start, self.count)
        return _hide(found, self._valid, self._start)

    def plain(self) -> Elements | None:
        return self._elements if self._valid is None else None


class ObjectColumn(Column):
    """Objects: nodes."""

    def __init__(self, items: list[Node], dtype: str = "object") -> None:
        self.items, self.dtype, self.count = items, dtype, len(items)

    def values(self) -> list[Any]:
        return self.items


class RangeColumn(Column):
    """Numbers at equal distances: an index that nobody has set."""

    def __init__(self, start: int, stop: int, step: int) -> None:
        if not step:
            raise UnreadableError("an index that does not move")
        self.range = range(start, stop, step)
        self.count, self.dtype = len(self.range), "range"

    def values(self) -> list[Any]:
        return list(self.range)

    def key(self) -> object:
        return self.range


class JoinedColumn(Column):
    """Several columns one after the other: chunks of Arrow."""

    def __init__(self, parts: Sequence[Column], dtype: str) -> None:
        self.parts, self.dtype, self.count = parts, dtype, sum(part.count for part in parts)

    def values(self) -> list[Any]:
        return [value for part in self.parts for value in part.values()]


class ZippedColumn(Column):
    """Rows of several columns: labels of several levels, borders of intervals."""

    def __init__(self, parts: Sequence[Column], dtype: str, pattern: str = "") -> None:
        self.parts, self.dtype = parts, dtype
        self.count = parts[0].count if parts else 0
        self._pattern = pattern
        if any(part.count != self.count for part in parts):
            raise UnreadableError("an index whose levels do not fit")

    def values(self) -> list[Any]:
        rows = zip(*(part.values() for part in self.parts), strict=True)
        if self._pattern:
            return [Shown(self._pattern.format(*row)) for row in rows]
        return list(rows)


def key_of(elements: Elements) -> object:
    """Return what names elements without reading them, None if their memory is not in blocks of its own."""
    keys = [(cut.start, cut.key, cut.phase) for cut in elements.pieces()]
    if not keys or any(key is None for _, key, _ in keys):
        return None
    return elements.dtype, elements.count, tuple(keys)


def _both(first: object, second: object) -> object:
    return None if first is None or second is None else (first, second)


def _bits(run: Run, start: int, count: int) -> list[bool]:
    data = run.read(0, -(-(start + count) // 8))
    if len(data) * 8 < start + count:
        raise UnreadableError("a column whose parts do not fit")
    return [bool(data[place >> 3] >> (place & 7) & 1) for place in range(start, start + count)]


def _hide(found: list[Any], valid: Run | None, start: int) -> list[Any]:
    if valid is None:
        return found
    return [item if there else MISSING for item, there in zip(found, _bits(valid, start, len(found)), strict=True)]


# ----------------------------------------------------------------------------------------------------------------------
# From nodes

_NDARRAY_BACKED = "pandas._libs.arrays.__pyx_unpickle_NDArrayBacked"
_ARROW_NUMBERS = {
    **{f"int{bits}": ("i", bits // 8) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": ("u", bits // 8) for bits in (8, 16, 32, 64)},
    "halffloat": ("f", 2),
    "float": ("f", 4),
    "double": ("f", 8),
}


def column_of(node: Node, stored: Stored) -> Column | None:
    """Return the column that a node of one dimension is, or None if it is none that is known."""
    array = find_array(node, stored)
    if array is not None:
        return column_of_array(array)
    if type(node) is not Call:
        return None
    if node.path == _NDARRAY_BACKED:
        return _of_pandas(node, stored)
    if node.path == "pyarrow.lib._restore_array" or node.path == "pyarrow.lib.chunked_array":
        return arrow_column(node, stored)
    state = node.state
    if type(state) is tuple and len(state) == 1:  # intervals
        state = state[0]
    if type(state) is Dict:
        if lookup(state, "_pa_array") is not None:
            return arrow_column(lookup(state, "_pa_array"), stored, _pandas_dtype(lookup(state, "_dtype")))
        data, mask = lookup(state, "_data"), lookup(state, "_mask")
        if data is not None and mask is not None:
            return _masked(node, data, mask, stored)
        left, right = lookup(state, "_left"), lookup(state, "_right")
        if left is not None and right is not None:
            return _interval(left, right, stored)
    return None


def column_of_array(array: Array | ObjectArray | NumpyScalar) -> Column | None:
    """Return an array of one dimension, or of one row, as a column."""
    if isinstance(array, ObjectArray):
        return ObjectColumn(array.items)
    if isinstance(array, Array) and array.mask is None and (len(array.shape) == 1 or array.shape[:1] == (1,)):
        return PlainColumn(array.elements)
    return None


def _of_pandas(node: Call, stored: Stored) -> Column | None:
    """Categories, dates, periods and texts: an array with a dtype of pandas."""
    state = node.state
    if type(state) is not tuple or len(state) < 2:
        return None
    dtype = state[0]
    array = find_array(state[1], stored)
    if array is None:
        array = find_array(dtype, stored)  # the order of the two has changed once
        dtype = state[1]
    if not isinstance(array, (Array, ObjectArray)):
        return None
    name = global_path(dtype.function) if type(dtype) is Call else ""
    if name.endswith("CategoricalDtype") and isinstance(array, Array):
        return _category(dtype, array, stored)
    plain = column_of_array(array)
    if plain is None:
        return None
    if name.endswith("PeriodDtype") and type(plain) is PlainColumn:
        plain.dtype = _text_of(dtype.args[0]) if dtype.args else "period"
    elif name.endswith("DatetimeTZDtype") and isinstance(array, Array):
        zone = lookup(dtype.state, "tz")
        plain.dtype = f"{array.dtype.name[:-1]}, {_zone(zone)}]"
    elif name.endswith("StringDtype"):
        plain.dtype = "string"
    return plain


def _zone(node: Node) -> str:
    if type(node) is Call:
        words = [arg for arg in node.args if type(arg) is str]
        offset = node.args[0] if node.args else None
        if type(offset) is Call and offset.args == (0, 0, 0):
            return "UTC"
        return words[0] if words else "UTC" if "utc" in node.path.lower() else word(node, 40)
    return "UTC" if "utc" in global_path(node).lower() else "time zone"


def _category(dtype: Call, codes: Array, stored: Stored) -> Column | None:
    from nbcellar.values.frames import index_of

    categories = lookup(dtype.state, "categories")
    index = index_of(categories, stored)
    if index is None:
        return None
    return CategoryColumn(codes.elements, index.column.values(), lookup(dtype.state, "ordered") is True)


def _masked(node: Call, data: Node, mask: Node, stored: Stored) -> Column | None:
    values, hidden = find_array(data, stored), find_array(mask, stored)
    if not isinstance(values, Array) or not isinstance(hidden, Array):
        return None
    word = {"i": "Int", "u": "UInt", "f": "Float"}.get(values.dtype.kind, "")
    dtype = f"{word}{values.dtype.size * 8}" if word else "boolean"
    return MaskedColumn(values.elements, hidden.elements, dtype)


def _interval(left: Node, right: Node, stored: Stored) -> Column | None:
    from nbcellar.values.frames import index_of

    sides = []
    for node in (left, right):
        index = index_of(node, stored)
        side = index.column if index is not None else column_of(node, stored)
        if side is None:
            return None
        sides.append(side)
    return ZippedColumn(sides, "interval", "{} .. {}")


def _pandas_dtype(node: Node) -> str:
    """Return the name of a column's dtype that wraps an Arrow array."""
    path = global_path(node.function) if type(node) is Call else ""
    if path.endswith("StringDtype"):
        missing = node.args[1] if len(node.args) > 1 else None
        return "str" if type(missing) is float else "string"
    return ""


def arrow_column(node: Node, stored: Stored, dtype: str = "") -> Column | None:
    """Return a column of an Arrow array or chunked array of texts, numbers or truth values."""
    if type(node) is not Call:
        return None
    if node.path == "pyarrow.lib.chunked_array" and node.args and type(node.args[0]) is List:
        parts = [arrow_column(part, stored, dtype) for part in node.args[0].items]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        return known[0] if len(known) == 1 else JoinedColumn(known, known[0].dtype if known else dtype)
    if node.path != "pyarrow.lib._restore_array" or len(node.args) != 1 or type(node.args[0]) is not tuple:
        return None
    parts_of = node.args[0]
    if len(parts_of) < 6 or type(parts_of[4]) is not List:
        return None
    kind, count, _, start, buffers = parts_of[0], parts_of[1], parts_of[2], parts_of[3], parts_of[4].items
    if type(count) is not int or type(start) is not int or count < 0 or start < 0:
        raise UnreadableError("an Arrow array without a length")
    return _arrow(_arrow_kind(kind), count, start, [run_of(b, stored) for b in buffers], dtype)


def _arrow_kind(node: Node) -> str:
    if type(node) is Call and node.path == "pyarrow.lib.type_for_alias" and node.args and type(node.args[0]) is str:
        return str(node.args[0])
    if type(node) is Call and node.path == "pyarrow.lib.timestamp" and node.args:
        return f"timestamp[{_text_of(node.args[0])}]"
    return ""


def _arrow(kind: str, count: int, start: int, runs: list[Run | None], dtype: str) -> Column | None:
    empty: Run = InlineRun(b"")
    valid = runs[0] if runs else None
    if kind in ("string", "large_string") and len(runs) == 3:
        width = 4 if kind == "string" else 8
        offsets = runs[1] or empty
        if not count:
            return ObjectColumn([], dtype or kind)
        elements = Elements(offsets, DType("i", width), count + 1, start * width)
        return TextColumn(dtype or kind, elements, runs[2] or empty, valid, start)
    if kind == "bool" and len(runs) == 2:
        return BitColumn(dtype or "bool[pyarrow]", None, runs[1] or empty, valid, start, count)
    unit = kind[len("timestamp[") : -1] if kind.startswith("timestamp[") else ""
    if (kind in _ARROW_NUMBERS or unit) and len(runs) == 2:
        plain = DType("M", 8, unit=unit) if unit else DType(*_ARROW_NUMBERS[kind])
        elements = Elements(runs[1] or empty, plain, count, start * plain.size)
        return BitColumn(dtype or f"{kind}[pyarrow]", elements, None, valid, start, count)
    return None


def _text_of(node: Node) -> str:
    return node if type(node) is str else node.name if type(node) is Global else ""


__all__ = [
    "MISSING",
    "CategoryColumn",
    "Column",
    "MaskedColumn",
    "Missing",
    "ObjectColumn",
    "PlainColumn",
    "RangeColumn",
    "TextColumn",
    "ZippedColumn",
    "arrow_column",
    "column_of",
    "column_of_array",
    "key_of",
]

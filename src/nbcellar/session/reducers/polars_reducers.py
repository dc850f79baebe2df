"""polars: long columns of numbers and times as memory, so that a replaced column is one column in the store.

polars pickles a frame by copying all of it into a stream of its own. Here a column that lies in one piece, without
nulls, is exported where it lies; all others go into the stream as polars writes them, each by itself. Two holders of
the same memory are kept apart by polars, which copies before it writes. The loading side is in `remake.py`.
"""

from __future__ import annotations

import functools
import importlib.util
from typing import Any

from nbcellar.session import remake
from nbcellar.session.encode import Encoder
from nbcellar.session.reducers.registry import register

_PLAIN = frozenset(
    "Int8 Int16 Int32 Int64 UInt8 UInt16 UInt32 UInt64 Float32 Float64 Date Datetime Duration Time".split()
)
_LONG_FROM_BYTES = 1 << 16


def _reduce_series(series: Any, encoder: Encoder) -> Any:
    if not _lies_in_memory(series):
        return NotImplemented
    values = series.to_physical().to_numpy(allow_copy=False)
    encoder.copy_on_write.add(id(values))
    encoder.keep(values)
    return remake.polars_series, (series.name, values, series.dtype, _order(series))


def _reduce_frame(frame: Any, encoder: Encoder) -> Any:
    columns = tuple(frame.get_columns())
    if not any(map(_lies_in_memory, columns)):
        return NotImplemented
    encoder.not_shared.update(map(id, columns))  # made for the asking
    encoder.keep(columns)
    return remake.polars_frame, (columns,)


def _lies_in_memory(series: Any) -> bool:
    if type(series.dtype).__name__ not in _PLAIN and getattr(series.dtype, "__name__", "") not in _PLAIN:
        return False
    if series.n_chunks() != 1 or series.null_count():
        return False
    return bool(series.estimated_size() >= _LONG_FROM_BYTES and _has_numpy())


@functools.cache
def _has_numpy() -> bool:
    """True if numpy can be had: polars does without. Imported once, for what copies a long column each time."""
    return importlib.util.find_spec("numpy") is not None


def _order(series: Any) -> str:
    flags = series.flags
    return "up" if flags.get("SORTED_ASC") else "down" if flags.get("SORTED_DESC") else ""


register("polars.series.series.Series", _reduce_series)
register("polars.dataframe.frame.DataFrame", _reduce_frame)

"""Previews of numpy arrays and scalars.

Invariant: elements are formatted here, not by numpy: its print options are the user's, and it is ten times slower.
Importing this module registers the previews; it does not import numpy.
"""

from __future__ import annotations

import math
import sys
import time
from typing import Any

from nbcellar.history.model import Preview
from nbcellar.session.previews.preview import detail, register
from nbcellar.session.previews.text import bounded_repr, class_name, clean

MAX_STATISTICS = 100_000  # elements; some 0.1 ms
_SHOWN = 8


def format_number(value: object) -> str:
    """Return a number as listings show it: floats with six significant digits."""
    if type(value) is float:
        return f"{value:g}" if math.isfinite(value) else str(value)
    return bounded_repr(value, 2)


def preview_array(value: Any, deadline: float) -> Preview:
    """Return shape, dtype, first and last elements; smallest, largest and number of NaN where that is quick."""
    numpy = sys.modules["numpy"]
    base = numpy.ndarray.view(value, numpy.ndarray)  # a subclass may define anything
    dtype = base.dtype
    details = {"dtype": detail(str(dtype))}
    if dtype.kind in "biufm" + "M" and 0 < base.size <= MAX_STATISTICS and time.perf_counter() < deadline:
        details |= _statistics(numpy, base)
    text = f"{_elements(base)} {dtype}"
    return Preview(class_name(type(value)), clean(text), tuple(base.shape), int(base.nbytes), details)


def _statistics(numpy: Any, array: Any) -> dict[str, Any]:
    kind = array.dtype.kind
    if kind == "b":
        return {"true": detail(int(numpy.count_nonzero(array)))}
    missing = 0
    if kind in "fmM":
        absent = numpy.isnat(array) if kind in "mM" else numpy.isnan(array)
        missing = int(numpy.count_nonzero(absent))
        if missing:
            array = array[~absent]
    found = {"nan": detail(missing)} if kind in "fmM" else {}
    if array.size:
        smallest, largest = array.min(), array.max()
        plain = kind in "iuf"
        found["min"] = detail(smallest.item() if plain else str(smallest))
        found["max"] = detail(largest.item() if plain else str(largest))
    return found


def _elements(array: Any) -> str:
    if array.ndim == 0:
        return format_number(array.item()) if array.dtype.kind != "V" else "structured"
    flat = array.flat
    if array.size <= 2 * _SHOWN:
        shown = [format_number(v) for v in _items(flat[: array.size])]
    else:
        head, tail = _items(flat[:_SHOWN]), _items(flat[array.size - 2 : array.size])
        shown = [*map(format_number, head), "…", *map(format_number, tail)]
    return "[" + ", ".join(shown) + "]"


def _items(part: Any) -> list[object]:
    if part.dtype.kind in "mM":
        return [str(v) for v in part]
    values: list[object] = part.tolist()
    return values


def preview_scalar(value: Any, deadline: float) -> Preview:
    """Return a numpy scalar as its value."""
    kind = value.dtype.kind
    text = str(value) if kind in "mM" else format_number(value.item()) if kind != "V" else "structured"
    return Preview(class_name(type(value)), clean(text), (), int(value.nbytes))


def preview_dtype(value: Any, deadline: float) -> Preview:
    """Return a dtype as its name."""
    return Preview("numpy.dtype", clean(str(value)))


register("numpy.ndarray", preview_array)
register("numpy.dtype", preview_dtype)
register("numpy.generic", preview_scalar)

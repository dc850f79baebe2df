"""Comparing two arrays: shape, dtype, how many elements differ and by how much."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from nbcellar.diff.model import ArrayChange, Changed, Statistics
from nbcellar.diff.numbers import Where, compare, compare_values, statistics
from nbcellar.values.arrays import Array, ObjectArray
from nbcellar.values.dtypes import product
from nbcellar.values.elements import Elements
from nbcellar.values.nodes import Node

STATISTICS_BYTES = 64 << 20
"""Arrays up to this size are read whole for their statistics; of larger ones only what may differ is read."""


def compare_arrays(before: Array, after: Array) -> ArrayChange | None:
    """Return what differs, None if the arrays are equal to the last bit."""
    cells, rows = _cells(before, after)
    mask = _mask(before, after)
    same_form = before.shape == after.shape and before.dtype == after.dtype
    if same_form and cells is not None and not cells.changed and not cells.same_number and mask is None:
        return None
    if cells is not None and (cells.changed or not same_form):
        cells = msgspec.structs.replace(cells, before=_statistics(before.elements), after=_statistics(after.elements))
    return ArrayChange(
        shape_before=list(before.shape),
        shape_after=list(after.shape),
        dtype_before=before.dtype.name,
        dtype_after=after.dtype.name,
        cells=cells,
        mask=mask,
        rows=rows,
    )


def compare_object_arrays(
    before: ObjectArray, after: ObjectArray, same: Callable[[Node, Node], bool], words: Callable[[Node], str]
) -> ArrayChange | None:
    """Return what differs between two arrays of objects, place by place."""
    cells = None
    if before.shape == after.shape:
        cells = compare_values(before.items, after.items, _places(after.shape), same=same, words=words)
        if not cells.changed:
            return None
    return ArrayChange(
        shape_before=list(before.shape),
        shape_after=list(after.shape),
        dtype_before="object",
        dtype_after="object",
        cells=cells,
    )


def _cells(before: Array, after: Array) -> tuple[Changed | None, int | None]:
    """Return the comparison of elements, and of how many rows if not of all; None where shapes say nothing."""
    if not _are_comparable(before, after):
        return None, None
    if before.shape == after.shape:
        if before.order == after.order:
            return compare(before.elements, after.elements, _of(after)), None
        return compare(before.in_c_order(), after.in_c_order(), _places(after.shape)), None
    if len(before.shape) == len(after.shape) >= 1 and before.shape[1:] == after.shape[1:]:
        rows = min(before.shape[0], after.shape[0])
        count = rows * product(after.shape[1:])
        if not count:
            return None, None
        ours, theirs = before.in_c_order().part(0, count), after.in_c_order().part(0, count)
        return compare(ours, theirs, _places(after.shape)), rows
    return None, None


def _are_comparable(before: Array, after: Array) -> bool:
    one, other = before.dtype, after.dtype
    if one == other:
        return True
    if one.kind in "Mm":
        return one.kind == other.kind and one.unit == other.unit
    plain = not (one.code.startswith("|V") or other.code.startswith("|V"))
    return plain and (one.kind == other.kind or (one.kind in "iufcb" and other.kind in "iufcb"))


def _mask(before: Array, after: Array) -> Changed | None:
    if before.mask is None and after.mask is None:
        return None
    if before.mask is None or after.mask is None or before.mask.shape != after.mask.shape:
        count = after.mask.elements if after.mask is not None else before.mask.elements if before.mask else None
        return Changed(compared=0, changed=count.count if count else 0)
    found = compare(before.mask.in_c_order(), after.mask.in_c_order(), _places(after.shape))
    return found if found.changed else None


def _statistics(elements: Elements) -> Statistics | None:
    return statistics(elements) if elements.size_bytes <= STATISTICS_BYTES else None


def _of(array: Array) -> Where:
    return lambda flat: _index(array.index(flat))


def _places(shape: tuple[int, ...]) -> Where:
    def worded(flat: int) -> str:
        found = []
        for length in reversed(shape):
            flat, place = divmod(flat, length) if length else (flat, 0)
            found.append(place)
        return _index(tuple(reversed(found)))

    return worded


def _index(place: tuple[int, ...]) -> str:
    return ", ".join(map(str, place))


__all__ = ["compare_arrays", "compare_object_arrays"]

"""pandas: which memory is copy-on-write.

Frames pickle well; their blocks' arrays go through numpy's reducer. What pickle cannot know is that pandas 3 keeps two
frames over the same memory apart by itself: their overlap is not sharing, while a plain array over that memory is.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from typing import Any

import pandas as pd

from nbcellar.session.encode import Encoder, Export
from nbcellar.session.reducers.registry import register_base

_ALWAYS = int(pd.__version__.partition(".")[0]) >= 3


def copy_on_write_active() -> bool:
    """True under pandas 3, and under pandas 2 with the option on."""
    if _ALWAYS:
        return True
    try:
        return pd.get_option("mode.copy_on_write") is True
    except KeyError:
        return False


def _mark_copy_on_write(values: Any, encoder: Encoder) -> None:
    """Note that the holder of `values` is kept apart from other holders by pandas: the array and what it wraps."""
    inner = [getattr(values, name, None) for name in ("_ndarray", "_data", "_mask", "_codes")]
    for array in (values, *inner):
        if array is not None:
            encoder.copy_on_write.add(id(array))
            encoder.keep(array)


def _reduce_block(block: Any, encoder: Encoder) -> Any:
    if copy_on_write_active():  # an option under pandas 2: asked each time
        _mark_copy_on_write(block.values, encoder)
    return NotImplemented


def _reduce_extension_array(array: Any, encoder: Encoder) -> Any:
    """Let an extension array count as one byte of memory at its own address, not as an object.

    Frames hand the same array object around and write to it only after a copy; a variable that is bound to the array
    itself writes at once. Memory can tell these two apart, ids cannot.
    """
    beside = getattr(array, "__dict__", {})  # with what it has computed of itself
    encoder.not_shared.update(map(id, (array, beside, beside.get("_cache"))))
    apart = id(array) in encoder.copy_on_write
    encoder.export(Export(id(array), id(array) + 1, array, copy_on_write=apart, inline=True))
    inner = getattr(array, "_ndarray", None)
    if (apart and inner is not None) or "_cache" in beside:
        return _reduce_apart(array, inner if apart else None, encoder)
    return NotImplemented


def _reduce_apart(array: Any, inner: Any, encoder: Encoder) -> Any:
    """Reduce an array so that it has its codes to itself: two frames can hold the same ones until either is written.

    inner: these codes; None leaves them as they are. What a look at the array has put into its cache is not part of it.
    """
    reduced = array.__reduce_ex__(5)
    if len(reduced) < 3 or type(reduced[2]) is not tuple:
        return NotImplemented
    own = inner
    if inner is not None:
        own = inner.view()
        encoder.copy_on_write.add(id(own))
        encoder.keep(own)
    state = tuple(own if inner is not None and part is inner else _without_cache(part) for part in reduced[2])
    encoder.keep(state)
    return (*reduced[:2], state, *reduced[3:])


def _without_cache(part: Any) -> Any:
    return {k: v for k, v in part.items() if k != "_cache"} if type(part) is dict and "_cache" in part else part


def _reduce_grouping(grouping: Any, encoder: Encoder) -> Any:
    """Let what a group-by has taken out of a column, to group by, count as that column does."""
    column = getattr(grouping, "_orig_grouper", None)
    # It holds a copy-on-write copy of the column, which keeps it apart from those who write. An array of the user's
    # does not; nor does pandas 2 with that option on, which holds the user's own column.
    if isinstance(column, pd.Index) or (isinstance(column, pd.Series) and _ALWAYS):
        _mark_copy_on_write(grouping.grouping_vector, encoder)
        codes, *_ = getattr(grouping, "_cache", {}).get("_codes_and_uniques", (None,))
        _mark_copy_on_write(codes, encoder)  # a view of it, once the group-by was asked for something
    return NotImplemented


def _choose_extension_array(kind: type) -> Callable[[Any, Encoder], Any] | None:
    return _reduce_extension_array


def _reduce_manager_of_series(manager: Any, encoder: Encoder) -> Any:
    for block in manager.blocks:  # its state holds their arrays, not the blocks
        _reduce_block(block, encoder)
    return NotImplemented


def _reduce_index(index: Any, encoder: Encoder) -> Any:
    data = vars(index).get("_data")  # not getattr: a RangeIndex would make its elements for the asking
    if data is not None:
        _mark_copy_on_write(data, encoder)  # an index never changes its data
        encoder.never_written.add(id(data))
    return NotImplemented


def _reduce_frame(frame: Any, encoder: Encoder) -> Any:
    encoder.not_shared.add(id(frame._metadata))  # a list of the class that each pickle holds
    kind = type(frame)
    own = {k: v for k, v in vars(frame).items() if k[0] != "_" and not hasattr(kind, k) and not _refuses(v)}
    if not own:
        return NotImplemented
    reduced = frame.__reduce_ex__(5)
    if len(reduced) < 3 or type(reduced[2]) is not dict:
        return NotImplemented
    # What the user hung on it, as in `frame.unit = "m"`: its own state has no place for that, but its loader has.
    return (*reduced[:2], {**own, **reduced[2]}, *reduced[3:])


def _refuses(value: Any) -> bool:
    """True for what statsmodels hangs on its frames: it cannot be pickled, and the models have what they need of it."""
    return str(type(value).__module__).partition(".")[0] == "patsy"


def _choose_frame(kind: type) -> Callable[[Any, Encoder], Any] | None:
    return _reduce_frame


def _reduce_masked_array(array: Any, encoder: Encoder) -> Any:
    _reduce_extension_array(array, encoder)
    state = {name: value for name, value in vars(array).items() if name != "_cache"}  # a look at it fills the cache
    return copyreg.__newobj__, (type(array),), state  # type: ignore[attr-defined]


def _choose_masked_array(kind: type) -> Callable[[Any, Encoder], Any] | None:
    return _reduce_masked_array if "__reduce__" not in vars(kind) else _reduce_extension_array


def _choose_block(kind: type) -> Callable[[Any, Encoder], Any] | None:
    return _reduce_block


def _choose_grouping(kind: type) -> Callable[[Any, Encoder], Any] | None:
    return _reduce_grouping


def _choose_manager_of_series(kind: type) -> Callable[[Any, Encoder], Any] | None:
    return _reduce_manager_of_series


def _choose_index(kind: type) -> Callable[[Any, Encoder], Any] | None:
    return _reduce_index


register_base("pandas.core.generic.NDFrame", _choose_frame)
register_base("pandas.core.arrays.masked.BaseMaskedArray", _choose_masked_array)
register_base("pandas.api.extensions.ExtensionArray", _choose_extension_array)
register_base("pandas.core.arrays.base.ExtensionArray", _choose_extension_array)
register_base("pandas._libs.internals.Block", _choose_block)
register_base("pandas.core.groupby.grouper.Grouping", _choose_grouping)
register_base("pandas.core.internals.managers.SingleBlockManager", _choose_manager_of_series)
register_base("pandas.core.indexes.base.Index", _choose_index)
register_base("pandas.Index", _choose_index)

"""numpy: arrays of plain data as exported memory, so that views stay views and nothing is copied into the stream."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from nbcellar.errors import CannotStoreError
from nbcellar.session import arrays, rewrap
from nbcellar.session.encode import Encoder, Export, address_of
from nbcellar.session.importable import is_importable_module
from nbcellar.session.reducers.registry import register, register_base

# Arrays of up to this size go into the stream, until they are this much together: a model of a hundred small arrays has
# a stream of a few blocks then, instead of a hundred blocks.
INLINE_BYTES = 1 << 15
INLINE_TOTAL_BYTES = 1 << 22
# A strided array that spans more than this many times its own bytes is copied together when nothing else shares it.
SPARSE_FACTOR = 2


def reduce_array(a: np.ndarray[Any, Any], encoder: Encoder) -> Any:
    """Reduce an exact ndarray."""
    dtype = a.dtype
    if dtype.hasobject:
        return _reduce_object_array(a, encoder)
    if a.base is not None and (owner := _owner_in_stream(a)) is not None:
        return _reduce_over(a, owner, encoder)
    flags = a.flags
    if flags.c_contiguous:
        layout: Any = "C"
    elif flags.f_contiguous:
        layout = "F"
    else:
        return _reduce_strided(a, encoder)
    token = dtype_token(dtype)
    size = a.nbytes
    if size:
        encoder.not_shared.add(
            id(a)
        )  # its memory says what it shares, and temporaries of pickling have none of their own
    low = a.ctypes.data if size else 0  # not __array_interface__: that describes a structured dtype, slowly
    small = _is_small(size, encoder)
    if small and encoder.inline:
        if size:
            encoder.export(Export(low, low + size, a, copy_on_write=id(a) in encoder.copy_on_write, inline=True))
        return arrays.inline, (a.tobytes("A"), token, a.shape, layout, flags.writeable)
    row = 0
    if a.ndim > 1 and size:
        row = a.strides[0] if layout == "C" else a.strides[-1]
    index = encoder.export(Export(low, low + size, a, row, id(a) in encoder.copy_on_write, small=small))
    return arrays.exported, (index, token, a.shape, layout, flags.writeable)


def _is_small(size: int, encoder: Encoder) -> bool:
    """True for an array that goes into the stream, if that is allowed."""
    if size > INLINE_BYTES or encoder.inline_bytes > INLINE_TOTAL_BYTES:
        return False
    encoder.inline_bytes += size
    return True


def _reduce_strided(a: np.ndarray[Any, Any], encoder: Encoder) -> Any:
    low, high = byte_bounds(a)
    token = dtype_token(a.dtype)
    small = _is_small(a.nbytes, encoder)
    if small and encoder.inline:
        # Shape, data and the order of the axes, not strides: a small copy is laid out anew unless its memory turns out
        # to be shared.
        encoder.export(Export(low, high, a, copy_on_write=id(a) in encoder.copy_on_write, inline=True))
        order = sorted(range(a.ndim), key=lambda axis: -abs(a.strides[axis]) if a.shape[axis] > 1 else 0)
        if order != sorted(order) and not _is_laid_out_as_c(a):
            lying = a.transpose(order)
            back = tuple(order.index(axis) for axis in range(a.ndim))
            return arrays.inline_permuted, (lying.tobytes("C"), token, lying.shape, back, a.flags.writeable)
        return arrays.inline, (a.tobytes("C"), token, a.shape, "C", a.flags.writeable)
    row = max((abs(s) for s, n in zip(a.strides, a.shape, strict=True) if n > 1), default=0)
    sparse = high - low > SPARSE_FACTOR * a.nbytes
    index = encoder.export(Export(low, high, a, row, id(a) in encoder.copy_on_write, sparse, small=small))
    return arrays.exported, (index, token, a.shape, a.strides, a.flags.writeable)


def _is_laid_out_as_c(a: np.ndarray[Any, Any]) -> bool:
    """True if the axes that have more than one element come in C's order."""
    steps = [abs(step) for step, length in zip(a.strides, a.shape, strict=True) if length > 1]
    return steps == sorted(steps, reverse=True)


def _reduce_object_array(a: np.ndarray[Any, Any], encoder: Encoder) -> Any:
    # Frames hand the array of their column names around, and never write to it; who is bound to the array itself can.
    # Memory tells these two apart, ids cannot: it counts as one byte at its own address.
    encoder.not_shared.add(id(a))
    encoder.export(Export(id(a), id(a) + 1, a, copy_on_write=id(a) in encoder.never_written, inline=True))
    if id(a) in encoder.copy_on_write:
        return _reduce_elements(a)  # one that pandas keeps apart from other holders of the same elements
    base: Any = a.base
    while _is_between(base):
        base = base.base
    if (
        type(base) is not np.ndarray
        or base.dtype != a.dtype
        or not (base.flags.c_contiguous or base.flags.f_contiguous)
    ):
        low, high = byte_bounds(a)  # its elements go into the stream; a view of them is noticed by its memory
        encoder.export(Export(low, high, a, inline=True))
        return _reduce_elements(a)
    offset = a.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return arrays.object_view, (base, offset, a.shape, a.strides, a.flags.writeable)


def _is_between(base: Any) -> bool:
    """True for a view, and for what `as_strided` puts between its result and the array it was given."""
    if isinstance(base, np.ndarray):
        return base.base is not None
    return type(base).__name__ == "DummyArray" and isinstance(base.base, np.ndarray)


def _reduce_elements(a: np.ndarray[Any, Any]) -> Any:
    """Leave an array of objects to numpy, which forgets that it is read-only."""
    if a.flags.writeable:
        return NotImplemented
    reduced: Any = a.__reduce_ex__(5)
    make, arguments, state = reduced
    return make, arguments, state, None, None, arrays.set_read_only


def _owner_in_stream(a: np.ndarray[Any, Any]) -> Any:
    """Return the object that owns the array's memory if that object goes into the stream by itself; else None."""
    root: Any = a
    while isinstance(root.base, np.ndarray):
        root = root.base
    if type(root) is np.memmap:
        return root if root is not a and _is_shared_map(root) else None
    owner = root.base.obj if type(root.base) is memoryview else root.base
    if type(owner) is bytearray or type(owner).__module__ == "array" or _is_ctypes(owner):
        return owner
    return None


def _is_ctypes(owner: Any) -> bool:
    ctypes = sys.modules.get("_ctypes")
    return ctypes is not None and isinstance(owner, (ctypes.Array, ctypes.Structure, ctypes.Union, ctypes._SimpleCData))


def _is_shared_map(root: Any) -> bool:
    """True for a map that can be written to, through to its file or privately."""
    contiguous = root.flags.c_contiguous or root.flags.f_contiguous
    return root.filename is not None and root.mode in ("r+", "w+", "c") and contiguous and root._mmap is not None


def _reduce_over(a: np.ndarray[Any, Any], owner: Any, encoder: Encoder) -> Any:
    """Reduce an array to where it lies in an object that is pickled itself."""
    start = owner.ctypes.data if isinstance(owner, np.ndarray) else address_of(memoryview(owner))
    offset = a.ctypes.data - start if a.size else 0
    is_map = type(a) is np.memmap
    return arrays.over, (owner, is_map, offset, dtype_token(a.dtype), a.shape, a.strides, a.flags.writeable)


def _reduce_void(element: Any, encoder: Encoder) -> Any:
    """Reduce an element of a structured array to a view of its memory, which it is."""
    dtype = element.dtype
    if element.base is None or not dtype.itemsize:
        return NotImplemented
    low = element.__array_interface__["data"][0]
    if dtype.hasobject:
        encoder.export(Export(low, low + dtype.itemsize, element, inline=True))
        return NotImplemented
    plain = np.asarray(_Memory(element, low)).view(dtype)
    if not element.flags.writeable:
        plain.setflags(write=False)
    encoder.keep((plain, element))
    return arrays.element, (plain,)


class _Memory:
    """The bytes of an element, for numpy to look at."""

    def __init__(self, owner: Any, low: int) -> None:
        self.owner = owner
        size = owner.dtype.itemsize
        self.__array_interface__ = {"data": (low, False), "shape": (), "typestr": f"|V{size}", "version": 3}


def dtype_token(dtype: np.dtype[Any]) -> Any:
    """Return the dtype's short name where that says all, else the dtype itself."""
    if dtype.isbuiltin == 1 and dtype.kind not in "OV" and dtype.metadata is None:
        return dtype.str
    return dtype


def byte_bounds(a: np.ndarray[Any, Any]) -> tuple[int, int]:
    """Return the lowest address and the one past the highest that the array reaches."""
    low = high = a.ctypes.data
    if a.size == 0:
        return low, low
    for stride, length in zip(a.strides, a.shape, strict=True):
        if stride < 0:
            low += stride * (length - 1)
        else:
            high += stride * (length - 1)
    return low, high + a.dtype.itemsize


def _choose_subclass(kind: type) -> Callable[[Any, Encoder], Any] | None:
    if kind is np.ndarray:
        return reduce_array
    if kind is np.memmap:
        return _reduce_memmap
    if issubclass(kind, np.ma.MaskedArray):
        return _reduce_masked if kind.__reduce__ is np.ma.MaskedArray.__reduce__ else None
    plain = kind.__reduce__ is np.ndarray.__reduce__ and kind.__reduce_ex__ is np.ndarray.__reduce_ex__
    own_state = getattr(kind, "__setstate__", None) is not getattr(np.ndarray, "__setstate__", None)
    return _reduce_subclass if plain and not own_state else None


def _reduce_subclass(a: Any, encoder: Encoder) -> Any:
    if a.dtype.hasobject:
        return NotImplemented
    plain = a.view(np.ndarray)
    encoder.keep(plain)
    return arrays.subclass, (type(a), plain, getattr(a, "__dict__", None) or None)


def _reduce_masked(a: Any, encoder: Encoder) -> Any:
    if a.dtype.hasobject:
        return NotImplemented
    data = a.view(np.ndarray)
    encoder.keep(data)
    mask = None if a._mask is np.ma.nomask else a._mask
    hidden = {"_mask", "_fill_value", "_hardmask", "_basedict", "_optinfo", "_isfield", "_baseclass", "_sharedmask"}
    state = {name: value for name, value in a.__dict__.items() if name not in hidden} or None
    encoder.keep(state)
    return arrays.masked, (type(a), data, mask, a._fill_value, a._hardmask, state)


def _reduce_memmap(a: Any, encoder: Encoder) -> Any:
    root = a
    while isinstance(root.base, np.ndarray):
        root = root.base
    if type(root) is np.memmap and _is_shared_map(root):
        return _reduce_shared_map(a, root, encoder)
    contiguous = a.flags.c_contiguous or a.flags.f_contiguous
    if a.filename is None or not contiguous or a.mode == "c":
        plain = a.view(np.ndarray)  # a part of a map, or a private copy: its data is the value
        encoder.keep(plain)
        return reduce_array(plain, encoder)
    inside = a.__array_interface__["data"][0] - root.__array_interface__["data"][0]
    order = "C" if a.flags.c_contiguous else "F"
    content = a.view(np.ndarray)  # the file may change behind our back: what was seen is part of the value
    encoder.keep(content)
    return arrays.memory_map, (
        str(a.filename),
        dtype_token(a.dtype),
        a.mode,
        a.offset + inside,
        a.shape,
        order,
        content,
    )


def _reduce_shared_map(a: Any, root: Any, encoder: Encoder) -> Any:
    if a is not root:
        return _reduce_over(a, root, encoder)
    start = address_of(memoryview(root._mmap))
    order: Any = "C" if root.flags.c_contiguous else "F"
    content: Any = np.ndarray(root.shape, root.dtype, root._mmap, root.ctypes.data - start, order=order)
    encoder.keep(content)
    token = dtype_token(root.dtype)
    return arrays.memory_map, (str(root.filename), token, root.mode, root.offset, root.shape, order, content)


def _choose_void(kind: type) -> Callable[[Any, Encoder], Any] | None:
    return _reduce_void if kind in (np.void, np.record) else None


def _reduce_stream(stream: Any, encoder: Encoder) -> Any:
    """Keep numpy's own random stream by name: what holds it draws from it, and its state is recorded apart."""
    own = sys.modules.get("numpy.random.mtrand")
    return "_rand" if own is not None and stream is own._rand else NotImplemented


def _reduce_ufunc(ufunc: Any, encoder: Encoder) -> Any:
    """Reduce what `frompyfunc` made to its function, all others to where a module holds them."""
    if ufunc.types == [f"{'O' * ufunc.nin}->{'O' * ufunc.nout}"] and ufunc.__name__.endswith(" (vectorized)"):
        function, *rest = gc.get_referents(ufunc)
        identity = [part for part in rest if type(part) is not dict]
        if callable(function) and len(identity) <= 1:
            return arrays.function_of_elements, (function, ufunc.nin, ufunc.nout, tuple(identity))
    where = _named_ufuncs.get(ufunc)
    if where is None or getattr(sys.modules.get(where[0]), where[1], None) is not ufunc:
        where = _named_ufuncs[ufunc] = _find_ufunc(ufunc)
    return rewrap.attribute, where


_named_ufuncs: dict[Any, tuple[str, str]] = {}


def _find_ufunc(ufunc: Any) -> tuple[str, str]:
    name = ufunc.__name__
    found = [
        module_name
        for module_name, module in list(sys.modules.items())
        if type(module) is ModuleType and vars(module).get(name) is ufunc and is_importable_module(module)
    ]
    if not found:
        raise CannotStoreError(f"cannot store ufunc '{name}': no module holds it under that name")
    return min(found, key=lambda path: (path.partition(".")[0] != "numpy", "._" in path, len(path), path)), name


register("numpy.ufunc", _reduce_ufunc)
register("numpy.ndarray", reduce_array)
register("numpy.random.mtrand.RandomState", _reduce_stream)
register_base("numpy.void", _choose_void)
register_base("numpy.ndarray", _choose_subclass)

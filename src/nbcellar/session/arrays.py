"""What a stream says where an array stood. The decoder replaces `exported` by a function that knows the memory.

Invariant: these names and signatures are part of the format; a new layout gets a new name.
Not for: choosing what is encoded how (`numpy_reducers.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn, cast


def exported(index: int, dtype: Any, shape: Any, layout: Any, writeable: bool) -> NoReturn:
    """Stand for an array in exported memory. layout: "C", "F" or strides in bytes."""
    raise RuntimeError("an array in exported memory can be rebuilt by Cellar's decoder only")


def inline(data: bytes, dtype: Any, shape: Any, layout: str, writeable: bool) -> Any:
    """Rebuild a small array from its bytes; it owns its memory."""
    import numpy as np

    made = np.ndarray(shape, np.dtype(dtype), data, order="F" if layout == "F" else "C").copy(order="K")
    if not writeable:
        made.setflags(write=False)
    return made


def inline_permuted(data: bytes, dtype: Any, shape: Any, axes: tuple[int, ...], writeable: bool) -> Any:
    """Rebuild a small array whose axes lie in memory in another order than C's or Fortran's. shape: as in memory."""
    import numpy as np

    made = np.ndarray(shape, np.dtype(dtype), data).transpose(axes).copy(order="K")
    if not writeable:
        made.setflags(write=False)
    return made


def object_view(base: Any, offset: int, shape: Any, strides: Any, writeable: bool) -> Any:
    """Rebuild a view of an object array: the same elements, seen through the other array."""

    made = base.reshape(-1, order="A")[:0].reshape(shape) if 0 in shape else _view(base, offset, shape, strides)
    if not writeable:
        made.setflags(write=False)
    return made


def _view(base: Any, offset: int, shape: Any, strides: Any) -> Any:
    import numpy as np

    flat = base.reshape(-1, order="A")  # a view: the base is contiguous, or it would have been encoded whole
    start = offset // base.dtype.itemsize
    return np.lib.stride_tricks.as_strided(flat[start:], shape, strides)


def over(owner: Any, is_map: bool, offset: int, dtype: Any, shape: Any, strides: Any, writeable: bool) -> Any:
    """Rebuild an array over the memory of a bytearray, an array.array, a ctypes object or a mapped file."""
    import numpy as np

    made: Any = np.ndarray(shape, np.dtype(dtype), owner, offset, strides)
    if is_map and isinstance(owner, np.memmap):
        made = made.view(np.memmap)
        vars(made).update(vars(owner))
    if not writeable:
        made.setflags(write=False)
    return made


def set_read_only(array: Any, state: Any) -> None:
    """Fill an array that numpy has made empty, and let nobody write to it."""
    array.__setstate__(state)
    array.setflags(write=False)


def function_of_elements(function: Any, inputs: int, outputs: int, identity: tuple[Any, ...]) -> Any:
    """Make a ufunc of a Python function again; identity: none or one."""
    import numpy as np

    return np.frompyfunc(function, inputs, outputs, **({"identity": identity[0]} if identity else {}))


def element(array: Any) -> Any:
    """Rebuild an element of a structured array as a view of its memory."""
    return array[()]


def subclass(cls: type, base: Any, state: dict[str, Any] | None) -> Any:
    """Rebuild an instance of a subclass of ndarray as a view with its attributes."""
    made = base.view(cls)
    if state:
        made.__dict__.update(state)
    return made


def masked(cls: type, data: Any, mask: Any, fill_value: Any, hard: bool, state: dict[str, Any] | None) -> Any:
    """Rebuild a masked array; data and mask may be shared with other arrays."""
    import numpy as np

    made = data.view(cls)
    made._mask = np.ma.nomask if mask is None else mask
    made._fill_value = fill_value
    made._hardmask = hard
    if state:
        made.__dict__.update(state)
    return made


def memory_map(path: str, dtype: Any, mode: str, offset: int, shape: Any, order: Any, content: Any) -> Any:
    """Map the file again if it still holds what was seen; else a private map that holds it, the file untouched.

    Where maps follow their files, as in a run of a pipeline: map it again, whatever it holds.
    """
    import numpy as np

    same_mode = "r+" if mode == "w+" else mode
    try:
        if Path(path).stat().st_size < offset + content.nbytes:
            raise ValueError("too short")  # to be written to, it would be made longer
        made: Any = np.memmap(path, np.dtype(dtype), cast(Any, same_mode), offset, shape, cast(Any, order))
    except (OSError, ValueError):
        _unlike.append(f"file {path} is gone or shorter: this is what it held, in memory, and no map of a file")
        return content
    if mode != "c" and _mapped is not None:
        _mapped.append((path, mode != "r"))
        return made
    if made.tobytes() == content.tobytes():
        return made
    if mode != "c":
        _unlike.append(f"file {path} holds something else now: this is a private copy of what it held; the file stays")
    private: Any = np.memmap(path, np.dtype(dtype), "c", offset, shape, cast(Any, order))
    private[...] = content
    if mode == "r":
        private.setflags(write=False)
    return private


_unlike: list[str] = []
_mapped: list[tuple[str, bool]] | None = None


def follow_files() -> None:
    """Have maps that are rebuilt in this process from now on be maps of their files as these are by then."""
    global _mapped
    _mapped = []


def mapped_files() -> tuple[tuple[str, bool], ...]:
    """Return the files mapped anew since this was last asked, and whether they can be written through that."""
    found = tuple(dict.fromkeys(_mapped or ()))
    if _mapped:
        _mapped.clear()
    return found


def unlike_files() -> str:
    """Return what was said of files since this was last asked: those whose maps came back as something else."""
    said = "; ".join(dict.fromkeys(_unlike))
    _unlike.clear()
    return said


def memory_view(obj: Any, form: tuple[int, int, str, tuple[int, ...]] | None, readonly: bool) -> memoryview:
    """Rebuild a memoryview of an object. form: offset and length in bytes, format and shape; None: all of it."""
    view = memoryview(obj)
    if form is not None:
        offset, size, format, shape = form
        view = view.cast("B")[offset : offset + size]
        if format != "B" or len(shape) != 1:
            view = view.cast(format, shape)  # type: ignore[call-overload]
    return view.toreadonly() if readonly and not view.readonly else view


def strided_memory_view(obj: Any, form: tuple[int, int, str, int], readonly: bool) -> memoryview:
    """Rebuild a memoryview of every n-th element. form: lowest byte and the one past the highest, format, step."""
    low, high, format, step = form
    view = memoryview(obj).cast("B")[low:high]
    if format != "B":
        view = view.cast(format)  # type: ignore[call-overload]
    view = view[::step]
    return view.toreadonly() if readonly and not view.readonly else view

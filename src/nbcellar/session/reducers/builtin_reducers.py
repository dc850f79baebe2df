"""Built-in types that pickle refuses or gets wrong: views of memory, exceptions.

Not for: functions, classes and what wraps them (`wrappers.py`), arrays (`numpy_reducers.py`).
"""

from __future__ import annotations

import copyreg
import sys
from types import ModuleType
from typing import Any

from nbcellar.errors import CannotStoreError
from nbcellar.session import arrays, rewrap
from nbcellar.session.encode import Encoder, address_of
from nbcellar.session.importable import is_heap_type, is_importable_module
from nbcellar.session.reducers import container_reducers  # noqa: F401 (registers)
from nbcellar.session.reducers.registry import Reducer, register, register_base

_CASTS = frozenset("cbB?hHiIlLqQnNfdP")  # formats that memoryview.cast makes


def reduce_memoryview(view: memoryview, encoder: Encoder) -> Any:
    """Reduce a view to the object whose memory it shows and where in it: changes show through again."""
    try:
        whole = memoryview(view.obj)
    except (ValueError, TypeError, BufferError) as error:
        raise CannotStoreError(f"a memoryview without an object to look at: {error}") from None
    with whole:
        if not view.c_contiguous and whole.c_contiguous and view.nbytes:
            return _reduce_strided_view(view, whole)
        if not (view.c_contiguous and whole.c_contiguous):
            raise CannotStoreError("a memoryview of memory that is not contiguous")
        offset = address_of(view) - address_of(whole) if view.nbytes else 0
        plain = view.format == whole.format and view.shape == whole.shape
        if not plain and view.format.lstrip("@") not in _CASTS:
            raise CannotStoreError(f"a part of a memoryview of format {view.format!r}")
        form = None if plain else (offset, view.nbytes, view.format.lstrip("@"), view.shape)
        return arrays.memory_view, (view.obj, form, view.readonly)


def _reduce_strided_view(view: memoryview, whole: memoryview) -> Any:
    """Reduce a view of every n-th element of contiguous memory."""
    format = view.format.lstrip("@")
    stride = (view.strides or (0,))[0]
    if view.ndim != 1 or format not in _CASTS or not stride or stride % view.itemsize:
        raise CannotStoreError("a memoryview of memory that is not contiguous, and not every n-th element of it either")
    first = address_of(view) - address_of(whole)
    last = first + stride * (view.shape[0] - 1)  # type: ignore[index]
    form = min(first, last), max(first, last) + view.itemsize, format, stride // view.itemsize
    return arrays.strided_memory_view, (view.obj, form, view.readonly)


def _reduce_exception(error: BaseException, encoder: Encoder) -> Any:
    # BaseException.__reduce__ calls the class with `args`, which are what the class gave to its base, not what it was
    # called with: `Oops(3)` with the args ("code 3",) comes back as another one or not at all.
    state = dict(vars(error))
    if error.__cause__ is not None:
        state["__cause__"] = error.__cause__
    if error.__context__ is not None:
        state["__context__"] = error.__context__
    if error.__suppress_context__:
        state["__suppress_context__"] = True
    made = copyreg.__newobj__, (type(error), *error.args)  # type: ignore[attr-defined]
    return (*made, state) if state else made


def _choose_exception(kind: type) -> Reducer | None:
    """Exceptions that hold nothing beyond what BaseException holds, and do not say themselves how they are pickled."""
    solid = next(base for base in kind.__mro__ if not is_heap_type(base))
    if solid.__basicsize__ != BaseException.__basicsize__:
        return None  # an OSError, say, keeps more
    own = any("__new__" in vars(base) for base in kind.__mro__[: kind.__mro__.index(solid)])
    how = "__reduce__", "__reduce_ex__", "__setstate__"
    plain = all(getattr(kind, name, None) is getattr(BaseException, name, None) for name in how)
    return _reduce_exception if plain and not own else None


_sentinels: dict[int, tuple[str, str]] = {}  # id -> module and name, of the bare objects that libraries hold


_looked_through: list[int] = []  # how many modules there were when sentinels were looked for


def _reduce_bare(obj: object, encoder: Encoder) -> Any:
    """Keep a library's sentinel by name: it is told by being the very object (`tol is _null`), not by its value."""
    where = _sentinels.get(id(obj))
    if (where is None or not _is_at(obj, where)) and _looked_through != [len(sys.modules)]:
        _find_sentinels()  # once, until more is imported: a notebook may have bare objects of its own
        where = _sentinels.get(id(obj))
    return NotImplemented if where is None or not _is_at(obj, where) else (rewrap.attribute, where)


def _find_sentinels() -> None:
    _sentinels.clear()
    _looked_through[:] = [len(sys.modules)]
    for module_name, module in list(sys.modules.items()):
        if type(module) is ModuleType and is_importable_module(module):
            for name, value in list(vars(module).items()):
                if type(value) is object:
                    _sentinels.setdefault(id(value), (module_name, name))


def _is_at(obj: object, where: tuple[str, str]) -> bool:
    return getattr(sys.modules.get(where[0]), where[1], None) is obj


def _refuse_proxy(proxy: Any, encoder: Encoder) -> Any:
    # Left to pickle, the object that is behind it would be stored in its place.
    raise CannotStoreError("cannot store a weak proxy")


register("builtins.object", _reduce_bare)
register("weakref.ProxyType", _refuse_proxy)
register("weakref.CallableProxyType", _refuse_proxy)
register("builtins.memoryview", reduce_memoryview)
register_base("builtins.BaseException", _choose_exception)

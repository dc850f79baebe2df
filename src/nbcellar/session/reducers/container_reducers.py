"""Subclasses of dict, list, set and OrderedDict whose own methods fill them: a notebook's `class D(dict)`.

pickle fills a copy by `__setitem__`, `append` or `extend`, or calls the class; what these do to an item when a user
puts it in (doubling, lower case, logging) they would do to it once more at each load. Invariant: items are what they
were.
Not for: classes that say themselves how they are pickled.
"""

from __future__ import annotations

import copyreg
from collections import OrderedDict
from enum import Enum
from typing import Any

from nbcellar.session import rewrap
from nbcellar.session.encode import Encoder
from nbcellar.session.importable import is_heap_type
from nbcellar.session.reducers.registry import Reducer, register_base

_PICKLING = frozenset("__reduce__ __reduce_ex__ __getstate__ __setstate__ __getnewargs__ __getnewargs_ex__".split())
_FILLING = frozenset("__setitem__ append extend add update __init__ __new__ __iter__ items".split())


def _choose(kind: type) -> Reducer | None:
    base = next(b for b in kind.__mro__ if not is_heap_type(b))
    if base is kind or base not in (dict, list, set, OrderedDict):
        return None
    own = {name for b in kind.__mro__[: kind.__mro__.index(base)] for name in vars(b)}
    mixed = {name for b in kind.__mro__ if b not in (base, object) for name in vars(b)}
    if mixed & _PICKLING or not own & _FILLING or kind in copyreg.dispatch_table:
        return None
    if any(b.__module__ == "collections" for b in kind.__mro__[:-1] if b is not base):
        return None  # a Counter reduces itself
    return _reduce


_UNSET: Any = object()


def _own(obj: Any, name: str) -> Any:
    """Return an attribute without asking the class's own `__getattr__`."""
    try:
        return object.__getattribute__(obj, name)
    except AttributeError:
        return _UNSET


def _reduce(obj: Any, encoder: Encoder) -> Any:
    base: Any = next(b for b in type(obj).__mro__ if not is_heap_type(b))
    if issubclass(base, dict):
        contents: Any = dict(zip(base.__iter__(obj), base.values(obj), strict=True))
    else:
        contents = list(base.__iter__(obj))
    slots = {name: value for name in copyreg._slotnames(type(obj)) if (value := _own(obj, name)) is not _UNSET}  # type: ignore[attr-defined]
    attributes = None if (held := _own(obj, "__dict__")) is _UNSET else held
    encoder.keep(contents)
    state = contents, attributes if attributes or attributes is obj else None, slots or None
    return rewrap.make_container, (base, type(obj)), state, None, None, rewrap.set_container


def _choose_value(kind: type) -> Reducer | None:
    """Choose subclasses of a number, a text or a tuple whose own `__new__` would change the value once more."""
    base = next(b for b in kind.__mro__ if not is_heap_type(b))
    if base not in _VALUES:
        return None
    own = {name for b in kind.__mro__ if b not in (base, object) for name in vars(b)}
    return None if own & _PICKLING or "__new__" not in own or issubclass(kind, Enum) else _reduce_value


_VALUES = (float, int, complex, str, bytes, tuple)


def _reduce_value(obj: Any, encoder: Encoder) -> Any:
    base: Any = next(b for b in type(obj).__mro__ if not is_heap_type(b))
    plain = base.__new__(base, tuple.__iter__(obj)) if base is tuple else base.__getnewargs__(obj)[0]
    attributes = None if (held := _own(obj, "__dict__")) is _UNSET else held
    return rewrap.make_value, (base, type(obj), plain), attributes or None, None, None, rewrap.set_attributes


for _base in ("float", "int", "complex", "str", "bytes", "tuple"):
    register_base(f"builtins.{_base}", _choose_value)
register_base("builtins.dict", _choose)
register_base("builtins.list", _choose)
register_base("builtins.set", _choose)

"""What listings, diffs and pages show of a variable, made when it is captured.

Invariant: `preview` never raises, runs no method that the notebook defined, and stays within its text and time bounds.
Libraries add theirs with `register`. Not for: hiding secrets; names are filtered before a preview is made.
"""

from __future__ import annotations

import collections
import enum
import sys
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

import msgspec

from nbcellar.history.model import Preview
from nbcellar.session.previews.text import (
    _dict_of,
    _module_of,
    _mro_of,
    _qualname_of,
    bounded_repr,
    class_name,
    clean,
    instance_fields,
)

MAX_TABLE_TEXT = 10_000
_MAX_KEYS = 10

Previewer = Callable[[Any, float], Preview]
"""Makes the preview of an object; the second argument is the `time.perf_counter()` to be done by."""


def preview(value: object, *, deadline_s: float = 0.002) -> Preview:
    """Return a preview of any object; of one that makes trouble, its type only."""
    try:
        cls = type(value)
        make = _EXACT.get(cls)
        if make is not None:
            return make(value, 0.0)
        found = _find_previewer(cls)
        if found is not None:
            try:
                return found(value, time.perf_counter() + deadline_s)
            except Exception:  # a library of another version: the plain view of an object still holds
                pass
        return _instance(value, 0.0)
    except Exception:
        return Preview(_safe_type_name(value), "")


def register(type_qualname: str, function: Previewer) -> None:
    """Use `function` for instances of `module.qualname` and of its subclasses."""
    _registry[type_qualname] = function


def detail(value: object) -> msgspec.Raw:
    """Return a plain value (None, bool, number, str, bytes, list, dict) as an entry of `Preview.details`."""
    return msgspec.Raw(_encode(value))


_encode = msgspec.msgpack.Encoder(order="deterministic", enc_hook=str).encode
_registry: dict[str, Previewer] = {}


def _find_previewer(cls: type) -> Previewer | None:
    if not _own_loaded:
        _load_own()
    for base in _mro_of(cls):
        found = _registry.get(f"{_module_of(base)}.{_qualname_of(base)}")
        if found is not None:
            return found
    return None


_own_loaded: list[bool] = []


def _load_own() -> None:
    _own_loaded.append(True)
    import nbcellar.session.previews.numpy_values
    import nbcellar.session.previews.pandas_values  # noqa: F401 - both register themselves, and neither imports its library


def _safe_type_name(value: object) -> str:
    try:
        return clean(class_name(type(value)))
    except Exception:
        return "object"


def _plain(value: object, deadline: float) -> Preview:
    return Preview(type(value).__name__, clean(bounded_repr(value)), (), sys.getsizeof(value))


def _text(value: str, deadline: float) -> Preview:
    return Preview("str", clean(bounded_repr(value)), (len(value),), sys.getsizeof(value))


def _container(value: Any, deadline: float) -> Preview:
    text = clean(bounded_repr(value))
    return Preview(type(value).__name__, text, (len(value),), sys.getsizeof(value))


def _mapping(value: Any, deadline: float) -> Preview:
    keys = [clean(key if type(key) is str else bounded_repr(key), 80) for key in islice(value, _MAX_KEYS)]
    text = clean(bounded_repr(value))
    return Preview(type(value).__name__, text, (len(value),), sys.getsizeof(value), {"keys": detail(keys)})


def _definition(value: Any, deadline: float) -> Preview:
    return Preview(class_name(type(value)), clean(bounded_repr(value)), (), sys.getsizeof(value))


def _buffer(value: memoryview, deadline: float) -> Preview:
    return Preview("memoryview", f"{value.nbytes:,} bytes, format {value.format}", value.shape or (), value.nbytes)


def _other_mapping(value: Any, deadline: float) -> Preview:
    """Ordered, default and counting dictionaries: their own class's iteration, whatever a subclass defines."""
    kind: Any = next(base for base in _mro_of(type(value)) if _module_of(base) == "collections")
    items = dict(islice(kind.items(value), 20))
    text = clean(f"{class_name(type(value))}({bounded_repr(items)})")
    keys = [clean(key if type(key) is str else bounded_repr(key), 80) for key in islice(items, _MAX_KEYS)]
    return Preview(
        class_name(type(value)), text, (dict.__len__(value),), dict.__sizeof__(value), {"keys": detail(keys)}
    )


def _deque(value: Any, deadline: float) -> Preview:
    kind = collections.deque
    shown = bounded_repr(list(islice(kind.__iter__(value), 20)))
    return Preview(class_name(type(value)), clean(f"deque({shown})"), (kind.__len__(value),), kind.__sizeof__(value))


_BUILTIN_SIZED: tuple[type, ...] = (list, tuple, dict, set, frozenset, str, bytes, bytearray)


def _instance(value: object, deadline: float) -> Preview:
    """An object of any class: its type and plain fields; the length where its class inherits a builtin's."""
    cls = type(value)
    shape: tuple[int, ...] = ()
    size = int(type.__dict__["__basicsize__"].__get__(cls))
    details: dict[str, msgspec.Raw] = {}
    for base in _BUILTIN_SIZED:
        if base in _mro_of(cls):
            length: Callable[[object], int] = _dict_of(base)["__len__"]
            shape = (length(value),)
            size = int(_dict_of(base).get("__sizeof__", object.__sizeof__)(value))
    text = bounded_repr(value)
    if type not in _mro_of(cls) and enum.Enum not in _mro_of(cls):
        fields = list(islice(instance_fields(value), 50))
        if fields:
            details["fields"] = detail([clean(field, 80) for field in fields])
        if _is_named_tuple(cls):
            text = f"{class_name(cls)}{bounded_repr(tuple(value))}"  # type: ignore[arg-type]
    return Preview(clean(class_name(cls)), clean(text), shape, size, details)


def _is_named_tuple(cls: type) -> bool:
    return tuple in _mro_of(cls) and "_fields" in _dict_of(cls) and "__iter__" not in _dict_of(cls)


_EXACT: dict[type, Previewer] = {
    **dict.fromkeys([bool, int, float, complex, type(None), range, bytes, bytearray], _plain),
    str: _text,
    **dict.fromkeys([list, tuple, set, frozenset], _container),
    dict: _mapping,
    memoryview: _buffer,
    type(_plain): _definition,
    type: _definition,
    type(sys): _definition,
}
register("collections.OrderedDict", _other_mapping)
register("collections.defaultdict", _other_mapping)
register("collections.Counter", _other_mapping)
register("collections.deque", _deque)
